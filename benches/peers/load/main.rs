//! The load that `benches/peers/run` puts on a broker, through librdkafka's C interface: it takes as little of the
//! machine's CPU as a real client can, so that what is measured is the broker.
//!
//! ```text
//! load produce BOOTSTRAP TOPIC RECORDS SIZE BATCH_BYTES [CODEC]
//!                                                         records of SIZE bytes; JSON of some kind when SIZE is `json`
//!                                                         (log lines), `sensor`, or `wide`
//! load keyed   BOOTSTRAP TOPIC RECORDS SIZE KEYS          the same with keys, KEYS of them
//! load commits BOOTSTRAP TOPIC RECORDS SIZE               the same in transactions of a thousand, each tenth aborted
//! load fetch   BOOTSTRAP TOPIC RECORDS [ISOLATION]        from the start
//! load ack     BOOTSTRAP TOPIC RECORDS SIZE               one in flight: produced until acknowledged
//! load e2e     BOOTSTRAP TOPIC RECORDS SIZE               one in flight: produced until consumed
//! load transaction BOOTSTRAP TOPIC RECORDS SIZE           a transaction of one record: begun until committed; with `mock`
//!                                                         as BOOTSTRAP against librdkafka's own broker in memory
//! load update  BOOTSTRAP TOPIC RECORDS                    one in flight: produced until its count stands on the
//!                                                         console, which is read from standard input
//! load reach   BOOTSTRAP TOPIC GROUP OFFSET               waits until the group's offset is there
//! load create  BOOTSTRAP TOPIC [NAME=VALUE...]            a topic of one partition
//! load delete  BOOTSTRAP TOPIC
//! ```
//! Each prints one line of JSON: seconds, megabytes (10^6) a second, latencies in microseconds.
#![allow(unsafe_code, reason = "the safe wrapper allocates a delivery report for each record")]
#![allow(unreachable_pub)]

mod client;
mod payload;
mod work;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let text: Vec<&str> = args.iter().map(String::as_str).collect();
    let line = match text.as_slice() {
        ["produce", bootstrap, topic, records, size, batch] => {
            work::produce(bootstrap, topic, number(records)?, size, number(batch)?, "none")?
        }
        ["produce", bootstrap, topic, records, size, batch, codec] => {
            work::produce(bootstrap, topic, number(records)?, size, number(batch)?, codec)?
        }
        ["keyed", bootstrap, topic, records, size, keys] => {
            work::keyed(bootstrap, topic, number(records)?, number(size)?, number(keys)?)?
        }
        ["commits", bootstrap, topic, records, size] => {
            work::commits(bootstrap, topic, number(records)?, number(size)?)?
        }
        ["fetch", bootstrap, topic, records] => work::fetch(bootstrap, topic, number(records)?, "read_committed")?,
        ["fetch", bootstrap, topic, records, isolation] => work::fetch(bootstrap, topic, number(records)?, isolation)?,
        ["ack", bootstrap, topic, records, size] => work::ack(bootstrap, topic, number(records)?, number(size)?)?,
        ["e2e", bootstrap, topic, records, size] => work::e2e(bootstrap, topic, number(records)?, number(size)?)?,
        ["transaction", bootstrap, topic, records, size] => {
            work::transaction(bootstrap, topic, number(records)?, number(size)?)?
        }
        ["update", bootstrap, topic, records] => work::update(bootstrap, topic, number(records)?)?,
        ["reach", bootstrap, topic, group, offset] => work::reach(bootstrap, topic, group, number(offset)?)?,
        ["create", bootstrap, topic, config @ ..] => work::create(bootstrap, topic, config)?,
        ["delete", bootstrap, topic] => work::delete(bootstrap, topic)?,
        _ => bail!("see the head of benches/peers/load/main.rs"),
    };
    println!("{line}");
    Ok(())
}

fn number(text: &str) -> Result<usize> {
    text.parse().with_context(|| format!("{text} is no number"))
}
