//! Incremental fetch sessions (KIP-227): a client sends its partitions once, later only what changes, and is told
//! only of partitions with news.
//!
//! Follows `org.apache.kafka.server.FetchManager`, `FetchSession` and `FetchContext`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::{FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use parking_lot::Mutex;
use uuid::Uuid;

use super::fetch_response::{FetchedPartition, FetchedTopic};

/// A session unused for so long may make room for another (`min.incremental.fetch.session.eviction.ms`).
const EVICTABLE_AFTER: Duration = Duration::from_secs(120);
/// First version that names topics by id.
pub(super) const TOPIC_IDS_MIN: i16 = 13;
/// Epoch of a request that lists everything and asks for a session.
const EPOCH_INITIAL: i32 = 0;
/// Epoch of a request that lists everything and wants no session.
const EPOCH_FINAL: i32 = -1;

/// What a client wants of one partition.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) topic: TopicName,
    pub(crate) topic_id: Uuid,
    pub(crate) by_id: bool,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) bytes_max: i32,
    pub(crate) current_leader_epoch: i32,
    pub(crate) last_fetched_epoch: i32,
}

/// A partition by what the client calls its topic.
type Key = (StrBytes, Uuid, i32);

impl Wanted {
    fn key(&self) -> Key {
        (self.topic.0.clone(), self.topic_id, self.partition)
    }
}

/// A partition of a session: what is wanted, and what the client was last told.
#[derive(Debug)]
struct Cached {
    wanted: Wanted,
    high_watermark: i64,
    log_start_offset: i64,
}

impl Cached {
    fn new(wanted: Wanted) -> Self {
        Self { wanted, high_watermark: -1, log_start_offset: -1 }
    }

    fn is_news(&self, fetched: &FetchedPartition) -> bool {
        !fetched.records.is_empty()
            || fetched.error.is_some()
            || fetched.diverging_epoch.is_some()
            || fetched.high_watermark != self.high_watermark
            || fetched.log_start_offset != self.log_start_offset
    }

    /// Notes what the client is told; whether it is news.
    fn tell(&mut self, fetched: &FetchedPartition) -> bool {
        let news = self.is_news(fetched);
        // After an error nothing is taken for known, so that its end is news too.
        self.high_watermark = if fetched.error.is_some() { -1 } else { fetched.high_watermark };
        self.log_start_offset = fetched.log_start_offset;
        news
    }
}

#[derive(Debug)]
struct Stored {
    epoch: i32,
    by_id: bool,
    used: Instant,
    partitions: IndexMap<Key, Cached>,
}

/// The sessions that the broker remembers.
pub(crate) struct FetchSessions {
    stored: Mutex<BTreeMap<i32, Stored>>,
    sessions_max: usize,
}

/// One request's part in a session.
pub(crate) struct Session<'a> {
    sessions: &'a FetchSessions,
    id: i32,
    kind: Kind,
    wanted: Vec<Wanted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sessionless,
    Full { by_id: bool },
    Incremental,
}

impl FetchSessions {
    pub(crate) fn new(sessions_max: usize) -> Self {
        Self { stored: Mutex::default(), sessions_max }
    }

    /// Finds what a request wants, in its session if it has one.
    ///
    /// Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR, and for the id of
    /// zeros UNKNOWN_SERVER_ERROR.
    pub(crate) fn begin(&self, request: &FetchRequest, version: i16) -> Result<Session<'_>, ResponseError> {
        let by_id = version >= TOPIC_IDS_MIN;
        let listed = request.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(move |partition| wanted(&topic.topic, topic.topic_id, by_id, partition))
        });
        let mut topics = request.topics.iter().filter(|topic| !topic.partitions.is_empty());
        if by_id && request.session_epoch != EPOCH_FINAL && topics.any(|topic| topic.topic_id.is_nil()) {
            // Kafka fails on keeping one.
            return Err(ResponseError::UnknownServerError);
        }
        let session = |id, kind, wanted| Session { sessions: self, id, kind, wanted };
        let mut stored = self.stored.lock();
        if matches!(request.session_epoch, EPOCH_INITIAL | EPOCH_FINAL) {
            stored.remove(&request.session_id);
            let kind = if request.session_epoch == EPOCH_FINAL { Kind::Sessionless } else { Kind::Full { by_id } };
            // Of a partition that is listed twice the last counts, in the place of the first.
            let each: IndexMap<_, _> = listed.map(|wanted| (wanted.key(), wanted)).collect();
            return Ok(session(0, kind, each.into_values().collect()));
        }
        let known = stored.get_mut(&request.session_id).ok_or(ResponseError::FetchSessionIdNotFound)?;
        if known.epoch != request.session_epoch {
            return Err(ResponseError::InvalidFetchSessionEpoch);
        }
        if known.by_id != by_id {
            return Err(ResponseError::FetchSessionTopicIdError);
        }
        for wanted in listed {
            match known.partitions.get_mut(&wanted.key()) {
                Some(cached) => cached.wanted = wanted,
                None => drop(known.partitions.insert(wanted.key(), Cached::new(wanted))),
            }
        }
        for topic in &request.forgotten_topics_data {
            for partition in &topic.partitions {
                known.partitions.shift_remove(&(own(&topic.topic), topic.topic_id, *partition));
            }
        }
        if known.partitions.is_empty() {
            stored.remove(&request.session_id);
            return Ok(session(0, Kind::Sessionless, Vec::new()));
        }
        known.epoch = next_epoch(known.epoch);
        known.used = Instant::now();
        let wanted = known.partitions.values().map(|cached| cached.wanted.clone()).collect();
        Ok(session(request.session_id, Kind::Incremental, wanted))
    }

    /// Remembers a new session; 0, which is none, where there is no room for one.
    fn open(&self, by_id: bool, partitions: IndexMap<Key, Cached>) -> i32 {
        let mut stored = self.stored.lock();
        let now = Instant::now();
        if stored.len() >= self.sessions_max {
            let oldest = stored.iter().min_by_key(|(_, session)| session.used).map(|(id, session)| (*id, session.used));
            match oldest {
                Some((id, used)) if now.duration_since(used) >= EVICTABLE_AFTER => drop(stored.remove(&id)),
                _ => return 0,
            }
        }
        let id = loop {
            let id = (Uuid::new_v4().as_u128() as u32 >> 1) as i32;
            if id != 0 && !stored.contains_key(&id) {
                break id;
            }
        };
        stored.insert(id, Stored { epoch: 1, by_id, used: now, partitions });
        id
    }
}

impl Session<'_> {
    /// What to read, in order.
    pub(crate) fn wanted(&mut self) -> Vec<Wanted> {
        std::mem::take(&mut self.wanted)
    }

    /// The session that the request goes on with; 0 where it does not.
    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    /// What the client would be told of what was read, in the order of [`wanted`](Self::wanted).
    pub(crate) fn news<'r>(
        &self,
        wanted: &'r [Wanted],
        fetched: &'r [FetchedPartition],
    ) -> Vec<(&'r Wanted, &'r FetchedPartition)> {
        let stored = self.sessions.stored.lock();
        let known = stored.get(&self.id).filter(|_| self.kind == Kind::Incremental);
        let is_news = |wanted: &Wanted, fetched: &FetchedPartition| {
            known.is_none_or(|known| known.partitions.get(&wanted.key()).is_some_and(|it| it.is_news(fetched)))
        };
        wanted.iter().zip(fetched).filter(|(wanted, fetched)| is_news(wanted, fetched)).collect()
    }

    /// Takes what was read, in the order of [`wanted`](Self::wanted), and gives what the client is told, with the
    /// session's id or 0.
    pub(crate) fn finish(self, wanted: Vec<Wanted>, fetched: Vec<FetchedPartition>) -> (i32, Vec<FetchedTopic>) {
        let all = wanted.into_iter().zip(fetched);
        match self.kind {
            Kind::Sessionless => (0, by_topic(all)),
            Kind::Full { by_id } => {
                let mut partitions = IndexMap::new();
                let all: Vec<_> = all.collect();
                for (wanted, fetched) in &all {
                    let mut cached = Cached::new(wanted.clone());
                    cached.tell(fetched);
                    partitions.insert(wanted.key(), cached);
                }
                // A session without partitions would have nothing to say.
                let id = if partitions.is_empty() { 0 } else { self.sessions.open(by_id, partitions) };
                (id, by_topic(all))
            }
            Kind::Incremental => {
                let mut stored = self.sessions.stored.lock();
                let Some(known) = stored.get_mut(&self.id) else { return (self.id, by_topic(all)) };
                let news = all.filter(|(wanted, fetched)| {
                    let key = wanted.key();
                    let Some(cached) = known.partitions.get_mut(&key) else { return false };
                    let news = cached.tell(fetched);
                    // Who had records goes to the end of the line, so that no partition starves the others.
                    if !fetched.records.is_empty()
                        && let Some(cached) = known.partitions.shift_remove(&key)
                    {
                        known.partitions.insert(key, cached);
                    }
                    news
                });
                (self.id, by_topic(news.collect::<Vec<_>>()))
            }
        }
    }
}

fn wanted(topic: &TopicName, topic_id: Uuid, by_id: bool, partition: &FetchPartition) -> Wanted {
    Wanted {
        topic: TopicName(own(topic)),
        topic_id,
        by_id,
        partition: partition.partition,
        offset: partition.fetch_offset,
        bytes_max: partition.partition_max_bytes,
        current_leader_epoch: partition.current_leader_epoch,
        last_fetched_epoch: partition.last_fetched_epoch,
    }
}

/// A copy of a name that does not keep the request's whole frame.
fn own(topic: &TopicName) -> StrBytes {
    StrBytes::from_string(topic.as_str().to_owned())
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

/// Neighbours of the same topic share an entry, as `FetchResponse.toMessage` has it.
pub(super) fn by_topic(partitions: impl IntoIterator<Item = (Wanted, FetchedPartition)>) -> Vec<FetchedTopic> {
    let mut topics: Vec<FetchedTopic> = Vec::new();
    for (wanted, fetched) in partitions {
        match topics.last_mut() {
            Some(last) if last.name == wanted.topic && last.id == wanted.topic_id => last.partitions.push(fetched),
            _ => topics.push(FetchedTopic { name: wanted.topic, id: wanted.topic_id, partitions: vec![fetched] }),
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;
    use brooklet_storage::LogSlice;
    use kafka_protocol::messages::fetch_request::{FetchTopic, ForgottenTopic};

    fn request(id: i32, epoch: i32, partitions: &[i32]) -> FetchRequest {
        let partitions = partitions.iter().map(|index| FetchPartition::default().with_partition(*index)).collect();
        let topic = FetchTopic::default().with_topic(name()).with_partitions(partitions);
        FetchRequest::default().with_session_id(id).with_session_epoch(epoch).with_topics(vec![topic])
    }

    fn name() -> TopicName {
        TopicName(StrBytes::from_static_str("t"))
    }

    fn fetched(index: i32, high_watermark: i64) -> FetchedPartition {
        FetchedPartition {
            high_watermark,
            error: None,
            records: LogSlice::default(),
            ..FetchedPartition::failed(index, ResponseError::UnknownServerError)
        }
    }

    /// Runs one request; partition `n` has the high watermark `marks[n]`. Gives the session and who was told.
    fn run(
        sessions: &FetchSessions,
        request: &FetchRequest,
        marks: &[i64],
    ) -> Result<(i32, Vec<i32>, Vec<i32>), ResponseError> {
        let mut session = sessions.begin(request, 12)?;
        let wanted = session.wanted();
        let asked = wanted.iter().map(|wanted| wanted.partition).collect();
        let answers = wanted.iter().map(|w| fetched(w.partition, marks[w.partition as usize])).collect();
        let (id, topics) = session.finish(wanted, answers);
        let told = topics.iter().flat_map(|topic| topic.partitions.iter().map(|partition| partition.index)).collect();
        Ok((id, asked, told))
    }

    #[test]
    fn an_incremental_fetch_reads_all_and_tells_only_news() {
        let sessions = FetchSessions::new(10);
        let (id, _, told) = run(&sessions, &request(0, 0, &[0, 1]), &[5, 5]).unwrap();
        assert!(id > 0);
        assert_eq!(told, [0, 1]);
        assert_eq!(run(&sessions, &request(id, 1, &[]), &[5, 5]).unwrap(), (id, vec![0, 1], vec![]));
        assert_eq!(run(&sessions, &request(id, 2, &[]), &[5, 6]).unwrap(), (id, vec![0, 1], vec![1]));
        // One more partition is news by itself.
        assert_eq!(run(&sessions, &request(id, 3, &[2]), &[5, 6, 0]).unwrap(), (id, vec![0, 1, 2], vec![2]));
        let forget = ForgottenTopic::default().with_topic(name()).with_partitions(vec![0]);
        let request = request(id, 4, &[]).with_forgotten_topics_data(vec![forget]);
        assert_eq!(run(&sessions, &request, &[9, 6, 0]).unwrap(), (id, vec![1, 2], vec![]));
    }

    #[test]
    fn unknown_sessions_and_wrong_epochs_are_refused() {
        let sessions = FetchSessions::new(10);
        assert_eq!(run(&sessions, &request(7, 1, &[0]), &[0]), Err(ResponseError::FetchSessionIdNotFound));
        let (id, ..) = run(&sessions, &request(0, 0, &[0]), &[0]).unwrap();
        assert_eq!(run(&sessions, &request(id, 2, &[0]), &[0]), Err(ResponseError::InvalidFetchSessionEpoch));
        let mut by_id = request(id, 1, &[0]);
        assert!(matches!(sessions.begin(&by_id, 13), Err(ResponseError::UnknownServerError)));
        by_id.topics[0].topic_id = Uuid::from_u128(1);
        assert!(matches!(sessions.begin(&by_id, 13), Err(ResponseError::FetchSessionTopicIdError)));
        // The final epoch ends the session.
        assert_eq!(run(&sessions, &request(id, -1, &[0]), &[0]).unwrap().0, 0);
        assert_eq!(run(&sessions, &request(id, 1, &[0]), &[0]), Err(ResponseError::FetchSessionIdNotFound));
    }

    #[test]
    fn a_full_cache_gives_no_session_but_an_answer() {
        let sessions = FetchSessions::new(1);
        assert!(run(&sessions, &request(0, 0, &[0]), &[0]).unwrap().0 > 0);
        assert_eq!(run(&sessions, &request(0, 0, &[0]), &[0]).unwrap(), (0, vec![0], vec![0]));
    }
}
