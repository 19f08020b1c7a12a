use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  # one record a line, from a file
  brooklet produce --topic logs app.ndjson

  # from standard input; what stands before the first ':' is the key
  tail -f app.log | brooklet produce --topic logs --key-separator :

  # a million generated log records of 1000 bytes, and one line of JSON about them
  brooklet produce --topic logs --generate 1000000 --size 1000 --json

  # acknowledgement latency with one record in flight
  brooklet produce --topic logs --generate 10000 --max-queued 1 --linger 0s

Each line is one record: the bytes before the newline, as they are. A last line without
a newline counts; empty lines are skipped, as kcat does. A line without the key separator
is a record without a key.
Exit status: 0 if every record was acknowledged, 1 otherwise.";

/// Send records to a topic of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ProduceArgs {
    /// Topic to send to
    #[arg(long, short = 't')]
    pub topic: String,

    /// Broker to connect to first: HOST:PORT, several separated by commas
    #[arg(long, short = 'b', value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub bootstrap_server: String,

    /// File with one record a line; '-' or nothing is standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// What stands between key and value in a line; without it records have no key
    #[arg(long, short = 'K', value_name = "S", conflicts_with = "generate")]
    pub key_separator: Option<String>,

    /// Make N log records instead of reading lines
    #[arg(long, value_name = "N", conflicts_with = "file")]
    pub generate: Option<u64>,

    /// Size of every generated record: exactly so many bytes (e.g. 1000, 16KiB)
    #[arg(long, value_name = "BYTES", requires = "generate", value_parser = record_size)]
    pub size: Option<usize>,

    /// Seed of the generated records: one seed, one sequence of records
    #[arg(long, value_name = "SEED", requires = "generate", default_value_t = 1)]
    pub seed: u64,

    /// Send at most so many records a second
    #[arg(long, value_name = "R")]
    pub rate: Option<Rate>,

    /// How batches are compressed
    #[arg(long, short = 'z', value_enum, value_name = "C", default_value_t = Codec::None)]
    pub compression: Codec,

    /// When a record counts as delivered: 0 (sent), 1 (leader has it), all (all in-sync replicas have it)
    #[arg(long, value_enum, value_name = "A", default_value_t = Acks::All)]
    pub acks: Acks,

    /// Number batches, so that no retry of the client can store a record twice (needs --acks all)
    #[arg(long)]
    pub idempotent: bool,

    /// How long a batch may wait for more records
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "5ms")]
    pub linger: Duration,

    /// Largest batch before compression (e.g. 16KiB, 1MB)
    #[arg(long, value_name = "BYTES", default_value = "1MB")]
    pub batch_size: ByteSize,

    /// Records that may wait or be in flight; reading goes on when there is room again
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_queued: u64,

    /// Give a record up when it is not acknowledged after this time
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "30s")]
    pub delivery_timeout: Duration,

    /// Any setting of librdkafka (wins over the flags above); may be repeated
    #[arg(short = 'X', long = "property", value_name = "KEY=VALUE", value_parser = property)]
    pub properties: Vec<(String, String)>,

    /// Print one line of JSON on standard output at the end, and no progress
    #[arg(long)]
    pub json: bool,
}

/// Compression codecs of Kafka's record batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Codec {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    /// The name that librdkafka's `compression.codec` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// How many acknowledgements a record waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Acks {
    /// None: a record counts as delivered once it is sent.
    #[value(name = "0")]
    None,
    /// The partition leader has it.
    #[value(name = "1", alias = "leader")]
    Leader,
    /// All in-sync replicas have it.
    #[default]
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    /// The value of librdkafka's `acks`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Leader => "1",
            Self::All => "all",
        }
    }
}

/// Records a second: finite and above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

impl Rate {
    /// `None` unless `records_per_second` is finite and above zero.
    pub fn new(records_per_second: f64) -> Option<Self> {
        (records_per_second.is_finite() && records_per_second > 0.0).then_some(Self(records_per_second))
    }

    /// Records a second.
    pub fn records_per_second(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
        Self::new(number).ok_or_else(|| "must be above 0".to_owned())
    }
}

fn record_size(text: &str) -> Result<usize, String> {
    let bytes = text.parse::<ByteSize>()?.as_u64();
    let min = crate::LOG_RECORD_BYTES_MIN;
    match usize::try_from(bytes) {
        Ok(bytes) if bytes >= min => Ok(bytes),
        _ => Err(format!("a log record has at least {min} bytes")),
    }
}

/// A setting of librdkafka from the command line.
///
/// # Errors
/// It has no `=`.
pub fn property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_positive_numbers() {
        assert_eq!("2.5".parse::<Rate>().unwrap().records_per_second(), 2.5);
        for bad in ["0", "-1", "inf", "NaN", "many", ""] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn record_sizes_take_units_and_have_a_minimum() {
        assert_eq!(record_size("1000"), Ok(1000));
        assert_eq!(record_size("16KiB"), Ok(16384));
        assert!(record_size("10").is_err());
        assert!(record_size("big").is_err());
    }

    #[test]
    fn properties_are_split_at_the_first_equals_sign() {
        assert_eq!(property("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert!(property("a").is_err());
        assert!(property("=a").is_err());
    }
}
