//! A broker and its queries as one thing.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context as _;
use brooklet_broker::{Broker, BrokerConfig};
use brooklet_processor::{Plan, Progress, Query, QueryOptions};
use brooklet_storage::{Storage, StorageConfig};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::HostPort;
use crate::logging::{self, say};
use crate::status;

/// Clients that may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 4096;

/// What a node is made of. The plans and the listener are made by the caller, before the node touches the disk:
/// bad SQL and a taken port are found while there is nothing to clean up.
pub(crate) struct NodeConfig {
    pub(crate) listener: TcpListener,
    pub(crate) broker: BrokerConfig,
    pub(crate) storage: StorageConfig,
    pub(crate) plans: Vec<NamedPlan>,
    /// Names whose checkpoints are forgotten first.
    pub(crate) resets: Vec<String>,
    pub(crate) options: QueryOptions,
}

/// A query and the name of its checkpoint.
pub(crate) struct NamedPlan {
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

/// A broker on its listener, an open storage, running queries.
pub(crate) struct Node {
    broker: Broker,
    storage: Arc<Storage>,
    queries: Vec<Query>,
}

/// Takes an address to listen on.
///
/// # Errors
/// It is taken, or not one of this machine.
pub(crate) fn listen(address: &HostPort) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((address.host.as_str(), address.port)).and_then(|listener| {
        // The standard library lets 128 clients wait to be accepted; more that come at once would wait a second longer.
        rustix::net::listen(&listener, BACKLOG)?;
        Ok(listener)
    });
    listener.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow::anyhow!("cannot listen on {address}: in use by another process (--listen HOST:PORT takes another)")
        }
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

impl Node {
    /// Opens the storage and starts the queries. Clients that connect wait until [`run`](Self::run).
    ///
    /// # Errors
    /// What the first step to fail has to say.
    pub(crate) fn start(config: NodeConfig) -> anyhow::Result<Self> {
        let storage = Storage::open(config.storage)?;
        let broker = Broker::from_listener(config.listener, config.broker, Arc::clone(&storage))?;
        let mut queries = Vec::with_capacity(config.plans.len());
        for name in &config.resets {
            if !brooklet_processor::reset(&storage, name)? {
                tracing::warn!(query = name, "there is no checkpoint of this name to forget");
            }
        }
        for NamedPlan { name, plan } in config.plans {
            let options = QueryOptions { name: Some(name), ..config.options.clone() };
            queries.push(Query::start(Arc::clone(&storage), plan, options, Box::new(io::stdout()))?);
        }
        broker.log_by(Box::new(logging::Root));
        broker.observe(Box::new(status::Queries(queries.iter().map(Query::status).collect())));
        Ok(Self { broker, storage, queries })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.broker.local_addr()
    }

    pub(crate) fn storage(&self) -> Arc<Storage> {
        Arc::clone(&self.storage)
    }

    /// How far the queries are; closed once a query has ended.
    pub(crate) fn progress(&self) -> Vec<watch::Receiver<Progress>> {
        self.queries.iter().map(Query::progress_changed).collect()
    }

    /// Serves until `shutdown`, then drains, stops the queries and syncs. A query that fails says so and ends alone.
    ///
    /// # Errors
    /// What was written may not have reached the disk.
    pub(crate) async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let watchers: Vec<_> =
            self.queries.into_iter().map(|query| tokio::spawn(watch_query(query, shutdown.clone()))).collect();
        self.broker.serve(shutdown).await;
        for watcher in watchers {
            if let Err(error) = watcher.await {
                tracing::error!(%error, "a query could not be stopped");
            }
        }
        self.storage.shutdown().await.context("cannot sync what was written")
    }
}

/// Waits for a query's end, or ends it. A query that fails has said so itself.
async fn watch_query(mut query: Query, shutdown: CancellationToken) {
    let ended = tokio::select! {
        ended = query.wait() => ended,
        () = shutdown.cancelled() => query.stop().await,
    };
    if ended.is_err() {
        tracing::info!("the broker goes on without it");
    }
}

/// Says on standard error where clients find the broker: at any log level, for people and scripts.
pub(crate) fn announce(address: SocketAddr) {
    say(format_args!("listening={address}"));
}
