//! The daily verbs: `brooklet topics`, `groups`, `configs` and `transactions`, against any Kafka broker.
//!
//! They speak the protocol themselves, in plain text: librdkafka knows neither transactions of others nor a change of
//! one setting alone.

mod cluster;
mod configs;
mod groups;
mod listing;
mod topics;
mod transactions;

use std::io::Write;
use std::time::Duration;

use clap::Args;

pub use configs::{ConfigsArgs, configs};
pub use groups::{GroupsArgs, groups};
pub use topics::{TopicsArgs, topics};
pub use transactions::{TransactionsArgs, transactions};

use cluster::Cluster;
use listing::Listing;

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection that is tried to learn what keeps clients away may take.
const KNOCK: Duration = Duration::from_secs(2);

/// Whether a broker can be connected to, and answers.
///
/// # Errors
/// What keeps clients away.
pub(crate) fn knock(bootstrap_server: &str) -> anyhow::Result<()> {
    cluster::connect(bootstrap_server, KNOCK).map(|_| ())
}

/// What every verb takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// Broker to connect to first: HOST:PORT, several separated by commas
    #[arg(long, short = 'b', global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    bootstrap_server: String,

    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

impl Target {
    fn connect(&self) -> anyhow::Result<Cluster> {
        Cluster::connect(&self.bootstrap_server, TIMEOUT)
    }

    fn print(&self, listing: &Listing) -> anyhow::Result<()> {
        let text = if self.json { listing.json()? } else { listing.table() };
        Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
    }
}
