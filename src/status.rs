//! `brooklet status`: how the queries of a running broker are.
//!
//! A broker shows each of its queries as a consumer group (`brooklet_broker::ObservedGroup`), whose member says how the
//! query is in its user data, as JSON. So any Kafka tool sees the lag, and this command sees all of it.

mod report;
mod text;

use std::time::Duration;

use anyhow::Context as _;
use brooklet_broker::{OBSERVED_GROUP_PREFIX, ObserveGroups, ObservedGroup};
use brooklet_processor::QueryStatusReader;
use brooklet_producer::members_user_data;

use crate::cli::StatusArgs;

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Prints the status of every query.
///
/// # Errors
/// No broker answers.
pub(crate) fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let told = members_user_data(&args.bootstrap_server, OBSERVED_GROUP_PREFIX, &args.properties, TIMEOUT)?;
    let mut reports = Vec::with_capacity(told.len());
    for (group, data) in told {
        let report: report::Report =
            serde_json::from_slice(&data).with_context(|| format!("group {group} says nothing of a query"))?;
        reports.push(report);
    }
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &reports)?;
        std::io::Write::write_all(&mut out, b"\n")?;
        return Ok(());
    }
    text::write(&reports, &mut out).context("the status cannot be printed")
}

/// The queries as groups.
pub(crate) fn observe(queries: Vec<QueryStatusReader>) -> ObserveGroups {
    Box::new(move || {
        let group = |reader: &QueryStatusReader| {
            let status = reader.read();
            ObservedGroup {
                id: format!("{OBSERVED_GROUP_PREFIX}{}", status.name),
                topic: status.topic.clone(),
                positions: status.positions.iter().map(|(partition, next, _)| (*partition, *next)).collect(),
                // Numbers and texts always make JSON.
                user_data: serde_json::to_vec(&report::Report::new(status)).unwrap_or_default().into(),
            }
        };
        queries.iter().map(group).collect()
    })
}
