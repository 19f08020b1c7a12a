//! AddOffsetsToTxn: a transaction is going to commit offsets of a group (KIP-98); clients of the second protocol do not
//! say so before.

use brooklet_coordinator::transactions::{ClientVersion, Command, Producer};
use brooklet_model::TopicPartition;
use kafka_protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use super::group_text::shared_str;
use crate::coordinators::OFFSETS_TOPIC;
use crate::error;
use crate::shared::{Call, Shared};

/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

/// Adds the partition that keeps the group's offsets.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: AddOffsetsToTxnRequest) -> AddOffsetsToTxnResponse {
    let command = Command::AddPartitions {
        producer: Producer {
            transactional_id: shared_str(&request.transactional_id),
            id: request.producer_id.0.into(),
            epoch: request.producer_epoch.into(),
        },
        partitions: [offsets_partition()].into(),
        version: ClientVersion::V1,
    };
    match shared.coordinators.ask_transactions(command).await {
        Ok(_) => AddOffsetsToTxnResponse::default(),
        Err(error) => {
            let error = error::of_transaction_for(&error, call.version, FENCED_SINCE);
            AddOffsetsToTxnResponse::default().with_error_code(error.code())
        }
    }
}

/// Where the offsets of every group are.
pub(super) fn offsets_partition() -> TopicPartition {
    TopicPartition::new(OFFSETS_TOPIC, 0)
}
