//! `brooklet demo`: a broker in a temporary folder, a producer of log records, the main job on the console.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use brooklet_broker::BrokerConfig;
use brooklet_processor::{Progress, QueryOptions, Trigger, plan};
use brooklet_producer::{ClientOptions, LogGenerator, Pump, PumpOptions, Rate, Summary};
use brooklet_storage::{Storage, StorageConfig};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::{DemoArgs, HostPort, MAIN_JOB};
use crate::logging::say;
use crate::node::{self, NamedPlan, Node, NodeConfig};
use crate::serve::bootstrap_flag;
use crate::signals;

const TOPIC: &str = "logs";
/// One table a second can be read; one a record cannot.
const TRIGGER: Duration = Duration::from_secs(1);
/// Records a second where nobody says otherwise.
const RATE: f64 = 50.0;
/// With a number of records and no rate, the demo takes about so long.
const SECONDS: f64 = 10.0;
const SEED: u64 = 1;

/// Runs until Ctrl-C, or until all records are counted.
///
/// # Errors
/// The address is taken, the temporary folder cannot be used, the producer or the query failed.
pub(crate) fn run(args: DemoArgs) -> anyhow::Result<()> {
    let plan = plan(MAIN_JOB)?;
    let listener = listen(args.listen.as_ref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = signals::shutdown()?;
        let folder = tempfile::Builder::new().prefix("brooklet-demo-").tempdir().context("no temporary folder")?;
        let options = QueryOptions { trigger: Trigger::Interval(TRIGGER), ..QueryOptions::default() };
        let config = NodeConfig {
            listener,
            broker: BrokerConfig::default(),
            storage: StorageConfig::new(folder.path()),
            plans: vec![NamedPlan { name: plan.derived_name(), plan }],
            resets: Vec::new(),
            options,
        };
        let node = Node::start(config)?;
        let address = node.local_addr();
        node::announce(address);
        say(format_args!("{MAIN_JOB}"));
        say(format_args!(
            "Send your own: echo '{{\"level\": \"INFO\"}}' | brooklet produce --topic {TOPIC}{}",
            bootstrap_flag(address)
        ));
        let demo = Demo::start(node);
        let counted = demo.count(&args, address, &shutdown).await;
        // Whatever came of it: drain and sync first, then the folder goes.
        let ended = demo.end().await;
        let removed = folder.close().context("the temporary folder is left behind");
        let sent = counted?;
        ended?;
        removed?;
        if !shutdown.is_cancelled() {
            say(format_args!("{} records sent and counted.", sent.records));
        }
        Ok(())
    })
}

fn listen(asked: Option<&HostPort>) -> anyhow::Result<TcpListener> {
    match asked {
        Some(address) => node::listen(address),
        None => {
            let default = HostPort { host: "127.0.0.1".to_owned(), port: 9092 };
            node::listen(&default).or_else(|_| node::listen(&HostPort { port: 0, ..default }))
        }
    }
}

/// The node at work.
struct Demo {
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
    storage: Arc<Storage>,
    progress: Vec<watch::Receiver<Progress>>,
}

impl Demo {
    fn start(node: Node) -> Self {
        let stop = CancellationToken::new();
        let (storage, progress) = (node.storage(), node.progress());
        let running = tokio::spawn(node.run(stop.clone()));
        Self { stop, running, storage, progress }
    }

    /// Sends the records and waits until the query has counted and printed them, or for `shutdown`.
    async fn count(
        &self,
        args: &DemoArgs,
        address: SocketAddr,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Summary> {
        let options = PumpOptions {
            client: ClientOptions { idempotent: true, ..ClientOptions::new(address.to_string()) },
            topic: TOPIC.to_owned(),
            rate: rate(args),
            connect_timeout: Duration::from_secs(10),
        };
        let generator = LogGenerator::new(args.records.unwrap_or(u64::MAX), None, SEED);
        let pump = tokio::task::spawn_blocking(move || Pump::start(&options, generator)).await??;
        tokio::select! {
            () = pump.source_done() => {}
            () = shutdown.cancelled() => {}
            () = self.query_ended() => bail!("the query stopped"),
        }
        let (sent, _) = tokio::task::spawn_blocking(move || pump.finish()).await?;
        if let Some(failure) = sent.failure() {
            bail!(failure);
        }
        tokio::select! {
            counted = self.counted() => counted?,
            () = shutdown.cancelled() => {}
        }
        Ok(sent)
    }

    /// Waits until all that is in the topic now has been counted: the records of the demo, and whoever's else.
    async fn counted(&self) -> anyhow::Result<()> {
        let topic = self.storage.topic(TOPIC).context("the topic was deleted")?;
        let records: i64 = topic.partitions.iter().map(|log| log.high_watermark().0).sum();
        let records = u64::try_from(records)?;
        for mut progress in self.progress.iter().cloned() {
            progress.wait_for(|it| it.records_in >= records).await.context("the query stopped")?;
        }
        Ok(())
    }

    async fn query_ended(&self) {
        for mut progress in self.progress.iter().cloned() {
            while progress.changed().await.is_ok() {}
        }
    }

    async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.await?
    }
}

fn rate(args: &DemoArgs) -> Option<Rate> {
    args.rate.or_else(|| Rate::new(args.records.map_or(RATE, |records| RATE.max(records as f64 / SECONDS))))
}
