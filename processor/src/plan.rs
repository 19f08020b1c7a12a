//! The typed plan that SQL is lowered to: source, filter, group keys, aggregates, output columns, sink.
//!
//! Columns are numbered by their place in [`Source::columns`], and the group keys are the first of them: a scanned
//! record's key is a prefix of its columns, without a copy.

use std::fmt;

use crate::predicate::Predicate;

/// A checked query, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) source: Source,
    pub(crate) filter: Option<Predicate>,
    /// How many of the source's columns, from the first, are the group's key. None: one global group.
    pub(crate) key_count: usize,
    pub(crate) output: Vec<OutputColumn>,
    pub(crate) sink: Sink,
}

/// Where records come from, and what is read of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The topic.
    pub(crate) topic: String,
    /// Top-level fields of the JSON value, each read as a STRING: group keys first, in the order of GROUP BY.
    pub(crate) columns: Vec<String>,
}

/// One column of a result row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutputColumn {
    /// Its name: the alias, or the column as SELECT wrote it.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) value: OutputValue,
}

/// What a result column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputValue {
    /// A group key, by its number. STRING, nullable.
    Key(usize),
    /// The records of the group. BIGINT.
    Count,
}

/// Where result rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Spark's console format, on the writer that the query was started with.
    Console,
    /// A topic of this broker, by name.
    Topic(String),
}

impl Plan {
    /// The topic that is read.
    pub fn source_topic(&self) -> &str {
        &self.source.topic
    }

    /// Where the rows go.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// A name made from what the query does, the same however its text is spaced or cased.
    pub fn derived_name(&self) -> String {
        // FNV-1a: the name stands in a data folder, so it must not change with the standard library's hasher.
        let hash = self
            .to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("q-{hash:016x}")
    }
}

/// The normal form: equal plans have equal text, and the text of a running query's plan is kept in its changelog.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sink {
            Sink::Console => f.write_str("CONSOLE")?,
            Sink::Topic(topic) => write!(f, "TOPIC {topic:?}")?,
        }
        let key = |index: usize| self.source.columns.get(index).map_or("?", String::as_str);
        for (index, column) in self.output.iter().enumerate() {
            f.write_str(if index == 0 { " SELECT " } else { ", " })?;
            match column.value {
                OutputValue::Key(number) => write!(f, "{:?} AS {:?}", key(number), column.name)?,
                OutputValue::Count => write!(f, "COUNT(*) AS {:?}", column.name)?,
            }
        }
        write!(f, " FROM {:?}", self.source.topic)?;
        if let Some(filter) = &self.filter {
            f.write_str(" WHERE ")?;
            filter.write(f, &self.source.columns)?;
        }
        for index in 0..self.key_count {
            f.write_str(if index == 0 { " GROUP BY " } else { ", " })?;
            write!(f, "{:?}", key(index))?;
        }
        Ok(())
    }
}
