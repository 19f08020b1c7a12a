//! The way of a batch into the log.

use std::sync::atomic::Ordering;

use brooklet_model::{Batch, BatchHeader, EndMarker, LeaderEpoch, Offset, Timestamp, TimestampType};
use parking_lot::MutexGuard;

use super::tail::TailBatch;
use super::validate::validate;
use super::{PartitionLog, Point, Segment, State, Verified};
use crate::producers::{SequenceError, Sequenced};
use crate::{AppendError, LogConfig, StorageError};

/// Segment positions are 32 bits in Kafka's tools.
const SEGMENT_BYTES_MAX: u64 = i32::MAX as u64;

/// Where an appended batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The broker's time if the topic keeps that, else -1.
    pub log_append_time: Timestamp,
    /// The first offset of the log.
    pub log_start_offset: Offset,
    /// It was there already, from an earlier try of the same producer; the offsets are those.
    pub duplicate: bool,
}

/// Who appends.
#[derive(Clone, Copy, Debug)]
enum Writer {
    Client(Option<Verified>),
    Coordinator,
}

impl PartitionLog {
    /// Checks `batch` and appends it: its bytes have reached the operating system when this returns (segments), or
    /// will have before the high watermark passes them (see [`PartitionLog::durable`]).
    ///
    /// The batch's own base offset and leader epoch do not matter; the log sets them. One of a transaction has to go
    /// on with a transaction that is open here.
    pub fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.append_as(batch, Writer::Client(None))
    }

    /// As [`PartitionLog::append`], for a batch of a transaction that was looked up; it begins here if need be.
    pub fn append_in_transaction(&self, batch: Batch, verified: Option<Verified>) -> Result<Appended, AppendError> {
        self.append_as(batch, Writer::Client(verified))
    }

    /// As [`PartitionLog::append`], for a batch that a coordinator writes in a producer's name: without sequences.
    pub(crate) fn append_for_producer(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.append_as(batch, Writer::Coordinator)
    }

    fn append_as(&self, batch: Batch, writer: Writer) -> Result<Appended, AppendError> {
        let config = self.config();
        let now = self.shared.clock.now();
        let batch = validate(batch, &self.id, &config, now, matches!(writer, Writer::Client(_)))?;
        let log_append_time = match config.timestamp_type {
            TimestampType::LogAppendTime => now,
            TimestampType::CreateTime => -1,
        };

        let state = self.state.lock();
        self.check_open()?;
        self.check_poison(&state)?;
        let log_start_offset = self.log_start_offset();
        match state.producers.check(&batch.header) {
            Ok(Sequenced::Next) => {}
            Ok(Sequenced::Duplicate { base_offset, last_offset, timestamp }) => {
                return Ok(Appended {
                    base_offset: Offset(base_offset),
                    last_offset: Offset(last_offset),
                    // Kafka tells the time of the batch that is there, whoever's clock it is from.
                    log_append_time: timestamp,
                    log_start_offset,
                    duplicate: true,
                });
            }
            Err(error) => return Err(sequence_error(&batch.header, &error)),
        }
        if let Writer::Client(Some(verified)) = writer
            && verified.is_from_zero()
            && batch.header.base_sequence > 0
            && state.producers.epoch(batch.header.producer_id).is_none()
        {
            return Err(sequence_error(&batch.header, &SequenceError::OutOfOrder { last: None }));
        }
        if batch.header.is_transactional() && batch.header.producer_id.0 >= 0 {
            state.check_verified(&batch.header, writer)?;
        }
        let header = self.write_checked(state, &batch, &config, now)?;
        Ok(Appended {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_append_time,
            log_start_offset,
            duplicate: false,
        })
    }

    /// Writes a batch that nothing speaks against, in a new segment where the active one is full, and serves it when
    /// that may be.
    pub(super) fn write_checked(
        &self,
        mut state: MutexGuard<'_, State>,
        batch: &Batch,
        config: &LogConfig,
        now: Timestamp,
    ) -> Result<BatchHeader, StorageError> {
        if state.should_roll(&batch.header, config, now) {
            self.roll_locked(&mut state, now)?;
        }
        let header = self.write(&mut state, batch, now)?;
        self.commit_or_defer(state);
        self.mark_dirty();
        Ok(header)
    }

    /// Starts a new segment, unless the active one is empty.
    pub fn roll(&self) -> Result<(), StorageError> {
        let now = self.shared.clock.now();
        let mut state = self.state.lock();
        self.check_open()?;
        self.check_poison(&state)?;
        self.roll_locked(&mut state, now)?;
        drop(state);
        self.mark_dirty();
        Ok(())
    }

    pub(super) fn roll_locked(&self, state: &mut State, now: Timestamp) -> Result<(), StorageError> {
        let base = state.end.offset;
        let Some(active) = state.segments.back().copied() else { return Ok(()) };
        if active.size == 0 {
            return Ok(());
        }
        self.store.create(base)?;
        state.segments.push_back(Segment::new(base, active.bytes_before + active.size, now));
        state.unsynced.push(active.base);
        state.end = Point { offset: base, segment: base, position: 0 };
        if state.committed.offset == base {
            state.committed = state.end;
        }
        Ok(())
    }

    /// Writes the batch at the log's end and moves that.
    fn write(&self, state: &mut State, batch: &Batch, now: Timestamp) -> Result<BatchHeader, StorageError> {
        let at = state.end;
        let prefix = batch.stored_prefix(Offset(at.offset), LeaderEpoch(0));
        let rest = batch.bytes.get(prefix.len()..).unwrap_or_default();
        if let Err(error) = self.store.append(at.segment, at.position, &prefix, rest) {
            return Err(self.poison(state, &error));
        }
        let header = BatchHeader { base_offset: Offset(at.offset), leader_epoch: LeaderEpoch(0), ..batch.header };
        let next = header.next_offset().0;
        let tail = TailBatch {
            base: at.offset,
            next,
            segment: at.segment,
            position: at.position,
            size: header.size,
            bytes: None,
        };
        state.tail.push(tail, (&prefix, rest));
        let marker = header.is_control().then(|| EndMarker::parse(batch)).flatten();
        state.note(&header, marker, now);
        Ok(header)
    }

    /// Refuses all further writes, for a write or sync failed: what is stored is unknown until a restart looks.
    pub(super) fn poison(&self, state: &mut State, error: &std::io::Error) -> StorageError {
        tracing::error!(log = %self.id, %error, "a write failed; the partition takes no more until a restart");
        let why = state.poisoned.get_or_insert_with(|| error.to_string().into()).clone();
        self.waiters.wake();
        StorageError::Poisoned(why)
    }

    /// Serves what was written at once, or asks for a group commit that will.
    pub(super) fn commit_or_defer(&self, mut state: MutexGuard<'_, State>) {
        if self.shared.commits_in_groups() {
            if !state.transactions.is_stable() {
                self.publish_stable_end(&mut state);
            }
            drop(state);
            if !self.uncommitted.swap(true, Ordering::AcqRel) {
                self.shared.commits.push(self.this.clone());
            }
            return;
        }
        state.committed = state.end;
        if !state.transactions.is_stable() {
            self.publish_stable_end(&mut state);
        }
        self.high_watermark.store(state.end.offset, Ordering::Release);
        drop(state);
        self.waiters.wake();
    }

    pub(super) fn mark_dirty(&self) {
        if self.shared.is_persistent() && !self.dirty.swap(true, Ordering::AcqRel) {
            self.shared.checkpoints.push(self.this.clone());
        }
    }
}

impl State {
    /// Takes note of a batch that stands at the log's end: written now, or found at a start; of a control batch with
    /// the marker that it holds.
    pub(super) fn note(&mut self, header: &BatchHeader, marker: Option<EndMarker>, now: Timestamp) {
        let at = Point { offset: header.base_offset.0, ..self.end };
        match marker {
            Some(marker) => {
                if let Some(first) = self.producers.end_transaction(header, marker, now) {
                    self.transactions.end(header.producer_id, first.offset, at.offset, marker);
                }
            }
            None if header.is_control() => {}
            None => {
                if self.producers.remember(header, at, now) {
                    self.transactions.begin(at);
                }
            }
        }
        if let Some(active) = self.segments.back_mut() {
            self.index.note(at, header.size, active.max_timestamp);
            if active.size == 0 {
                active.first_timestamp = header.max_timestamp;
            }
            if header.max_timestamp > active.max_timestamp {
                active.max_timestamp = header.max_timestamp;
                active.max_timestamp_offset = at.offset;
            }
            active.size += header.size as u64;
        }
        self.end =
            Point { offset: header.next_offset().0, segment: at.segment, position: at.position + header.size as u64 };
    }

    /// A transaction that begins here has to have been looked up, and no marker may have come meanwhile.
    fn check_verified(&self, header: &BatchHeader, writer: Writer) -> Result<(), AppendError> {
        let id = header.producer_id;
        let is_open = self.producers.transaction(id).is_some_and(|(epoch, _)| epoch == header.producer_epoch);
        match writer {
            Writer::Coordinator => Ok(()),
            Writer::Client(_) if is_open => Ok(()),
            Writer::Client(Some(verified)) if self.still_holds(verified, id) => Ok(()),
            Writer::Client(_) => Err(AppendError::InvalidTxnState(format!(
                "the producer {id} has no transaction open in this partition"
            ))),
        }
    }

    /// As `org.apache.kafka.storage.internals.log.LogSegment.shouldRoll`.
    pub(super) fn should_roll(&self, header: &BatchHeader, config: &crate::LogConfig, now: Timestamp) -> bool {
        let Some(active) = self.segments.back() else { return false };
        if active.size == 0 {
            return false;
        }
        let waited = if active.first_timestamp >= 0 && header.max_timestamp >= 0 {
            header.max_timestamp.saturating_sub(active.first_timestamp)
        } else {
            now.saturating_sub(active.created)
        };
        let last_delta = self.end.offset + i64::from(header.last_offset_delta) - active.base;
        active.size + header.size as u64 > config.segment_bytes.min(SEGMENT_BYTES_MAX)
            || waited > config.segment_ms_max()
            || last_delta > i64::from(i32::MAX)
    }
}

fn sequence_error(header: &BatchHeader, error: &SequenceError) -> AppendError {
    let (id, epoch, sequence) = (header.producer_id, header.producer_epoch, header.base_sequence);
    match error {
        SequenceError::Epoch { current } => AppendError::InvalidProducerEpoch(format!(
            "producer {id} wrote with the epoch {epoch}, its current epoch is {current}"
        )),
        SequenceError::InTransaction => {
            AppendError::InvalidTxnState(format!("producer {id} wrote outside of its open transaction"))
        }
        SequenceError::OutOfOrder { last: Some(last) } => AppendError::OutOfOrderSequence(format!(
            "producer {id} wrote with the sequence {sequence}, its last one was {last}"
        )),
        SequenceError::OutOfOrder { last: None } => AppendError::OutOfOrderSequence(format!(
            "producer {id} began the epoch {epoch} with the sequence {sequence}, not 0"
        )),
    }
}
