//! A broker and its queries as one thing.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context as _;
use brooklet_broker::{Broker, BrokerConfig};
use brooklet_storage::{Storage, StorageConfig};
use tokio_util::sync::CancellationToken;

use crate::cli::HostPort;
use crate::logging::say;

/// What a node is made of. The plans and the listener are made by the caller, before the node touches the disk:
/// bad SQL and a taken port are found while there is nothing to clean up.
pub(crate) struct NodeConfig {
    pub(crate) listener: TcpListener,
    pub(crate) broker: BrokerConfig,
    pub(crate) storage: StorageConfig,
}

/// A broker on its listener, an open storage, running queries.
pub(crate) struct Node {
    broker: Broker,
    storage: Arc<Storage>,
}

/// Takes an address to listen on.
///
/// # Errors
/// It is taken, or not one of this machine.
pub(crate) fn listen(address: &HostPort) -> anyhow::Result<TcpListener> {
    TcpListener::bind((address.host.as_str(), address.port)).map_err(|error| match error.kind() {
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
        Ok(Self { broker, storage })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.broker.local_addr()
    }

    /// Serves until `shutdown`, then drains, stops the queries and syncs. A query that fails says so and ends alone.
    ///
    /// # Errors
    /// What was written may not have reached the disk.
    pub(crate) async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        self.broker.serve(shutdown).await;
        self.storage.shutdown().await.context("cannot sync what was written")
    }
}

/// Says on standard error where clients find the broker: at any log level, for people and scripts.
pub(crate) fn announce(address: SocketAddr) {
    say(format_args!("listening={address}"));
}
