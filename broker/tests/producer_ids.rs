//! Producer ids for idempotent producers.
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use std::collections::BTreeSet;

use brooklet_broker::BrokerConfig;
use brooklet_storage::{Storage, StorageConfig};
use common::TestBroker;
use kafka_protocol::messages::{InitProducerIdRequest, ProducerId, TransactionalId};
use kafka_protocol::protocol::StrBytes;

fn request() -> InitProducerIdRequest {
    InitProducerIdRequest::default().with_transactional_id(None)
}

#[tokio::test]
async fn every_version_gets_an_id_of_its_own_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let storage = Storage::open(StorageConfig::new(folder.path())).unwrap();
        let broker = TestBroker::start_on(BrokerConfig::default(), storage.clone()).await;
        let mut client = broker.client().await;
        for version in 0..=5 {
            let response = client.call(request(), version).await;
            assert_eq!((response.error_code, response.producer_epoch), (0, 0));
            assert!(seen.insert(response.producer_id.0), "handed out twice");
        }
        drop(client);
        broker.stop().await;
        storage.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_producer_that_had_an_id_gets_a_new_one() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let had = request().with_producer_id(ProducerId(12345)).with_producer_epoch(3);
    let response = client.call(had, 4).await;
    assert_eq!((response.error_code, response.producer_epoch), (0, 0));
    assert_ne!(response.producer_id.0, 12345);
}

#[tokio::test]
async fn what_cannot_have_an_id_is_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let transactional = |id| request().with_transactional_id(Some(TransactionalId(StrBytes::from_static_str(id))));
    for (refused, code) in [
        (request().with_producer_id(ProducerId(5)), 42),
        (request().with_producer_epoch(3), 42),
        (transactional(""), 42),
        (transactional("t").with_transaction_timeout_ms(0), 50),
        (transactional("t").with_transaction_timeout_ms(900_001), 50),
    ] {
        let response = client.call(refused, 4).await;
        assert_eq!((response.error_code, response.producer_id.0, response.producer_epoch), (code, -1, -1));
    }
}
