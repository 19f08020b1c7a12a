//! The allocator of producer ids and its hidden log.

use std::sync::Arc;

use brooklet_coordinator::DecodeError;
use brooklet_coordinator::producers::{AllocateError, KEY, ProducerIds};
use brooklet_model::ProducerId;
use brooklet_storage::{AppendError, Storage, StorageError, Table};
use tokio::sync::Mutex;

use super::{CoordinatorError, wall_clock};

/// Hidden from clients, as the log of Kafka's controller is, which allocates them there.
const LOG: &str = "__brooklet_producer_ids";

#[derive(Debug, thiserror::Error)]
enum ProducerIdError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Allocate(#[from] AllocateError),
}

pub(super) struct ProducerIdLog {
    storage: Arc<Storage>,
    /// `None` until first needed, and again after a failure.
    loaded: Mutex<Option<(ProducerIds, Arc<Table>)>>,
}

impl ProducerIdLog {
    pub(super) fn new(storage: Arc<Storage>) -> Self {
        Self { storage, loaded: Mutex::new(None) }
    }

    pub(super) async fn allocate(&self) -> Result<ProducerId, CoordinatorError> {
        let mut loaded = self.loaded.lock().await;
        // Taken out while it works: whatever fails, and a caller who stops waiting, leaves it to be read anew.
        let (mut ids, table) = match loaded.take() {
            Some(loaded) => loaded,
            None => self.load().map_err(unavailable)?,
        };
        let allocated = allocate(&mut ids, &table).await.map_err(unavailable)?;
        *loaded = Some((ids, table));
        Ok(allocated)
    }

    fn load(&self) -> Result<(ProducerIds, Arc<Table>), ProducerIdError> {
        let table = self.storage.hidden_table(LOG)?;
        let mut ids = Ok(ProducerIds::default());
        table.for_each(&mut |key, value| {
            if key == KEY {
                ids = ProducerIds::restart(value);
            }
        })?;
        Ok((ids?, table))
    }
}

async fn allocate(ids: &mut ProducerIds, table: &Table) -> Result<ProducerId, ProducerIdError> {
    let step = ids.allocate()?;
    for event in &step.events {
        if let Some((key, value)) = event.encode() {
            let appended = table.append(wall_clock(), &[(key, Some(value))])?;
            table.log().durable(appended.last_offset.plus(1)).await?;
        }
        ids.replay(event);
    }
    Ok(step.producer_id)
}

fn unavailable(error: ProducerIdError) -> CoordinatorError {
    tracing::error!(%error, "no producer id can be allocated");
    CoordinatorError::Unavailable
}
