//! Record batches as scripts write them and recordings show them.
//!
//! `records` of a request are a batch or a list of batches, each `{"records": [{"key", "value", "timestamp",
//! "headers"}], "compression"}` with any field of the header beside them, which is written as it is given. Instead of
//! a batch there may be `{"hex": …}`, and instead of a value `{"size": N}` for so many letters. `"put": [[at, byte]]`
//! changes single bytes, from the end of the header on, before the checksum.

use brooklet_model::{Batch, BatchBuilder, Compression, HEADER_LEN, NewRecord, split_batches};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::codec::{from_bytes, to_bytes};

/// Header fields: name, place, bytes, and the value that is left out of a recording.
const HEADER: [(&str, usize, usize, Option<i64>); 13] = [
    ("baseOffset", 0, 8, None),
    ("length", 8, 4, None),
    ("leaderEpoch", 12, 4, Some(0)),
    ("magic", 16, 1, Some(2)),
    ("crc", 17, 4, None),
    ("attributes", 21, 2, Some(0)),
    ("lastOffsetDelta", 23, 4, None),
    ("baseTimestamp", 27, 8, None),
    ("maxTimestamp", 35, 8, None),
    ("producerId", 43, 8, Some(-1)),
    ("producerEpoch", 51, 2, Some(-1)),
    ("baseSequence", 53, 4, Some(-1)),
    ("count", 57, 4, None),
];
/// The checksum covers what follows it.
const CRC_AT: usize = 17;
const CRC_END: usize = 21;
/// Time of a record that gives none, plus its number in the batch.
const TIME: i64 = 1_700_000_000_000;

pub(crate) fn encode(value: &Value) -> Vec<u8> {
    match value {
        Value::Array(batches) => batches.iter().flat_map(encode).collect(),
        value if value.get("hex").is_some() => to_bytes(value).unwrap(),
        value => encode_batch(value.as_object().unwrap_or_else(|| panic!("{value} is no batch"))),
    }
}

fn encode_batch(batch: &Map<String, Value>) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (number, record) in batch["records"].as_array().unwrap().iter().enumerate() {
        let (key, value) = (blob(&record["key"]), blob(&record["value"]));
        let headers: Vec<_> = record["headers"].as_array().into_iter().flatten().collect();
        let headers: Vec<_> = headers.iter().map(|pair| (blob(&pair[0]).unwrap(), blob(&pair[1]))).collect();
        let headers: Vec<_> = headers.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        builder.push(NewRecord {
            timestamp: record["timestamp"].as_i64().unwrap_or(TIME + number as i64),
            key: key.as_deref(),
            value: value.as_deref(),
            headers: &headers,
        });
    }
    let codec = match batch.get("compression").and_then(Value::as_str) {
        None => Compression::None,
        Some("gzip") => Compression::Gzip,
        Some("snappy") => Compression::Snappy,
        Some("lz4") => Compression::Lz4,
        Some("zstd") => Compression::Zstd,
        Some(other) => panic!("no codec {other}"),
    };
    let mut bytes = builder.finish(codec).unwrap().to_vec();
    for name in batch.keys().filter(|name| !matches!(name.as_str(), "records" | "compression" | "put")) {
        let (_, at, size, _) = HEADER.iter().find(|field| field.0 == name).unwrap_or_else(|| panic!("no field {name}"));
        let value = batch[name].as_i64().unwrap_or_else(|| panic!("{name} is no number")).to_be_bytes();
        // Of the attributes, those of the codec stay.
        let bits = if name == "attributes" { bytes[*at + 1] & 7 } else { 0 };
        bytes[*at..at + size].copy_from_slice(&value[8 - size..]);
        if name == "attributes" {
            bytes[*at + 1] |= bits;
        }
    }
    for put in batch.get("put").and_then(Value::as_array).into_iter().flatten() {
        let (at, byte) = (put[0].as_u64().unwrap() as usize, put[1].as_u64().unwrap() as u8);
        if let Some(place) = bytes.get_mut(HEADER_LEN + at) {
            *place = byte;
        }
    }
    if !batch.contains_key("crc") {
        let crc = crc32c::crc32c(&bytes[CRC_END..]);
        bytes[CRC_AT..CRC_END].copy_from_slice(&crc.to_be_bytes());
    }
    bytes
}

fn blob(value: &Value) -> Option<Vec<u8>> {
    match value.get("size").and_then(Value::as_u64) {
        Some(size) => Some(vec![b'x'; size as usize]),
        None => to_bytes(value),
    }
}

/// The batches of a response; bytes that are no whole batch stand at the end as `{"rest": how many}`.
pub(crate) fn decode(bytes: Bytes) -> Value {
    let len = bytes.len();
    let mut read = 0;
    let mut batches = Vec::new();
    for batch in split_batches(bytes.clone()) {
        let Ok(batch) = batch else { break };
        let raw = bytes.slice(read..read + batch.header.size);
        read += raw.len();
        batches.push(decode_batch(&batch, &raw));
    }
    if read < len {
        batches.push(json!({ "rest": len - read }));
    }
    Value::Array(batches)
}

fn decode_batch(batch: &Batch, raw: &[u8]) -> Value {
    let mut shown = Map::new();
    for (name, at, size, left_out) in HEADER {
        let mut wide = [if raw[at] >= 0x80 { 0xff } else { 0 }; 8];
        wide[8 - size..].copy_from_slice(&raw[at..at + size]);
        let value = i64::from_be_bytes(wide);
        if left_out != Some(value) && !matches!(name, "length" | "crc") {
            shown.insert(name.to_owned(), value.into());
        }
    }
    assert!(batch.verify_checksum().is_ok(), "a batch came with a wrong checksum");
    let mut scratch = Vec::new();
    let records = batch.records(&mut scratch, 64 << 20).unwrap().map(|record| {
        // Kafka stores a few that no client can read.
        let Ok(record) = record else { return json!("unreadable") };
        let mut shown = json!({ "offset": record.offset.0, "timestamp": record.timestamp });
        for (name, bytes) in [("key", record.key), ("value", record.value)] {
            match bytes {
                None => {}
                Some(bytes) if bytes.len() > 200 => shown[name] = json!({ "size": bytes.len() }),
                Some(bytes) => shown[name] = from_bytes(bytes),
            }
        }
        let pair = |(key, value): (&[u8], Option<&[u8]>)| json!([from_bytes(key), value.map(from_bytes)]);
        let headers: Result<Vec<_>, _> = record.headers.iter().map(|header| header.map(pair)).collect();
        let Ok(headers) = headers else { return json!("unreadable") };
        if !headers.is_empty() {
            shown["headers"] = headers.into();
        }
        shown
    });
    shown.insert("records".to_owned(), records.collect());
    Value::Object(shown)
}
