//! The command line: every subcommand and flag, with its help.

use std::path::PathBuf;
use std::str::FromStr;

use brooklet_processor::{StartFrom, Trigger};
use bytesize::ByteSize;
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

/// What `brooklet` alone and the demo run.
pub(crate) const MAIN_JOB: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

const EXAMPLES: &str = "\
Examples:
  brooklet                        broker on 127.0.0.1:9092 and a live count of `logs` by level
  brooklet demo                   the same with a producer, nothing to set up, nothing left behind
  brooklet serve                  the broker alone; see `brooklet serve --help` for queries
  echo '{\"level\": \"INFO\"}' | brooklet produce --topic logs

Without a command: `brooklet serve` with the query
  SELECT level, COUNT(*) AS count FROM logs GROUP BY level
on the console.";

const SERVE_EXAMPLES: &str = "\
Examples:
  # a broker alone
  brooklet serve

  # for tests: nothing on disk, a free port, told by the line listening=HOST:PORT
  brooklet serve --listen 127.0.0.1:0 --storage memory

  # counts by level on the console, from the first record on, once a second
  brooklet serve --from earliest --trigger 1s \\
    --query 'SELECT level, COUNT(*) AS count FROM logs GROUP BY level'

  # counts into a topic
  brooklet serve --query 'INSERT INTO log_counts
    SELECT level, COUNT(*) AS count FROM logs GROUP BY level'

  # for clients in containers and on other machines
  brooklet serve --listen 0.0.0.0:9092 --advertise host.docker.internal:9092

Standard output carries what queries print and nothing else.
Ctrl-C or SIGTERM: finish what is under way, sync, exit.";

const QUERY_EXAMPLES: &str = "\
Examples:
  # counts by level of all that is in the topic, from a running broker
  brooklet query 'SELECT level, COUNT(*) AS count FROM logs GROUP BY level ORDER BY count DESC'

  # typed columns, and the result as CSV
  brooklet query --output csv 'CREATE TABLE iot_sensor_readings (sensor STRING, ts TIMESTAMP, celsius DOUBLE);
    SELECT sensor, MAX(celsius) AS hottest FROM iot_sensor_readings GROUP BY sensor'

  # a data folder, while its broker is stopped
  brooklet query --data-dir ./brooklet-data 'SELECT COUNT(*) FROM logs'

  # go on with what comes
  brooklet query --follow 'SELECT level, COUNT(*) AS count FROM logs GROUP BY level'";

const STATUS_EXAMPLES: &str = "\
Examples:
  brooklet status
  brooklet status --json | jq '.[] | {name, lag_records, lag_seconds}'

The lag is seen by any Kafka tool, too: each query is the consumer group __brooklet_query_NAME.";

const DEMO_EXAMPLES: &str = "\
Examples:
  brooklet demo                        until Ctrl-C
  brooklet demo --records 1000         ends when all are counted
  brooklet demo --rate 5000 --listen 127.0.0.1:0";

/// A Kafka-compatible broker with a streaming SQL processor inside
#[derive(Parser, Debug)]
#[command(name = "brooklet", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// How much to tell on standard error; without it, RUST_LOG decides (e.g. `debug`, `brooklet_broker=trace`)
    #[arg(long, global = true, display_order = 1000, value_name = "LEVEL", value_parser = level)]
    pub(crate) log_level: Option<LevelFilter>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Demo(DemoArgs),
    Produce(brooklet_producer::ProduceArgs),
    Query(QueryArgs),
    Status(StatusArgs),
    Consume(brooklet_producer::ConsumeArgs),
    Topics(brooklet_producer::TopicsArgs),
    Groups(brooklet_producer::GroupsArgs),
    Configs(brooklet_producer::ConfigsArgs),
    Transactions(brooklet_producer::TransactionsArgs),
    Completions(CompletionsArgs),
}

/// Run the broker, and with it queries
#[derive(Parser, Debug)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "BROOKLET_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub(crate) listen: HostPort,

    /// Address that clients are told to connect to, if it is not the one listened on
    #[arg(long, env = "BROOKLET_ADVERTISE", value_name = "HOST:PORT")]
    pub(crate) advertise: Option<HostPort>,

    /// Folder that holds everything; made if missing
    #[arg(long, env = "BROOKLET_DATA_DIR", value_name = "DIR", default_value = "./brooklet-data")]
    pub(crate) data_dir: PathBuf,

    /// Where record bytes live
    #[arg(long, env = "BROOKLET_STORAGE", value_enum, value_name = "ENGINE", default_value = "segments")]
    pub(crate) storage: Engine,

    /// When data is synced to disk
    #[arg(long, env = "BROOKLET_FSYNC", value_enum, value_name = "WHEN", default_value = "interval")]
    pub(crate) fsync: Fsync,

    /// Partitions of topics that are made on first use
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) partitions: i32,

    /// Give a topic one replica where a client asks for several, instead of refusing it: for development against
    /// settings that are made for a cluster
    #[arg(long, env = "BROOKLET_CLAMP_REPLICATION", value_parser = FalseyValueParser::new())]
    pub(crate) clamp_replication: bool,

    /// Streaming query; may be repeated. SELECT prints to the console, INSERT INTO topic SELECT writes to that topic
    #[arg(long = "query", value_name = "SQL")]
    pub(crate) queries: Vec<String>,

    /// Name of a query, which its checkpoint is kept under; may be repeated, in the order of the queries [default: made
    /// from what the query does]
    #[arg(long = "name", value_name = "NAME", requires = "queries")]
    pub(crate) names: Vec<String>,

    /// Forget the checkpoint of the query of this name, so that it starts anew; may be repeated
    #[arg(long = "reset", value_name = "NAME")]
    pub(crate) resets: Vec<String>,

    /// Which rows a query gives out: those that changed, all, or those that will change no more
    #[arg(long, value_enum, value_name = "MODE", default_value = "update")]
    pub(crate) output_mode: OutputMode,

    /// Where SELECT prints: console, json (an object a line, on standard output), or file:PATH (the same, appended)
    #[arg(long, value_name = "SINK", default_value = "console")]
    pub(crate) sink: Sink,

    /// On a terminal, show the console's rows as one table that is drawn in place, with the rate of each group; a pipe
    /// gets Spark's text all the same
    #[arg(long)]
    pub(crate) live: bool,

    /// Where a query that has never run starts: latest, earliest, or with the first record of a time such as
    /// 2026-01-31T12:00:00Z or milliseconds since 1970
    #[arg(long, value_name = "WHERE", value_parser = start_from, default_value = "latest")]
    pub(crate) from: StartFrom,

    /// How often a query runs: 0s (as soon as there is data), a duration, available-now (over what is there, in as many
    /// batches as it takes), once (in one)
    #[arg(long, value_name = "DURATION", value_parser = trigger, default_value = "0s")]
    pub(crate) trigger: Trigger,

    /// What a query does when records it has not read yet are gone
    #[arg(long, value_enum, value_name = "WHAT", default_value = "fail")]
    pub(crate) on_data_loss: OnDataLoss,

    /// Topic that bad records are sent on to, with where they came from in headers; made if missing
    #[arg(long, value_name = "TOPIC", requires = "queries")]
    pub(crate) dead_letter: Option<String>,

    /// Memory that the state of one query may take; a query that needs more stops with an error [default: 1GiB]
    #[arg(long, value_name = "BYTES")]
    pub(crate) state_memory: Option<ByteSize>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Bounds on what clients may make the broker hold.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Largest request; a larger one closes its connection [default: 100MiB]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_request: Option<ByteSize>,

    /// Requests above 2 MiB together; more of them wait [default: 256MiB]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_requests: Option<ByteSize>,

    /// Connections at once; one more is closed [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<usize>,

    /// Largest answer to a fetch [default: 55MiB]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_fetch: Option<ByteSize>,

    /// Fetch sessions kept; a client beyond them names its partitions in every fetch [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) max_fetch_sessions: Option<usize>,

    /// Memory for the keys of a topic while it is compacted; with more keys that takes several passes [default: 128MiB]
    #[arg(long, value_name = "BYTES")]
    pub(crate) cleaner_memory: Option<ByteSize>,

    /// Members of one consumer group [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) max_group_members: Option<usize>,
}

/// Watch it work: a broker, a producer of log records and a count of them by level
#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Send so many records, and end when all are counted; without it, until Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) records: Option<u64>,

    /// Records a second [default: 50; with --records, more where the demo would take longer than ten seconds]
    #[arg(long, value_name = "R")]
    pub(crate) rate: Option<brooklet_producer::Rate>,

    /// Address to listen on [default: 127.0.0.1:9092, or a free port where that is taken]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<HostPort>,
}

/// Print the completion script of a shell
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  brooklet completions bash > ~/.local/share/bash-completion/completions/brooklet")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Append-only files, laid out as Kafka's
    Segments,
    /// Inside an embedded sled database
    Sled,
    /// Nothing on disk
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fsync {
    /// In the background, within a second
    Interval,
    /// Before it is acknowledged
    Always,
    /// When the operating system likes
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputMode {
    /// Groups that changed
    Update,
    /// All groups, every time
    Complete,
    /// Rows that are final: of groups, once the watermark has passed them
    Append,
}

/// Where SELECT prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    Console,
    Json,
    File(PathBuf),
}

impl FromStr for Sink {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("file:")) {
            ("console", _) => Ok(Self::Console),
            ("json", _) => Ok(Self::Json),
            (_, Some(path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err("expected console, json or file:PATH".to_owned()),
        }
    }
}

/// Run a query once over a topic to its end, from any Kafka broker or from a data folder at rest
#[derive(Args, Debug)]
#[command(after_help = QUERY_EXAMPLES)]
pub(crate) struct QueryArgs {
    /// SELECT, with CREATE TABLE statements before it where columns are not STRINGs
    #[arg(value_name = "SQL")]
    pub(crate) sql: String,

    /// Broker to read from: HOST:PORT, several separated by commas
    #[arg(long, short = 'b', value_name = "HOST:PORT", default_value = "127.0.0.1:9092", conflicts_with = "data_dir")]
    pub(crate) bootstrap_server: String,

    /// Data folder to read from, of a broker that does not run
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// How rows are printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,

    /// Go on as a stream after the topic's end, with the updates of each batch
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) follow: bool,

    /// Any setting of librdkafka; may be repeated
    #[arg(short = 'X', long = "property", value_name = "KEY=VALUE", value_parser = brooklet_producer::property)]
    pub(crate) properties: Vec<(String, String)>,
}

/// Tell how the queries of a running broker are: rates, lag, state, batches, bad records, the last error
#[derive(Args, Debug)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct StatusArgs {
    /// Broker that runs the queries
    #[arg(long, short = 'b', value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub(crate) bootstrap_server: String,

    /// All there is to tell, as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Any setting of librdkafka; may be repeated
    #[arg(short = 'X', long = "property", value_name = "KEY=VALUE", value_parser = brooklet_producer::property)]
    pub(crate) properties: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table with borders
    Table,
    /// An object a line
    Json,
    /// With a line of names
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDataLoss {
    /// It stops with an error
    Fail,
    /// It goes on with what is there
    Continue,
}

/// A host and a port, `[::1]:9092` included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is not HOST:PORT");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let host = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or_else(expected)?,
            None if host.contains(':') => return Err(expected()),
            None => host,
        };
        if host.is_empty() {
            return Err(expected());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| expected())? })
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

fn level(text: &str) -> Result<LevelFilter, String> {
    text.parse().map_err(|_| "expected off, error, warn, info, debug or trace".to_owned())
}

fn start_from(text: &str) -> Result<StartFrom, String> {
    match text {
        "latest" => return Ok(StartFrom::Latest),
        "earliest" => return Ok(StartFrom::Earliest),
        _ => {}
    }
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(StartFrom::Timestamp(millis));
    }
    let time = humantime::parse_rfc3339_weak(text)
        .map_err(|_| "expected latest, earliest, a time such as 2026-01-31T12:00:00Z, or milliseconds".to_owned())?;
    let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| "a time before 1970".to_owned())?;
    i64::try_from(since.as_millis()).map(StartFrom::Timestamp).map_err(|_| "too far ahead".to_owned())
}

fn trigger(text: &str) -> Result<Trigger, String> {
    match text {
        "available-now" => return Ok(Trigger::AvailableNow),
        "once" => return Ok(Trigger::Once),
        _ => {}
    }
    let every = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; expected a duration such as 0s, 500ms or 10s, or available-now, or once"))?;
    Ok(if every.is_zero() { Trigger::Asap } else { Trigger::Interval(every) })
}
