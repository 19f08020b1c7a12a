//! What the broker can be told.

/// The broker's settings.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// `HOST:PORT` to listen on; port 0 takes a free one.
    pub listen: String,
    /// Host and port that clients are told to connect to; by default the address listened on.
    pub advertise: Option<(String, u16)>,
    /// Partitions of a topic that is made on first use, or asked for with -1 partitions (`num.partitions`).
    pub default_partitions: i32,
    /// Whether a client that asks for several replicas gets one, instead of INVALID_REPLICATION_FACTOR: for development
    /// against settings that are made for a cluster.
    pub clamp_replication: bool,
    /// What clients may use.
    pub limits: Limits,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9092".to_owned(),
            advertise: None,
            default_partitions: 1,
            clamp_replication: false,
            limits: Limits::default(),
        }
    }
}

/// Bounds on what clients may make the broker hold. Each has Kafka's default where Kafka has one.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest request in bytes (`socket.request.max.bytes`); a larger one closes its connection.
    pub frame_bytes_max: usize,
    /// Bytes that requests above 2 MiB may take together (`queued.max.request.bytes`); more of them wait in the socket.
    pub frames_bytes_max: usize,
    /// Connections at once; one more is closed as it is accepted.
    pub connections_max: usize,
    /// Largest answer to a fetch in bytes (`fetch.max.bytes`).
    pub fetch_bytes_max: usize,
    /// Incremental fetch sessions kept (`max.incremental.fetch.session.cache.slots`).
    pub fetch_sessions_max: usize,
    /// Members of one consumer group (`group.max.size`).
    pub group_members_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 100 * 1024 * 1024,
            frames_bytes_max: 256 * 1024 * 1024,
            connections_max: 10_000,
            fetch_bytes_max: 55 * 1024 * 1024,
            fetch_sessions_max: 1000,
            group_members_max: 10_000,
        }
    }
}
