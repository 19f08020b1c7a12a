//! A query that fails is started again by itself, after a pause that doubles from failure to failure.

use std::time::Duration;

use crate::changelog::ChangelogError;
use crate::error::QueryError;

/// The pauses before a query that failed is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first start again, and after a batch was committed.
    pub first: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), max: Duration::from_secs(60) }
    }
}

/// Knows the next pause.
pub(crate) struct Pauses {
    backoff: Option<Backoff>,
    next: Duration,
}

impl Pauses {
    /// Without a backoff a query is never started again.
    pub(crate) fn new(backoff: Option<Backoff>) -> Self {
        Self { backoff, next: backoff.map_or(Duration::ZERO, |backoff| backoff.first) }
    }

    /// How long to wait after a failure; `None` if it is no use. `worked` if a batch was committed since the last one.
    pub(crate) fn after(&mut self, error: &QueryError, worked: bool) -> Option<Duration> {
        let backoff = self.backoff.filter(|_| may_pass(error))?;
        if worked {
            self.next = backoff.first;
        }
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(backoff.max);
        Some(pause)
    }
}

/// Whether what failed may work later. Records that are gone stay gone, a state that is too large does not shrink, a
/// checkpoint does not mend itself, and a standard output that is closed stays closed.
fn may_pass(error: &QueryError) -> bool {
    match error {
        QueryError::File { .. }
        | QueryError::Output { .. }
        | QueryError::Source { .. }
        | QueryError::Fetch(_)
        | QueryError::Failed(_)
        | QueryError::Changelog(ChangelogError::Read(_) | ChangelogError::Write(_)) => true,
        QueryError::DataLoss(_)
        | QueryError::StateTooLarge { .. }
        | QueryError::Console(_)
        | QueryError::NoTopic(_)
        | QueryError::Changelog(_)
        | QueryError::Stopped(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_a_batch_is_done() {
        let second = Duration::from_secs;
        let mut pauses = Pauses::new(Some(Backoff { first: second(1), max: second(5) }));
        let failed = QueryError::Failed("no reason".to_owned());
        let mut after = |worked| pauses.after(&failed, worked).unwrap();
        assert_eq!([after(false), after(false), after(false), after(false)], [1, 2, 4, 5].map(second));
        assert_eq!([after(true), after(false)], [1, 2].map(second));
        assert_eq!(pauses.after(&QueryError::DataLoss(String::new()), true), None);
        assert_eq!(Pauses::new(None).after(&failed, true), None);
    }
}
