//! Holds answers against the recording, and differences against the list of those that are intended.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use serde_json::Value;

use crate::play::Exchange;
use crate::script::folder;

/// A value that is not the same.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) script: String,
    pub(crate) label: String,
    /// Where in the answer, such as `topics.0.errorCode`.
    pub(crate) path: String,
    pub(crate) kafka: Value,
    pub(crate) brooklet: Value,
}

/// A difference that is meant to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intended {
    pub(crate) subject: String,
    /// Which scripts, exchanges and paths; `*` at the end of a text is anything, in a path any step, `**` its rest.
    pub(crate) script: String,
    pub(crate) exchange: String,
    /// Each of them must be seen.
    pub(crate) paths: Vec<String>,
    #[serde(default)]
    pub(crate) kafka: Option<Value>,
    #[serde(default)]
    pub(crate) brooklet: Option<Value>,
    pub(crate) why: String,
}

impl Intended {
    pub(crate) fn list() -> Vec<Self> {
        let list: Vec<Self> =
            serde_json::from_str(&fs::read_to_string(folder().join("intended.json")).unwrap()).unwrap();
        assert!(list.iter().all(|intended| !intended.why.is_empty()), "an intended difference without a reason");
        list
    }

    /// Which of the paths covers the difference.
    pub(crate) fn covering(&self, subject: &str, difference: &Difference) -> Option<&str> {
        let value = |wanted: &Option<Value>, value: &Value| wanted.as_ref().is_none_or(|wanted| wanted == value);
        let here = self.subject == subject
            && fits(&self.script, &difference.script)
            && fits(&self.exchange, &difference.label)
            && value(&self.kafka, &difference.kafka)
            && value(&self.brooklet, &difference.brooklet);
        let path = self.paths.iter().find(|path| here && path_fits(path, &difference.path));
        path.map(String::as_str)
    }
}

/// A text, of which a `*` at the end leaves the rest open.
fn fits(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("**"), _) => return true,
            (Some(pattern), Some(step)) if pattern == "*" || pattern == step => {}
            _ => return false,
        }
    }
}

/// What one subject's answers differ in.
pub(crate) fn compare(kafka: &[Exchange], brooklet: &[Exchange]) -> Vec<Difference> {
    let key = |exchange: &Exchange| (exchange.script.clone(), exchange.label.clone());
    let recorded: Vec<_> = kafka.iter().map(key).collect();
    let played: Vec<_> = brooklet.iter().map(key).collect();
    assert_eq!(recorded, played, "the recording is not of this corpus: record it anew");
    let mut differences = Vec::new();
    for (kafka, brooklet) in kafka.iter().zip(brooklet) {
        let mut report = |path: &str, theirs: &Value, ours: &Value| {
            differences.push(Difference {
                script: kafka.script.clone(),
                label: kafka.label.clone(),
                path: path.to_owned(),
                kafka: theirs.clone(),
                brooklet: ours.clone(),
            });
        };
        diff("", &kafka.answer, &brooklet.answer, &mut report);
    }
    differences
}

fn diff(path: &str, theirs: &Value, ours: &Value, report: &mut impl FnMut(&str, &Value, &Value)) {
    let below = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}/{step}") };
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let names: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
            for name in names {
                let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                match (theirs.contains_key(name), ours.contains_key(name)) {
                    (true, true) => diff(&below(name), &of(theirs), &of(ours), report),
                    _ => report(&below(name), &of(theirs), &of(ours)),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
            for (index, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                diff(&below(&index.to_string()), theirs, ours, report);
            }
        }
        (theirs, ours) if theirs == ours => {}
        (theirs, ours) => report(path, theirs, ours),
    }
}
