//! What is asked: the subjects of tests/conformance/corpus. README.md there says how they are written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use serde::Deserialize;
use serde_json::Value;

/// A file of the corpus: scripts that share one fresh broker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    #[serde(skip)]
    pub(crate) name: String,
    /// What must answer before Kafka is asked: `groups`, `transactions`.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    pub(crate) scripts: Vec<Script>,
}

/// Steps in order, on connections of their own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub(crate) name: String,
    /// What it is there for, where the name does not say.
    #[serde(default, rename = "shows")]
    _shows: String,
    /// What variables are before they are kept, and where the answer lacks them; 0 unless said.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Value>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    /// Stands in the recording instead of API and version.
    pub(crate) name: Option<String>,
    pub(crate) api: Option<String>,
    /// A version, a list of them, or `lowest`, `highest`, `both`, `all`.
    pub(crate) v: Value,
    pub(crate) body: Value,
    /// Bytes in place of the body.
    pub(crate) raw: Option<Value>,
    /// Bytes in place of the whole frame, its length included.
    pub(crate) frame: Option<Value>,
    /// The connection; opened on first use.
    pub(crate) on: Option<String>,
    /// The client id.
    pub(crate) client: Option<String>,
    /// Variables and where in the answer their values stand.
    pub(crate) keep: BTreeMap<String, String>,
    /// What the answer must say before Kafka's is taken; it is asked again until then.
    pub(crate) until: BTreeMap<String, Value>,
    /// What the answer must say before either broker's is taken: what a request on another connection, that is not
    /// answered yet, is to have done.
    pub(crate) wait: BTreeMap<String, Value>,
    /// Fields whose text is compared word by word.
    pub(crate) exact: Vec<String>,
    /// The answer is taken by a later step.
    pub(crate) later: bool,
    /// There is no answer.
    pub(crate) silent: bool,
    /// Takes the answer of that connection.
    pub(crate) answer: Option<String>,
    /// Closes that connection.
    pub(crate) close: Option<String>,
    /// The version that the answer comes in, if another.
    pub(crate) answered_as: Option<i16>,
    /// Not recorded: it only prepares what follows.
    pub(crate) quiet: bool,
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance")
}

/// The corpus, or the subjects of it that `CONFORMANCE_ONLY` names.
pub(crate) fn corpus() -> Vec<Subject> {
    let only = env::var("CONFORMANCE_ONLY").ok();
    let mut paths: Vec<_> = fs::read_dir(folder().join("corpus")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = paths.into_iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path));
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only.split(',').any(|each| each == name));
    named
        .filter(|(name, _)| wanted(name))
        .map(|(name, path)| {
            let text = fs::read_to_string(&path).unwrap();
            let subject: Subject = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            Subject { name, ..subject }
        })
        .collect()
}

/// Puts variables in: `"$name"` is the value itself, `${name}` stands for it inside a text.
pub(crate) fn substitute(value: &Value, variables: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => variables.get(name).unwrap_or_else(|| panic!("no variable {name}")).clone(),
            None => interpolate(text, variables).into(),
        },
        Value::Array(values) => values.iter().map(|value| substitute(value, variables)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), substitute(value, variables))).collect()
        }
        other => other.clone(),
    }
}

fn interpolate(text: &str, variables: &BTreeMap<String, Value>) -> String {
    let mut text = text.to_owned();
    for (name, value) in variables {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text = text.replace(&format!("${{{name}}}"), &value);
    }
    text
}

/// What stands at a path such as `topics.0.name`.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, step| match step.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[step],
    })
}
