//! Sequences of requests, made from a seed: right use of what earlier steps made, of which some fields are then changed.
//!
//! `${p}` stands for what keeps the names of one play apart from those of others.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::mutate::{mutate, mutate_batch};
use super::recipes;
use crate::schema::Api;

/// One request in so many has a field changed.
const MUTATED: u8 = 3;
/// The id of no topic.
pub(super) const NO_TOPIC: &str = "6d3a4f50-1111-4222-8333-944444444444";

pub(super) struct Generator<'a> {
    pub(super) rng: Rng,
    apis: &'a BTreeMap<String, Api>,
    pub(super) steps: Vec<Value>,
    /// The next sequence of a producer in a partition.
    pub(super) sequences: BTreeMap<(usize, usize, usize), i64>,
}

/// What variables are until an answer gives them.
pub(super) fn variables() -> BTreeMap<String, Value> {
    let ids = ["id0", "id1", "id2"].map(|name| (name.to_owned(), NO_TOPIC.into()));
    let members = ["m0", "m1"].map(|name| (name.to_owned(), "".into()));
    let producers = ["pid0", "pid1", "pid2"].map(|name| (name.to_owned(), (-1).into()));
    let numbers = ["ep0", "ep1", "ep2", "gen", "session"].map(|name| (name.to_owned(), 0.into()));
    ids.into_iter().chain(members).chain(producers).chain(numbers).collect()
}

/// The steps that `seed` makes.
pub(super) fn generate(seed: u64, apis: &BTreeMap<String, Api>) -> Vec<Value> {
    let mut generator = Generator { rng: Rng::with_seed(seed), apis, steps: Vec::new(), sequences: BTreeMap::new() };
    recipes::begin(&mut generator);
    // Most sequences stay with a few kinds of requests, and get further with them.
    let kinds: Vec<_> = (0..generator.rng.usize(2..9)).map(|_| recipes::any(&mut generator.rng)).collect();
    for _ in 0..generator.rng.usize(6..20) {
        let recipe = if generator.one_in(4) {
            recipes::any(&mut generator.rng)
        } else {
            kinds[generator.rng.usize(..kinds.len())]
        };
        recipe(&mut generator);
    }
    recipes::inspect(&mut generator);
    generator.steps
}

impl Generator<'_> {
    pub(super) fn one_in(&mut self, many: u8) -> bool {
        self.rng.u8(..many) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.rng.usize(..values.len())].clone()
    }

    /// A topic's name; most are those that are there.
    pub(super) fn topic(&mut self) -> Value {
        self.pick(&["${p}t0", "${p}t0", "${p}t1", "${p}t1", "${p}t0", "${p}t1", "${p}t2", "${p}none"]).into()
    }

    /// Name and id of the same topic: a request has one of them.
    pub(super) fn topic_and_id(&mut self) -> (usize, Value, Value) {
        let number = self.pick(&[0, 0, 0, 1, 1, 2]);
        (number, format!("${{p}}t{number}").into(), format!("$id{number}").into())
    }

    pub(super) fn partition(&mut self) -> i64 {
        self.pick(&[0, 0, 0, 0, 1, 1, 2])
    }

    pub(super) fn offset(&mut self) -> i64 {
        self.pick(&[0, 0, 1, 1, 2, 3, 5, -1, 100])
    }

    pub(super) fn group(&mut self) -> Value {
        self.pick(&["${p}g0", "${p}g0", "${p}g0", "${p}g1"]).into()
    }

    /// Adds a request of any version, with one field changed now and then.
    pub(super) fn ask(&mut self, api: &str, body: Value) -> &mut Map<String, Value> {
        let known = &self.apis[api];
        // Kafka tells these and does not serve them without features that are not final.
        let highest = if api == "InitProducerId" { 5 } else { known.versions.1 };
        let version = if self.rng.bool() { highest } else { self.rng.i16(known.versions.0..=highest) };
        self.ask_version(api, version, body)
    }

    pub(super) fn ask_version(&mut self, api: &str, version: i16, body: Value) -> &mut Map<String, Value> {
        let mut body = body.as_object().cloned().unwrap_or_default();
        if self.one_in(MUTATED) {
            mutate(&mut self.rng, &self.apis[api].request, version, &mut body);
        }
        self.plain(api, version, body.into())
    }

    /// Adds a request as it is.
    pub(super) fn plain(&mut self, api: &str, version: i16, body: Value) -> &mut Map<String, Value> {
        self.steps.push(json!({ "api": api, "v": version, "body": body }));
        self.steps.last_mut().and_then(Value::as_object_mut).unwrap()
    }

    /// One batch, or now and then two; of the producer whose number is given.
    pub(super) fn records(&mut self, producer: Option<(usize, usize, usize)>, transactional: bool) -> Value {
        let mut batch = Map::new();
        let count = self.rng.i64(1..5);
        let records: Vec<_> = (0..count).map(|_| self.record()).collect();
        batch.insert("records".to_owned(), records.into());
        if self.one_in(2) {
            let codec = self.pick(&["gzip", "snappy", "lz4", "zstd"]);
            batch.insert("compression".to_owned(), codec.into());
        }
        if let Some(place) = producer {
            let next = self.sequences.entry(place).or_default();
            let sequence = *next;
            *next += count;
            batch.insert("producerId".to_owned(), format!("$pid{}", place.0).into());
            batch.insert("producerEpoch".to_owned(), format!("$ep{}", place.0).into());
            batch.insert("baseSequence".to_owned(), sequence.into());
        }
        if transactional {
            batch.insert("attributes".to_owned(), 0x10.into());
        }
        if self.one_in(5) {
            batch = mutate_batch(&mut self.rng, batch);
        }
        if self.one_in(20) { json!([batch, batch]) } else { batch.into() }
    }

    fn record(&mut self) -> Value {
        let mut record = Map::new();
        if !self.one_in(3) {
            let key = self.pick(&["a", "b", "c", ""]);
            record.insert("key".to_owned(), key.into());
        }
        match self.rng.u8(..8) {
            0 => {}
            1 => drop(record.insert("value".to_owned(), json!({ "size": self.rng.usize(..3000) }))),
            _ => drop(record.insert("value".to_owned(), self.rng.u16(..).to_string().into())),
        }
        if self.one_in(4) {
            let time = self.pick(&[-1, 0, 1, 1_700_000_000_000, 1_600_000_000_000, 1_900_000_000_000, i64::MAX, -2]);
            record.insert("timestamp".to_owned(), time.into());
        }
        if self.one_in(6) {
            record.insert("headers".to_owned(), json!([["h", "1"], ["h", null]]));
        }
        record.into()
    }
}
