//! `brooklet consume`: prints the records of a topic, of any Kafka broker, as a format says.

mod format;

use std::io::{self, BufWriter, Write as _};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::property;
use crate::reader::{From, TopicReader, with_fetched};
use format::Format;

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A signal is looked for as often where nothing comes.
const WAIT: Duration = Duration::from_millis(100);
/// Records taken at once.
const RECORDS_MAX: usize = 10_000;

const EXAMPLES: &str = "\
Examples:
  brooklet consume logs                            all there is, a value a line
  brooklet consume logs --follow --from latest     what comes from now on
  brooklet consume logs -n 10 -f '%p@%o %T %k: %s\\n'
  brooklet consume logs --from 2026-01-31T12:00:00Z --partition 0

The format knows %t topic, %p partition, %o offset, %T timestamp in milliseconds, %k key,
%K its length, %s value, %S its length (-1: none), %h headers as NAME=VALUE with commas,
%% a percent sign, and \\n, \\r, \\t, \\\\, \\0, \\xHH.";

/// Print the records of a topic of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ConsumeArgs {
    /// Topic to read
    #[arg(value_name = "TOPIC")]
    topic: String,

    /// Broker to connect to first: HOST:PORT, several separated by commas
    #[arg(long, short = 'b', value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    bootstrap_server: String,

    /// How a record is printed
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "%s\\n")]
    format: Format,

    /// Where to start: earliest, latest, an offset, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "WHERE", default_value = "earliest", value_parser = From::from_str)]
    from: From,

    /// Only this partition
    #[arg(long, short = 'p', value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,

    /// End after so many records
    #[arg(long, short = 'n', value_name = "N")]
    records: Option<u64>,

    /// Go on with what comes after the topic's end
    #[arg(long)]
    follow: bool,

    /// Leave out records of transactions that were not committed
    #[arg(long)]
    committed: bool,

    /// Any setting of librdkafka; may be repeated
    #[arg(short = 'X', long = "property", value_name = "KEY=VALUE", value_parser = property)]
    properties: Vec<(String, String)>,
}

/// Runs `brooklet consume` to its end, or to a signal.
///
/// # Errors
/// No broker, no such topic, a format that says nothing, or standard output is closed.
pub fn consume(args: &ConsumeArgs) -> anyhow::Result<()> {
    let mut properties = args.properties.clone();
    if args.committed {
        properties.push(("isolation.level".to_owned(), "read_committed".to_owned()));
    }
    let (broker, topic) = (&args.bootstrap_server, &args.topic);
    let mut reader = TopicReader::open(broker, &properties, topic, args.partition, args.from, args.follow, TIMEOUT)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
    };
    let (stop, stopped) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let [interrupt, terminate] = &mut signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Whoever listened has ended by itself.
        let _ = stop.send(());
    });
    let printed = print(args, &mut reader, &stopped);
    runtime.shutdown_background();
    printed
}

fn print(args: &ConsumeArgs, reader: &mut TopicReader, stopped: &std::sync::mpsc::Receiver<()>) -> anyhow::Result<()> {
    let mut left = args.records.unwrap_or(u64::MAX);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    while left > 0 && (args.follow || !reader.is_at_end()) && stopped.try_recv().is_err() {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(RECORDS_MAX);
        let come = reader.read_more(WAIT, wanted)?;
        if come.is_empty() && !args.follow && !reader.is_at_end() {
            reader.check_heard(TIMEOUT)?;
        }
        for message in come {
            if !args.follow && reader.is_beyond(&message) {
                continue;
            }
            line.clear();
            with_fetched(&message, |record| args.format.write(&args.topic, record, &mut line));
            out.write_all(&line)?;
            left -= 1;
        }
        out.flush()?;
    }
    Ok(())
}
