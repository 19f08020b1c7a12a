//! Connections to the brokers of a cluster: one request at a time, in the newest version that both sides know.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{
    ApiVersionsRequest, BrokerId, FindCoordinatorRequest, MetadataRequest, MetadataResponse, RequestHeader,
    ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

/// More than any answer takes; what claims to be longer is no answer.
const RESPONSE_BYTES_MAX: usize = 1 << 30;
/// Between two questions for a coordinator that is not there yet.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
const DEFAULT_PORT: u16 = 9092;
/// From here on coordinators are asked for in lists.
const COORDINATORS_SINCE: i16 = 4;

/// A cluster as one broker of it tells of it.
pub(super) struct Cluster {
    timeout: Duration,
    first: Connection,
    brokers: HashMap<BrokerId, (String, u16)>,
    connections: HashMap<BrokerId, Connection>,
}

/// What a coordinator coordinates.
#[derive(Clone, Copy)]
pub(super) enum Coordinates {
    Group = 0,
    Transaction = 1,
}

impl Cluster {
    /// Connects to the first broker that answers.
    pub(super) fn connect(bootstrap: &str, timeout: Duration) -> anyhow::Result<Self> {
        let first = connect(bootstrap, timeout)?;
        let mut cluster = Self { timeout, first, brokers: HashMap::new(), connections: HashMap::new() };
        cluster.metadata(Some(&[]))?;
        Ok(cluster)
    }

    /// Asks the broker that was connected to first.
    pub(super) fn call<R: Request>(&mut self, request: &R) -> anyhow::Result<R::Response> {
        self.first.call(request)
    }

    /// Asks one broker.
    pub(super) fn call_on<R: Request>(&mut self, broker: BrokerId, request: &R) -> anyhow::Result<R::Response> {
        let connection = match self.connections.entry(broker) {
            std::collections::hash_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let (host, port) = self.brokers.get(&broker).with_context(|| format!("broker {} is gone", broker.0))?;
                place.insert(Connection::open(&format!("{host}:{port}"), self.timeout)?)
            }
        };
        connection.call(request)
    }

    /// The brokers, in the order of their ids.
    pub(super) fn brokers(&self) -> Vec<BrokerId> {
        let mut ids: Vec<BrokerId> = self.brokers.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// What the cluster says of topics (all of them: `None`), and of its brokers.
    pub(super) fn metadata(&mut self, topics: Option<&[&str]>) -> anyhow::Result<MetadataResponse> {
        let topic = |name: &&str| {
            kafka_protocol::messages::metadata_request::MetadataRequestTopic::default()
                .with_name(Some(TopicName(text(name))))
        };
        let asked = topics.map(|topics| topics.iter().map(topic).collect());
        let request = MetadataRequest::default().with_topics(asked).with_allow_auto_topic_creation(false);
        let metadata = self.first.call(&request)?;
        let address = |broker: &kafka_protocol::messages::metadata_response::MetadataResponseBroker| {
            Some((broker.node_id, (broker.host.to_string(), u16::try_from(broker.port).ok()?)))
        };
        self.brokers = metadata.brokers.iter().filter_map(address).collect();
        Ok(metadata)
    }

    /// The broker that coordinates a group or a transactional id. The first one that is asked for makes the cluster
    /// make its topic, which takes a moment.
    pub(super) fn coordinator(&mut self, what: Coordinates, key: &str) -> anyhow::Result<BrokerId> {
        let until = Instant::now() + self.timeout;
        loop {
            let found = self.find_coordinator(what, key)?;
            if found.error_code == ResponseError::CoordinatorNotAvailable.code() && Instant::now() < until {
                std::thread::sleep(RETRY_PAUSE);
                continue;
            }
            check(found.error_code, found.error_message.as_deref())
                .with_context(|| format!("{key} has no coordinator"))?;
            let port = u16::try_from(found.port).context("a port that is none")?;
            self.brokers.insert(found.node_id, (found.host.to_string(), port));
            return Ok(found.node_id);
        }
    }

    fn find_coordinator(&mut self, what: Coordinates, key: &str) -> anyhow::Result<Coordinator> {
        let request = FindCoordinatorRequest::default().with_key_type(what as i8);
        let request = match self.first.version::<FindCoordinatorRequest>()? {
            COORDINATORS_SINCE.. => request.with_coordinator_keys(vec![text(key)]),
            _ => request.with_key(text(key)),
        };
        let mut response = self.first.call(&request)?;
        Ok(response.coordinators.pop().unwrap_or_else(|| {
            let (host, port) = (response.host, response.port);
            let found = Coordinator::default().with_node_id(response.node_id).with_host(host).with_port(port);
            found.with_error_code(response.error_code).with_error_message(response.error_message)
        }))
    }
}

/// A connection to the first broker that answers.
pub(super) fn connect(bootstrap: &str, timeout: Duration) -> anyhow::Result<Connection> {
    let mut failure = anyhow!("no address is given");
    for address in bootstrap.split(',') {
        match Connection::open(&with_port(address.trim()), timeout) {
            Ok(connection) => return Ok(connection),
            Err(error) => failure = error,
        }
    }
    Err(failure.context(format!("no broker at {bootstrap}")))
}

/// An address, with Kafka's port where it has none, as librdkafka has it.
fn with_port(address: &str) -> String {
    let is_bare = address.parse::<std::net::Ipv6Addr>().is_ok();
    let host = if is_bare { format!("[{address}]") } else { address.to_owned() };
    let has_port = host.rsplit_once(':').is_some_and(|(before, _)| before.ends_with(']') || !before.contains(':'));
    if has_port { host } else { format!("{host}:{DEFAULT_PORT}") }
}

/// A connection to one broker.
pub(super) struct Connection {
    socket: TcpStream,
    address: String,
    /// By API key: lowest and highest version.
    versions: HashMap<i16, (i16, i16)>,
    correlation_id: i32,
}

impl Connection {
    fn open(address: &str, timeout: Duration) -> anyhow::Result<Self> {
        let mut failure = anyhow!("{address} is no address");
        for socket in address.to_socket_addrs().with_context(|| format!("{address} is not known"))? {
            match TcpStream::connect_timeout(&socket, timeout) {
                Ok(socket) => {
                    socket.set_read_timeout(Some(timeout))?;
                    socket.set_write_timeout(Some(timeout))?;
                    socket.set_nodelay(true)?;
                    let (address, versions) = (address.to_owned(), HashMap::new());
                    let mut connection = Self { socket, address, versions, correlation_id: 0 };
                    let told = connection.call_version(&ApiVersionsRequest::default(), 0)?;
                    check(told.error_code, None)?;
                    connection.versions =
                        told.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect();
                    return Ok(connection);
                }
                Err(error) => failure = anyhow!("{socket}: {error}"),
            }
        }
        Err(failure)
    }

    /// The newest version of a request that both sides know.
    fn version<R: Request>(&self) -> anyhow::Result<i16> {
        let name = || std::any::type_name::<R>().rsplit("::").next().unwrap_or_default().to_owned();
        let Some((min, max)) = self.versions.get(&R::KEY).copied() else {
            bail!("{} does not know {}", self.address, name());
        };
        let version = max.min(R::VERSIONS.max);
        if version < min.max(R::VERSIONS.min) {
            bail!("{} knows {} in the versions {min} to {max} only", self.address, name());
        }
        Ok(version)
    }

    fn call<R: Request>(&mut self, request: &R) -> anyhow::Result<R::Response> {
        let version = self.version::<R>()?;
        self.call_version(request, version)
    }

    fn call_version<R: Request>(&mut self, request: &R, version: i16) -> anyhow::Result<R::Response> {
        let address = self.address.clone();
        self.exchange(request, version).with_context(|| format!("{address} does not answer"))
    }

    fn exchange<R: Request>(&mut self, request: &R, version: i16) -> anyhow::Result<R::Response> {
        self.correlation_id += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(StrBytes::from_static_str("brooklet")));
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        header.encode(&mut frame, R::header_version(version))?;
        request.encode(&mut frame, version)?;
        let length = i32::try_from(frame.len() - 4).context("the request is too long")?;
        if let Some(place) = frame.first_chunk_mut() {
            *place = length.to_be_bytes();
        }
        self.socket.write_all(&frame)?;

        let mut length = [0; 4];
        self.socket.read_exact(&mut length).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => anyhow!("it is silent"),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => anyhow!("it closed the connection"),
            _ => error.into(),
        })?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > RESPONSE_BYTES_MAX {
            bail!("its answer is no Kafka response");
        }
        let mut answer = Vec::new();
        (&self.socket).take(length as u64).read_to_end(&mut answer)?;
        let mut answer = Bytes::from(answer);
        if answer.remaining() < length {
            bail!("it closed the connection");
        }
        let header = ResponseHeader::decode(&mut answer, <R::Response as HeaderVersion>::header_version(version))?;
        if header.correlation_id != self.correlation_id {
            bail!("it answers another question");
        }
        R::Response::decode(&mut answer, version)
    }
}

/// An error code as an error.
pub(super) fn check(code: i16, message: Option<&str>) -> anyhow::Result<()> {
    if code == 0 {
        return Ok(());
    }
    let name = ResponseError::try_from_code(code).map_or_else(|| format!("error {code}"), |error| format!("{error:?}"));
    match message {
        Some(message) if !message.is_empty() => bail!("{name}: {message}"),
        _ => bail!("{name}"),
    }
}

/// A text as the protocol has it.
pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_port_has_that_of_kafka() {
        let cases = [
            ("localhost", "localhost:9092"),
            ("localhost:1", "localhost:1"),
            ("::1", "[::1]:9092"),
            ("[::1]", "[::1]:9092"),
            ("[::1]:1", "[::1]:1"),
        ];
        for (given, meant) in cases {
            assert_eq!(with_port(given), meant);
        }
    }
}
