//! Fetch (KIP-74, KIP-227, KIP-392, KIP-516): stored batches as they are, waiting for more where there are too few.
//!
//! Follows `KafkaApis.handleFetchRequest`, `ReplicaManager.readFromLog` and `DelayedFetch`.

use std::sync::Arc;
use std::time::Duration;

use brooklet_model::Offset;
use brooklet_storage::{LogSlice, PartitionLog, ReadError, StorageError};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::fetch_response::{self, FetchedPartition};
use super::fetch_session::{TOPIC_IDS_MIN, Wanted, by_topic};
use crate::error;
use crate::reply::Reply;
use crate::shared::{Call, Shared};

/// First version that says in a structure which replica asks (KIP-903).
const REPLICA_STATE_MIN: i16 = 15;

/// How much one fetch may take, and how long it may wait.
struct Terms {
    bytes_max: usize,
    bytes_min: usize,
    deadline: Instant,
    read_committed: bool,
}

/// A partition to read: what the client asked, and the log if there is one.
struct Source {
    wanted: Wanted,
    log: Result<Arc<PartitionLog>, ResponseError>,
}

/// Reads what is wanted; parks until there are `min_bytes`, `max_wait_ms` are over, or the broker stops.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: FetchRequest) -> Reply {
    let throttle = &shared.cluster.throttles.fetch;
    // More than that at once would always be above the quota, and the client never get on.
    let bytes_max = throttle.bytes_max(call.quota_name()).unwrap_or(usize::MAX);
    let bytes_max = bytes_max.min(bytes(request.max_bytes)).min(shared.config.limits.fetch_bytes_max);
    let terms = Terms {
        bytes_max,
        bytes_min: bytes(request.min_bytes).min(bytes_max),
        deadline: Instant::now() + Duration::from_millis(bytes(request.max_wait_ms) as u64),
        read_committed: request.isolation_level == 1,
    };
    let mut session = match shared.fetch_sessions.begin(&request, call.version) {
        Ok(session) => session,
        Err(error) => return send(call.version, 0, Some(error), 0, Vec::new()),
    };
    let of_follower = call.version < REPLICA_STATE_MIN && request.replica_id.0 >= 0
        || call.version >= REPLICA_STATE_MIN && request.replica_state.replica_id.0 >= 0;
    let source = |wanted| Source { log: find(shared, &wanted, of_follower), wanted };
    let sources: Vec<Source> = session.wanted().into_iter().map(source).collect();
    if !matches!(request.isolation_level, 0 | 1) && sources.iter().any(|source| source.log.is_ok()) {
        return refuse(call.version, request.session_id, sources);
    }
    wait(shared, &sources, &terms).await;
    let fetched = read(&sources, &terms);
    let wanted: Vec<_> = sources.into_iter().map(|source| source.wanted).collect();
    if throttle.is_on() {
        let len = fetch_response::len(call.version, session.news(&wanted, &fetched));
        let throttle_ms = throttle.record_or_refuse(call.quota_name(), len);
        if throttle_ms > 0 {
            // Nothing is told, so that all of it is news once the time is over.
            let nothing = send(call.version, throttle_ms, None, session.id(), Vec::new());
            return nothing.muted_for(throttle_ms);
        }
    }
    let (session_id, topics) = session.finish(wanted, fetched);
    send(call.version, 0, None, session_id, topics)
}

/// The answer to an isolation level that there is not, where there is something to read (`FetchRequest.getErrorResponse`).
fn refuse(version: i16, session: i32, sources: Vec<Source>) -> Reply {
    let code = ResponseError::UnknownServerError;
    let told = sources.into_iter().filter(|_| version < TOPIC_IDS_MIN);
    let failed = told.map(|Source { wanted, .. }| {
        let index = wanted.partition;
        (wanted, FetchedPartition::failed(index, code))
    });
    send(version, 0, Some(code), session, by_topic(failed))
}

fn send(
    version: i16,
    throttle_ms: i32,
    error: Option<ResponseError>,
    session: i32,
    topics: Vec<fetch_response::FetchedTopic>,
) -> Reply {
    match fetch_response::encode(version, throttle_ms, error, session, topics) {
        Ok(body) => Reply::Body(body),
        Err(error) => {
            tracing::warn!(%error, "stored records could not be read");
            Reply::Close
        }
    }
}

fn bytes(wire: i32) -> usize {
    usize::try_from(wire).unwrap_or(0)
}

/// Of a follower there is none: no replica but this one is assigned.
fn find(shared: &Shared, wanted: &Wanted, of_follower: bool) -> Result<Arc<PartitionLog>, ResponseError> {
    let topic = match wanted.by_id {
        true => shared.storage.topic_by_id(wanted.topic_id).ok_or(ResponseError::UnknownTopicId)?,
        false => shared.storage.topic(&wanted.topic).ok_or(ResponseError::UnknownTopicOrPartition)?,
    };
    let log = usize::try_from(wanted.partition)
        .ok()
        .and_then(|index| topic.partitions.get(index))
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    if of_follower {
        return Err(ResponseError::NotLeaderOrFollower);
    }
    let epoch = log.leader_epoch().0;
    match wanted.current_leader_epoch {
        -1 => {}
        asked if asked < epoch => return Err(ResponseError::FencedLeaderEpoch),
        asked if asked > epoch => return Err(ResponseError::UnknownLeaderEpoch),
        _ => {}
    }
    // An epoch that has not been leads nowhere (`Partition.readRecords`).
    if wanted.last_fetched_epoch > epoch {
        return Err(ResponseError::OffsetOutOfRange);
    }
    Ok(Arc::clone(log))
}

/// Returns once an answer is due. Woken by appends; never polls.
async fn wait(shared: &Shared, sources: &[Source], terms: &Terms) {
    let woken = Arc::new(Notify::new());
    loop {
        for log in sources.iter().filter_map(|source| source.log.as_ref().ok()) {
            log.wake_on_advance(&woken);
        }
        if is_due(sources, terms) || Instant::now() >= terms.deadline {
            return;
        }
        tokio::select! {
            () = woken.notified() => {}
            () = tokio::time::sleep_until(terms.deadline) => return,
            () = shared.shutdown.cancelled() => return,
        }
    }
}

/// Enough bytes, or something to say that will not change by waiting.
fn is_due(sources: &[Source], terms: &Terms) -> bool {
    if sources.is_empty() {
        return true;
    }
    let mut available = 0u64;
    for source in sources {
        let Ok(log) = &source.log else { return true };
        let from = Offset(source.wanted.offset);
        if log.is_deleted() || diverging(log, &source.wanted).is_some() {
            return true;
        }
        if from < log.log_start_offset() || from > end_for(log, terms) {
            return true;
        }
        let readable = if terms.read_committed { log.stable_bytes(from) } else { log.readable_bytes(from) };
        available += readable.min(bytes(source.wanted.bytes_max) as u64);
    }
    available >= terms.bytes_min as u64
}

fn end_for(log: &PartitionLog, terms: &Terms) -> Offset {
    if terms.read_committed { log.last_stable_offset() } else { log.high_watermark() }
}

/// Reads partition by partition; the first batch found is returned whole even if it is above the limits.
fn read(sources: &[Source], terms: &Terms) -> Vec<FetchedPartition> {
    let mut left = terms.bytes_max;
    let mut nothing_yet = true;
    let mut fetched = Vec::with_capacity(sources.len());
    for Source { wanted, log } in sources {
        let partition = match log {
            Err(error) => FetchedPartition::failed(wanted.partition, *error),
            Ok(log) => {
                let limit = bytes(wanted.bytes_max).min(left);
                read_one(log, wanted, terms, limit, nothing_yet)
            }
        };
        nothing_yet &= partition.records.is_empty();
        left = left.saturating_sub(partition.records.len());
        fetched.push(partition);
    }
    fetched
}

fn read_one(
    log: &PartitionLog,
    wanted: &Wanted,
    terms: &Terms,
    limit: usize,
    whole_first_batch: bool,
) -> FetchedPartition {
    let diverging_epoch = diverging(log, wanted);
    let read = match terms.read_committed {
        true => log.read_committed(Offset(wanted.offset), limit).map(|(records, mut aborted)| {
            aborted.sort_by_key(|transaction| transaction.first_offset);
            (records, Some(aborted))
        }),
        false => log.read(Offset(wanted.offset), limit).map(|records| (records, None)),
    };
    let nothing = (LogSlice::default(), terms.read_committed.then(Vec::new));
    let read = match read {
        _ if diverging_epoch.is_some() => Ok(nothing),
        Ok((records, _)) if records.len() > limit && !whole_first_batch => Ok(nothing),
        other => other,
    };
    match read {
        Ok((records, aborted)) => FetchedPartition {
            index: wanted.partition,
            error: None,
            // Read after the records, so that none of them lies above it.
            high_watermark: log.high_watermark().0,
            last_stable_offset: log.last_stable_offset().0,
            log_start_offset: log.log_start_offset().0,
            diverging_epoch,
            aborted,
            records,
        },
        Err(error) => {
            // That a topic is deleted while it is read is no trouble of the storage.
            if let ReadError::Storage(error) = &error
                && !matches!(error, StorageError::Deleted)
            {
                tracing::warn!(partition = %log.id(), %error, "not readable");
            }
            FetchedPartition::failed(wanted.partition, error::of_read(&error))
        }
    }
}

/// Where the history that the client has (`last_fetched_epoch`) leaves ours, which knows one epoch only.
fn diverging(log: &PartitionLog, wanted: &Wanted) -> Option<(i32, i64)> {
    let (epoch, end) = (log.leader_epoch().0, log.log_end_offset().0);
    let asked = wanted.last_fetched_epoch;
    (asked >= 0 && wanted.offset > end).then_some((epoch, end))
}
