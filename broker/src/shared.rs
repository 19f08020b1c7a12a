//! What all connections share, and what a handler is told of its call.

use std::sync::{Arc, OnceLock};

use brooklet_storage::Storage;
use kafka_protocol::messages::BrokerId;
use kafka_protocol::protocol::StrBytes;
use tokio_util::sync::CancellationToken;

use crate::BrokerConfig;
use crate::api::fetch_session::FetchSessions;
use crate::cluster::Cluster;
use crate::configs::broker::BrokerSettings;
use crate::coordinators::Coordinators;
use crate::frame::FrameBudget;
use crate::loggers::RootLogger;
use crate::observed::{ObserveGroups, ObservedGroup, is_reserved};

/// This broker's id, as in a one-node Kafka.
pub(crate) const NODE_ID: BrokerId = BrokerId(1);

/// Everybody's name where nobody has to say who he is (`KafkaPrincipal.ANONYMOUS`).
pub(crate) const ANONYMOUS: &str = "ANONYMOUS";

/// The broker as its handlers see it.
pub(crate) struct Shared {
    pub(crate) storage: Arc<Storage>,
    pub(crate) config: BrokerConfig,
    /// Where clients are told to connect to.
    pub(crate) host: StrBytes,
    pub(crate) port: u16,
    pub(crate) frame_budget: FrameBudget,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) coordinators: Coordinators,
    pub(crate) cluster: Cluster,
    /// Set once, if there is anything to observe.
    pub(crate) observed: OnceLock<Box<dyn ObserveGroups>>,
    /// Set once, if the level of logging can be changed.
    pub(crate) root_logger: OnceLock<Box<dyn RootLogger>>,
    /// Cancelled when the broker stops: whoever waits answers with what there is.
    pub(crate) shutdown: CancellationToken,
}

impl Shared {
    /// Connections at once: as set while the broker runs, or as it was started.
    pub(crate) fn connections_max(&self) -> usize {
        let set = BrokerSettings::one(&self.storage, "max.connections").and_then(|value| value.trim().parse().ok());
        set.unwrap_or(self.config.limits.connections_max)
    }

    /// Who knows the level of logging.
    pub(crate) fn root_logger(&self) -> Option<&dyn RootLogger> {
        self.root_logger.get().map(Box::as_ref)
    }

    /// The ids of the groups that no client made.
    pub(crate) fn observed_ids(&self) -> Vec<String> {
        self.observed.get().map_or_else(Vec::new, |groups| groups.ids())
    }

    /// One of these groups, as it is now.
    pub(crate) fn observed_group(&self, id: &str) -> Option<ObservedGroup> {
        self.observed.get().filter(|_| is_reserved(id))?.group(id)
    }
}

impl Call {
    /// What the client's quotas go by: a client without a name has an empty one, as in Kafka.
    pub(crate) fn quota_name(&self) -> &str {
        self.client_id.as_ref().map_or("", |id| id.as_str())
    }
}

/// One request's circumstances.
pub(crate) struct Call {
    /// The API's version that the client speaks.
    pub(crate) version: i16,
    /// The client's name for itself.
    pub(crate) client_id: Option<StrBytes>,
    /// The client's IP address.
    pub(crate) client_host: String,
    /// How long the request is, its header included.
    pub(crate) request_len: usize,
}
