//! `brooklet transactions`.

use anyhow::Context as _;
use clap::Args;
use kafka_protocol::messages::{DescribeTransactionsRequest, ListTransactionsRequest, TransactionalId};
use serde_json::{Value, json};

use super::Target;
use super::cluster::{Cluster, Coordinates, check, text};
use super::listing::Listing;

const EXAMPLES: &str = "\
Examples:
  brooklet transactions              all transactional ids, and the state of each
  brooklet transactions billing-1    since when, by whom, and over which partitions";

/// List and describe transactions of any Kafka broker
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TransactionsArgs {
    #[command(flatten)]
    target: Target,

    /// Transactional ids to describe; without one, all are listed
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

/// Runs `brooklet transactions`.
///
/// # Errors
/// No broker, or what it says against it.
pub fn transactions(args: &TransactionsArgs) -> anyhow::Result<()> {
    let mut cluster = args.target.connect()?;
    let listing = if args.ids.is_empty() { list(&mut cluster)? } else { describe(&mut cluster, &args.ids)? };
    args.target.print(&listing)
}

fn list(cluster: &mut Cluster) -> anyhow::Result<Listing> {
    let mut listing = Listing::new(&["transactional id", "state", "producer id"]);
    let mut found = Vec::new();
    for broker in cluster.brokers() {
        let response = cluster.call_on(broker, &ListTransactionsRequest::default())?;
        check(response.error_code, None)?;
        found.extend(response.transaction_states);
    }
    found.sort_by(|a, b| a.transactional_id.cmp(&b.transactional_id));
    for it in found {
        let id = it.transactional_id.as_str();
        listing.push(vec![json!(id), json!(it.transaction_state.as_str()), json!(it.producer_id.0)]);
    }
    Ok(listing)
}

fn describe(cluster: &mut Cluster, ids: &[String]) -> anyhow::Result<Listing> {
    let mut listing =
        Listing::new(&["transactional id", "state", "producer id", "epoch", "timeout ms", "started", "partitions"]);
    for id in ids {
        let coordinator = cluster.coordinator(Coordinates::Transaction, id)?;
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![TransactionalId(text(id))]);
        let response = cluster.call_on(coordinator, &request)?;
        let it = response.transaction_states.into_iter().next().context("the broker says nothing of it")?;
        check(it.error_code, None).with_context(|| id.clone())?;
        let partitions = it
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(|partition| format!("{}-{partition}", topic.topic.as_str())));
        listing.push(vec![
            json!(id),
            json!(it.transaction_state.as_str()),
            json!(it.producer_id.0),
            json!(it.producer_epoch),
            json!(it.transaction_timeout_ms),
            time(it.transaction_start_time_ms),
            json!(partitions.collect::<Vec<_>>()),
        ]);
    }
    Ok(listing)
}

/// RFC 3339, in UTC; null where nothing has started.
fn time(millis: i64) -> Value {
    let Ok(millis) = u64::try_from(millis) else { return Value::Null };
    match std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_millis(millis)) {
        Some(time) if millis < 253_402_300_800_000 => json!(humantime::format_rfc3339_millis(time).to_string()),
        _ => Value::Null,
    }
}
