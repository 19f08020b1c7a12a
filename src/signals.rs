//! Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the process at once.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit status of a process ended by its second signal, as a shell reports SIGINT.
const EXIT_AT_ONCE: i32 = 130;

/// Signals that come together are one: `timeout` and process managers signal a process and then its group.
const TOGETHER: Duration = Duration::from_millis(300);

/// A token that the first signal cancels. To be called inside the runtime.
///
/// # Errors
/// The operating system refuses to tell of signals.
pub(crate) fn shutdown() -> io::Result<CancellationToken> {
    let first = Signals::new()?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        first.next().await;
        tracing::info!("shutting down; a second signal ends at once");
        token.cancel();
        tokio::time::sleep(TOGETHER).await;
        if let Ok(second) = Signals::new() {
            second.next().await;
            std::process::exit(EXIT_AT_ONCE);
        }
    });
    Ok(shutdown)
}

/// The signals from now on.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
