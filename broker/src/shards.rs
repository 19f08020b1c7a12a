//! The threads that serve connections: each with a runtime of its own, and a connection stays on one of them.
//!
//! A runtime whose threads share their work wakes a second thread whenever a socket becomes readable, so that it can
//! take over what else there is. Requests are short and one connection has one at a time: there is nothing to take
//! over, and the wake-up costs more than the request.

use std::future::Future;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs tasks on a fixed number of threads until it is stopped.
pub(crate) struct Shards {
    handles: Vec<Handle>,
    threads: Vec<JoinHandle<()>>,
    next: AtomicUsize,
    stop: CancellationToken,
}

impl Shards {
    /// Starts a thread for each processor that the process may use.
    pub(crate) fn start() -> io::Result<Self> {
        let count = std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut shards = Self {
            handles: Vec::new(),
            threads: Vec::new(),
            next: AtomicUsize::new(0),
            stop: CancellationToken::new(),
        };
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            shards.handles.push(runtime.handle().clone());
            let stop = shards.stop.clone();
            let thread = std::thread::Builder::new().name(format!("connections-{number}"));
            shards.threads.push(thread.spawn(move || {
                runtime.block_on(stop.cancelled());
                // What a request had done elsewhere (a topic is being made) goes on without it.
                runtime.shutdown_background();
            })?);
        }
        Ok(shards)
    }

    /// Runs a task on the next thread in turn.
    pub(crate) fn spawn(&self, tasks: &TaskTracker, task: impl Future<Output = ()> + Send + 'static) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(handle) = self.handles.get(turn % self.handles.len().max(1)) {
            tasks.spawn_on(task, handle);
        }
    }

    /// Ends the threads; tasks still running are dropped.
    pub(crate) fn stop(mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of connections panicked");
            }
        }
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
