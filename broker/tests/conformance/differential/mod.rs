//! Random sequences of requests, answered by Kafka and by brooklet: what they differ in, as short as it gets. See
//! tests/conformance/README.md.
//!
//! Both brokers live as long as the run and get the same plays, each under names of its own.

mod generate;
mod mutate;
mod recipes;
mod shrink;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::compare::{Difference, Intended, compare};
use crate::normal::{MARK, Unordered};
use crate::on_brooklet;
use crate::play::{Exchange, Player};
use crate::schema::Api;
use crate::script::Script;

/// What stands for this run among the subjects of intended.json.
const SUBJECT: &str = "differential";
/// Texts of a difference that are longer do not tell it from others.
const TOLD_MAX: usize = 60;

/// What makes two differences the same one: API, place and both values.
type Kind = (String, String, String, String);

struct Brokers<'a> {
    kafka: Player<'a>,
    brooklet: Player<'a>,
    intended: Vec<Intended>,
    plays: AtomicUsize,
}

/// Plays `rounds` sequences, from `seed` on, and prints each kind of difference once. Returns how many there are.
pub(crate) fn run(kafka: SocketAddr, seed: u64, rounds: u64) -> usize {
    let (apis, unordered) = (crate::schema::apis(), crate::normal::unordered());
    on_brooklet(|addr| Brokers::new(kafka, addr, &apis, &unordered).run(seed, rounds, &apis))
}

impl<'a> Brokers<'a> {
    fn new(kafka: SocketAddr, brooklet: SocketAddr, apis: &'a BTreeMap<String, Api>, unordered: &'a Unordered) -> Self {
        // Both are given the same time.
        let player = |addr| Player { apis, unordered, addr, recording: true };
        let (kafka, brooklet) = (player(kafka), player(brooklet));
        for need in ["groups", "transactions"] {
            kafka.prepare(need);
            brooklet.prepare(need);
        }
        Self { kafka, brooklet, intended: Intended::list(), plays: AtomicUsize::new(0) }
    }

    fn run(&self, seed: u64, rounds: u64, apis: &BTreeMap<String, Api>) -> usize {
        let (mut known, mut requests) = (BTreeSet::new(), 0);
        for seed in seed..seed + rounds {
            let steps = generate::generate(seed, apis);
            requests += steps.len();
            let differences = self.differences(&steps);
            let Some(difference) = differences.iter().find(|difference| !known.contains(&kind(difference))) else {
                continue;
            };
            let wanted = kind(difference);
            let steps = shrink::shrink(steps, |steps| {
                self.differences(steps).into_iter().find(|difference| kind(difference) == wanted)
            });
            let Some((steps, difference)) = steps else {
                println!("seed {seed}: {} {} came once only", difference.label, difference.path);
                continue;
            };
            let Difference { label, path, kafka, brooklet, .. } = &difference;
            println!("\nseed {seed}, {label}: {path}\n    kafka {kafka}\n    here  {brooklet}");
            steps.iter().for_each(|step| println!("{step},"));
            known.insert(wanted);
        }
        println!("\n{rounds} sequences, {requests} requests, {} differences", known.len());
        known.len()
    }

    /// What the two differ in, in the order in which it comes.
    fn differences(&self, steps: &[Value]) -> Vec<Difference> {
        let mark = format!("{MARK}{}-", self.plays.fetch_add(1, Ordering::Relaxed));
        let mut variables = generate::variables();
        variables.insert("p".to_owned(), mark.clone().into());
        let script = json!({ "name": "", "variables": variables, "steps": steps });
        let script: Script = serde_json::from_value(script).unwrap();
        let (kafka, brooklet) = thread::scope(|scope| {
            let kafka = scope.spawn(|| played(&self.kafka, &script));
            let brooklet = played(&self.brooklet, &script);
            (kafka.join().unwrap(), brooklet)
        });
        let (kafka, brooklet) = match (kafka, brooklet) {
            (Ok(kafka), Ok(brooklet)) => (kafka, brooklet),
            (kafka, brooklet) => {
                let end = |played: Result<_, String>| played.err().map_or(Value::Null, Value::from);
                let (script, label, path) = (script.name, "the play".to_owned(), String::new());
                return vec![Difference { script, label, path, kafka: end(kafka), brooklet: end(brooklet) }];
            }
        };
        let intended = |difference: &Difference| {
            self.intended.iter().any(|intended| intended.covering(SUBJECT, difference).is_some())
        };
        compare(&kafka, &brooklet).into_iter().filter(|difference| !intended(difference)).collect()
    }
}

/// The error is why an answer could not be taken: it is none, or for another request.
fn played(player: &Player<'_>, script: &Script) -> Result<Vec<Exchange>, String> {
    let played = catch_unwind(AssertUnwindSafe(|| player.play_script(script)));
    played.map_err(|why| why.downcast_ref::<String>().cloned().unwrap_or_default())
}

fn kind(difference: &Difference) -> Kind {
    let api = difference.label.split(' ').next().unwrap_or_default().to_owned();
    let is_field = |step: &&str| *step != "null" && step.chars().all(|each| each.is_ascii_alphabetic());
    let path: Vec<_> = difference.path.split('/').map(|step| if is_field(&step) { step } else { "*" }).collect();
    let told = |value: &Value| match value.to_string() {
        text if text.len() > TOLD_MAX => "…".to_owned(),
        text => text,
    };
    (api, path.join("/"), told(&difference.kafka), told(&difference.brooklet))
}
