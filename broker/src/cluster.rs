//! What Kafka's controller keeps beside topics: client quotas, SCRAM credentials, levels of features.
//!
//! A change is one batch of a hidden table, which is made once there is something to keep. What is there is the fold of its
//! records, so that a restart finds the same; it holds as soon as it is written, and is answered once it is durable.

pub(crate) mod credentials;
pub(crate) mod features;
pub(crate) mod quotas;

use std::sync::Arc;

use brooklet_model::Offset;
use brooklet_storage::{AppendError, Storage, StorageError, Table, Update};
use kafka_protocol::ResponseError;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::coordinators::wall_clock;
use crate::error::ApiError;
use crate::throttle::Throttles;
use credentials::Credentials;
use features::Features;
use quotas::Quotas;

const LOG: &str = "__brooklet_cluster";
/// Bytes of names, keys and values that are kept at most, and that one request may change.
const WEIGHT_MAX: usize = 4 << 20;
/// Longest name in bytes: what Kafka can record.
const NAME_LEN_MAX: usize = i16::MAX as usize;

/// Why something was not kept, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the record of {0} cannot be read")]
    Damaged(String),
    #[error("more than {WEIGHT_MAX} bytes of quotas and credentials are not kept")]
    Full,
    #[error("a name of {0} bytes is too long")]
    Name(usize),
}

impl From<ClusterError> for ApiError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Full => Self::new(ResponseError::PolicyViolation, error.to_string()),
            ClusterError::Name(_) => Self::new(ResponseError::InvalidRequest, error.to_string()),
            _ => Self::new(ResponseError::KafkaStorageError, error.to_string()),
        }
    }
}

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) quotas: Quotas,
    pub(crate) credentials: Credentials,
    pub(crate) features: Features,
}

impl Contents {
    /// Takes up a record. What is not known is of a later version, and nothing that this one needs.
    fn replay(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ClusterError> {
        let damaged = || ClusterError::Damaged(String::from_utf8_lossy(key).into_owned());
        let key = std::str::from_utf8(key).map_err(|_| damaged())?;
        let taken = if let Some(entity) = key.strip_prefix(quotas::PREFIX) {
            self.quotas.replay(entity, value)
        } else if let Some(credential) = key.strip_prefix(credentials::PREFIX) {
            self.credentials.replay(credential, value)
        } else if let Some(feature) = key.strip_prefix(features::PREFIX) {
            self.features.replay(feature, value)
        } else {
            Some(())
        };
        taken.ok_or_else(damaged)
    }

    fn weight(&self) -> usize {
        self.quotas.weight() + self.credentials.weight()
    }
}

/// Records up to `end`.
struct Written {
    table: Arc<Table>,
    end: Offset,
}

/// What is to be recorded for one request, in bounds.
#[derive(Default)]
struct Updates {
    updates: Vec<Update>,
    len: usize,
}

impl Updates {
    fn push(&mut self, (key, value): Update) -> Result<(), ApiError> {
        self.len += key.len() + value.as_ref().map_or(0, Vec::len);
        if self.len > WEIGHT_MAX {
            return Err(ClusterError::Full.into());
        }
        self.updates.push((key, value));
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.len() > NAME_LEN_MAX { Err(ClusterError::Name(name.len()).into()) } else { Ok(()) }
}

/// What is kept, and what holds by it.
pub(crate) struct Cluster {
    storage: Arc<Storage>,
    contents: RwLock<Contents>,
    pub(crate) throttles: Throttles,
    /// Held by whoever changes something; `None` until there is a log.
    table: Mutex<Option<Arc<Table>>>,
}

impl Cluster {
    /// Reads what was kept.
    pub(crate) fn open(storage: Arc<Storage>) -> Result<Self, ClusterError> {
        let mut contents = Contents::default();
        let table = storage.known_hidden_log(LOG).map(|log| storage.table(log)).transpose()?;
        if let Some(table) = &table {
            let mut read = Ok(());
            table.for_each(&mut |key, value| {
                if read.is_ok() {
                    read = contents.replay(key, Some(value));
                }
            })?;
            read?;
        }
        let throttles = Throttles::new();
        throttles.set(&contents.quotas);
        Ok(Self { storage, contents: RwLock::new(contents), throttles, table: Mutex::new(table) })
    }

    /// What there is now.
    pub(crate) fn contents(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read()
    }

    /// Has `decide` say what to record, records it unless it is only to be looked at, and gives back what else it says.
    pub(crate) async fn change<T>(
        &self,
        validate_only: bool,
        decide: impl FnOnce(&Contents) -> (Vec<Update>, T),
    ) -> Result<T, ClusterError> {
        let (written, answer) = self.write(validate_only, decide)?;
        if let Some(Written { table, end }) = written {
            table.log().durable(end).await?;
        }
        Ok(answer)
    }

    /// Nothing is waited for in here: a client that goes away leaves no change half made.
    fn write<T>(
        &self,
        validate_only: bool,
        decide: impl FnOnce(&Contents) -> (Vec<Update>, T),
    ) -> Result<(Option<Written>, T), ClusterError> {
        let mut known = self.table.lock();
        let mut next = self.contents.read().clone();
        let (updates, answer) = decide(&next);
        if updates.is_empty() || validate_only {
            return Ok((None, answer));
        }
        for (key, value) in &updates {
            next.replay(key, value.as_deref())?;
        }
        if next.weight() > WEIGHT_MAX {
            return Err(ClusterError::Full);
        }
        let table = match &*known {
            Some(table) => table.clone(),
            None => self.storage.hidden_table(LOG)?,
        };
        *known = Some(table.clone());
        let appended = table.append(wall_clock(), &updates)?;
        self.throttles.set(&next.quotas);
        *self.contents.write() = next;
        Ok((Some(Written { table, end: appended.last_offset.plus(1) }), answer))
    }
}

#[cfg(test)]
mod tests;
