//! `brooklet query`: a query over what a topic has, from any Kafka broker or from a data folder at rest.

mod arrivals;

use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use brooklet_processor::{AdHocQuery, Feed, Plan, PlanSettings, QueryError, QueryOptions, SourceRecord, plan_all};
use brooklet_producer::{Fetched, From, TopicReader, with_fetched};
use brooklet_storage::{Engine, Storage, StorageConfig};

use crate::cli::{Format, QueryArgs};
use crate::signals;
use arrivals::Arrivals;

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A stop is looked for as often, where nothing comes.
const WAIT: Duration = Duration::from_millis(200);

/// Runs the query and prints its rows.
///
/// # Errors
/// Bad SQL, a broker that does not answer, a topic that is not there, or a data folder that is in use.
pub(crate) fn run(args: &QueryArgs) -> anyhow::Result<()> {
    let plan = plan(args)?;
    let topics: Vec<String> = plan.source_topics().map(str::to_owned).collect();
    let tables: Vec<String> = plan.table_topics().map(str::to_owned).collect();
    let format = match args.output {
        Format::Table if args.follow => brooklet_processor::Format::Console,
        Format::Table => brooklet_processor::Format::Table,
        Format::Json => brooklet_processor::Format::Json,
        Format::Csv => brooklet_processor::Format::Csv,
    };
    let mut query = AdHocQuery::new(plan, &QueryOptions::default(), format, Box::new(io::stdout()));
    // A thread beside this one hears signals while this one waits for records.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        match &args.data_dir {
            Some(folder) => from_folder(folder, &mut query).await?,
            None => from_broker(args, &topics, &tables, &mut query).await?,
        }
        let bad = query.progress().bad_records;
        if bad > 0 {
            tracing::warn!(
                topics = topics.join(", "),
                bad,
                "records are no JSON objects, or could not be read; their columns are NULL"
            );
        }
        Ok(())
    })
}

fn plan(args: &QueryArgs) -> anyhow::Result<Plan> {
    let mode = args.follow.then(|| args.output_mode.into());
    let settings = PlanSettings { batch: !args.follow, mode, ..PlanSettings::default() };
    let mut plans = plan_all(&args.sql, &settings)?;
    match (plans.pop(), plans.len()) {
        (Some(plan), 0) => Ok(plan),
        _ => bail!("a query is one SELECT, with CREATE TABLE statements before it"),
    }
}

async fn from_folder(folder: &Path, query: &mut AdHocQuery) -> anyhow::Result<()> {
    let Some(engine) = Engine::of_folder(folder)? else {
        bail!("{} is no data folder of brooklet", folder.display());
    };
    let storage = Storage::open(StorageConfig { engine, ..StorageConfig::new(folder) })?;
    let ran = query.run_on_storage(&storage).await;
    storage.shutdown().await.context("the data folder cannot be closed")?;
    ran?;
    Ok(())
}

async fn from_broker(
    args: &QueryArgs,
    topics: &[String],
    tables: &[String],
    query: &mut AdHocQuery,
) -> anyhow::Result<()> {
    let QueryArgs { bootstrap_server, properties, follow, .. } = args;
    let open =
        |topic: &str| TopicReader::open(bootstrap_server, properties, topic, None, From::Earliest, *follow, TIMEOUT);
    let mut sources = topics.iter().map(|topic| open(topic)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut tables = tables.iter().map(|table| open(table)).collect::<anyhow::Result<Vec<_>>>()?;
    let there = |feed: &mut Feed<'_, '_, '_>| {
        let read = |reader: &mut TopicReader, feed: &mut Feed<'_, '_, '_>| {
            reader.read_to_end(TIMEOUT, |record| Ok(feed.take(&source_record(record))?)).map_err(query_error)
        };
        for (number, table) in tables.iter_mut().enumerate() {
            feed.begin_table(number);
            read(table, feed)?;
        }
        for (number, source) in sources.iter_mut().enumerate() {
            feed.begin_source(number);
            read(source, feed)?;
        }
        Ok(())
    };
    query.run_batch(there).await?;
    if !args.follow {
        return Ok(());
    }
    let shutdown = signals::shutdown()?;
    sources.iter().try_for_each(|source| source.go_on(TIMEOUT))?;
    let arrivals = Arrivals::of(sources, WAIT)?;
    while !shutdown.is_cancelled() {
        let come = arrivals.next(WAIT)?;
        if !come.is_empty() || query.is_due() {
            let feed_all = |feed: &mut Feed<'_, '_, '_>| {
                for (number, table) in tables.iter_mut().enumerate() {
                    feed.begin_table(number);
                    table.catch_up(TIMEOUT, |record| Ok(feed.take(&source_record(record))?)).map_err(query_error)?;
                }
                feed.begin_source(0);
                for (number, messages) in &come {
                    feed.begin_source(*number);
                    let mut take = |message| with_fetched(message, |record| feed.take(&source_record(record)));
                    messages.iter().try_for_each(&mut take)?;
                }
                Ok(())
            };
            query.run_batch(feed_all).await?;
        }
    }
    Ok(())
}

fn source_record<'a>(record: &Fetched<'a>) -> SourceRecord<'a> {
    let Fetched { partition, offset, timestamp, is_append_time, key, value, headers } = *record;
    SourceRecord { partition, offset, timestamp, is_append_time, key, value, headers }
}

/// What stopped the reading, as the query has it.
fn query_error(error: anyhow::Error) -> QueryError {
    error.downcast::<QueryError>().unwrap_or_else(|error| QueryError::Fetch(format!("{error:#}")))
}
