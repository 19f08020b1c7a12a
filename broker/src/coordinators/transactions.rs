//! The task that owns the transactional ids.
//!
//! A turn ends transactions whole: once the outcomes are on record and safe it writes the markers, waits until those are
//! safe too, and puts on record that all are written. Then the answers go out, so that whoever hears that a transaction is
//! committed can read it. What a crash or a failed write leaves half done the next start, or the next try, ends.

use std::sync::Arc;
use std::time::Duration;

use brooklet_coordinator::Timers;
use brooklet_coordinator::transactions::{
    ClientVersion, Command, Context, Markers, Reply, TimerChange, TimerKey, TransactionConfig, TransactionCoordinator,
    TransactionError,
};
use brooklet_model::{EndMarker, TopicPartition};
use brooklet_storage::{AppendError, PartitionLog, Storage, StorageError, Update};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::groups::{self, OFFSETS_TOPIC};
use super::own_topic::{OwnTopic, OwnTopicError};
use super::producer_ids::ProducerIdLog;
use super::{CoordinatorError, load, wall_clock};

/// Where transactional ids are kept, as in Kafka; here in one partition.
pub(crate) const TRANSACTIONS_TOPIC: &str = "__transaction_state";
/// Messages done in one turn, whose records are written at once.
const TURN_LEN: usize = 256;
/// How long what failed rests.
const RETRY: Duration = Duration::from_secs(1);
/// There is only ever one term of this coordinator, as there is of a partition's leader.
const COORDINATOR_EPOCH: i32 = 0;

type Answer = oneshot::Sender<Result<Reply, CoordinatorError>>;
type Look = Box<dyn FnOnce(&TransactionCoordinator) + Send>;

pub(super) enum Message {
    /// To be answered.
    Ask { command: Command, answer: Answer },
    /// To be shown the transactional ids.
    Look(Look),
}

pub(super) struct Transactions {
    storage: Arc<Storage>,
    config: TransactionConfig,
    producer_ids: Arc<ProducerIdLog>,
    groups: mpsc::Sender<groups::Message>,
    /// `None` until first needed, and again after a failed write.
    loaded: Option<TransactionCoordinator>,
    topic: OwnTopic,
    timers: Timers<TimerKey>,
    /// The timers' clock starts here.
    started: Instant,
    /// Markers that are not all written.
    unfinished: Vec<Markers>,
    /// When to try again what failed.
    retry_at: Option<Instant>,
}

/// What one turn has to do once its records are safe.
#[derive(Default)]
struct Turn {
    records: Vec<Update>,
    markers: Vec<Markers>,
    answers: Vec<(Answer, Result<Reply, CoordinatorError>)>,
    looks: Vec<Look>,
}

impl Transactions {
    pub(super) fn new(
        storage: Arc<Storage>,
        config: TransactionConfig,
        producer_ids: Arc<ProducerIdLog>,
        groups: mpsc::Sender<groups::Message>,
    ) -> Self {
        Self {
            topic: OwnTopic::new(storage.clone(), TRANSACTIONS_TOPIC, "uncompressed"),
            storage,
            config,
            producer_ids,
            groups,
            loaded: None,
            timers: Timers::default(),
            started: Instant::now(),
            unfinished: Vec::new(),
            retry_at: None,
        }
    }

    /// Serves until all senders are gone.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut messages = Vec::new();
        if self.storage.topic(TRANSACTIONS_TOPIC).is_some() {
            self.take_turn(Vec::new()).await;
        }
        loop {
            let due = self.timers.next_deadline().map(|at_ms| self.started + Duration::from_millis(at_ms));
            let deadline = due.into_iter().chain(self.retry_at).min();
            tokio::select! {
                received = inbox.recv_many(&mut messages, TURN_LEN) => if received == 0 { return },
                () = async { tokio::time::sleep_until(deadline.unwrap_or(self.started)).await }, if deadline.is_some() => {}
            }
            self.take_turn(std::mem::take(&mut messages)).await;
        }
    }

    async fn take_turn(&mut self, messages: Vec<Message>) {
        if let Err(error) = self.turn(messages).await {
            tracing::error!(%error, "the transaction coordinator starts over");
            self.forget();
            self.retry_at = Some(Instant::now() + RETRY);
        }
    }

    async fn turn(&mut self, messages: Vec<Message>) -> Result<(), OwnTopicError> {
        let mut transactions = match self.loaded.take() {
            Some(transactions) => transactions,
            None => self.load().await?,
        };
        let mut turn = Turn::default();
        let now_ms = self.now_ms();
        while let Some(key) = self.timers.pop_due(now_ms) {
            self.command(&mut transactions, &mut turn, Command::TimerFired(key), None).await;
        }
        for message in messages {
            match message {
                Message::Ask { command, answer } => {
                    self.command(&mut transactions, &mut turn, command, Some(answer)).await;
                }
                Message::Look(look) => turn.looks.push(look),
            }
        }
        // An error drops the answers, which tells those who wait.
        if let Some(log) = self.append(&mut turn.records)? {
            log.durable(log.log_end_offset()).await?;
        }
        self.finish(&mut transactions, &mut turn).await?;
        for (answer, result) in turn.answers {
            // Who has gone meanwhile hears of nothing.
            let _ = answer.send(result);
        }
        for look in turn.looks {
            look(&transactions);
        }
        self.loaded = Some(transactions);
        Ok(())
    }

    async fn command(
        &mut self,
        transactions: &mut TransactionCoordinator,
        turn: &mut Turn,
        command: Command,
        answer: Option<Answer>,
    ) {
        let mut context = Context { now: wall_clock(), fresh_producer_id: None };
        let mut handled = transactions.handle(&context, command.clone());
        if handled == Err(TransactionError::ProducerIdNeeded) {
            match self.producer_ids.allocate().await {
                Ok(fresh) => context.fresh_producer_id = Some(fresh),
                Err(error) => {
                    turn.answers.extend(answer.map(|answer| (answer, Err(error))));
                    return;
                }
            }
            handled = transactions.handle(&context, command);
        }
        let result = match handled {
            Err(error) => Err(error),
            Ok(step) => {
                for record in step.events {
                    turn.records.push(record.encode());
                    transactions.replay(&record);
                }
                step.timers.into_iter().for_each(|change| self.set_timer(change));
                turn.markers.extend(step.markers);
                step.reply
            }
        };
        turn.answers.extend(answer.map(|answer| (answer, result.map_err(CoordinatorError::from))));
    }

    /// Writes the markers of what was decided, and those that are missing from before, and puts it on record.
    async fn finish(
        &mut self,
        transactions: &mut TransactionCoordinator,
        turn: &mut Turn,
    ) -> Result<(), OwnTopicError> {
        let mut markers = std::mem::take(&mut turn.markers);
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            markers.append(&mut self.unfinished);
            self.retry_at = None;
        }
        let mut done = Turn::default();
        for markers in markers {
            match self.write_markers(&markers).await {
                Ok(()) => self.command(transactions, &mut done, Command::MarkersWritten(markers), None).await,
                Err(error) => {
                    let id = &markers.producer.transactional_id;
                    tracing::warn!(transactional_id = %id, %error, "markers are missing; to be tried again");
                    self.unfinished.push(markers);
                    self.retry_at = Some(Instant::now() + RETRY);
                }
            }
        }
        // Nobody needs to wait for these: without them the markers are written once more.
        self.append(&mut done.records)?;
        Ok(())
    }

    /// Returns once all markers are safe. A partition that is gone, or where the producer has gone on by other means,
    /// needs none.
    async fn write_markers(&self, markers: &Markers) -> Result<(), StorageError> {
        let marker = EndMarker { commit: markers.commit, coordinator_epoch: COORDINATOR_EPOCH };
        let mut written: Vec<(Arc<PartitionLog>, brooklet_model::Offset)> = Vec::new();
        for partition in &markers.partitions {
            let result = if &*partition.topic == OFFSETS_TOPIC {
                self.end_in_groups(markers, marker).await?
            } else {
                match self.storage.log(&partition.topic, partition.partition) {
                    None => Ok(()),
                    Some(log) => end_in(&log, markers, marker).map(|end| written.push((log, end))),
                }
            };
            settle(partition, result)?;
        }
        for (log, end) in written {
            match log.durable(end).await {
                Ok(()) | Err(StorageError::Deleted) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn end_in_groups(
        &self,
        markers: &Markers,
        marker: EndMarker,
    ) -> Result<Result<(), AppendError>, StorageError> {
        let (answer, answered) = oneshot::channel();
        let message = groups::Message::EndTransaction {
            producer_id: markers.producer.id,
            epoch: markers.producer.epoch,
            marker,
            outdates: markers.version == ClientVersion::V2,
            answer,
        };
        self.groups.send(message).await.map_err(|_| StorageError::Closed)?;
        answered.await.map_err(|_| StorageError::Closed)
    }

    fn set_timer(&mut self, change: TimerChange) {
        self.timers.apply(change, self.now_ms());
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn append(&mut self, records: &mut Vec<Update>) -> Result<Option<Arc<PartitionLog>>, OwnTopicError> {
        if records.is_empty() {
            return Ok(None);
        }
        let log = self.topic.log()?;
        log.append_updates(wall_clock(), &std::mem::take(records))?;
        Ok(Some(log))
    }

    /// Reads what is in the log; a broker without transactions has no such topic yet.
    async fn load(&mut self) -> Result<TransactionCoordinator, OwnTopicError> {
        let mut transactions = TransactionCoordinator::new(self.config.clone());
        if let Some(log) = self.topic.existing() {
            // What is not durable yet cannot be read, and would be missed.
            log.durable(log.log_end_offset()).await?;
            // On a thread of its own: it takes as long as there is something to read.
            let read = tokio::task::spawn_blocking(move || load::transactions(transactions, &log)).await;
            transactions = read.map_err(std::io::Error::from).map_err(StorageError::from)??;
        }
        for change in transactions.timers_after_restart(wall_clock()) {
            self.set_timer(change);
        }
        self.unfinished = transactions.unfinished();
        if !self.unfinished.is_empty() {
            tracing::info!(transactions = self.unfinished.len(), "ends transactions whose outcome was on record");
            self.retry_at = Some(Instant::now());
        }
        Ok(transactions)
    }

    /// Forgets everything in memory.
    fn forget(&mut self) {
        self.loaded = None;
        self.topic.forget();
        self.timers.clear();
        self.unfinished.clear();
    }
}

fn end_in(log: &PartitionLog, markers: &Markers, marker: EndMarker) -> Result<brooklet_model::Offset, AppendError> {
    let outdates = markers.version == ClientVersion::V2;
    let appended = log.end_transaction(markers.producer.id, markers.producer.epoch, marker, outdates)?;
    Ok(appended.last_offset.plus(1))
}

/// What is no error of the log's.
fn settle(partition: &TopicPartition, result: Result<(), AppendError>) -> Result<(), StorageError> {
    match result {
        Ok(()) | Err(AppendError::Storage(StorageError::Deleted)) => Ok(()),
        Err(error @ (AppendError::InvalidProducerEpoch(_) | AppendError::CoordinatorFenced(_))) => {
            tracing::warn!(%partition, %error, "a transaction was ended by other means");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
