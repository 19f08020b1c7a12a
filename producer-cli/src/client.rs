use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, ClientContext};

use crate::admin;
use crate::args::{Acks, Codec};
use crate::gate::Gate;
use crate::tally::Tally;

/// Bytes that may wait in the client or be in flight: keeps memory bounded for endless input.
const QUEUED_BYTES_MAX: u64 = 64 << 20;

/// Between two attempts to reach the broker.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// How the client talks to the broker.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// HOST:PORT, several separated by commas.
    pub bootstrap_server: String,
    /// Compression of the batches.
    pub compression: Codec,
    /// Which acknowledgement counts.
    pub acks: Acks,
    /// KIP-98's idempotent producer.
    pub idempotent: bool,
    /// How long a batch waits for more records.
    pub linger: Duration,
    /// Largest batch in bytes, before compression.
    pub batch_bytes: u64,
    /// Records that may wait or be in flight.
    pub records_queued_max: u64,
    /// After which time a record is given up.
    pub delivery_timeout: Duration,
    /// Settings of librdkafka, over all of the above.
    pub properties: Vec<(String, String)>,
}

impl ClientOptions {
    /// The defaults of the command for the broker at `bootstrap_server`.
    pub fn new(bootstrap_server: impl Into<String>) -> Self {
        Self {
            bootstrap_server: bootstrap_server.into(),
            compression: Codec::None,
            acks: Acks::All,
            idempotent: false,
            linger: Duration::from_millis(5),
            batch_bytes: 1_000_000,
            records_queued_max: 100_000,
            delivery_timeout: Duration::from_secs(30),
            properties: Vec::new(),
        }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap_server)
            .set("client.id", "brooklet-produce")
            .set("compression.codec", self.compression.name())
            .set("acks", self.acks.name())
            .set("enable.idempotence", self.idempotent.to_string())
            .set("linger.ms", format!("{:.3}", self.linger.as_secs_f64() * 1e3))
            .set("batch.size", self.batch_bytes.to_string())
            // The size alone decides when a batch is full.
            .set("batch.num.messages", "1000000")
            .set("message.timeout.ms", self.delivery_timeout.as_millis().max(1).to_string())
            // The gate bounds the queue; librdkafka's own bounds stand well above it.
            .set("queue.buffering.max.messages", "0")
            .set("queue.buffering.max.kbytes", "2097151");
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config
    }
}

/// A librdkafka producer that tells [`Deliveries`] what became of each record.
pub(crate) type Client = ThreadedProducer<Deliveries>;

/// Opens the client; nothing is sent yet.
pub(crate) fn open(options: &ClientOptions) -> anyhow::Result<(Client, Arc<Shared>)> {
    let shared = Arc::new(Shared {
        started: Instant::now(),
        gate: Gate::new(options.records_queued_max, QUEUED_BYTES_MAX),
        tally: Mutex::new(Tally::new()?),
        last_error: Mutex::new(None),
    });
    let client = options
        .config()
        .create_with_context(Deliveries(Arc::clone(&shared)))
        .context("these settings do not make a Kafka producer")?;
    Ok((client, shared))
}

/// Waits until the broker answers for `topic`, which makes a broker that creates topics on first use create it.
///
/// # Errors
/// No broker answered within `timeout`, with the last reason that the client gave; or it allows no such topic.
pub(crate) fn reach(
    client: &Client,
    shared: &Shared,
    broker: &str,
    topic: &str,
    timeout: Duration,
) -> anyhow::Result<()> {
    let metadata = answer(broker, timeout, |left| client.client().fetch_metadata(Some(topic), left))
        .map_err(|error| shared.last_error().map_or(error, |reason| anyhow!("no broker at {broker}: {reason}")))?;
    let refused = metadata.topics().iter().find_map(|found| found.error()).map(RDKafkaErrorCode::from);
    match refused {
        Some(error @ (RDKafkaErrorCode::InvalidTopic | RDKafkaErrorCode::TopicAuthorizationFailed)) => {
            bail!("{topic}: {error}")
        }
        // Those of a topic that is being made pass.
        _ => Ok(()),
    }
}

/// What the broker at `broker` answers to `ask`, which is given the time that is left and asked again until `timeout`:
/// the connection to the bootstrap address is given up, with the request on it, once the broker has told that it is
/// advertised at another address.
///
/// # Errors
/// No answer within `timeout`. What librdkafka then gives back does not say why; a connection of our own does, unless it
/// is answered.
pub(crate) fn answer<T>(
    broker: &str,
    timeout: Duration,
    ask: impl Fn(Duration) -> Result<T, KafkaError>,
) -> anyhow::Result<T> {
    let until = Instant::now() + timeout;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match ask(left) {
            Ok(answer) => return Ok(answer),
            Err(_) if left > RETRY_PAUSE => std::thread::sleep(RETRY_PAUSE),
            Err(error) => {
                admin::knock(broker)?;
                bail!("no broker at {broker}: {error}");
            }
        }
    }
}

/// What the client's callbacks and the sender share.
pub(crate) struct Shared {
    /// Send times count from here.
    started: Instant,
    pub(crate) gate: Gate,
    tally: Mutex<Tally>,
    last_error: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time now, in the form that travels with a record through librdkafka.
    pub(crate) fn stamp(&self) -> usize {
        usize::try_from(self.started.elapsed().as_nanos()).unwrap_or(usize::MAX)
    }

    /// Counts a record that the client gives back; ends the sending where no later record could fare better.
    pub(crate) fn failed(&self, error: &KafkaError) {
        let code = error.rdkafka_error_code();
        let hopeless = matches!(
            code,
            Some(RDKafkaErrorCode::MessageTimedOut | RDKafkaErrorCode::Fatal | RDKafkaErrorCode::PurgeQueue)
        );
        let reason = match (code, self.last_error()) {
            (Some(RDKafkaErrorCode::MessageTimedOut), Some(why)) => format!("timed out ({why})"),
            (Some(_), Some(why)) if hopeless => why,
            (Some(code), _) => code.to_string(),
            (None, _) => error.to_string(),
        };
        self.tally().failed(reason, 1);
        if hopeless {
            self.gate.close();
        }
    }

    fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a person wants to know of librdkafka's
/// `HOST:PORT/bootstrap: Connect to ipv4#ADDRESS failed: Connection refused (after 0ms in state CONNECT, …)`.
fn plain(reason: &str) -> &str {
    let reason = reason.split_once(" (after ").map_or(reason, |(before, _)| before);
    reason.split_once("/bootstrap: ").map_or(reason, |(_, after)| after)
}

/// librdkafka's callbacks.
pub(crate) struct Deliveries(Arc<Shared>);

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if (level as i32) <= RDKafkaLogLevel::Error as i32 {
            tracing::debug!(target: "librdkafka", facility, "{message}");
        } else {
            tracing::trace!(target: "librdkafka", facility, "{message}");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        // These say less than the reason that came before them.
        let code = error.rdkafka_error_code();
        if !matches!(code, Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::Fatal)) {
            *self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(plain(reason).to_owned());
        }
    }
}

impl ProducerContext for Deliveries {
    /// [`Shared::stamp`] of when the record was handed over: no allocation for each record.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, stamp: usize) {
        let now = Instant::now();
        let message = match result {
            Ok(message) => message,
            Err((_, message)) => message,
        };
        let bytes = (message.key_len() + message.payload_len()) as u64;
        match result {
            Ok(_) => {
                let sent = self.0.started + Duration::from_nanos(stamp as u64);
                self.0.tally().delivered(bytes, now.saturating_duration_since(sent), now);
            }
            Err((error, _)) => self.0.failed(error),
        }
        self.0.gate.leave(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_to_what_matters() {
        let refused = "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)";
        assert_eq!(plain(refused), "Connect to ipv4#127.0.0.1:1 failed: Connection refused");
        assert_eq!(plain("Failed to resolve 'x:1': unknown"), "Failed to resolve 'x:1': unknown");
    }
}
