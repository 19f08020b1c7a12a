//! `brooklet status`: how the queries of a running broker are.
//!
//! A broker shows each of its queries as a consumer group (`brooklet_broker::ObservedGroup`), whose member says how the
//! query is in its user data, as JSON. So any Kafka tool sees the lag, and this command sees all of it.

mod report;
mod text;

use std::collections::BTreeMap;
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

/// The queries of this process, as groups.
pub(crate) struct Queries(pub(crate) Vec<QueryStatusReader>);

impl ObserveGroups for Queries {
    fn ids(&self) -> Vec<String> {
        self.0.iter().map(|query| group_id(query.name())).collect()
    }

    fn group(&self, id: &str) -> Option<ObservedGroup> {
        let status = self.0.iter().find(|query| group_id(query.name()) == id)?.read();
        let mut positions: BTreeMap<String, Vec<(i32, i64)>> =
            status.topics.iter().map(|topic| (topic.clone(), Vec::new())).collect();
        for at in &status.positions {
            positions.entry(at.topic.clone()).or_default().push((at.partition, at.next));
        }
        Some(ObservedGroup {
            id: id.to_owned(),
            positions,
            // Numbers and texts always make JSON.
            user_data: serde_json::to_vec(&report::Report::new(status)).unwrap_or_default().into(),
        })
    }
}

fn group_id(query: &str) -> String {
    format!("{OBSERVED_GROUP_PREFIX}{query}")
}
