//! The status as people read it: a paragraph for each query.

use std::io::{self, Write};

use bytesize::ByteSize;

use super::report::Report;

pub(super) fn write(reports: &[Report], out: &mut impl Write) -> io::Result<()> {
    if reports.is_empty() {
        return writeln!(out, "no query runs there");
    }
    for (number, report) in reports.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        paragraph(report, out)?;
    }
    Ok(())
}

fn paragraph(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let joins = if report.tables.is_empty() { String::new() } else { format!(", joins {}", report.tables.join(", ")) };
    writeln!(out, "{}  {}, reads {}{joins}", report.name, report.phase, report.topics.join(", "))?;
    let (rate_in, rate_out) = (report.records_in_per_second, report.rows_out_per_second);
    writeln!(out, "  in       {rate_in:.1} records/s, {} in all", report.records_in)?;
    writeln!(out, "  out      {rate_out:.1} rows/s, {} in all", report.rows_out)?;
    let lag = report.lag_seconds.map_or(String::new(), |seconds| format!(", {seconds:.1} s"));
    writeln!(out, "  lag      {} records{lag}", report.lag_records)?;
    if let Some(watermark) = &report.watermark {
        writeln!(out, "  time     watermark {watermark}, {} rows were late", report.late_rows)?;
    }
    writeln!(out, "  state    {} groups, {}", report.groups, ByteSize(report.state_bytes))?;
    let millis = |millis: Option<f64>| millis.map_or("-".to_owned(), |millis| format!("{millis:.2} ms"));
    let times = &report.batch_ms;
    let (last, median, max) = (millis(times.last), millis(times.median), millis(times.max));
    writeln!(out, "  batches  {}; last {last}, median {median}, longest {max}", report.batches)?;
    if !report.bad_records.is_empty() {
        let reasons: Vec<String> =
            report.bad_records.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        writeln!(out, "  bad      {}", reasons.join(", "))?;
        for bad in &report.last_bad_records {
            let value = bad.value.as_ref().map_or(String::new(), |value| format!(": {value:?}"));
            writeln!(out, "           {}-{} offset {}: {}{value}", bad.topic, bad.partition, bad.offset, bad.message)?;
        }
    }
    if let Some(error) = &report.last_error {
        let time = error.time.as_deref().unwrap_or("-");
        writeln!(out, "  error    {time} {} ({} restarts)", error.error, report.restarts)?;
    }
    Ok(())
}
