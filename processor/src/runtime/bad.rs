//! Bad records are counted with the null group, as Spark does, and told of here: at most once in a few seconds.

use std::time::{Duration, Instant};

use crate::operators::{BadRecord, Read};

const PAUSE: Duration = Duration::from_secs(5);

/// Gathers bad records between two warnings. What is gathered when no more records come is told at the end.
pub(super) struct BadRecords {
    query: String,
    topic: String,
    count: u64,
    last: Option<BadRecord>,
    told: Option<Instant>,
}

impl BadRecords {
    pub(super) fn new(query: String, topic: String) -> Self {
        Self { query, topic, count: 0, last: None, told: None }
    }

    pub(super) fn report(&mut self, read: &Read) {
        if let Some(bad) = &read.last_bad {
            self.count += read.bad;
            self.last = Some(bad.clone());
        }
        if self.told.is_none_or(|told| told.elapsed() >= PAUSE) {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let Some(BadRecord { partition, offset, what }) = self.last.take() else { return };
        let count = std::mem::take(&mut self.count);
        self.told = Some(Instant::now());
        tracing::warn!(query = self.query, topic = self.topic, count, partition, %offset, what,
            "bad records are counted with null columns; the last one is");
    }
}

impl Drop for BadRecords {
    fn drop(&mut self) {
        self.tell();
    }
}
