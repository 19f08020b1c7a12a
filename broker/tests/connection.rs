//! What a connection survives and what closes it.

mod common;

use brooklet_broker::{BrokerConfig, Limits};
use common::TestBroker;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, MetadataResponse};
use kafka_protocol::protocol::{Decodable, StrBytes};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn api_versions_tells_what_is_served_in_every_version() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for version in 0..=4 {
        let named = |text| if version >= 3 { StrBytes::from_static_str(text) } else { StrBytes::default() };
        let request = ApiVersionsRequest::default()
            .with_client_software_name(named("test"))
            .with_client_software_version(named("1.0"));
        let response = client.call(request, version).await;
        assert_eq!(response.error_code, 0);
        let produce = response.api_keys.iter().find(|api| api.api_key == 0).unwrap();
        assert_eq!((produce.min_version, produce.max_version), (0, 13));
    }
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    // Key 18, version 99, correlation id 5, and a body that must not be parsed.
    client.send_raw(&[0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff, 0xff]).await;
    let mut frame = client.receive_raw().await.unwrap();
    assert_eq!(&frame.split_to(4)[..], [0, 0, 0, 5]);
    let response = ApiVersionsResponse::decode(&mut frame, 0).unwrap();
    assert_eq!(response.error_code, 35);
    let [own] = response.api_keys.as_slice() else { panic!("only its own range") };
    assert_eq!((own.api_key, own.min_version, own.max_version), (18, 0, 4));
    // The connection lives.
    client.call(ApiVersionsRequest::default(), 0).await;
}

#[tokio::test]
async fn a_client_without_a_proper_name_is_told_so() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    assert_eq!(client.call(ApiVersionsRequest::default(), 3).await.error_code, 42);
}

#[tokio::test]
async fn what_does_not_decode_or_is_not_supported_closes_this_connection_only() {
    let config =
        BrokerConfig { limits: Limits { frame_bytes_max: 1000, ..Limits::default() }, ..BrokerConfig::default() };
    let broker = TestBroker::start_with(config).await;
    let mut other = broker.client().await;
    let frames: [&[u8]; 6] = [
        &[],
        &[0, 3],
        // Produce 2; an unknown API; Produce 9 of nonsense.
        &[0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff],
        &[0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
        &[0, 0, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 0, 7, 7, 7],
        &[0; 1001],
    ];
    for frame in frames {
        let mut client = broker.client().await;
        client.send_raw(frame).await;
        assert!(client.receive_raw().await.is_none(), "{frame:?}");
    }
    let mut client = broker.client().await;
    client.socket.write_all(&[0xff; 4]).await.unwrap();
    assert!(client.receive_raw().await.is_none());
    other.call(ApiVersionsRequest::default(), 0).await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed() {
    let config = BrokerConfig { limits: Limits { connections_max: 1, ..Limits::default() }, ..BrokerConfig::default() };
    let broker = TestBroker::start_with(config).await;
    let mut first = broker.client().await;
    first.call(ApiVersionsRequest::default(), 0).await;
    assert!(broker.client().await.receive_raw().await.is_none());
    first.call(ApiVersionsRequest::default(), 0).await;
}

/// As librdkafka 2.16 asks for all topics: three bytes stand after the request.
#[tokio::test]
async fn bytes_after_a_request_are_passed_over() {
    let broker = TestBroker::start().await;
    broker.topic("t", 1, &[]);
    let mut client = broker.client().await;
    client.send_raw(&[0, 3, 0, 13, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]).await;
    let mut frame = client.receive_raw().await.unwrap();
    assert_eq!(frame.split_to(5)[..], [0, 0, 0, 7, 0]);
    let response = MetadataResponse::decode(&mut frame, 13).unwrap();
    assert_eq!(response.topics.len(), 1);
}
