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
use stages::Level;
use table::TableReader;
use walk::{Take, Walker};

pub(crate) use record::Origin;

/// Sources, columns, WHERE, and GROUP BY or SELECT of one query; and the tables that it joins.
pub(crate) struct Operators {
    walker: Walker,
    sources: Vec<SourceReader>,
    levels: Arc<[Level]>,
    tables: Vec<TableReader>,
    regroupers: Vec<Regrouper>,
}

/// Where a batch's records go, and what holds for all of them.
pub(crate) struct Target<'t, 'e> {
    /// The state of each level.
    pub(crate) levels: &'t mut [State],
    /// Memory of the state that is not among them now, in bytes.
    pub(crate) other_bytes: usize,
    /// The tables that the query joins.
    pub(crate) tables: &'t mut [State],
    pub(crate) state_bytes_max: usize,
    /// Takes the rows of a query without GROUP BY.
    pub(crate) emitter: &'t mut Emitter<'e>,
    /// Asked after each read and after each write.
    pub(crate) gate: &'t mut Gate,
    /// Groups whose time is at or before it (microseconds) take no more records.
    pub(crate) late_by: i64,
    /// Whether groups, and not sessions alone, are forgotten, so that a record can be late for one.
    pub(crate) forgets: bool,
    pub(crate) read: &'t mut Read,
    /// Takes bad records, if that was asked for.
    pub(crate) dead_letters: Option<&'t mut DeadLetters>,
    /// How many rows each LIMIT of an inner query has let pass, as long as it counts.
    pub(crate) limited: &'t mut [u64],
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
        let stores = || self.levels.iter().chain(&*self.tables);
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
    /// The latest event time that each branch of the plan has seen, in microseconds; those behind the last that has seen
    /// one may be missing.
    pub(crate) event_times: Vec<Option<i64>>,
}

impl Read {
    #[inline]
    fn saw(&mut self, branch: usize, time: i64) {
        match self.event_times.get_mut(branch) {
            Some(latest) => *latest = (*latest).max(Some(time)),
            None => {
                self.event_times.resize(branch, None);
                self.event_times.push(Some(time));
            }
        }
    }
}

/// The state of a query that has seen nothing.
pub(crate) fn new_stores(plan: &Plan) -> Stores {
    let tables = plan.tables.iter().map(|table| State::Groups(table::new_store(table))).collect();
    Stores { levels: grouping::new_states(plan), tables }
}

/// A topic of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// One that is queried, by its number.
    Source(usize),
    /// That of a table, by the table's number.
    Table(usize),
}

impl Operators {
    pub(crate) fn new(plan: &Plan, unfolded_bytes_max: usize, on_data_loss: OnDataLoss) -> Self {
        let tables = plan.tables.iter().enumerate();
        let levels = Level::all(plan);
        Self {
            walker: Walker::new(unfolded_bytes_max, on_data_loss),
            sources: plan.sources.iter().map(|source| SourceReader::new(source, levels.clone())).collect(),
            tables: tables.map(|(number, table)| TableReader::new(number, table)).collect(),
            regroupers: plan.inner.iter().map(|inner| Regrouper::new(inner, levels.clone(), plan.mode)).collect(),
            levels,
        }
    }

    /// The topic of an input.
    pub(crate) fn topic(&self, input: Input) -> Option<Arc<str>> {
        match input {
            Input::Source(number) => self.sources.get(number).map(Take::topic),
            Input::Table(number) => self.tables.get(number).map(Take::topic),
        }
        .cloned()
    }

    /// Begins a batch's input.
    pub(crate) fn begin_batch(&self, stores: &mut Stores) -> Result<(), QueryError> {
        stores.begin_batch();
        self.levels.iter().zip(&mut stores.levels).try_for_each(|(level, state)| level.begin_batch(state))
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
            Input::Source(number) => match self.sources.get_mut(number) {
                Some(source) => self.walker.read_range(log, range, source, target),
                None => Ok(()),
            },
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
            Input::Source(number) => {
                self.sources.get_mut(number).map_or(Ok(()), |source| source.take(record, origin, target))
            }
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

    /// Hands the groups of an inner grouping that the batch gives out to the level that they go to.
    pub(crate) fn regroup(&self, number: usize, target: &mut Target<'_, '_>) -> Result<(), QueryError> {
        let (Some(regrouper), Some(below)) = (self.regroupers.get(number), target.levels.get_mut(number)) else {
            return Ok(());
        };
        let below = std::mem::replace(below, State::None);
        target.other_bytes = below.bytes();
        let done = regrouper.run(&below, target);
        target.other_bytes = 0;
        if let Some(place) = target.levels.get_mut(number) {
            *place = below;
        }
        done
    }

    /// Ends the input of the tables, which comes before that of the topics that are queried.
    pub(crate) fn end_tables(&self, target: &mut Target<'_, '_>) {
        self.tables.iter().for_each(|table| table.end_input(target));
    }
}

fn too_large(state: &State, _: TooManyGroups) -> QueryError {
    QueryError::StateTooLarge { groups: state.len(), bytes: state.bytes(), bytes_max: state.bytes() }
}
