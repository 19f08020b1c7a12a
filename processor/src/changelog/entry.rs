//! The records of a changelog. A record's value is: format version, kind, and the kind's fields; its key is null.

use std::collections::BTreeMap;

use brooklet_model::{ProducerId, TopicId};

use super::codec::{Malformed, Reader, put_bytes, put_i64, put_u64};

/// The version that is written, and the only one that is read.
const FORMAT: u8 = 1;

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry<'a> {
    /// A micro-batch is going to run; what an earlier run of it wrote here is void.
    Planned(PlannedBatch),
    /// New values of groups that the batch touched; they hold once it is committed.
    Changes { batch: u64, rows: &'a [u8] },
    /// The batch is done.
    Committed(Commit),
    /// The whole state follows.
    SnapshotBegin(Base),
    /// Groups of the snapshot.
    SnapshotRows(&'a [u8]),
    /// The snapshot is whole.
    SnapshotEnd { groups: u64 },
}

/// A micro-batch: which records it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedBatch {
    /// Counted from 0.
    pub(crate) number: u64,
    /// The source topic's id.
    pub(crate) topic: TopicId,
    /// In the order of partitions; where nothing is new, `from` is `to`.
    pub(crate) ranges: Vec<Range>,
    /// The output topic as it is when the batch is planned; nil and empty for the console.
    pub(crate) output: OutputPosition,
}

/// Offsets of one partition, `to` not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) partition: i32,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What is counted over a query's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Records read, also those that WHERE removed.
    pub(crate) records_in: u64,
    /// Records that are not JSON objects, or could not be read at all.
    pub(crate) bad_records: u64,
}

/// Where the next output records go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputPosition {
    /// The output topic's id.
    pub(crate) topic: TopicId,
    /// For each partition, the sequence of the next record.
    pub(crate) sequences: Vec<i32>,
}

/// The end of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) number: u64,
    pub(crate) totals: Totals,
    pub(crate) output: OutputPosition,
}

/// All that a query knows beside its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// The plan's normal form: the changelog belongs to this query alone.
    pub(crate) query: String,
    /// The producer id of its output.
    pub(crate) producer: ProducerId,
    /// The number of the next batch.
    pub(crate) next_batch: u64,
    /// The source topic's id.
    pub(crate) topic: TopicId,
    /// For each partition known so far, the next offset.
    pub(crate) positions: BTreeMap<i32, i64>,
    pub(crate) output: OutputPosition,
    pub(crate) totals: Totals,
}

impl Base {
    /// Takes a planned batch as done.
    pub(crate) fn advance(&mut self, planned: &PlannedBatch, commit: Commit) {
        self.next_batch = commit.number + 1;
        if self.topic != planned.topic {
            self.topic = planned.topic;
            self.positions.clear();
        }
        self.positions.extend(planned.ranges.iter().map(|range| (range.partition, range.to)));
        self.output = commit.output;
        self.totals = commit.totals;
    }
}

impl Entry<'_> {
    /// The record's value.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT, self.kind()];
        match self {
            Self::Planned(planned) => {
                put_u64(&mut out, planned.number);
                out.extend_from_slice(planned.topic.as_bytes());
                put_u64(&mut out, planned.ranges.len() as u64);
                for range in &planned.ranges {
                    put_u64(&mut out, range.partition as u64);
                    put_i64(&mut out, range.from);
                    put_i64(&mut out, range.to);
                }
                put_output(&mut out, &planned.output);
            }
            Self::Changes { batch, rows } => {
                put_u64(&mut out, *batch);
                out.extend_from_slice(rows);
            }
            Self::Committed(commit) => {
                put_u64(&mut out, commit.number);
                put_totals(&mut out, commit.totals);
                put_output(&mut out, &commit.output);
            }
            Self::SnapshotBegin(base) => {
                put_bytes(&mut out, base.query.as_bytes());
                put_i64(&mut out, base.producer.0);
                put_u64(&mut out, base.next_batch);
                out.extend_from_slice(base.topic.as_bytes());
                put_u64(&mut out, base.positions.len() as u64);
                for (partition, offset) in &base.positions {
                    put_u64(&mut out, *partition as u64);
                    put_i64(&mut out, *offset);
                }
                put_output(&mut out, &base.output);
                put_totals(&mut out, base.totals);
            }
            Self::SnapshotRows(rows) => out.extend_from_slice(rows),
            Self::SnapshotEnd { groups } => put_u64(&mut out, *groups),
        }
        out
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Planned(_) => 1,
            Self::Changes { .. } => 2,
            Self::Committed(_) => 3,
            Self::SnapshotBegin(_) => 4,
            Self::SnapshotRows(_) => 5,
            Self::SnapshotEnd { .. } => 6,
        }
    }
}

impl<'a> Entry<'a> {
    /// Reads a record's value; rows are handed on as they are.
    pub(crate) fn decode(value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(value);
        let version = reader.u8()?;
        if version != FORMAT {
            return Err(Malformed::new(format!("its format version is {version}, and only {FORMAT} is known")));
        }
        let entry = match reader.u8()? {
            1 => Self::Planned(take_planned(&mut reader)?),
            2 => return Ok(Self::Changes { batch: reader.u64()?, rows: reader.rest() }),
            3 => Self::Committed(Commit {
                number: reader.u64()?,
                totals: take_totals(&mut reader)?,
                output: take_output(&mut reader)?,
            }),
            4 => Self::SnapshotBegin(take_base(&mut reader)?),
            5 => return Ok(Self::SnapshotRows(reader.rest())),
            6 => Self::SnapshotEnd { groups: reader.u64()? },
            kind => return Err(Malformed::new(format!("no record is of the kind {kind}"))),
        };
        reader.end()?;
        Ok(entry)
    }
}

fn put_output(out: &mut Vec<u8>, output: &OutputPosition) {
    out.extend_from_slice(output.topic.as_bytes());
    put_u64(out, output.sequences.len() as u64);
    for sequence in &output.sequences {
        put_u64(out, *sequence as u64);
    }
}

fn take_output(reader: &mut Reader<'_>) -> Result<OutputPosition, Malformed> {
    let topic = reader.topic_id()?;
    let sequences = (0..reader.count(1)?).map(|_| reader.index()).collect::<Result<_, _>>()?;
    Ok(OutputPosition { topic, sequences })
}

fn put_totals(out: &mut Vec<u8>, totals: Totals) {
    put_u64(out, totals.records_in);
    put_u64(out, totals.bad_records);
}

fn take_totals(reader: &mut Reader<'_>) -> Result<Totals, Malformed> {
    Ok(Totals { records_in: reader.u64()?, bad_records: reader.u64()? })
}

fn take_planned(reader: &mut Reader<'_>) -> Result<PlannedBatch, Malformed> {
    let number = reader.u64()?;
    let topic = reader.topic_id()?;
    let mut ranges = Vec::new();
    for _ in 0..reader.count(17)? {
        let range = Range { partition: reader.index()?, from: reader.i64()?, to: reader.i64()? };
        if range.from < 0 || range.to < range.from {
            return Err(Malformed::new(format!("the range {} to {} cannot be", range.from, range.to)));
        }
        ranges.push(range);
    }
    Ok(PlannedBatch { number, topic, ranges, output: take_output(reader)? })
}

fn take_base(reader: &mut Reader<'_>) -> Result<Base, Malformed> {
    let query = reader.text()?;
    let producer = ProducerId(reader.i64()?);
    let next_batch = reader.u64()?;
    let topic = reader.topic_id()?;
    let mut positions = BTreeMap::new();
    for _ in 0..reader.count(9)? {
        positions.insert(reader.index()?, reader.i64()?);
    }
    let output = take_output(reader)?;
    Ok(Base { query, producer, next_batch, topic, positions, output, totals: take_totals(reader)? })
}
