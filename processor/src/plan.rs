//! The typed plan that SQL is lowered to.
//!
//! Expressions over a record see its source columns by number, and, where the query is windowed, the window (a struct
//! of start and end) as the column after them, and what generators make after that. Expressions over a group see its keys, and after them its aggregates.

mod stage;

use std::fmt;
use std::path::PathBuf;

pub(crate) use stage::{Generator, Lifetime, Limit, Lookup, Side, Stage};

use crate::aggregate::AggregateFunction;
use crate::expr::Expr;
use crate::state::EventTime;
use crate::types::DataType;

/// A checked query, ready to run.
///
/// Rows flow from records through levels: each inner grouping is one, by its number, and the last one ends at the sink.
/// A level takes rows of one kind from one place, records or the rows of an inner grouping; or, of UNION ALL, from
/// several, each of which has a [`Side`] that makes them alike.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One, or those of a UNION ALL, in the order in which a batch reads them.
    pub(crate) sources: Vec<Source>,
    /// What its stages look up.
    pub(crate) tables: Vec<JoinedTable>,
    /// Groupings whose rows go on, each before those that its rows go to; most queries have none.
    pub(crate) inner: Vec<Inner>,
    /// What happens to the rows of the last level, in order; most queries have none.
    pub(crate) stages: Vec<Stage>,
    /// None: each row of the last level is one of the result.
    pub(crate) grouping: Option<Grouping>,
    /// HAVING, over a group.
    pub(crate) having: Option<Expr>,
    /// Over a group, or over a row of the last level where there is no grouping.
    pub(crate) output: Vec<OutputColumn>,
    /// Of complete mode (and of a batch): over a group (a row, where there is no grouping) followed by the output
    /// columns.
    pub(crate) order_by: Vec<SortKey>,
    pub(crate) limit: Option<u64>,
    /// LIMITs among the stages, by their numbers.
    pub(crate) limits: Vec<Lifetime>,
    pub(crate) mode: OutputMode,
    pub(crate) sink: Sink,
    /// The normal form: equal queries have equal text.
    pub(crate) text: String,
    /// The part of it that the state depends on.
    pub(crate) state: String,
}

/// Where records come from, and what is read of each.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) topic: String,
    /// Only what the query reads; columns that are group keys by themselves come first, in the order of GROUP BY.
    pub(crate) columns: Vec<SourceColumn>,
    /// One, or those SELECTs of a UNION ALL that read it.
    pub(crate) branches: Vec<Branch>,
}

/// What one SELECT makes of the records of its source.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Counted over the branches of all sources, in order.
    pub(crate) number: usize,
    pub(crate) watermark: Option<Watermark>,
    /// WHERE, as far as it does not look at the event time: it runs before the watermark is taken.
    pub(crate) early_filter: Option<Expr>,
    /// The rest of WHERE. None where there is no watermark.
    pub(crate) filter: Option<Expr>,
    /// None: records go on as they are.
    pub(crate) side: Option<Side>,
    /// The level that they go to.
    pub(crate) to: usize,
}

/// A topic that is joined as a table of latest values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinedTable {
    pub(crate) topic: String,
    /// Only what is read.
    pub(crate) columns: Vec<SourceColumn>,
    /// Of these, by number, the ones of which each value has one row: that of the last record.
    pub(crate) key: Vec<usize>,
    /// Those that are kept beside the key.
    pub(crate) kept: Vec<usize>,
}

/// A column of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceColumn {
    /// Of the JSON value's field, or the Kafka column's name.
    pub(crate) name: String,
    pub(crate) from: ReadFrom,
    pub(crate) data_type: DataType,
}

/// Where a column of a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadFrom {
    /// A field of the JSON object in the record's value.
    Json,
    /// BINARY
    Key,
    /// BINARY
    Value,
    /// STRING
    Topic,
    /// INT
    Partition,
    /// BIGINT
    Offset,
    /// TIMESTAMP
    Timestamp,
    /// INT: 0 is the producer's time, 1 the broker's.
    TimestampType,
    /// ARRAY of STRUCT of key STRING and value BINARY
    Headers,
}

/// The latest event time seen, less a delay, decides what is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// A source column of type TIMESTAMP.
    pub(crate) column: usize,
    pub(crate) delay_micros: i64,
}

/// A grouping, and how its rows go on.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    /// What happens to rows before they are grouped, in order.
    pub(crate) stages: Vec<Stage>,
    pub(crate) grouping: Grouping,
    /// HAVING, over a group.
    pub(crate) having: Option<Expr>,
    /// Over a group.
    pub(crate) order_by: Vec<SortKey>,
    /// The columns of a row, over a group. They are numbered as those of a record are: the window and what is made follow.
    pub(crate) columns: Vec<Expr>,
    /// None: rows go on as they are.
    pub(crate) side: Option<Side>,
    /// The level that they go to.
    pub(crate) to: usize,
}

/// GROUP BY and its aggregates.
#[derive(Clone, Debug)]
pub(crate) struct Grouping {
    /// Over a record (and its window). None: one group that is always there.
    pub(crate) keys: Vec<GroupKey>,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) window: Option<Window>,
    /// The key that says when a group is late and can be forgotten, if the watermark's column stands behind one.
    pub(crate) event_time: Option<EventTime>,
}

/// A grouping expression; it holds at least one column, but for the only key of a query that groups by a constant.
#[derive(Clone, Debug)]
pub(crate) struct GroupKey {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    pub(crate) data_type: DataType,
}

/// Windows over event time. Records whose time is NULL belong to none.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// Over `time` (TIMESTAMP). A tumbling window slides by its size.
    Sliding { time: Expr, size_micros: i64, slide_micros: i64, start_micros: i64 },
    /// `gap_micros` is a BIGINT: a constant, or an expression over the record. A record with a gap that is NULL or not
    /// positive belongs to no session.
    Session { time: Expr, gap_micros: Expr },
}

impl Window {
    /// Its expressions.
    pub(crate) fn each(&mut self, see: &mut impl FnMut(&mut Expr)) {
        match self {
            Self::Sliding { time, .. } => see(time),
            Self::Session { time, gap_micros } => {
                see(time);
                see(gap_micros);
            }
        }
    }
}

/// An aggregate of a group.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: AggregateFunction,
    /// Over a record (and its window), in the types that the function takes.
    pub(crate) arguments: Vec<Expr>,
    /// The type of the argument, of several a STRUCT of theirs; NULL for COUNT(*).
    pub(crate) input: DataType,
    /// FILTER: only records for which it is true count.
    pub(crate) filter: Option<Expr>,
}

/// A column of a result row.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    pub(crate) data_type: DataType,
}

/// An item of ORDER BY.
#[derive(Clone, Debug)]
pub(crate) struct SortKey {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// Which rows a micro-batch gives out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// The groups that changed.
    #[default]
    Update,
    /// All groups.
    Complete,
    /// Rows that will not change any more.
    Append,
}

/// As `--output-mode` takes it.
impl fmt::Display for OutputMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Update => "update",
            Self::Complete => "complete",
            Self::Append => "append",
        })
    }
}

/// Where result rows go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sink {
    /// Spark's console format, on the writer that the query was started with.
    #[default]
    Console,
    /// A topic of this broker, by name.
    Topic(String),
    /// JSON lines, on the writer that the query was started with.
    Json,
    /// JSON lines, in a file.
    File(PathBuf),
}

impl Plan {
    /// The topic of each source, in the order in which a batch reads them: one is there twice where two tables are of it
    /// whose columns do not go together.
    pub fn source_topics(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sources.iter().map(|source| source.topic.as_str())
    }

    /// Whether records of a topic are read, as a source or as a table.
    pub fn reads(&self, topic: &str) -> bool {
        self.source_topics().chain(self.table_topics()).any(|known| known == topic)
    }

    /// The topics that are joined as tables, in the order in which a batch reads them.
    pub fn table_topics(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tables.iter().map(|table| table.topic.as_str())
    }

    /// What the SELECTs make of records, by number.
    pub(crate) fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.sources.iter().flat_map(|source| &source.branches)
    }

    /// The number of the last level.
    pub(crate) fn last_level(&self) -> usize {
        self.inner.len()
    }

    /// The source whose records are the rows of a level.
    pub(crate) fn source_of(&self, level: usize) -> Option<&Source> {
        let goes_there = |source: &&Source| source.branches.iter().any(|it| it.side.is_none() && it.to == level);
        self.sources.iter().find(goes_there)
    }

    /// Columns of the rows of a level.
    pub(crate) fn width_of(&self, level: usize) -> usize {
        let sides = self.branches().map(|branch| (&branch.side, branch.to));
        let mut sides = sides.chain(self.inner.iter().map(|inner| (&inner.side, inner.to)));
        let united = sides.find_map(|(side, to)| side.as_ref().filter(|_| to == level).map(|side| side.columns.len()));
        let of_groups = || self.inner.iter().find(|inner| inner.to == level).map(|inner| inner.columns.len());
        let of_records = || self.source_of(level).map(|source| source.columns.len());
        united.or_else(of_groups).or_else(of_records).unwrap_or(0)
    }

    /// What a level does to its rows: stages, and then a grouping, if it is not the last one of a query of rows.
    pub(crate) fn level(&self, level: usize) -> (&[Stage], Option<&Grouping>) {
        match self.inner.get(level) {
            Some(inner) => (&inner.stages, Some(&inner.grouping)),
            None => (&self.stages, self.grouping.as_ref()),
        }
    }

    /// Each grouping, by the number of its level.
    pub(crate) fn groupings(&self) -> impl Iterator<Item = &Grouping> {
        self.inner.iter().map(|inner| &inner.grouping).chain(&self.grouping)
    }

    /// Where the rows go.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// Name and type of each column of a row.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &DataType)> {
        self.output.iter().map(|column| (column.name.as_str(), &column.data_type))
    }

    /// Whether the order of a batch's rows is told: by ORDER BY, or by the log where records are not grouped and no UNION
    /// ALL puts the rows of one SELECT among those of another.
    pub fn is_ordered(&self) -> bool {
        let as_they_come = match self.inner.as_slice() {
            [] => self.branches().count() == 1,
            [inner] => inner.side.is_none() && !inner.order_by.is_empty(),
            _ => false,
        };
        self.grouping.is_none() && as_they_come || !self.order_by.is_empty()
    }

    /// A name made from what the query does, the same however its text is spaced or cased.
    pub fn derived_name(&self) -> String {
        // FNV-1a: the name stands in a data folder, so it must not change with the standard library's hasher.
        let hash = self
            .text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("q-{hash:016x}")
    }
}

/// The normal form: equal plans have equal text, and the text of a running query's plan is kept in its changelog.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
