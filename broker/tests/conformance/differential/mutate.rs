//! Edge values: what a request's fields are changed to, by the layout of the request.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::generate::NO_TOPIC;
use crate::schema::{Field, Kind, ZERO_UUID};

/// Fields that only take some values here: others would wait long, fill the disk, or change what all sequences share.
const BOUNDED: &[(&str, &str)] = &[
    ("acks", "[0, 1, -1, 2, -2]"),
    ("count", "[-1, 0, 1, 2, 3, 4]"),
    ("entityName", r#"["${p}u", "${p}v", ""]"#),
    ("iterations", "[4096, 4095, 0, -1, 16384, 16385]"),
    ("maxWaitMs", "[0, 1, 50, -1]"),
    ("numPartitions", "[-2, -1, 0, 1, 2, 3]"),
    ("rebalanceTimeoutMs", "[1500, 2000]"),
    ("resourceType", "[2, 16, 32, 0, 1, 3, -1, 127]"),
    ("sessionTimeoutMs", "[6000, 10000, 5999, 0, -1, 1800000, 1800001]"),
    ("timeoutMs", "[1000, 30000, 60000]"),
    ("transactionTimeoutMs", "[60000, 900000, 900001, 0, -1, 2147483647]"),
    ("validateOnly", "null"),
    (
        "value",
        r#"["1", "-1", "0", "compact", "", null, "9223372036854775807", "9223372036854775808", "x", "1.5", " 2 "]"#,
    ),
];
/// Lists whose elements are not doubled: what becomes of that is different on purpose.
const ONCE: &[&str] = &["topicData", "partitionData", "protocols"];
const TEXTS: &[&str] = &[
    "",
    "${p}none",
    "${p}bad name!",
    ".",
    "..",
    "${p}a/b",
    "${p}ä",
    "${p}t0",
    "${p}t1",
    "${p}g0",
    "${p}g1",
    "${p}x0",
    "${m0}",
    "${m1}",
    "consumer",
    "range",
    "1",
    "x",
];

/// Changes one field of `body` to an edge value.
pub(super) fn mutate(rng: &mut Rng, fields: &[Field], version: i16, body: &mut Map<String, Value>) {
    let here: Vec<_> = fields.iter().filter(|field| field.versions.has(version)).collect();
    if here.is_empty() {
        return;
    }
    let field = here[rng.usize(..here.len())];
    let null = field.null.is_some_and(|null| null.has(version));
    let value = body.entry(field.name.clone()).or_insert_with(|| field.default.clone());
    if let Some((_, values)) = BOUNDED.iter().find(|(name, _)| *name == field.name) {
        if let Value::Array(values) = serde_json::from_str(values).unwrap() {
            let edge = &values[rng.usize(..values.len())];
            // A setting's text may be null, a quota's number may not be text.
            match field.kind {
                Kind::Text if !edge.is_null() || null => *value = edge.clone(),
                Kind::Int(_) if edge.is_number() => *value = edge.clone(),
                _ => {}
            }
        }
        return;
    }
    if null && rng.u8(..6) == 0 {
        *value = Value::Null;
    } else if field.list {
        mutate_list(rng, field, version, value);
    } else {
        mutate_one(rng, &field.kind, version, value);
    }
}

fn mutate_list(rng: &mut Rng, field: &Field, version: i16, value: &mut Value) {
    let Value::Array(elements) = value else {
        *value = json!([]);
        return;
    };
    match rng.u8(..8) {
        0 => elements.clear(),
        1 | 2 if !elements.is_empty() && !ONCE.contains(&field.name.as_str()) => {
            let twice = elements[rng.usize(..elements.len())].clone();
            elements.push(twice);
        }
        3 => {
            let mut element = default(&field.kind);
            mutate_one(rng, &field.kind, version, &mut element);
            elements.push(element);
        }
        _ if elements.is_empty() => elements.push(default(&field.kind)),
        _ => {
            let at = rng.usize(..elements.len());
            mutate_one(rng, &field.kind, version, &mut elements[at]);
        }
    }
}

fn default(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => false.into(),
        Kind::Int(_) | Kind::Unsigned(_) => 0.into(),
        Kind::Float => 0.0.into(),
        Kind::Uuid => ZERO_UUID.into(),
        Kind::Text | Kind::Bytes => "".into(),
        Kind::Records => Value::Null,
        Kind::Struct(_) => json!({}),
    }
}

fn mutate_one(rng: &mut Rng, kind: &Kind, version: i16, value: &mut Value) {
    *value = match kind {
        Kind::Struct(fields) => {
            let mut inner = value.as_object().cloned().unwrap_or_default();
            mutate(rng, fields, version, &mut inner);
            inner.into()
        }
        Kind::Bool => (value != true).into(),
        Kind::Int(1) => pick(rng, &[-128, -1, 0, 1, 2, 3, 4, 127]).into(),
        Kind::Int(2) => pick(rng, &[-32768, -1, 0, 1, 2, 3, 100, 32767]).into(),
        Kind::Int(4) => pick(rng, &[-2147483648, -2, -1, 0, 1, 2, 5, 1000, 2147483647]).into(),
        Kind::Int(_) => {
            pick(rng, &[i64::MIN, -6, -5, -4, -3, -2, -1, 0, 1, 2, 5, 1000, 1 << 31, 1_700_000_000_001, i64::MAX])
                .into()
        }
        Kind::Unsigned(_) => rng.u16(..).into(),
        Kind::Float => [0.0, -1.0, 1.5, 1e300, 1048576.0][rng.usize(..5)].into(),
        Kind::Text => match rng.u8(..20) {
            0 => format!("${{p}}{}", "n".repeat(200)).into(),
            1 => format!("${{p}}{}", "n".repeat(260)).into(),
            _ => TEXTS[rng.usize(..TEXTS.len())].into(),
        },
        Kind::Uuid => [ZERO_UUID, "$id0", "$id1", NO_TOPIC][rng.usize(..4)].into(),
        Kind::Bytes => ["", "x", "${p}t0", "0123456789"][rng.usize(..4)].into(),
        Kind::Records => mutate_records(rng, value),
    };
}

fn mutate_records(rng: &mut Rng, value: &Value) -> Value {
    if value.is_null() {
        return json!({ "hex": "" });
    }
    match rng.u8(..10) {
        0 => json!({ "hex": "" }),
        1 => json!({ "hex": "00".repeat(rng.usize(..80)) }),
        2 => json!([value, value]),
        3 => json!([value, { "hex": "0000" }]),
        _ => match value.as_object() {
            None => value.clone(),
            Some(batch) => mutate_batch(rng, batch.clone()).into(),
        },
    }
}

/// Another value in the header, or other bytes in the records.
pub(super) fn mutate_batch(rng: &mut Rng, mut batch: Map<String, Value>) -> Map<String, Value> {
    let small: &[i64] = &[-1, 0, 1, 2, 3, 5, 1000, 2147483647, -2147483648];
    let times: &[i64] = &[-1, 0, -2, 1, i64::MAX, i64::MIN, 1_700_000_000_000, 1_700_000_000_005, 1_600_000_000_000];
    let (name, value) = match rng.u8(..16) {
        0 => ("baseOffset", pick(rng, times)),
        1 => ("leaderEpoch", pick(rng, small)),
        2 => ("magic", pick(rng, &[0, 1, 3, -1, 127])),
        3 => ("crc", pick(rng, small)),
        4 => ("attributes", pick(rng, &[0, 8, 0x10, 0x18, 0x20, 0x30, 0x40, 0x80, 0x100, 0x4000, -32768, 5, 7])),
        5 => ("lastOffsetDelta", pick(rng, small)),
        6 => ("baseTimestamp", pick(rng, times)),
        7 => ("maxTimestamp", pick(rng, times)),
        8 => ("producerId", pick(rng, &[-1, 0, 1, 1 << 40, i64::MAX, i64::MIN, -2])),
        9 => ("producerEpoch", pick(rng, &[-1, 0, 1, 5, 32767, -32768])),
        10 => ("baseSequence", pick(rng, small)),
        11 => ("count", pick(rng, small)),
        12 => ("length", pick(rng, &[-1, 0, 1, 48, 49, 50, 60, 1000, 2147483647])),
        _ => {
            let put: Vec<_> = (0..=rng.usize(..2)).map(|_| json!([rng.u8(..24), odd_byte(rng)])).collect();
            batch.insert("put".to_owned(), put.into());
            return batch;
        }
    };
    batch.insert(name.to_owned(), value.into());
    batch
}

/// Varints of small numbers of either sign, more than others.
fn odd_byte(rng: &mut Rng) -> u8 {
    if rng.bool() { rng.u8(..16) } else { rng.u8(..) }
}

fn pick(rng: &mut Rng, values: &[i64]) -> i64 {
    values[rng.usize(..values.len())]
}
