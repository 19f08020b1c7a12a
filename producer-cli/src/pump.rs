use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::watch;

use crate::args::Rate;
use crate::client::{self, Client, ClientOptions, Shared};
use crate::pace::Pace;
use crate::source::{RecordSource, Sourced};
use crate::tally::Summary;

/// How long to wait where librdkafka itself says that its queue is full, which the gate should prevent.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(10);

/// What to send where, and how fast.
#[derive(Clone, Debug)]
pub struct PumpOptions {
    /// The client's settings.
    pub client: ClientOptions,
    /// The topic to send to.
    pub topic: String,
    /// At most so many records a second.
    pub rate: Option<Rate>,
    /// How long to wait for the broker's first answer.
    pub connect_timeout: Duration,
}

/// Moves records from a source to a topic on a thread of its own.
pub struct Pump {
    client: Arc<Client>,
    shared: Arc<Shared>,
    first_sent: Arc<OnceLock<Instant>>,
    source_done: watch::Receiver<Option<Arc<io::Result<bool>>>>,
    delivery_timeout: Duration,
}

impl Pump {
    /// Connects and starts sending. Blocks until the broker has answered.
    ///
    /// # Errors
    /// Settings that librdkafka refuses; no broker within the connect timeout.
    pub fn start(options: &PumpOptions, source: impl RecordSource + 'static) -> anyhow::Result<Self> {
        let (client, shared) = client::open(&options.client)?;
        let broker = &options.client.bootstrap_server;
        client::reach(&client, &shared, broker, &options.topic, options.connect_timeout)?;
        let client = Arc::new(client);
        let first_sent = Arc::new(OnceLock::new());
        let (done, source_done) = watch::channel(None);
        let mut sender = Sender {
            client: Arc::clone(&client),
            shared: Arc::clone(&shared),
            first_sent: Arc::clone(&first_sent),
            topic: options.topic.clone(),
            rate: options.rate,
        };
        thread::Builder::new()
            .name("brooklet-produce".to_owned())
            .spawn(move || {
                let result = sender.run(source);
                done.send_replace(Some(Arc::new(result)));
            })
            .context("cannot start the sending thread")?;
        Ok(Self { client, shared, first_sent, source_done, delivery_timeout: options.client.delivery_timeout })
    }

    /// Waits until the source is at its end, has failed, or the pump was stopped.
    pub async fn source_done(&self) {
        // An error means that the thread is gone, which is as done as it gets.
        let _ = self.source_done.clone().wait_for(Option::is_some).await;
    }

    /// Sends nothing more; what was sent may still be acknowledged.
    pub fn stop(&self) {
        self.shared.gate.close();
    }

    /// The sums so far.
    pub fn progress(&self) -> Summary {
        let started = self.first_sent.get().copied().unwrap_or_else(Instant::now);
        self.shared.tally().summary(started)
    }

    /// Stops, waits until every record sent is acknowledged or given up, and sums up. Blocks. With it comes whether the
    /// source was read to its end, or how reading it failed.
    pub fn finish(self) -> (Summary, io::Result<bool>) {
        self.stop();
        // Every record is given up by the client after the delivery timeout; a little longer, so that it can say so.
        if let Err(error) = self.client.flush(self.delivery_timeout + Duration::from_secs(5)) {
            tracing::debug!(%error, "flush");
        }
        let unknown = self.shared.gate.records();
        if unknown > 0 {
            self.shared.tally().failed("no word from the client".to_owned(), unknown);
        }
        let read = match &*self.source_done.borrow() {
            Some(result) => match &**result {
                Ok(to_its_end) => Ok(*to_its_end),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            },
            None => Ok(false),
        };
        (self.progress(), read)
    }
}

struct Sender {
    client: Arc<Client>,
    shared: Arc<Shared>,
    first_sent: Arc<OnceLock<Instant>>,
    topic: String,
    rate: Option<Rate>,
}

impl Sender {
    /// Sends what the source has; true if that was all of it, false if the pump was stopped before.
    fn run(&mut self, mut source: impl RecordSource) -> io::Result<bool> {
        let mut pace = None;
        loop {
            match source.next()? {
                Sourced::End => return Ok(true),
                Sourced::TooLong => self.shared.tally().failed("line longer than message.max.bytes".to_owned(), 1),
                Sourced::Record { key, value } => {
                    let now = *self.first_sent.get_or_init(Instant::now);
                    if let Some(rate) = self.rate {
                        let pace = pace.get_or_insert_with(|| Pace::new(rate, now));
                        if let Some(wait) = pace.next(Instant::now()) {
                            self.shared.gate.sleep(wait);
                        }
                    }
                    if !self.send(key, value) {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Hands one record to the client; false once the pump is stopped.
    fn send(&self, key: Option<&[u8]>, value: &[u8]) -> bool {
        let bytes = (key.map_or(0, <[u8]>::len) + value.len()) as u64;
        if !self.shared.gate.enter(bytes) {
            return false;
        }
        let mut record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(&self.topic, self.shared.stamp()).payload(value);
        record.key = key;
        while let Err((error, refused)) = self.client.send(record) {
            if matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
                record = refused;
                thread::sleep(QUEUE_FULL_WAIT);
                continue;
            }
            self.shared.failed(&error);
            self.shared.gate.leave(bytes);
            break;
        }
        true
    }
}
