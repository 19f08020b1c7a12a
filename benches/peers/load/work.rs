//! The pieces of work, each timed by itself.

use std::io::BufRead;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, TopicPartitionList};

use crate::client::{CONSUMED_BYTES, Client};
use crate::payload::{self, PAYLOADS, noise};

/// Records of a transaction of [`commits`]; one of so many is aborted.
const TRANSACTION_LEN: usize = 1000;
const ABORTED_EACH: usize = 10;

/// Many records, many in flight.
pub fn produce(
    bootstrap: &str,
    topic: &str,
    records: usize,
    size: &str,
    batch_bytes: usize,
    codec: &str,
) -> Result<String> {
    let payloads = match size {
        "json" => payload::json_lines(),
        "sensor" => payload::sensor_readings(),
        "wide" => payload::wide(),
        size => noise(size.parse()?),
    };
    let mut config = many_in_flight(bootstrap, batch_bytes);
    config.push(("compression.type", codec.into()));
    let client = Client::producer(topic, &config, false)?;
    let (_, before) = client.watermarks()?;
    let started = Instant::now();
    let mut bytes = 0;
    for payload in payloads.iter().cycle().take(records) {
        bytes += payload.len();
        client.send(payload)?;
    }
    client.flush()?;
    let seconds = started.elapsed().as_secs_f64();
    let (_, after) = client.watermarks()?;
    ensure!(after - before == records as i64, "{} of {records} records are in the log", after - before);
    Ok(rate(records, bytes, seconds))
}

/// Many records with keys: what compaction has to go through.
pub fn keyed(bootstrap: &str, topic: &str, records: usize, size: usize, keys: usize) -> Result<String> {
    let payloads = noise(size);
    let client = Client::producer(topic, &many_in_flight(bootstrap, 131_072), false)?;
    client.watermarks()?;
    let started = Instant::now();
    for number in 0..records {
        client.send_keyed(&(number % keys).to_be_bytes(), payloads[number % PAYLOADS])?;
    }
    client.flush()?;
    Ok(rate(records, records * size, started.elapsed().as_secs_f64()))
}

/// Many records in transactions, some of which are aborted.
pub fn commits(bootstrap: &str, topic: &str, records: usize, size: usize) -> Result<String> {
    let payloads = noise(size);
    let mut config = many_in_flight(bootstrap, 131_072);
    config.retain(|(name, _)| *name != "acks");
    config.push(("transactional.id", format!("{topic}-commits")));
    let client = Client::producer(topic, &config, false)?;
    client.init_transactions()?;
    let started = Instant::now();
    for (number, first) in (0..records).step_by(TRANSACTION_LEN).enumerate() {
        client.begin_transaction()?;
        for record in first..(first + TRANSACTION_LEN).min(records) {
            client.send(payloads[record % PAYLOADS])?;
        }
        client.flush()?;
        if number % ABORTED_EACH == 0 { client.abort_transaction()? } else { client.commit_transaction()? }
    }
    Ok(rate(records, records * size, started.elapsed().as_secs_f64()))
}

fn many_in_flight(bootstrap: &str, batch_bytes: usize) -> Vec<(&'static str, String)> {
    vec![
        ("bootstrap.servers", bootstrap.into()),
        ("acks", "1".into()),
        ("linger.ms", "5".into()),
        ("batch.size", batch_bytes.to_string()),
        ("batch.num.messages", "1000000".into()),
        ("message.max.bytes", "4000000".into()),
        ("queue.buffering.max.messages", "1000000".into()),
        ("queue.buffering.max.kbytes", "262144".into()),
    ]
}

/// Everything from the start, as fast as it comes.
pub fn fetch(bootstrap: &str, topic: &str, records: usize, isolation: &str) -> Result<String> {
    let client = Client::consumer(
        topic,
        &[
            ("bootstrap.servers", bootstrap.into()),
            ("fetch.message.max.bytes", "4000000".into()),
            ("queued.max.messages.kbytes", "65536".into()),
            ("check.crcs", "false".into()),
            ("isolation.level", isolation.into()),
        ],
    )?;
    client.watermarks()?;
    let started = Instant::now();
    client.start(0)?;
    client.until_consumed(records as u64);
    let seconds = started.elapsed().as_secs_f64();
    Ok(rate(records, CONSUMED_BYTES.load(Ordering::Relaxed) as usize, seconds))
}

/// Produced until acknowledged, one in flight.
pub fn ack(bootstrap: &str, topic: &str, records: usize, size: usize) -> Result<String> {
    let payloads = noise(size);
    let client = one_in_flight(bootstrap, topic)?;
    latencies(records, |number| {
        client.send(payloads[number % PAYLOADS])?;
        client.until_delivered(number as u64 + 1)
    })
}

/// Produced until consumed, one in flight.
pub fn e2e(bootstrap: &str, topic: &str, records: usize, size: usize) -> Result<String> {
    let payloads = noise(size);
    let producer = one_in_flight(bootstrap, topic)?;
    let consumer = Client::consumer(topic, &[("bootstrap.servers", bootstrap.into())])?;
    let (_, end) = producer.watermarks()?;
    consumer.start(end)?;
    latencies(records, |number| {
        producer.send(payloads[number % PAYLOADS])?;
        consumer.until_consumed(number as u64 + 1);
        producer.until_delivered(number as u64 + 1)
    })
}

/// A transaction of one record: begun, produced, committed; one after the other.
pub fn transaction(bootstrap: &str, topic: &str, records: usize, size: usize) -> Result<String> {
    let payloads = noise(size);
    let broker = match bootstrap {
        "mock" => ("test.mock.num.brokers", "1".into()),
        _ => ("bootstrap.servers", bootstrap.into()),
    };
    let config = [broker, ("transactional.id", format!("{topic}-transactions")), ("linger.ms", "0".into())];
    let client = Client::producer(topic, &config, true)?;
    client.init_transactions()?;
    latencies(records, |number| {
        client.begin_transaction()?;
        client.send(payloads[number % PAYLOADS])?;
        client.commit_transaction()
    })
}

/// Produced until the query's new count of its level is printed, one in flight. Standard input is the console.
pub fn update(bootstrap: &str, topic: &str, records: usize) -> Result<String> {
    let client = one_in_flight(bootstrap, topic)?;
    let mut console = std::io::stdin().lock();
    let mut line = String::new();
    latencies(records, |number| {
        client.send(br#"{"level":"TICK","message":"one record, of which the update is awaited"}"#)?;
        let wanted = (number + 1).to_string();
        loop {
            line.clear();
            if console.read_line(&mut line)? == 0 {
                bail!("the console ended");
            }
            let mut cells = line.trim().split('|').map(str::trim);
            if (cells.next(), cells.next(), cells.next()) == (Some(""), Some("TICK"), Some(&wanted)) {
                break;
            }
        }
        client.until_delivered(number as u64 + 1)
    })
}

/// Waits until a group's committed offset of the first partition is `offset`; a query of brooklet is such a group.
pub fn reach(bootstrap: &str, topic: &str, group: &str, offset: usize) -> Result<String> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("group.id", group).create()?;
    let mut partition = TopicPartitionList::new();
    partition.add_partition(topic, 0);
    let started = Instant::now();
    loop {
        let committed = consumer.committed_offsets(partition.clone(), Duration::from_secs(10))?;
        let at = committed.find_partition(topic, 0).and_then(|it| it.offset().to_raw()).unwrap_or(-1);
        if at >= offset as i64 {
            return Ok("{}".into());
        }
        ensure!(started.elapsed() < Duration::from_secs(300), "{group} is at {at}, and not at {offset}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Makes a topic of one partition.
pub fn create(bootstrap: &str, topic: &str, config: &[&str]) -> Result<String> {
    let mut new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    for setting in config {
        let (name, value) = setting.split_once('=').context("a configuration is NAME=VALUE")?;
        new = new.set(name, value);
    }
    with_admin(bootstrap, async |admin| {
        let outcome = admin.create_topics([&new], &AdminOptions::new()).await?.pop().context("no answer")?;
        outcome.map_err(|(topic, code)| anyhow::anyhow!("{topic}: {code}"))
    })
}

/// Deletes a topic.
pub fn delete(bootstrap: &str, topic: &str) -> Result<String> {
    with_admin(bootstrap, async |admin| {
        let outcome = admin.delete_topics(&[topic], &AdminOptions::new()).await?.pop().context("no answer")?;
        outcome.map_err(|(topic, code)| anyhow::anyhow!("{topic}: {code}"))
    })
}

fn with_admin(
    bootstrap: &str,
    work: impl AsyncFnOnce(AdminClient<DefaultClientContext>) -> Result<String>,
) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { work(ClientConfig::new().set("bootstrap.servers", bootstrap).create()?).await })?;
    Ok("{}".into())
}

fn one_in_flight(bootstrap: &str, topic: &str) -> Result<Client> {
    let config = [("bootstrap.servers", bootstrap.into()), ("acks", "1".into()), ("linger.ms", "0".into())];
    let client = Client::producer(topic, &config, true)?;
    client.watermarks()?;
    Ok(client)
}

/// Times each call; the first tenth is warming up and left out.
fn latencies(records: usize, mut one: impl FnMut(usize) -> Result<()>) -> Result<String> {
    // Up to a minute; one without a bound takes what is beyond its first size for 2.
    let mut taken = Histogram::<u64>::new_with_max(60_000_000, 3)?;
    for number in 0..records {
        let started = Instant::now();
        one(number)?;
        if number >= records / 10 {
            taken.saturating_record(micros(started.elapsed()));
        }
    }
    let at = |quantile| taken.value_at_quantile(quantile);
    Ok(format!(
        r#"{{"records":{records},"us_p50":{},"us_p99":{},"us_p999":{},"us_max":{}}}"#,
        at(0.5),
        at(0.99),
        at(0.999),
        taken.max()
    ))
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

fn rate(records: usize, bytes: usize, seconds: f64) -> String {
    format!(
        r#"{{"records":{records},"bytes":{bytes},"seconds":{seconds:.3},"records_per_s":{:.0},"mb_per_s":{:.1}}}"#,
        records as f64 / seconds,
        bytes as f64 / 1e6 / seconds
    )
}
