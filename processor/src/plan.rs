//! The typed plan that SQL is lowered to.
//!
//! Expressions over a record see its source columns by number, and, where the query is windowed, the window (a struct
//! of start and end) as the column after them, and what generators make after that. Expressions over a group see its keys, and after them its aggregates.

use std::fmt;
use std::path::PathBuf;

use crate::aggregate::AggregateFunction;
use crate::expr::Expr;
use crate::state::EventTime;
use crate::types::DataType;

/// A checked query, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) source: Source,
    /// What its stages look up.
    pub(crate) tables: Vec<JoinedTable>,
    /// WHERE, as far as it does not look at the event time: it runs before the watermark is taken.
    pub(crate) early_filter: Option<Expr>,
    /// The rest of WHERE. None where the query has no watermark.
    pub(crate) filter: Option<Expr>,
    /// What happens to records after that, in order; most queries have none.
    pub(crate) stages: Vec<Stage>,
    /// Groupings whose rows are grouped again, the one over records first; most queries have none.
    pub(crate) inner: Vec<Inner>,
    /// None: each record is a row.
    pub(crate) grouping: Option<Grouping>,
    /// HAVING, over a group.
    pub(crate) having: Option<Expr>,
    /// Over a group, or over a record where there is no grouping.
    pub(crate) output: Vec<OutputColumn>,
    /// Of complete mode (and of a batch): over a group (a record, where there is no grouping) followed by the output
    /// columns.
    pub(crate) order_by: Vec<SortKey>,
    pub(crate) limit: Option<u64>,
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
    pub(crate) watermark: Option<Watermark>,
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

/// A step between reading a record and grouping it or writing its row.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Records go on for which it is true.
    Filter(Expr),
    /// Makes rows of one, and adds columns: they come after the window's.
    Generate(Generator),
    /// Adds the columns of a row of a table, as a generator does.
    Lookup(Lookup),
    /// So many rows go on in the query's life.
    Limit(u64),
}

/// JOIN with a table of latest values: a row has one partner at most.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// By number.
    pub(crate) table: usize,
    /// Over the row, in the order and of the types of the table's key.
    pub(crate) keys: Vec<Expr>,
    /// What else must be true of the row and its partner.
    pub(crate) condition: Option<Expr>,
    /// A row without a partner goes on, with NULLs.
    pub(crate) outer: bool,
    /// For each column that it adds, which of the table's it is, counted over key and kept; `None` if nothing reads it.
    pub(crate) columns: Vec<Option<usize>>,
}

/// What makes several rows of one.
#[derive(Clone, Debug)]
pub(crate) enum Generator {
    /// A row for each window that a time is in; a STRUCT of start and end.
    Windows { time: Expr, size_micros: i64, slide_micros: i64, start_micros: i64 },
    /// A row for each element of an ARRAY, or for each entry of a MAP, whose key and value are two columns.
    Explode {
        operand: Expr,
        /// The number of the element comes first, an INT from 0.
        position: bool,
        /// A row of NULLs where there are no elements.
        outer: bool,
        /// Columns of an element; the fields of a STRUCT if `inline`.
        width: usize,
        inline: bool,
    },
    /// A row for each list, if its condition is true: GROUPING SETS, UNION ALL, stack.
    Rows(Vec<(Option<Expr>, Vec<Expr>)>),
}

impl Generator {
    /// How many columns it makes.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Windows { .. } => 1,
            Self::Explode { position, width, .. } => width + usize::from(*position),
            Self::Rows(rows) => rows.first().map_or(0, |(_, columns)| columns.len()),
        }
    }
}

impl Stage {
    /// How many columns it adds.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Generate(generator) => generator.width(),
            Self::Lookup(lookup) => lookup.columns.len(),
            Self::Filter(_) | Self::Limit(_) => 0,
        }
    }

    /// Its expressions.
    pub(crate) fn each(&mut self, see: &mut impl FnMut(&mut Expr)) {
        match self {
            Self::Filter(condition) => see(condition),
            Self::Limit(_) => {}
            Self::Lookup(Lookup { keys, condition, .. }) => keys.iter_mut().chain(condition).for_each(see),
            Self::Generate(Generator::Windows { time, .. }) => see(time),
            Self::Generate(Generator::Explode { operand, .. }) => see(operand),
            Self::Generate(Generator::Rows(rows)) => {
                for (condition, columns) in rows {
                    condition.iter_mut().chain(columns).for_each(&mut *see);
                }
            }
        }
    }
}

/// A grouping, and how its rows come to be grouped again.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) grouping: Grouping,
    /// HAVING, over a group.
    pub(crate) having: Option<Expr>,
    /// The columns of a row, over a group.
    pub(crate) columns: Vec<Expr>,
    /// What happens to a row then. Its columns are numbered as those of a record are: the window and what is made follow.
    pub(crate) stages: Vec<Stage>,
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
    /// The topic that is read.
    pub fn source_topic(&self) -> &str {
        &self.source.topic
    }

    /// The topics that are joined as tables, in the order in which a batch reads them.
    pub fn table_topics(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tables.iter().map(|table| table.topic.as_str())
    }

    /// Each grouping, the one over records first, and how many columns the rows have that it groups.
    pub(crate) fn groupings(&self) -> impl Iterator<Item = (&Grouping, usize)> {
        let widths =
            std::iter::once(self.source.columns.len()).chain(self.inner.iter().map(|inner| inner.columns.len()));
        self.inner.iter().map(|inner| &inner.grouping).chain(&self.grouping).zip(widths)
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
        let by_log = !self.stages.iter().any(|stage| matches!(stage, Stage::Generate(Generator::Rows(_))));
        by_log && self.grouping.is_none() || !self.order_by.is_empty()
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
