//! A running query: a thread of its own that nothing but its own end can hold up.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

use brooklet_model::ProducerId;
use brooklet_storage::{PartitionLog, Storage};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::changelog::{self, Base, Changelog, OutputPosition, Sizes, TopicPositions, Totals, Watermark};
use crate::error::{QueryError, StartError};
use crate::options::{Progress, QueryOptions};
use crate::plan::{Plan, Sink};
use crate::restart::Pauses;
use crate::runtime::{Parts, Runtime, Tell, new_source};
use crate::sink::{new_dead_letter_topic, new_topic};
use crate::source::{first_positions, topic_or_create};
use crate::status::{QueryStatus, StatusBoard};
use crate::step::{Gate, Stopped};

/// A query that was started. Dropping it stops the query, without waiting for its end.
#[derive(Debug)]
pub struct Query {
    name: String,
    stop: watch::Sender<bool>,
    progress: watch::Receiver<Progress>,
    status: QueryStatusReader,
    outcome: Option<oneshot::Receiver<Result<(), QueryError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Query {
    /// Starts a query. What is missing is created: the source topic, the output topic, the checkpoint. When this
    /// returns it is settled where the query begins: what is produced from now on is counted.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub fn start(
        storage: Arc<Storage>,
        plan: Plan,
        options: QueryOptions,
        console: Box<dyn Write + Send>,
    ) -> Result<Self, StartError> {
        let name = options.name.clone().unwrap_or_else(|| plan.derived_name());
        let sizes = Sizes::default();
        let slot = Slot::take(&storage, &name)?;
        let log = open_checkpoint(&storage, &name, &plan, &options, sizes)?;
        let (stop, stopped) = watch::channel(false);
        let (progress, told) = watch::channel(Progress::default());
        let (outcome, ended) = oneshot::channel();
        let status = StatusBoard::new(&name, &plan);
        let reader = QueryStatusReader { name: name.clone(), board: status.clone(), storage: storage.clone() };
        let tell = Tell { progress, status };
        let console = Shared(Arc::new(Mutex::new(console)));
        let attempts = Attempts { storage, name: name.clone(), plan, options, sizes, log, console, tell };
        let thread = std::thread::Builder::new()
            .name(format!("query {name}"))
            .spawn(move || {
                let result = attempts.run(stopped);
                drop(slot);
                // If nobody waits, the outcome is of no interest.
                let _ = outcome.send(result);
            })
            .map_err(StartError::Thread)?;
        Ok(Self { name, stop, progress: told, status: reader, outcome: Some(ended), thread: Some(thread) })
    }

    /// The name, as given or derived.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Tells of every committed micro-batch.
    pub fn progress_changed(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Reads how it is, also after its end.
    pub fn status(&self) -> QueryStatusReader {
        self.status.clone()
    }

    /// Returns when the query has ended; at once and with success if that was told before. May be cancelled.
    ///
    /// # Errors
    /// Why it ended, if nobody stopped it and it was not to end.
    pub async fn wait(&mut self) -> Result<(), QueryError> {
        let Some(outcome) = &mut self.outcome else { return Ok(()) };
        let result = outcome.await.unwrap_or_else(|_| Err(QueryError::Failed("it ended without a word".to_owned())));
        self.outcome = None;
        if let Some(thread) = self.thread.take() {
            // It has told its outcome, and a panic was caught: this neither waits nor fails.
            let _ = thread.join();
        }
        match result {
            Err(QueryError::Stopped(_)) => Ok(()),
            result => result,
        }
    }

    /// Stops it between two steps, and waits for that.
    ///
    /// # Errors
    /// As [`Query::wait`].
    pub async fn stop(mut self) -> Result<(), QueryError> {
        self.stop.send_replace(true);
        self.wait().await
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Reads a query's status at any time.
#[derive(Clone)]
pub struct QueryStatusReader {
    name: String,
    board: StatusBoard,
    storage: Arc<Storage>,
}

impl QueryStatusReader {
    /// The query's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the query is now.
    pub fn read(&self) -> QueryStatus {
        self.board.read(&self.storage)
    }
}

impl std::fmt::Debug for QueryStatusReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueryStatusReader")
    }
}

/// What each run of a query starts from.
struct Attempts {
    storage: Arc<Storage>,
    name: String,
    plan: Plan,
    options: QueryOptions,
    sizes: Sizes,
    log: Arc<PartitionLog>,
    console: Shared,
    tell: Tell,
}

impl Attempts {
    /// Runs the query until it has ended for good.
    fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), QueryError> {
        let executor = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| QueryError::Failed(error.to_string()))?;
        let mut pauses = Pauses::new(self.options.backoff);
        loop {
            let before = self.tell.progress.borrow().batches;
            let result = catch_unwind(AssertUnwindSafe(|| executor.block_on(self.run_once(stop.clone()))))
                .unwrap_or_else(|panic| Err(QueryError::Failed(panic_text(panic.as_ref()))));
            let error = match result {
                Ok(()) | Err(QueryError::Stopped(_)) => {
                    self.tell.status.ended();
                    return result;
                }
                Err(error) => error,
            };
            let pause = pauses.after(&error, self.tell.progress.borrow().batches > before);
            self.tell.status.failed(&error.to_string(), pause.is_some());
            let name = &self.name;
            let Some(pause) = pause else {
                tracing::error!(query = name, %error, "the query ended");
                return Err(error);
            };
            tracing::error!(query = name, %error, again_in = ?pause, "the query failed, and starts again");
            let stopped = executor.block_on(async {
                // Whoever could stop the query is gone: that stops it too.
                tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok()
            });
            if stopped {
                self.tell.status.ended();
                return Err(Stopped.into());
            }
            self.tell.status.starts_again();
        }
    }

    async fn run_once(&self, stop: watch::Receiver<bool>) -> Result<(), QueryError> {
        let asked = stop.clone();
        let parts = Parts {
            storage: self.storage.clone(),
            name: self.name.clone(),
            plan: self.plan.clone(),
            options: self.options.clone(),
            sizes: self.sizes,
            log: self.log.clone(),
            console: Box::new(self.console.clone()),
            // A stop takes effect between two steps, as a kill would: the batch under way runs again at the next start.
            gate: Gate::new(move |_| !*asked.borrow()),
            tell: self.tell.clone(),
        };
        Runtime::open(parts).await?.run(stop).await
    }
}

/// The console of a query, whichever of its runs writes there.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().flush()
    }
}

/// The query's hidden log, with a beginning that says whose it is.
fn open_checkpoint(
    storage: &Arc<Storage>,
    name: &str,
    plan: &Plan,
    options: &QueryOptions,
    sizes: Sizes,
) -> Result<Arc<PartitionLog>, StartError> {
    let failed = |error| StartError::Changelog { name: name.to_owned(), error };
    let topic = |new: brooklet_storage::NewTopic| {
        let topic = new.name.clone();
        topic_or_create(storage, new).map_err(|error| StartError::Topic { topic, error })
    };
    let log = storage
        .hidden_log(&checkpoint(name))
        .map_err(|error| failed(changelog::ChangelogError::Write(error.to_string())))?;
    let query = plan.to_string();
    let known = changelog::identity(&log).map_err(failed)?;
    let differs = |base: &&Base| base.query != query && (base.state.is_empty() || base.state != plan.state);
    if let Some(stored) = known.as_ref().filter(differs) {
        return Err(StartError::OtherQuery { name: name.to_owned(), stored: stored.query.clone() });
    }
    if let Sink::Topic(output) = &plan.sink {
        topic(new_topic(plan, output, options.partitions))?;
    }
    if let Some(letters) = &options.dead_letters {
        if plan.reads(letters) || matches!(&plan.sink, Sink::Topic(output) if output == letters) {
            return Err(StartError::DeadLetters(letters.clone()));
        }
        topic(new_dead_letter_topic(letters, options.partitions))?;
    }
    if known.is_none() {
        let source = |name: &str| {
            let source = topic(new_source(name, options.partitions))?;
            let next = first_positions(&source, options.from)
                .map_err(|error| failed(changelog::ChangelogError::Read(error.to_string())))?;
            Ok(TopicPositions { topic: source.id, next })
        };
        let sources = plan.source_topics().map(source).collect::<Result<_, StartError>>()?;
        // A table is read from its beginning, wherever the query begins.
        let table = |name: &str| {
            let table = topic(new_source(name, options.partitions))?;
            Ok(TopicPositions { topic: table.id, next: BTreeMap::new() })
        };
        let tables = plan.table_topics().map(table).collect::<Result<_, StartError>>()?;
        let base = Base {
            query,
            state: plan.state.clone(),
            producer: new_producer(),
            next_batch: 0,
            sources,
            tables,
            output: OutputPosition::default(),
            dead_letters: OutputPosition::default(),
            totals: Totals::default(),
            watermark: Watermark::default(),
        };
        Changelog::create(log.clone(), sizes, &base).map_err(failed)?;
    }
    Ok(log)
}

/// The hidden log of a query's name.
fn checkpoint(name: &str) -> String {
    format!("__brooklet_query_{name}")
}

/// Forgets the checkpoint of a name, so that its query starts anew; false if there is none.
///
/// # Errors
/// A query of that name runs, or the checkpoint cannot be removed.
pub fn reset(storage: &Arc<Storage>, name: &str) -> Result<bool, StartError> {
    let _slot = Slot::take(storage, name)?;
    storage.remove_hidden_log(&checkpoint(name)).map_err(|error| StartError::Changelog {
        name: name.to_owned(),
        error: changelog::ChangelogError::Write(error.to_string()),
    })
}

/// A producer id of a query: the lower bits are random.
pub(crate) fn new_producer() -> ProducerId {
    ProducerId(ProducerId::QUERIES.0 | (uuid::Uuid::new_v4().as_u64_pair().0 >> 2) as i64)
}

/// The names of the queries that run, each with its storage.
static RUNNING: LazyLock<Mutex<HashSet<(usize, String)>>> = LazyLock::new(Mutex::default);

/// Keeps a query's name to itself while it runs.
struct Slot {
    key: (usize, String),
    /// Its address is the key's: it must not be used for another storage meanwhile.
    _storage: Arc<Storage>,
}

impl Slot {
    fn take(storage: &Arc<Storage>, name: &str) -> Result<Self, StartError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > 200 || !name.bytes().all(legal) {
            return Err(StartError::Name(name.to_owned()));
        }
        let key = (Arc::as_ptr(storage) as usize, name.to_owned());
        if !RUNNING.lock().insert(key.clone()) {
            return Err(StartError::Running(name.to_owned()));
        }
        Ok(Self { key, _storage: storage.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        RUNNING.lock().remove(&self.key);
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod event_time_kill_tests;
#[cfg(test)]
mod join_tests;
#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod operation_tests;
#[cfg(test)]
mod regroup_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod sink_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod union_rule_tests;
#[cfg(test)]
mod union_tests;
