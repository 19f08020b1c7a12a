//! All stores of a query, numbered as its changelog numbers them.

use super::State;

/// What a query remembers: the state of each of its levels, and of each table that it joins.
#[derive(Debug)]
pub(crate) struct Stores {
    /// One at least; of one that does not group its rows there is none.
    pub(crate) levels: Vec<State>,
    /// Of the tables, in the order of the plan.
    pub(crate) tables: Vec<State>,
}

impl Stores {
    /// The stores, each at its number: levels, and then tables.
    pub(crate) fn all(&self) -> impl Iterator<Item = &State> {
        self.levels.iter().chain(&self.tables)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut State> {
        self.levels.iter_mut().chain(&mut self.tables)
    }

    /// The store of a number.
    pub(crate) fn store(&mut self, number: u64) -> Option<&mut State> {
        self.all_mut().nth(usize::try_from(number).ok()?)
    }

    /// Begins the next micro-batch.
    pub(crate) fn begin_batch(&mut self) {
        self.all_mut().for_each(State::begin_batch);
    }

    /// How many groups or sessions there are, and rows of tables.
    pub(crate) fn len(&self) -> usize {
        self.all().map(State::len).sum()
    }

    /// Memory in bytes, as allocated.
    pub(crate) fn bytes(&self) -> usize {
        self.all().map(State::bytes).sum()
    }

    /// From here to [`Self::end_restore`] rows are read back, and nothing else is done.
    pub(crate) fn begin_restore(&mut self) {
        self.all_mut().for_each(State::begin_restore);
    }

    pub(crate) fn end_restore(&mut self) {
        self.all_mut().for_each(State::end_restore);
    }
}

/// Of a query with one grouping and no tables.
impl From<State> for Stores {
    fn from(state: State) -> Self {
        Self { levels: vec![state], tables: Vec::new() }
    }
}
