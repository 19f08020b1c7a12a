//! How a data folder is opened: engine, when appends are acknowledged, whose clock.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brooklet_model::Timestamp;

use crate::LogConfig;

/// Where the bytes of records live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Append-only segment files, laid out as Kafka's.
    #[default]
    Segments,
    /// Values of a sled database.
    Sled,
    /// Nowhere on disk: gone when the process ends.
    Memory,
}

/// When an append is acknowledged and when files are synced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// Acknowledged once the operating system has the bytes; synced in the background within about a second.
    #[default]
    Interval,
    /// Acknowledged once synced, in group commits: survives the loss of power.
    Always,
    /// Never synced, not even at shutdown.
    Never,
}

/// A name that is none of those that are known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not one of {known}")]
pub struct UnknownName {
    given: String,
    known: &'static str,
}

macro_rules! names {
    ($kind:ident, $known:literal, $($variant:ident = $name:literal),+) => {
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $name),+ })
            }
        }

        impl FromStr for $kind {
            type Err = UnknownName;

            fn from_str(given: &str) -> Result<Self, UnknownName> {
                match given {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(UnknownName { given: given.to_owned(), known: $known }),
                }
            }
        }
    };
}

names!(Engine, "segments, sled, memory", Segments = "segments", Sled = "sled", Memory = "memory");
names!(Fsync, "interval, always, never", Interval = "interval", Always = "always", Never = "never");

/// Tells the time: the system's, or a test's.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now` for milliseconds since 1970.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// What [`Storage::open`](crate::Storage::open) needs to know.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// The data folder; made if missing, not touched by the memory engine.
    pub data_dir: PathBuf,
    /// Where the bytes of records live; an existing folder keeps the engine that it was made with.
    pub engine: Engine,
    /// When appends are acknowledged and files synced.
    pub fsync: Fsync,
    /// Defaults for topics that do not say otherwise.
    pub log: LogConfig,
    /// How long a producer that writes nothing is remembered (`producer.id.expiration.ms`).
    pub producer_expiration: Duration,
    /// How often retention is enforced (`log.retention.check.interval.ms`).
    pub retention_check_interval: Duration,
    /// How often data is synced under [`Fsync::Interval`], and index and state brought up to the logs, while there are
    /// writes.
    pub checkpoint_interval: Duration,
    /// How many bytes of all logs index and state may lack; the next start reads them again.
    pub checkpoint_bytes: u64,
    /// How long compaction rests when no log is worth it (`log.cleaner.backoff.ms`).
    pub cleaner_backoff: Duration,
    /// Bytes that compaction may take for the keys of a log (`log.cleaner.dedupe.buffer.size`); where they are more,
    /// the log is compacted in several passes.
    pub cleaner_bytes_max: usize,
    /// The clock behind retention and log append time.
    pub clock: Clock,
}

/// What can be changed while a storage is open; `None` is as it was opened with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// [`StorageConfig::producer_expiration`]
    pub producer_expiration: Option<Duration>,
    /// [`StorageConfig::cleaner_backoff`]; counts from the next rest on.
    pub cleaner_backoff: Option<Duration>,
    /// [`StorageConfig::cleaner_bytes_max`]; counts from the next pass on.
    pub cleaner_bytes_max: Option<usize>,
}

impl StorageConfig {
    /// The default engine in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), ..Self::default() }
    }

    /// Everything in memory.
    pub fn memory() -> Self {
        Self { engine: Engine::Memory, ..Self::default() }
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("brooklet-data"),
            engine: Engine::default(),
            fsync: Fsync::default(),
            log: LogConfig::default(),
            producer_expiration: Duration::from_secs(24 * 60 * 60),
            retention_check_interval: Duration::from_secs(5 * 60),
            checkpoint_interval: Duration::from_secs(1),
            checkpoint_bytes: 1 << 20,
            cleaner_backoff: Duration::from_secs(15),
            cleaner_bytes_max: 128 << 20,
            clock: Clock::default(),
        }
    }
}
