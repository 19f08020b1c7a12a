//! Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the process at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit status of a process ended by its second signal, as a shell reports SIGINT.
const EXIT_AT_ONCE: i32 = 130;

/// A token that the first signal cancels. To be called inside the runtime.
///
/// # Errors
/// The operating system refuses to tell of signals.
pub(crate) fn shutdown() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        next(&mut interrupt, &mut terminate).await;
        tracing::info!("shutting down; a second signal ends at once");
        token.cancel();
        next(&mut interrupt, &mut terminate).await;
        std::process::exit(EXIT_AT_ONCE);
    });
    Ok(shutdown)
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
