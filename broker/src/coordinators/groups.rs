//! The task that owns the groups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use brooklet_coordinator::Timers;
use brooklet_coordinator::groups::{
    Command, Commit, Context, Event, GroupConfig, GroupCoordinator, GroupError, Reply, RequestId, Step, TimerChange,
    TimerKey,
};
use brooklet_model::{EndMarker, Offset, ProducerEpoch, ProducerId};
use brooklet_storage::{AppendError, Storage, StorageError, Update};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::own_topic::{OwnTopic, OwnTopicError};
use super::{CoordinatorError, load, wall_clock};

/// Where groups and offsets are kept, as in Kafka; here in one partition.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Messages done in one turn, whose records are written at once.
const TURN_LEN: usize = 256;

type Answer = oneshot::Sender<Result<Reply, CoordinatorError>>;
/// The inner error is one that is the marker's own fault.
type EndAnswer = oneshot::Sender<Result<(), AppendError>>;
type Look = Box<dyn FnOnce(&GroupCoordinator) + Send>;

pub(super) enum Message {
    /// To be answered now or later.
    Ask { command: Command, answer: Answer },
    /// Offsets of a transaction.
    CommitInTransaction { producer_id: ProducerId, epoch: ProducerEpoch, commit: Commit, answer: Answer },
    /// The end of a transaction, to be written to the groups' log.
    EndTransaction {
        producer_id: ProducerId,
        epoch: ProducerEpoch,
        marker: EndMarker,
        outdates: bool,
        answer: EndAnswer,
    },
    /// To be shown the groups.
    Look(Look),
    /// A topic is gone.
    TopicDeleted(Arc<str>),
}

pub(super) struct Groups {
    config: GroupConfig,
    /// `None` until first needed, and again after a failed write.
    loaded: Option<GroupCoordinator>,
    topic: OwnTopic,
    timers: Timers<TimerKey>,
    /// The timers' clock starts here.
    started: Instant,
    next_request: u64,
    parked: BTreeMap<RequestId, Answer>,
}

/// What one turn has to do once its records are safe.
#[derive(Default)]
struct Turn {
    /// Outside of transactions, not written yet.
    records: Vec<Update>,
    /// The end of what this turn wrote.
    written: Option<Offset>,
    answers: Vec<(Answer, Result<Reply, CoordinatorError>)>,
    ends: Vec<(EndAnswer, Result<(), AppendError>)>,
    looks: Vec<Look>,
}

impl Groups {
    pub(super) fn new(storage: Arc<Storage>, config: GroupConfig) -> Self {
        Self {
            config,
            loaded: None,
            topic: OwnTopic::new(storage, OFFSETS_TOPIC, "producer"),
            timers: Timers::default(),
            started: Instant::now(),
            next_request: 0,
            parked: BTreeMap::new(),
        }
    }

    /// Serves until all senders are gone.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut messages = Vec::new();
        // Whoever comes first need not wait for all that was ever committed to be read.
        if self.topic.existing().is_some() {
            self.take_turn(std::iter::empty()).await;
        }
        loop {
            let deadline = self.timers.next_deadline().map(|at_ms| self.started + Duration::from_millis(at_ms));
            tokio::select! {
                received = inbox.recv_many(&mut messages, TURN_LEN) => if received == 0 { return },
                () = async { tokio::time::sleep_until(deadline.unwrap_or(self.started)).await }, if deadline.is_some() => {}
            }
            self.take_turn(messages.drain(..)).await;
        }
    }

    async fn take_turn(&mut self, messages: impl Iterator<Item = Message> + Send) {
        if let Err(error) = self.turn(messages).await {
            tracing::error!(%error, "the group coordinator starts over");
            self.forget();
        }
    }

    async fn turn(&mut self, messages: impl Iterator<Item = Message> + Send) -> Result<(), OwnTopicError> {
        let mut groups = match self.loaded.take() {
            Some(groups) => groups,
            None => self.load().await?,
        };
        let mut turn = Turn::default();
        let now_ms = self.now_ms();
        while let Some(key) = self.timers.pop_due(now_ms) {
            self.command(&mut groups, &mut turn, Command::TimerFired(key), None);
        }
        for message in messages {
            match message {
                Message::Ask { command, answer } => self.command(&mut groups, &mut turn, command, Some(answer)),
                Message::CommitInTransaction { producer_id, epoch, commit, answer } => {
                    self.commit_in_transaction(&mut groups, &mut turn, (producer_id, epoch), commit, answer)?;
                }
                Message::EndTransaction { producer_id, epoch, marker, outdates, answer } => {
                    let result =
                        self.end_transaction(&mut groups, &mut turn, (producer_id, epoch), marker, outdates)?;
                    turn.ends.push((answer, result));
                }
                Message::Look(look) => turn.looks.push(look),
                Message::TopicDeleted(topic) => {
                    self.command(&mut groups, &mut turn, Command::TopicDeleted { topic }, None);
                }
            }
        }
        // An error drops the answers, which tells those who wait.
        self.write(&mut turn)?;
        if let (Some(log), Some(end)) = (self.topic.existing(), turn.written) {
            log.durable(end).await?;
        }
        for (answer, result) in turn.ends {
            // Who has gone meanwhile hears of nothing.
            let _ = answer.send(result);
        }
        for (answer, result) in turn.answers {
            // Who has gone meanwhile hears of nothing.
            let _ = answer.send(result);
        }
        for look in turn.looks {
            look(&groups);
        }
        self.loaded = Some(groups);
        Ok(())
    }

    fn command(&mut self, groups: &mut GroupCoordinator, turn: &mut Turn, command: Command, answer: Option<Answer>) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let context = Context { now: wall_clock(), fresh_id: Uuid::new_v4(), request };
        let step = match groups.handle(&context, command) {
            Ok(step) => step,
            Err(error) => {
                turn.answers.extend(answer.map(|answer| (answer, Err(refused(error)))));
                return;
            }
        };
        if let Some(answer) = answer {
            self.parked.insert(request, answer);
        }
        self.replay(groups, turn, step);
    }

    fn replay(&mut self, groups: &mut GroupCoordinator, turn: &mut Turn, step: Step) {
        for event in step.events {
            if let Event::Durable(record) = &event {
                turn.records.push(record.encode());
            }
            groups.replay(&event);
        }
        for change in step.timers {
            self.set_timer(change);
        }
        for (request, reply) in step.replies {
            turn.answers.extend(self.parked.remove(&request).map(|answer| (answer, Ok(reply))));
        }
    }

    fn set_timer(&mut self, change: TimerChange) {
        self.timers.apply(change, self.now_ms());
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Writes what the turn has collected outside of transactions.
    fn write(&mut self, turn: &mut Turn) -> Result<(), OwnTopicError> {
        if turn.records.is_empty() {
            return Ok(());
        }
        let appended = self.topic.log()?.append_updates(wall_clock(), &std::mem::take(&mut turn.records))?;
        turn.written = Some(appended.last_offset.plus(1));
        Ok(())
    }

    /// Commits offsets in a producer's name; an older instance of the producer is refused.
    fn commit_in_transaction(
        &mut self,
        groups: &mut GroupCoordinator,
        turn: &mut Turn,
        (producer_id, epoch): (ProducerId, ProducerEpoch),
        commit: Commit,
        answer: Answer,
    ) -> Result<(), OwnTopicError> {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let context = Context { now: wall_clock(), fresh_id: Uuid::new_v4(), request };
        let step = match groups.handle(&context, Command::CommitInTransaction { producer_id, commit }) {
            Ok(step) => step,
            Err(error) => {
                turn.answers.push((answer, Err(refused(error))));
                return Ok(());
            }
        };
        self.write(turn)?;
        let updates: Vec<Update> = step
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Transactional { record, .. } => Some(record.encode()),
                _ => None,
            })
            .collect();
        if !updates.is_empty() {
            match self.topic.log()?.append_updates_in_transaction(wall_clock(), producer_id, epoch, &updates) {
                Ok(appended) => turn.written = Some(appended.last_offset.plus(1)),
                Err(AppendError::InvalidProducerEpoch(_)) => {
                    turn.answers.push((answer, Err(CoordinatorError::InvalidProducerEpoch)));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.parked.insert(request, answer);
        self.replay(groups, turn, step);
        Ok(())
    }

    /// Writes a marker. The inner error is one that is the marker's own fault, and changes nothing.
    fn end_transaction(
        &mut self,
        groups: &mut GroupCoordinator,
        turn: &mut Turn,
        (producer_id, epoch): (ProducerId, ProducerEpoch),
        marker: EndMarker,
        outdates: bool,
    ) -> Result<Result<(), AppendError>, OwnTopicError> {
        self.write(turn)?;
        match self.topic.log()?.end_transaction(producer_id, epoch, marker, outdates) {
            Ok(appended) => turn.written = Some(appended.last_offset.plus(1)),
            Err(error @ (AppendError::InvalidProducerEpoch(_) | AppendError::CoordinatorFenced(_))) => {
                return Ok(Err(error));
            }
            Err(error) => return Err(error.into()),
        }
        self.command(groups, turn, Command::EndTransaction { producer_id, commit: marker.commit }, None);
        Ok(Ok(()))
    }

    /// Reads what is in the log; a broker without groups has no such topic yet.
    async fn load(&mut self) -> Result<GroupCoordinator, OwnTopicError> {
        let mut groups = GroupCoordinator::new(self.config.clone());
        if let Some(log) = self.topic.existing() {
            // What is not durable yet cannot be read, and would be missed.
            log.durable(log.log_end_offset()).await?;
            // On a thread of its own: it takes as long as there is something to read.
            let read = tokio::task::spawn_blocking(move || load::groups(groups, &log)).await;
            groups = read.map_err(std::io::Error::from).map_err(StorageError::from)??;
        }
        for change in groups.timers_after_restart() {
            self.set_timer(change);
        }
        Ok(groups)
    }

    /// Forgets everything in memory; dropping the parked answers tells those who wait.
    fn forget(&mut self) {
        self.loaded = None;
        self.topic.forget();
        self.timers.clear();
        self.parked.clear();
    }
}

fn refused(error: GroupError) -> CoordinatorError {
    CoordinatorError::Refused(error)
}
