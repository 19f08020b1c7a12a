//! Where in its topics a query stands, and what a micro-batch reads of them.

use std::collections::BTreeMap;

use brooklet_model::TopicId;

use crate::codec::{Malformed, Reader, put_i64, put_u64};

/// Offsets of one partition, `to` not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) partition: i32,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What a micro-batch reads of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicRanges {
    pub(crate) topic: TopicId,
    /// In the order of partitions; where nothing is new, `from` is `to`.
    pub(crate) ranges: Vec<Range>,
}

/// How far a topic was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicPositions {
    pub(crate) topic: TopicId,
    /// For each partition known so far, the next offset.
    pub(crate) next: BTreeMap<i32, i64>,
}

impl Range {
    /// Offsets in the range: at least as many as there are records.
    pub(crate) fn records(&self) -> u64 {
        self.to.abs_diff(self.from)
    }
}

impl TopicRanges {
    /// Whether it holds no records.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.iter().all(|range| range.records() == 0)
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.topic.as_bytes());
        put_u64(out, self.ranges.len() as u64);
        for range in &self.ranges {
            put_u64(out, range.partition as u64);
            put_i64(out, range.from);
            put_i64(out, range.to);
        }
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let topic = reader.topic_id()?;
        let mut ranges = Vec::new();
        for _ in 0..reader.count(17)? {
            let range = Range { partition: reader.index()?, from: reader.i64()?, to: reader.i64()? };
            if range.from < 0 || range.to < range.from {
                return Err(Malformed::new(format!("the range {} to {} cannot be", range.from, range.to)));
            }
            ranges.push(range);
        }
        Ok(Self { topic, ranges })
    }
}

impl TopicPositions {
    /// Takes what was planned as read. A topic that was made anew begins anew.
    pub(super) fn advance(&mut self, read: &TopicRanges) {
        if self.topic != read.topic {
            self.topic = read.topic;
            self.next.clear();
        }
        self.next.extend(read.ranges.iter().map(|range| (range.partition, range.to)));
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.topic.as_bytes());
        put_u64(out, self.next.len() as u64);
        for (partition, offset) in &self.next {
            put_u64(out, *partition as u64);
            put_i64(out, *offset);
        }
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let topic = reader.topic_id()?;
        let mut next = BTreeMap::new();
        for _ in 0..reader.count(9)? {
            next.insert(reader.index()?, reader.i64()?);
        }
        Ok(Self { topic, next })
    }
}
