//! The points between which a micro-batch may end: a stop, or in tests a kill, takes effect at any of them.

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The plan is durable.
    Planned,
    /// Some records were read.
    Read,
    /// Some rows went to the output topic, or all to the console.
    Emitted,
    /// Some of the state's changes are written, and the commit is not.
    Changed,
    /// The commit is written.
    Committed,
    /// Some of a snapshot is written.
    SnapshotPart,
    /// A snapshot is durable, and what is before it still there.
    Snapshot,
}

/// The query was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query was stopped")]
pub struct Stopped;

/// Says at each step whether to go on.
pub(crate) struct Gate(Box<dyn FnMut(Step) -> bool + Send>);

impl Gate {
    pub(crate) fn new(go_on: impl FnMut(Step) -> bool + Send + 'static) -> Self {
        Self(Box::new(go_on))
    }

    pub(crate) fn pass(&mut self, step: Step) -> Result<(), Stopped> {
        if (self.0)(step) { Ok(()) } else { Err(Stopped) }
    }
}
