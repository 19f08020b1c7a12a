//! The records of a changelog. A record's value is: format version, kind, and the kind's fields; its key is null.

use brooklet_model::{ProducerId, TopicId};

use super::sources::{TopicPositions, TopicRanges};
use crate::bad::{BadCounts, BadReason};
use crate::codec::{Malformed, Reader, put_bytes, put_i64, put_u64};

/// The version that is written. Version 1, whose rows are counts of texts and which knows no event time, is read too,
/// version 2, which knows no dead letters, no reasons of bad records, and not what the state is of, version 3, which knows
/// one store and one topic, and no count of what a LIMIT has let pass, and version 4, which knows one topic that is
/// queried, with one watermark, and one LIMIT.
const FORMAT: u8 = 5;
const FORMAT_1: u8 = 1;
const FORMAT_2: u8 = 2;
const FORMAT_3: u8 = 3;
const FORMAT_4: u8 = 4;

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry<'a> {
    /// A micro-batch is going to run; what an earlier run of it wrote here is void.
    Planned(PlannedBatch),
    /// New values of what the batch touched; they hold once it is committed.
    Changes { batch: u64, rows: Rows<'a> },
    /// The batch is done.
    Committed(Commit),
    /// The whole state follows.
    SnapshotBegin(Base),
    /// Rows of the snapshot.
    SnapshotRows(Rows<'a>),
    /// The snapshot is whole.
    SnapshotEnd { rows: u64 },
}

/// Rows of one store of the state, one after the other, as their version writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows<'a> {
    pub(crate) format: u8,
    /// The number of the store.
    pub(crate) store: u64,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Rows<'a> {
    /// Of the version that is written.
    pub(crate) fn new(store: u64, bytes: &'a [u8]) -> Self {
        Self { format: FORMAT, store, bytes }
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.store);
        out.extend_from_slice(self.bytes);
    }

    fn take(reader: &mut Reader<'a>, format: u8) -> Result<Self, Malformed> {
        let store = if format <= FORMAT_3 { 0 } else { reader.u64()? };
        Ok(Self { format, store, bytes: reader.rest() })
    }
}

/// A micro-batch: which records it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedBatch {
    /// Counted from 0.
    pub(crate) number: u64,
    /// Of the topics that are queried.
    pub(crate) sources: Vec<TopicRanges>,
    /// Of the topics that are joined as tables: they are read before those.
    pub(crate) tables: Vec<TopicRanges>,
    /// The output topic as it is when the batch is planned; nil and empty for the console.
    pub(crate) output: OutputPosition,
    /// The topic of dead letters as it is then; as it was left where none are written.
    pub(crate) dead_letters: OutputPosition,
}

/// What is counted over a query's life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Records read, also those that WHERE removed.
    pub(crate) records_in: u64,
    /// Records that are not JSON objects, or could not be read at all.
    pub(crate) bad: BadCounts,
    /// Rows written: LIMIT in append mode counts over the query's life.
    pub(crate) rows_out: u64,
    /// Rows that came too late for their group.
    pub(crate) late_rows: u64,
    /// Rows that each LIMIT of an inner query has let pass.
    pub(crate) limited: Vec<u64>,
}

/// What a query knows of event time between two batches, in microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// As the last batch left it: the next one emits and evicts by it.
    pub(crate) now: i64,
    /// As it was in force while the last batch ran: the next one takes for late by it.
    pub(crate) before: i64,
    /// The last batch moved it, so one without data is due if no data comes first.
    pub(crate) no_data_due: bool,
    /// What each branch of the plan has reached; `None` if it has no watermark, or has seen no time since that is kept.
    pub(crate) reached: Vec<Option<i64>>,
}

/// Where the next output records go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputPosition {
    /// The output topic's id.
    pub(crate) topic: TopicId,
    /// For each partition, the sequence of the next record.
    pub(crate) sequences: Vec<i32>,
    /// Of a file, the bytes before the next row.
    pub(crate) bytes: u64,
}

/// The end of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) number: u64,
    pub(crate) totals: Totals,
    pub(crate) output: OutputPosition,
    pub(crate) dead_letters: OutputPosition,
    pub(crate) watermark: Watermark,
}

/// All that a query knows beside its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// The plan's normal form: the changelog belongs to this query alone.
    pub(crate) query: String,
    /// What its state is of, as [`Plan::state`](crate::plan::Plan::state) has it: a changed query that has the same may
    /// go on with it. Empty if the changelog was begun before this was kept.
    pub(crate) state: String,
    /// The producer id of its output.
    pub(crate) producer: ProducerId,
    /// The number of the next batch.
    pub(crate) next_batch: u64,
    /// In the topics that are queried.
    pub(crate) sources: Vec<TopicPositions>,
    /// In the topics that are joined as tables.
    pub(crate) tables: Vec<TopicPositions>,
    pub(crate) output: OutputPosition,
    pub(crate) dead_letters: OutputPosition,
    pub(crate) totals: Totals,
    pub(crate) watermark: Watermark,
}

impl Base {
    /// Takes a planned batch as done.
    pub(crate) fn advance(&mut self, planned: &PlannedBatch, commit: Commit) {
        self.next_batch = commit.number + 1;
        advance(&mut self.sources, &planned.sources);
        advance(&mut self.tables, &planned.tables);
        self.output = commit.output;
        self.dead_letters = commit.dead_letters;
        self.totals = commit.totals;
        self.watermark = commit.watermark;
    }
}

impl Entry<'_> {
    /// The record's value.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT, self.kind()];
        match self {
            Self::Planned(planned) => {
                put_u64(&mut out, planned.number);
                put_list(&mut out, &planned.sources, TopicRanges::put);
                put_list(&mut out, &planned.tables, TopicRanges::put);
                put_output(&mut out, &planned.output);
                put_output(&mut out, &planned.dead_letters);
            }
            Self::Changes { batch, rows } => {
                put_u64(&mut out, *batch);
                rows.put(&mut out);
            }
            Self::Committed(commit) => {
                put_u64(&mut out, commit.number);
                put_totals(&mut out, &commit.totals);
                put_output(&mut out, &commit.output);
                put_output(&mut out, &commit.dead_letters);
                put_watermark(&mut out, &commit.watermark);
            }
            Self::SnapshotBegin(base) => {
                put_bytes(&mut out, base.query.as_bytes());
                put_bytes(&mut out, base.state.as_bytes());
                put_i64(&mut out, base.producer.0);
                put_u64(&mut out, base.next_batch);
                put_list(&mut out, &base.sources, TopicPositions::put);
                put_list(&mut out, &base.tables, TopicPositions::put);
                put_output(&mut out, &base.output);
                put_output(&mut out, &base.dead_letters);
                put_totals(&mut out, &base.totals);
                put_watermark(&mut out, &base.watermark);
            }
            Self::SnapshotRows(rows) => rows.put(&mut out),
            Self::SnapshotEnd { rows } => put_u64(&mut out, *rows),
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
        let format = reader.u8()?;
        if !(FORMAT_1..=FORMAT).contains(&format) {
            return Err(Malformed::new(format!("its format version is {format}, and only 1 to {FORMAT} are known")));
        }
        let entry = match reader.u8()? {
            1 => Self::Planned(take_planned(&mut reader, format)?),
            2 => return Ok(Self::Changes { batch: reader.u64()?, rows: Rows::take(&mut reader, format)? }),
            3 => Self::Committed(Commit {
                number: reader.u64()?,
                totals: take_totals(&mut reader, format)?,
                output: take_output(&mut reader, format)?,
                dead_letters: take_dead_letters(&mut reader, format)?,
                watermark: take_watermark(&mut reader, format)?,
            }),
            4 => Self::SnapshotBegin(take_base(&mut reader, format)?),
            5 => return Ok(Self::SnapshotRows(Rows::take(&mut reader, format)?)),
            6 => Self::SnapshotEnd { rows: reader.u64()? },
            kind => return Err(Malformed::new(format!("no record is of the kind {kind}"))),
        };
        reader.end()?;
        Ok(entry)
    }
}

/// Takes what was planned as read.
fn advance(positions: &mut Vec<TopicPositions>, read: &[TopicRanges]) {
    positions.resize_with(read.len(), TopicPositions::default);
    positions.iter_mut().zip(read).for_each(|(position, read)| position.advance(read));
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&T, &mut Vec<u8>)) {
    put_u64(out, items.len() as u64);
    items.iter().for_each(|item| put(item, out));
}

fn put_output(out: &mut Vec<u8>, output: &OutputPosition) {
    out.extend_from_slice(output.topic.as_bytes());
    put_u64(out, output.sequences.len() as u64);
    for sequence in &output.sequences {
        put_u64(out, *sequence as u64);
    }
    put_u64(out, output.bytes);
}

fn take_output(reader: &mut Reader<'_>, format: u8) -> Result<OutputPosition, Malformed> {
    let topic = reader.topic_id()?;
    let sequences = (0..reader.count(1)?).map(|_| reader.index()).collect::<Result<_, _>>()?;
    let bytes = if format == FORMAT_1 { 0 } else { reader.u64()? };
    Ok(OutputPosition { topic, sequences, bytes })
}

fn take_dead_letters(reader: &mut Reader<'_>, format: u8) -> Result<OutputPosition, Malformed> {
    if format <= FORMAT_2 { Ok(OutputPosition::default()) } else { take_output(reader, format) }
}

fn put_totals(out: &mut Vec<u8>, totals: &Totals) {
    let Totals { records_in, bad, rows_out, late_rows, limited } = totals;
    [records_in, rows_out, late_rows].iter().for_each(|total| put_u64(out, **total));
    put_list(out, limited, |count, out| put_u64(out, *count));
    put_u64(out, bad.0.len() as u64);
    bad.0.iter().for_each(|count| put_u64(out, *count));
}

fn take_totals(reader: &mut Reader<'_>, format: u8) -> Result<Totals, Malformed> {
    let mut totals = Totals { records_in: reader.u64()?, ..Totals::default() };
    if format <= FORMAT_2 {
        // Of what reason they are was not kept: nearly all are.
        totals.bad.add(BadReason::NotAnObject, reader.u64()?);
    }
    if format == FORMAT_1 {
        return Ok(totals);
    }
    (totals.rows_out, totals.late_rows) = (reader.u64()?, reader.u64()?);
    if format > FORMAT_4 {
        totals.limited = (0..reader.count(1)?).map(|_| reader.u64()).collect::<Result<_, _>>()?;
    } else if format > FORMAT_3 {
        totals.limited = vec![reader.u64()?];
    }
    if format > FORMAT_2 {
        for reason in 0..reader.count(1)? {
            let count = reader.u64()?;
            // A reason that this version does not know, should there ever be one, counts as the first.
            let reason = BadReason::ALL.get(reason).copied().unwrap_or(BadReason::NotAnObject);
            totals.bad.add(reason, count);
        }
    }
    Ok(totals)
}

fn put_watermark(out: &mut Vec<u8>, watermark: &Watermark) {
    put_i64(out, watermark.now);
    put_i64(out, watermark.before);
    put_u64(out, u64::from(watermark.no_data_due));
    put_list(out, &watermark.reached, |reached, out| {
        put_u64(out, u64::from(reached.is_some()));
        reached.iter().for_each(|reached| put_i64(out, *reached));
    });
}

fn take_watermark(reader: &mut Reader<'_>, format: u8) -> Result<Watermark, Malformed> {
    if format == FORMAT_1 {
        return Ok(Watermark::default());
    }
    let (now, before, no_data_due) = (reader.i64()?, reader.i64()?, reader.u64()? != 0);
    let count = if format <= FORMAT_4 { 0 } else { reader.count(1)? };
    let mut reached = || Ok(if reader.u64()? == 0 { None } else { Some(reader.i64()?) });
    let reached = (0..count).map(|_| reached()).collect::<Result<_, Malformed>>()?;
    Ok(Watermark { now, before, no_data_due, reached })
}

fn take_planned(reader: &mut Reader<'_>, format: u8) -> Result<PlannedBatch, Malformed> {
    let number = reader.u64()?;
    let sources = take_sources(reader, format, TopicRanges::take)?;
    let tables = take_tables(reader, format, TopicRanges::take)?;
    let output = take_output(reader, format)?;
    let dead_letters = take_dead_letters(reader, format)?;
    Ok(PlannedBatch { number, sources, tables, output, dead_letters })
}

fn take_base(reader: &mut Reader<'_>, format: u8) -> Result<Base, Malformed> {
    let query = reader.text()?;
    let state = if format <= FORMAT_2 { String::new() } else { reader.text()? };
    let producer = ProducerId(reader.i64()?);
    let next_batch = reader.u64()?;
    let sources = take_sources(reader, format, TopicPositions::take)?;
    let tables = take_tables(reader, format, TopicPositions::take)?;
    let output = take_output(reader, format)?;
    let dead_letters = take_dead_letters(reader, format)?;
    let totals = take_totals(reader, format)?;
    let watermark = take_watermark(reader, format)?;
    Ok(Base { query, state, producer, next_batch, sources, tables, output, dead_letters, totals, watermark })
}

/// One for each source; a topic has an id of 16 bytes and a count.
fn take_sources<'a, T>(
    reader: &mut Reader<'a>,
    format: u8,
    take: impl Fn(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = if format <= FORMAT_4 { 1 } else { reader.count(17)? };
    (0..count).map(|_| take(reader)).collect()
}

/// One for each table.
fn take_tables<'a, T>(
    reader: &mut Reader<'a>,
    format: u8,
    take: impl Fn(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = if format <= FORMAT_3 { 0 } else { reader.count(17)? };
    (0..count).map(|_| take(reader)).collect()
}
