//! DescribeCluster (`KafkaApis.handleDescribeCluster`, KIP-700, KIP-919): one broker, which is its own controller.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;

use super::authorized;
use crate::shared::{Call, NODE_ID, Shared};

/// First version that says which kind of endpoint it wants.
const ENDPOINT_TYPE_MIN: i16 = 1;
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

/// Describes the broker endpoint; there is no endpoint of controllers.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: DescribeClusterRequest) -> DescribeClusterResponse {
    match request.endpoint_type {
        BROKERS => {}
        _ if call.version < ENDPOINT_TYPE_MIN => {}
        CONTROLLERS => {
            let message = "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type \
                           CONTROLLER";
            return refused(ResponseError::MismatchedEndpointType, message.to_owned());
        }
        other => return refused(ResponseError::UnsupportedEndpointType, format!("Unsupported endpoint type {other}")),
    }
    let broker = DescribeClusterBroker::default()
        .with_broker_id(NODE_ID)
        .with_host(shared.host.clone())
        .with_port(shared.port.into());
    let operations =
        if request.include_cluster_authorized_operations { authorized::CLUSTER } else { authorized::NOT_ASKED };
    DescribeClusterResponse::default()
        .with_error_message(None)
        .with_cluster_id(StrBytes::from_string(shared.storage.cluster_id().to_owned()))
        .with_controller_id(NODE_ID)
        .with_brokers(vec![broker])
        .with_cluster_authorized_operations(operations)
}

fn refused(error: ResponseError, message: String) -> DescribeClusterResponse {
    DescribeClusterResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(StrBytes::from_string(message)))
        .with_controller_id(BrokerId(-1))
}
