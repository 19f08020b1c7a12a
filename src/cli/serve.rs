//! `brooklet serve`.

use std::path::PathBuf;
use std::str::FromStr;

use brooklet_processor::{StartFrom, Trigger};
use bytesize::ByteSize;
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, ValueEnum};

use super::value::{self, HostPort, OutputMode};

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
    #[arg(long, value_name = "WHERE", value_parser = value::start_from, default_value = "latest")]
    pub(crate) from: StartFrom,

    /// How often a query runs: 0s (as soon as there is data), a duration, available-now (over what is there, in as many
    /// batches as it takes), once (in one)
    #[arg(long, value_name = "DURATION", value_parser = value::trigger, default_value = "0s")]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDataLoss {
    /// It stops with an error
    Fail,
    /// It goes on with what is there
    Continue,
}
