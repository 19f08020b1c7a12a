//! Reads a topic of any broker: what `brooklet query` and `brooklet consume` run on.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers as _, OwnedMessage};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Message, Offset, Timestamp, TopicPartitionList};

use crate::client::answer;

/// How long one poll waits where nothing comes.
const POLL: Duration = Duration::from_millis(100);

/// A record as it came.
#[derive(Clone, Copy, Debug)]
pub struct Fetched<'a> {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The time is the broker's, not the producer's.
    pub is_append_time: bool,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first record.
    Earliest,
    /// Behind the last one.
    Latest,
    /// At this offset of each partition.
    Offset(i64),
    /// At the first record of this time (milliseconds since 1970) or later.
    Time(i64),
}

impl From {
    /// In a partition that has the offsets from `low` to before `high`.
    fn offset(self, low: i64, high: i64) -> Offset {
        Offset::Offset(match self {
            Self::Earliest => low,
            Self::Latest => high,
            Self::Offset(offset) | Self::Time(offset) => offset,
        })
    }
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => return Ok(Self::Earliest),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if let Some(offset) = text.parse::<i64>().ok().filter(|offset| *offset >= 0) {
            return Ok(Self::Offset(offset));
        }
        let expected = || "expected earliest, latest, an offset, or a time such as 2026-01-31T12:00:00Z".to_owned();
        let time = humantime::parse_rfc3339_weak(text).map_err(|_| expected())?;
        let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| "a time before 1970".to_owned())?;
        i64::try_from(since.as_millis()).map(Self::Time).map_err(|_| "too far ahead".to_owned())
    }
}

/// A consumer of one topic, in no group.
///
/// It takes its partitions once, and goes from one offset to another by seeking: librdkafka up to 2.15 aborts the
/// process where partitions are given up while it still stops reading those of the assignment before
/// (librdkafka #5573).
pub struct TopicReader {
    consumer: BaseConsumer,
    topic: String,
    /// When it last had a record.
    heard: Instant,
    /// No broker has answered since.
    is_alone: bool,
    /// Of the partitions that are not read to the end that they had: that end.
    ends: BTreeMap<i32, i64>,
    /// The end of each of its partitions when it was opened, or last caught up.
    opened_at: TopicPartitionList,
}

impl TopicReader {
    /// Finds the topic's partitions, or `partition` alone, and where they end now, and begins at `from`. One that is not
    /// to `follow` what comes later takes those partitions alone that have something: thousands of empty ones take
    /// librdkafka long to begin and to end.
    ///
    /// # Errors
    /// No broker answers within `timeout`, or it has no such topic, or the topic no such partition.
    pub fn open(
        bootstrap_server: &str,
        properties: &[(String, String)],
        topic: &str,
        partition: Option<i32>,
        from: From,
        follow: bool,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let consumer = consumer(bootstrap_server, properties)?;
        let mut partitions = partitions(&consumer, bootstrap_server, topic, timeout)?;
        if let Some(wanted) = partition {
            if !partitions.contains(&wanted) {
                bail!("{topic} has no partition {wanted}");
            }
            partitions = vec![wanted];
        }
        let (firsts, opened_at) = edges(&consumer, topic, &partitions, timeout)?;
        let mut starts = TopicPartitionList::new();
        let mut ends = BTreeMap::new();
        for (first, end) in firsts.elements().iter().zip(opened_at.elements()) {
            let (partition, low, high) = (end.partition(), raw(first), raw(&end));
            if high > low {
                ends.insert(partition, high);
            }
            starts.add_partition_offset(topic, partition, from.offset(low, high))?;
        }
        if let From::Time(_) = from {
            starts = consumer.offsets_for_times(starts, timeout).context("the broker tells no offsets by time")?;
        }
        ends.retain(|partition, end| {
            let start = starts.find_partition(topic, *partition).and_then(|found| found.offset().to_raw());
            // Below zero is the end: nothing is of that time or later.
            start.is_some_and(|start| (0..*end).contains(&start))
        });
        let mut taken = TopicPartitionList::new();
        for element in starts.elements().iter().filter(|it| follow || ends.contains_key(&it.partition())) {
            taken.add_partition_offset(topic, element.partition(), element.offset())?;
        }
        consumer.assign(&taken)?;
        Ok(Self { consumer, topic: topic.to_owned(), heard: Instant::now(), is_alone: false, ends, opened_at })
    }

    /// Hands over every record that was there when the reader was opened.
    ///
    /// # Errors
    /// The first of `each`, or the broker does not go on for `timeout`.
    pub fn read_to_end(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(&Fetched<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.heard = Instant::now();
        while !self.ends.is_empty() {
            match self.consumer.poll(POLL) {
                None => self.check_heard(timeout)?,
                Some(Err(error)) if is_passing(&error) => self.check_heard(timeout)?,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ends.remove(&partition);
                }
                Some(Err(error)) => return Err(error).with_context(|| format!("{} cannot be read", self.topic)),
                Some(Ok(message)) => {
                    self.heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    if let Some(end) = self.ends.get(&partition).copied() {
                        if offset < end {
                            with_fetched(&message, &mut each)?;
                        }
                        if offset + 1 >= end {
                            self.ends.remove(&partition);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Hands over every record that has come since the reader was opened, or was last caught up with.
    ///
    /// # Errors
    /// As [`TopicReader::read_to_end`], or the broker does not tell within `timeout` where the partitions end.
    pub fn catch_up(
        &mut self,
        timeout: Duration,
        each: impl FnMut(&Fetched<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let before = self.opened_at.elements();
        let partitions: Vec<i32> = before.iter().map(|element| element.partition()).collect();
        let mut ends_now = TopicPartitionList::new();
        let told = at(&self.consumer, &self.topic, &partitions, Offset::End, timeout)?;
        for (now, before) in told.elements().iter().zip(&before) {
            let (partition, high, before) = (now.partition(), raw(now), raw(before));
            if high > before {
                self.ends.insert(partition, high);
            }
            ends_now.add_partition_offset(&self.topic, partition, Offset::Offset(high.max(before)))?;
        }
        if self.ends.is_empty() {
            return Ok(());
        }
        self.go_on(timeout)?;
        self.opened_at = ends_now;
        self.read_to_end(timeout, each)
    }

    /// Goes on behind what [`TopicReader::read_to_end`] reads.
    ///
    /// # Errors
    /// The client does not go there within `timeout`.
    pub fn go_on(&self, timeout: Duration) -> anyhow::Result<()> {
        let sought = self.consumer.seek_partitions(self.opened_at.clone(), timeout)?;
        sought.elements().iter().try_for_each(|it| it.error()).with_context(|| format!("{} cannot be read", self.topic))
    }

    /// Whether all is read that was there when the reader was opened.
    pub fn is_at_end(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether a record came after the reader was opened.
    pub fn is_beyond(&self, message: &OwnedMessage) -> bool {
        let end = self.opened_at.find_partition(&self.topic, message.partition());
        end.is_none_or(|end| end.offset().to_raw().is_some_and(|end| message.offset() >= end))
    }

    /// That a record came within `timeout`, or since the reading began.
    ///
    /// # Errors
    /// None came.
    pub fn check_heard(&self, timeout: Duration) -> anyhow::Result<()> {
        if self.heard.elapsed() <= timeout {
            return Ok(());
        }
        let partitions: Vec<String> = self.ends.keys().map(ToString::to_string).collect();
        bail!("partitions {} of {}: nothing comes any more", partitions.join(", "), self.topic)
    }

    /// What comes, up to `records_max` records, waiting for the first one for `wait` at most. Nothing comes from a broker
    /// that is away, and goes on once it is back.
    ///
    /// # Errors
    /// The topic cannot be read.
    pub fn read_more(&mut self, wait: Duration, records_max: usize) -> anyhow::Result<Vec<OwnedMessage>> {
        let mut taken = Vec::new();
        while taken.len() < records_max {
            match self.consumer.poll(if taken.is_empty() { wait } else { Duration::ZERO }) {
                None => break,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ends.remove(&partition);
                }
                Some(Err(error)) if is_passing(&error) => {
                    if !self.is_alone && error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
                        self.is_alone = true;
                        tracing::warn!(topic = self.topic, "no broker answers; waiting for one");
                    }
                    break;
                }
                Some(Err(error)) => return Err(error).with_context(|| format!("{} cannot be read", self.topic)),
                Some(Ok(message)) => {
                    self.is_alone = false;
                    self.heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    if self.ends.get(&partition).is_some_and(|end| offset + 1 >= *end) {
                        self.ends.remove(&partition);
                    }
                    taken.push(message.detach());
                }
            }
        }
        Ok(taken)
    }
}

fn consumer(bootstrap_server: &str, properties: &[(String, String)]) -> anyhow::Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_server)
        .set("client.id", "brooklet-query")
        .set("group.id", "brooklet-query")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .set("isolation.level", "read_uncommitted")
        .set("enable.partition.eof", "true")
        // Soon after a broker is back, and not ten seconds later.
        .set("reconnect.backoff.max.ms", "1000");
    for (key, value) in properties {
        config.set(key, value);
    }
    config.create().context("these settings do not make a Kafka consumer")
}

/// Whether a consumer goes on by itself after this error: its broker is away, maybe for a moment.
fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut, Resolve};
    let KafkaError::MessageConsumption(code) = error else { return false };
    matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut | Resolve)
}

/// Where partitions start and where they end, in their order.
fn edges(
    consumer: &BaseConsumer,
    topic: &str,
    partitions: &[i32],
    timeout: Duration,
) -> anyhow::Result<(TopicPartitionList, TopicPartitionList)> {
    let of = |edge| at(consumer, topic, partitions, edge, timeout);
    Ok((of(Offset::Beginning)?, of(Offset::End)?))
}

/// The offset of an edge of each partition, in their order. The edges are times that ListOffsets knows (-2 and -1), which
/// librdkafka hands on: one request for each broker, where its own query of an edge takes several a partition.
fn at(
    consumer: &BaseConsumer,
    topic: &str,
    partitions: &[i32],
    edge: Offset,
    timeout: Duration,
) -> anyhow::Result<TopicPartitionList> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition_offset(topic, *partition, edge)?;
    }
    let told = consumer.offsets_for_times(asked, timeout).with_context(|| format!("{topic} does not answer"))?;
    for element in told.elements() {
        let partition = element.partition();
        element.error().with_context(|| format!("partition {partition} of {topic} does not answer"))?;
    }
    Ok(told)
}

fn raw(element: &TopicPartitionListElem<'_>) -> i64 {
    element.offset().to_raw().unwrap_or(0)
}

fn partitions(consumer: &BaseConsumer, broker: &str, topic: &str, timeout: Duration) -> anyhow::Result<Vec<i32>> {
    let metadata = answer(broker, timeout, |left| consumer.fetch_metadata(Some(topic), left))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions: Vec<i32> = found.map_or(Vec::new(), |found| found.partitions().iter().map(|it| it.id()).collect());
    if partitions.is_empty() {
        bail!("there is no topic {topic} at {broker}");
    }
    Ok(partitions)
}

/// Shows a message as [`Fetched`].
///
/// # Errors
/// That of `each`.
pub fn with_fetched<M: Message, R>(message: &M, each: impl FnOnce(&Fetched<'_>) -> R) -> R {
    let headers: Vec<(&[u8], Option<&[u8]>)> = match message.headers() {
        None => Vec::new(),
        Some(headers) => headers.iter().map(|header| (header.key.as_bytes(), header.value)).collect(),
    };
    let (timestamp, is_append_time) = match message.timestamp() {
        Timestamp::NotAvailable => (-1, false),
        Timestamp::CreateTime(time) => (time, false),
        Timestamp::LogAppendTime(time) => (time, true),
    };
    each(&Fetched {
        partition: message.partition(),
        offset: message.offset(),
        timestamp,
        is_append_time,
        key: message.key(),
        value: message.payload(),
        headers: &headers,
    })
}
