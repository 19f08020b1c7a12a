//! `brooklet query` and `brooklet status`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value::OutputMode;

const QUERY_EXAMPLES: &str = "\
Examples:
  # counts by level of all that is in the topic, from a running broker
  brooklet query 'SELECT level, COUNT(*) AS count FROM logs GROUP BY level ORDER BY count DESC'

  # typed columns, and the result as CSV
  brooklet query --output csv 'CREATE TABLE iot_sensor_readings (
    sensor STRING, ts TIMESTAMP, celsius DOUBLE);
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

    /// Which rows each batch of a stream gives out: those that changed, all, or those that will change no more
    #[arg(long, value_enum, value_name = "MODE", default_value = "update", requires = "follow")]
    pub(crate) output_mode: OutputMode,

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
