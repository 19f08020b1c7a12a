use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ProduceArgs;
use crate::client::ClientOptions;
use crate::generator::LogGenerator;
use crate::lines::Lines;
use crate::progress::{Extent, Progress};
use crate::pump::{Pump, PumpOptions};
use crate::tally::Summary;

/// How long a broker may take to answer at all before the command gives up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const SIGNALS_TOGETHER: Duration = Duration::from_millis(300);
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
const READ_BUFFER_BYTES: usize = 256 << 10;
/// librdkafka's default of `message.max.bytes`.
const MESSAGE_BYTES_MAX: usize = 1_000_000;

/// Runs `brooklet produce` to its end and prints what came of it.
///
/// Ctrl-C (or SIGTERM) stops reading, waits for what is in flight and reports; a second one ends the process.
///
/// # Errors
/// No broker, settings that librdkafka refuses, input that cannot be read, records that were not delivered.
pub fn run(args: &ProduceArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    // Until the broker has answered, a signal simply ends the process.
    let (pump, progress) = start(args)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    runtime.block_on(async {
        let mut redraw = tokio::time::interval(PROGRESS_INTERVAL);
        loop {
            tokio::select! {
                () = pump.source_done() => break,
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = redraw.tick() => progress.show(&pump.progress()),
            }
        }
    });
    pump.stop();
    let finish = runtime.spawn_blocking(move || pump.finish());
    let (summary, read) = runtime.block_on(async {
        tokio::select! {
            finished = finish => finished.context("the sending thread failed"),
            () = second_signal() => bail!("interrupted; records in flight may or may not have arrived"),
        }
    })?;
    progress.clear();
    // A sending thread may still wait for a line that never comes: nothing here waits for it.
    runtime.shutdown_background();
    report(&summary, args.json)?;
    let to_its_end = read.context("cannot read the records")?;
    match summary.failure() {
        Some(failure) if to_its_end => bail!(failure),
        Some(failure) => bail!("{failure}; the records after them were not read"),
        None => Ok(()),
    }
}

/// Waits for another signal than those that came together with the first: `timeout` and process managers signal a
/// process and then its group.
async fn second_signal() {
    tokio::time::sleep(SIGNALS_TOGETHER).await;
    if let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    } else {
        std::future::pending().await
    }
}

fn start(args: &ProduceArgs) -> anyhow::Result<(Pump, Progress)> {
    let options = PumpOptions {
        client: client_options(args),
        topic: args.topic.clone(),
        rate: args.rate,
        connect_timeout: CONNECT_TIMEOUT,
    };
    if let Some(count) = args.generate {
        let pump = Pump::start(&options, LogGenerator::new(count, args.size, args.seed))?;
        return Ok((pump, Progress::new(Extent::Records(count), args.json)));
    }
    let separator = args.key_separator.as_deref();
    let bytes_max = message_bytes_max(args);
    match args.file.as_deref().filter(|it| *it != Path::new("-")) {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            let lines = Lines::new(BufReader::with_capacity(READ_BUFFER_BYTES, file), separator, bytes_max);
            let extent = Extent::File(length, lines.bytes_read());
            Ok((Pump::start(&options, lines)?, Progress::new(extent, args.json)))
        }
        None => {
            let input = io::stdin();
            let typed = input.is_terminal();
            if typed {
                let _ = writeln!(io::stderr(), "One record a line; Ctrl-D ends.");
            }
            let lines = Lines::new(BufReader::with_capacity(READ_BUFFER_BYTES, input), separator, bytes_max);
            // A spinner would redraw over what is being typed.
            Ok((Pump::start(&options, lines)?, Progress::new(Extent::Unknown, args.json || typed)))
        }
    }
}

fn client_options(args: &ProduceArgs) -> ClientOptions {
    ClientOptions {
        compression: args.compression,
        acks: args.acks,
        idempotent: args.idempotent,
        linger: args.linger,
        batch_bytes: args.batch_size.as_u64(),
        records_queued_max: args.max_queued,
        delivery_timeout: args.delivery_timeout,
        properties: args.properties.clone(),
        ..ClientOptions::new(&args.bootstrap_server)
    }
}

/// What the client would refuse anyway need not be held in memory.
fn message_bytes_max(args: &ProduceArgs) -> usize {
    let set = args.properties.iter().rev().find(|(key, _)| key == "message.max.bytes");
    set.and_then(|(_, value)| value.parse().ok()).unwrap_or(MESSAGE_BYTES_MAX)
}

fn report(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", serde_json::to_string(summary)?)?;
        stdout.flush()?;
    } else {
        // Nobody may be reading it.
        let _ = writeln!(io::stderr(), "{summary}");
    }
    Ok(())
}
