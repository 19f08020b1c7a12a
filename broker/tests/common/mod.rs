//! A broker in this process and a bare client that speaks any version of any API.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up fails")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use brooklet_broker::{Broker, BrokerConfig, ObserveGroups};
use brooklet_model::{BatchBuilder, Compression, NewRecord};
use brooklet_storage::{Engine, NewTopic, Storage, StorageConfig, Topic};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A broker on a free port with its log in memory.
pub(crate) struct TestBroker {
    pub(crate) storage: Arc<Storage>,
    pub(crate) addr: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        Self::start_with(BrokerConfig::default()).await
    }

    pub(crate) async fn start_with(config: BrokerConfig) -> Self {
        let storage = Storage::open(StorageConfig { engine: Engine::Memory, ..StorageConfig::default() }).unwrap();
        Self::start_on(config, storage).await
    }

    pub(crate) async fn start_on(config: BrokerConfig, storage: Arc<Storage>) -> Self {
        Self::start_observing(config, storage, None).await
    }

    pub(crate) async fn observing(groups: Box<dyn ObserveGroups>) -> Self {
        let storage = Storage::open(StorageConfig { engine: Engine::Memory, ..StorageConfig::default() }).unwrap();
        Self::start_observing(BrokerConfig::default(), storage, Some(groups)).await
    }

    async fn start_observing(
        config: BrokerConfig,
        storage: Arc<Storage>,
        observe: Option<Box<dyn ObserveGroups>>,
    ) -> Self {
        let config = BrokerConfig { listen: "127.0.0.1:0".to_owned(), ..config };
        let broker = Broker::bind(config, Arc::clone(&storage)).await.unwrap();
        let addr = broker.local_addr();
        if let Some(groups) = observe {
            broker.observe(groups);
        }
        let shutdown = CancellationToken::new();
        let served = tokio::spawn(broker.serve(shutdown.clone()));
        Self { storage, addr, shutdown, served }
    }

    pub(crate) fn topic(&self, name: &str, partitions: i32, overrides: &[(&str, &str)]) -> Arc<Topic> {
        let overrides: BTreeMap<_, _> =
            overrides.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let topic = NewTopic { name: name.into(), partitions, overrides, internal: false };
        self.storage.create_topic(topic).unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        Client { socket: TcpStream::connect(self.addr).await.unwrap(), correlation_id: 0 }
    }

    /// Stops and waits until it has drained.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.served.await.unwrap();
    }
}

/// A connection that sends requests one by one.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    correlation_id: i32,
}

impl Client {
    /// Sends a request and waits for its response.
    pub(crate) async fn call<R: Request>(&mut self, request: R, version: i16) -> R::Response {
        self.send(&request, version).await;
        self.receive::<R>(version).await.expect("the broker closed the connection")
    }

    /// Sends a request.
    pub(crate) async fn send<R: Request>(&mut self, request: &R, version: i16) {
        self.correlation_id += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(StrBytes::from_static_str("test")));
        let mut frame = BytesMut::new();
        header.encode(&mut frame, R::header_version(version)).unwrap();
        request.encode(&mut frame, version).unwrap();
        self.send_raw(&frame).await;
    }

    /// Sends a frame of any bytes.
    pub(crate) async fn send_raw(&mut self, frame: &[u8]) {
        let mut bytes = BytesMut::new();
        bytes.put_i32(frame.len() as i32);
        bytes.put_slice(frame);
        self.socket.write_all(&bytes).await.unwrap();
    }

    /// The response to the last request; `None` if the connection was closed instead.
    pub(crate) async fn receive<R: Request>(&mut self, version: i16) -> Option<R::Response> {
        let mut frame = self.receive_raw().await?;
        let header_version = <R::Response as HeaderVersion>::header_version(version);
        let header = ResponseHeader::decode(&mut frame, header_version).unwrap();
        assert_eq!(header.correlation_id, self.correlation_id);
        let response = R::Response::decode(&mut frame, version).unwrap();
        assert!(!frame.has_remaining(), "bytes after the response");
        Some(response)
    }

    /// The next frame; `None` if the connection was closed instead.
    pub(crate) async fn receive_raw(&mut self) -> Option<Bytes> {
        let length = self.socket.read_i32().await.ok()?;
        let mut frame = vec![0; length as usize];
        self.socket.read_exact(&mut frame).await.unwrap();
        Some(frame.into())
    }
}

/// A batch of values without keys.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(NewRecord { timestamp: 1000, value: Some(value.as_bytes()), ..NewRecord::default() });
    }
    builder.finish(Compression::None).unwrap()
}
