//! What comes of several topics: each is awaited on a thread of its own, so that none waits for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use brooklet_producer::{OwnedMessage, TopicReader};

/// Records of one topic in a batch.
const RECORDS_MAX: usize = 1_000_000;

/// Of one topic, by its number.
type Come = (usize, anyhow::Result<Vec<OwnedMessage>>);

/// Topics that are read as records come.
pub(super) struct Arrivals {
    stop: Arc<AtomicBool>,
    /// None while it is dropped.
    come: Option<Receiver<Come>>,
    readers: Vec<JoinHandle<()>>,
}

impl Arrivals {
    /// Begins to read; a look for the stop is taken once in `wait`.
    pub(super) fn of(readers: Vec<TopicReader>, wait: Duration) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        // A reader holds what it has read until it is taken: no more than that is in memory.
        let (sender, come) = sync_channel(0);
        let mut arrivals = Self { stop, come: Some(come), readers: Vec::with_capacity(readers.len()) };
        for (number, reader) in readers.into_iter().enumerate() {
            let (stop, sender) = (arrivals.stop.clone(), sender.clone());
            let thread = std::thread::Builder::new().name(format!("source {number}"));
            let thread = thread.spawn(move || read(number, reader, wait, &stop, &sender));
            arrivals.readers.push(thread.context("no thread for a topic")?);
        }
        Ok(arrivals)
    }

    /// What has come, by topic; the first of it is waited for.
    ///
    /// # Errors
    /// A topic cannot be read.
    pub(super) fn next(&self, wait: Duration) -> anyhow::Result<Vec<(usize, Vec<OwnedMessage>)>> {
        let Some(come) = &self.come else { return Ok(Vec::new()) };
        let first = match come.recv_timeout(wait) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => return Ok(Vec::new()),
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("no topic is read any more"),
        };
        let mut all = vec![(first.0, first.1?)];
        // Of each topic once: one that is faster than the query would keep it from its batch.
        while all.len() < self.readers.len()
            && let Ok((number, messages)) = come.try_recv()
        {
            all.push((number, messages?));
        }
        all.sort_by_key(|(number, _)| *number);
        Ok(all)
    }
}

fn read(number: usize, mut reader: TopicReader, wait: Duration, stop: &AtomicBool, sender: &SyncSender<Come>) {
    while !stop.load(Ordering::Relaxed) {
        let messages = reader.read_more(wait, RECORDS_MAX);
        if messages.as_ref().is_ok_and(Vec::is_empty) {
            continue;
        }
        let failed = messages.is_err();
        // Nobody takes it where the query ends.
        if sender.send((number, messages)).is_err() || failed {
            return;
        }
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.come = None;
        for reader in self.readers.drain(..) {
            // What went wrong in it was told.
            let _ = reader.join();
        }
    }
}
