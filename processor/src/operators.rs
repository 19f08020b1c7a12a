//! From records to state or rows: the operators of a query, straight over the log's bytes.

mod grouping;
mod record;
mod regroup;
mod source;
mod stages;
mod table;
mod walk;

use std::sync::Arc;

use brooklet_model::Record;
use brooklet_storage::PartitionLog;

use crate::bad::{BadRecord, BadRecords};
use crate::changelog::Range;
use crate::emit::Emitter;
use crate::error::QueryError;
use crate::options::OnDataLoss;
use crate::plan::Plan;
use crate::sink::DeadLetters;
use crate::state::{State, Stores, TooManyGroups};
use crate::step::{Gate, Step};
use regroup::Regrouper;
use source::SourceReader;
use table::TableReader;
use walk::{Take, Walker};

pub(crate) use record::Origin;

/// Source, columns, WHERE, and GROUP BY or SELECT of one query; and the tables that it joins.
pub(crate) struct Operators {
    walker: Walker,
    source: SourceReader,
    tables: Vec<TableReader>,
    regroupers: Vec<Regrouper>,
}

/// Where a batch's records go, and what holds for all of them.
pub(crate) struct Target<'t, 'e> {
    pub(crate) state: &'t mut State,
    /// Memory of the states that the records do not go to, in bytes.
    pub(crate) other_bytes: usize,
    /// The tables that the query joins.
    pub(crate) tables: &'t mut [State],
    pub(crate) state_bytes_max: usize,
    /// Takes the rows of a query without GROUP BY.
    pub(crate) emitter: &'t mut Emitter<'e>,
    /// Asked after each read and after each write.
    pub(crate) gate: &'t mut Gate,
    /// Groups whose time is at or before it (microseconds) take no more records.
    pub(crate) late_by: Option<i64>,
    pub(crate) read: &'t mut Read,
    /// Takes bad records, if that was asked for.
    pub(crate) dead_letters: Option<&'t mut DeadLetters>,
    /// How many rows the LIMIT of an inner query has let pass in the query's life.
    pub(crate) limited: &'t mut u64,
}

impl Target<'_, '_> {
    /// Counts `count` records that are bad for one reason, and sends on the one that stands for them.
    #[cold]
    fn bad(&mut self, count: u64, bad: BadRecord, record: Option<&Record<'_>>) -> Result<(), QueryError> {
        if let Some(letters) = &mut self.dead_letters
            && letters.push(&bad, record)?
        {
            self.gate.pass(Step::Emitted)?;
        }
        self.read.bad.add(count, bad.with_value(record.and_then(|record| record.value)));
        Ok(())
    }

    pub(crate) fn check_memory(&self) -> Result<(), QueryError> {
        let stores = || std::iter::once(&*self.state).chain(&*self.tables);
        let bytes = self.other_bytes + stores().map(State::bytes).sum::<usize>();
        let bytes_max = self.state_bytes_max;
        if bytes > bytes_max {
            return Err(QueryError::StateTooLarge { groups: stores().map(State::len).sum(), bytes, bytes_max });
        }
        Ok(())
    }
}

/// What a micro-batch read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) records: u64,
    pub(crate) bad: BadRecords,
    /// Rows that came too late for their group.
    pub(crate) late: u64,
    /// The latest event time, in microseconds.
    pub(crate) event_time_max: Option<i64>,
}

/// The state of a query that has seen nothing.
pub(crate) fn new_stores(plan: &Plan) -> Stores {
    let tables = plan.tables.iter().map(|table| State::Groups(table::new_store(table))).collect();
    Stores { levels: grouping::new_states(plan), tables }
}

/// A topic of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The one that is queried.
    Source,
    /// That of a table, by the table's number.
    Table(usize),
}

impl Operators {
    pub(crate) fn new(plan: &Plan, unfolded_bytes_max: usize, on_data_loss: OnDataLoss) -> Self {
        let tables = plan.tables.iter().enumerate();
        Self {
            walker: Walker::new(unfolded_bytes_max, on_data_loss),
            source: SourceReader::new(plan),
            tables: tables.map(|(number, table)| TableReader::new(number, table)).collect(),
            regroupers: plan.inner.iter().zip(plan.groupings().skip(1)).map(Regrouper::new).collect(),
        }
    }

    /// The topic of an input.
    pub(crate) fn topic(&self, input: Input) -> Arc<str> {
        let table = match input {
            Input::Source => None,
            Input::Table(number) => self.tables.get(number),
        };
        table.map_or(self.source.topic(), Take::topic).clone()
    }

    /// Begins a batch's input.
    pub(crate) fn begin_batch(&self, stores: &mut Stores) -> Result<(), QueryError> {
        stores.begin_batch();
        stores.levels.first_mut().map_or(Ok(()), |state| self.source.begin_batch(state))
    }

    /// Takes the records of `range` from an input's log.
    pub(crate) fn read_range(
        &mut self,
        input: Input,
        log: &PartitionLog,
        range: Range,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        match input {
            Input::Source => self.walker.read_range(log, range, &mut self.source, target),
            Input::Table(number) => match self.tables.get_mut(number) {
                Some(table) => self.walker.read_range(log, range, table, target),
                None => Ok(()),
            },
        }
    }

    /// Takes one record of an input.
    #[inline]
    pub(crate) fn take(
        &mut self,
        input: Input,
        record: &Record<'_>,
        origin: Origin<'_>,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        match input {
            Input::Source => self.source.take(record, origin, target),
            Input::Table(number) => {
                self.tables.get_mut(number).map_or(Ok(()), |table| table.take(record, origin, target))
            }
        }
    }

    /// Forgets the rows of a table whose topic was made anew.
    pub(crate) fn forget_table(&self, input: Input, target: &mut Target<'_, '_>) {
        if let Input::Table(number) = input
            && let Some(table) = self.tables.get(number)
        {
            table.forget(target);
        }
    }

    /// Hands the groups of the grouping of a number, those that are final or `all`, to the one above it, whose state the
    /// target has.
    pub(crate) fn regroup(
        &self,
        number: usize,
        below: &State,
        all: bool,
        target: &mut Target<'_, '_>,
    ) -> Result<(), QueryError> {
        self.regroupers.get(number).map_or(Ok(()), |regrouper| regrouper.run(below, all, target))
    }

    /// Ends the input of the tables, which comes before that of the topic that is queried.
    pub(crate) fn end_tables(&self, target: &mut Target<'_, '_>) {
        self.tables.iter().for_each(|table| table.end_input(target));
    }
}

fn too_large(state: &State, _: TooManyGroups) -> QueryError {
    QueryError::StateTooLarge { groups: state.len(), bytes: state.bytes(), bytes_max: state.bytes() }
}
