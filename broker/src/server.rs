//! The listener: accepts clients up to a bound, and drains them when the broker stops.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use brooklet_coordinator::groups::GroupConfig;
use brooklet_coordinator::transactions::TransactionConfig;
use brooklet_storage::Storage;
use kafka_protocol::protocol::StrBytes;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::fetch_session::FetchSessions;
use crate::cluster::Cluster;
use crate::coordinators::Coordinators;
use crate::frame::FrameBudget;
use crate::loggers::RootLogger;
use crate::observed::ObserveGroups;
use crate::shared::Shared;
use crate::{BrokerConfig, configs, connection};

/// How long a stopping broker waits for replies under way.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// How long accepting rests after an error that is not the client's, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the broker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {error}")]
    Bind {
        /// The address, as it was given.
        listen: String,
        /// Why.
        error: io::Error,
    },
    /// What was kept of quotas, credentials and features cannot be read.
    #[error("the cluster's settings cannot be read: {0}")]
    Cluster(String),
}

/// A broker that listens; [`serve`](Self::serve) makes it answer.
pub struct Broker {
    listener: TcpListener,
    local_addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Broker {
    /// Takes the address to listen on. Clients that connect wait until [`serve`](Self::serve) runs.
    pub async fn bind(config: BrokerConfig, storage: Arc<Storage>) -> Result<Self, StartError> {
        let listener = TcpListener::bind(&config.listen).await;
        let listener = listener.map_err(|error| StartError::Bind { listen: config.listen.clone(), error })?;
        Self::new(listener, config, storage)
    }

    /// A broker on a listener that was made before; `config.listen` is only what errors speak of. Needs a runtime.
    pub fn from_listener(
        listener: std::net::TcpListener,
        config: BrokerConfig,
        storage: Arc<Storage>,
    ) -> Result<Self, StartError> {
        let listener = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        let listener = listener.map_err(|error| StartError::Bind { listen: config.listen.clone(), error })?;
        Self::new(listener, config, storage)
    }

    fn new(listener: TcpListener, config: BrokerConfig, storage: Arc<Storage>) -> Result<Self, StartError> {
        let local_addr = listener.local_addr();
        let local_addr = local_addr.map_err(|error| StartError::Bind { listen: config.listen.clone(), error })?;
        let cluster = Cluster::open(storage.clone()).map_err(|error| StartError::Cluster(error.to_string()))?;
        let (host, port) = config.advertise.clone().unwrap_or_else(|| (reachable_host(&local_addr), local_addr.port()));
        let shutdown = CancellationToken::new();
        configs::broker::tune(&storage);
        let groups = GroupConfig { max_size: config.limits.group_members_max, ..GroupConfig::default() };
        let shared = Arc::new(Shared {
            observed: OnceLock::new(),
            root_logger: OnceLock::new(),
            coordinators: Coordinators::start(&storage, groups, TransactionConfig::default(), shutdown.clone()),
            cluster,
            frame_budget: FrameBudget::new(config.limits.frames_bytes_max),
            fetch_sessions: FetchSessions::new(config.limits.fetch_sessions_max),
            storage,
            config,
            host: StrBytes::from_string(host),
            port,
            shutdown,
        });
        Ok(Self { listener, local_addr, shared })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Shows readers that no client started as consumer groups. Only the first call counts.
    pub fn observe(&self, groups: Box<dyn ObserveGroups>) {
        let _ = self.shared.observed.set(groups);
    }

    /// Lets clients see and change the level of logging. Only the first call counts.
    pub fn log_by(&self, root: Box<dyn RootLogger>) {
        let _ = self.shared.root_logger.set(root);
    }

    /// Answers clients until `shutdown`; then accepts no more, wakes parked requests, finishes replies under way
    /// (for 5 seconds at most) and returns.
    pub async fn serve(self, shutdown: CancellationToken) {
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = shutdown.cancelled() => break,
            };
            match accepted {
                Ok((socket, peer)) => self.admit(socket, peer, &connections),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        self.shared.shutdown.cancel();
        connections.close();
        if tokio::time::timeout(DRAIN_MAX, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "connections were cut off at shutdown");
        }
    }

    fn admit(&self, socket: TcpStream, peer: SocketAddr, connections: &TaskTracker) {
        let max = self.shared.connections_max();
        if connections.len() >= max {
            tracing::warn!(%peer, max, "closed: too many connections");
            return;
        }
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "the connection ended at once");
            return;
        }
        let shared = Arc::clone(&self.shared);
        connections.spawn(async move {
            if let Err(reason) = connection::serve(shared, socket, peer).await {
                tracing::debug!(%peer, %reason, "connection closed");
            }
        });
    }
}

/// The host that clients can reach: a listener on all addresses is reached by the machine's own name for itself.
fn reachable_host(addr: &SocketAddr) -> String {
    if addr.ip().is_unspecified() { "localhost".to_owned() } else { addr.ip().to_string() }
}
