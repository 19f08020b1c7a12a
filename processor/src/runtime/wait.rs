//! Sleeping until there is something to do: no polling, and no timer while nothing comes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brooklet_storage::{Storage, Topic};
use tokio::sync::{Notify, watch};

use crate::options::Trigger;
use crate::step::Stopped;

pub(super) struct Waiter {
    advanced: Arc<Notify>,
    topics: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    interval: Option<Duration>,
    /// Before it no batch begins.
    not_before: Option<Duration>,
}

impl Waiter {
    pub(super) fn new(storage: &Storage, trigger: Trigger, stop: watch::Receiver<bool>) -> Self {
        let interval = match trigger {
            Trigger::Interval(interval) if !interval.is_zero() => Some(interval),
            _ => None,
        };
        let topics = storage.topics_changed();
        Self { advanced: Arc::new(Notify::new()), topics, stop, interval, not_before: None }
    }

    /// Registers with the partitions; to be called before they are looked at.
    pub(super) fn watch(&self, topic: &Topic) {
        for log in &topic.partitions {
            log.wake_on_advance(&self.advanced);
        }
    }

    /// Returns when a watched partition has moved, or a topic has changed.
    pub(super) async fn wait(&mut self) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            stopped = stopped(&mut self.stop) => stopped,
            () = self.advanced.notified() => Ok(()),
            changed = self.topics.changed() => changed.map_err(|_| Stopped),
        }
    }

    /// Returns true if a batch may begin now; else waits until it may, at the next multiple of the interval after
    /// the one before. By then there may be more to do.
    pub(super) async fn trigger(&mut self) -> Result<bool, Stopped> {
        let Some(interval) = self.interval else { return Ok(true) };
        let now = clock();
        match self.not_before.and_then(|time| time.checked_sub(now)).filter(|pause| !pause.is_zero()) {
            None => {
                self.not_before = Some(next_multiple(now, interval));
                Ok(true)
            }
            Some(pause) => tokio::select! {
                biased;
                stopped = stopped(&mut self.stop) => stopped.map(|()| false),
                () = tokio::time::sleep(pause) => Ok(false),
            },
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) -> Result<(), Stopped> {
    // Nobody who could stop the query is left: it ends.
    let _ = stop.wait_for(|stop| *stop).await;
    Err(Stopped)
}

fn clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The first multiple of `interval` after `now`, as Spark's `ProcessingTimeExecutor` has it.
fn next_multiple(now: Duration, interval: Duration) -> Duration {
    let rest = now.as_nanos() % interval.as_nanos().max(1);
    now + interval.saturating_sub(Duration::from_nanos(u64::try_from(rest).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_begin_at_multiples_of_the_interval() {
        let next =
            |now, interval| next_multiple(Duration::from_millis(now), Duration::from_millis(interval)).as_millis();
        assert_eq!(next(0, 1000), 1000);
        assert_eq!(next(1999, 1000), 2000);
        assert_eq!(next(2000, 1000), 3000);
        assert_eq!(next(7, 3), 9);
    }
}
