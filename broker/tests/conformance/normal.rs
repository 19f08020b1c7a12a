//! Makes answers of two brokers comparable: identifiers, times and addresses become names in the order in which they
//! appear, lists whose order means nothing become maps, and texts of errors only say that there is one.

use std::collections::BTreeMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::script::folder;

/// A time that near is taken for the broker's clock.
const NEAR_MS: i64 = 24 * 60 * 60 * 1000;
/// What names of random plays begin with.
pub(crate) const MARK: &str = "rnd-";
const UUID_LEN: usize = 36;

/// Lists without an order, as `API.field.field`, and the field that tells their elements apart.
pub(crate) type Unordered = BTreeMap<String, String>;

pub(crate) fn unordered() -> Unordered {
    serde_json::from_str(&fs::read_to_string(folder().join("unordered.json")).unwrap()).unwrap()
}

/// What one script has seen.
#[derive(Default)]
pub(crate) struct Normaliser {
    pub(crate) port: u16,
    /// What the script's own names begin with, where others' plays are on the same broker: theirs are left out.
    pub(crate) mark: Option<String>,
    api: String,
    seen: BTreeMap<&'static str, Vec<String>>,
}

impl Normaliser {
    pub(crate) fn answer(&mut self, api: &str, answer: Value, unordered: &Unordered, exact: &[String]) -> Value {
        let mut answer = answer;
        if let Some(mark) = &self.mark {
            leave_out_others(&mut answer, mark);
        }
        let mut answer = keyed(answer, api, unordered);
        self.api = api.to_owned();
        self.walk(&mut answer, "", exact);
        answer
    }

    fn walk(&mut self, value: &mut Value, field: &str, exact: &[String]) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.walk(value, field, exact)),
            Value::Object(fields) => {
                let mut names: Vec<_> = fields.keys().cloned().collect();
                names.sort();
                for name in names {
                    let mut value = fields.remove(&name).unwrap_or_default();
                    self.walk(&mut value, &name, exact);
                    fields.insert(self.text(&name), value);
                }
            }
            Value::String(text) => *value = self.named_text(field, text, exact).into(),
            Value::Number(number) => {
                if let Some(name) = number.as_i64().and_then(|number| self.named_number(field, number)) {
                    *value = name.into();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn named_text(&mut self, field: &str, text: &str, exact: &[String]) -> String {
        match field {
            "errorMessage" | "batchIndexErrorMessage" | "statusDetail" | "documentation"
                if !text.is_empty() && !exact.iter().any(|name| name == field) =>
            {
                "<text>".to_owned()
            }
            "clusterId" => "<cluster>".to_owned(),
            "logDir" if text.starts_with('/') => "<dir>".to_owned(),
            _ => self.text(text),
        }
    }

    /// Identifiers and addresses inside a text.
    fn text(&mut self, text: &str) -> String {
        let mut named = text.replace(&format!(":{}", self.port), ":<port>");
        if let Some(mark) = &self.mark {
            named = named.replace(mark, "~");
        }
        let mut from = 0;
        while let Some((at, id)) = find_uuid(&named, from) {
            let name = self.name("id", &id);
            named.replace_range(at..at + UUID_LEN, &name);
            from = at + name.len();
        }
        named
    }

    fn named_number(&mut self, field: &str, number: i64) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        match field {
            "producerId" | "currentProducerId" if number >= 0 => Some(self.name("producer", &number.to_string())),
            "sessionId" if number != 0 => Some(self.name("session", &number.to_string())),
            "port" if number == i64::from(self.port) => Some("<port>".to_owned()),
            "finalizedFeaturesEpoch" if number >= 0 => Some("<epoch>".to_owned()),
            // How long the log of the cluster's metadata is, and how often its leader was elected.
            "highWatermark" | "logEndOffset" | "leaderEpoch" if self.api == "DescribeQuorum" && number > 0 => {
                Some("<number>".to_owned())
            }
            // The listener of the controllers.
            "port" if self.api == "DescribeQuorum" => Some("<port>".to_owned()),
            "throttleTimeMs" if number > 0 => Some("<throttle>".to_owned()),
            "totalBytes" | "usableBytes" if number > 0 => Some("<bytes>".to_owned()),
            _ if (number - now).abs() < NEAR_MS => Some("<now>".to_owned()),
            _ => None,
        }
    }

    fn name(&mut self, kind: &'static str, value: &str) -> String {
        let seen = self.seen.entry(kind).or_default();
        let number = seen.iter().position(|known| known == value).unwrap_or_else(|| {
            seen.push(value.to_owned());
            seen.len() - 1
        });
        format!("<{kind} {}>", number + 1)
    }
}

fn find_uuid(text: &str, from: usize) -> Option<(usize, String)> {
    let zero = crate::schema::ZERO_UUID;
    let is_id = |part: &&str| {
        part.len() == UUID_LEN
            && *part != zero
            && part.match_indices('-').count() >= 4
            && uuid::Uuid::parse_str(part).is_ok()
    };
    (from..text.len()).find_map(|at| {
        let part = text.get(at..at + UUID_LEN).filter(is_id)?;
        Some((at, part.to_owned()))
    })
}

/// Leaves out what has the name of another play than that of `mark`; false where that is the value itself.
fn leave_out_others(value: &mut Value, mark: &str) -> bool {
    match value {
        Value::String(text) => !text.starts_with(MARK) || text.starts_with(mark),
        Value::Array(values) => {
            values.retain_mut(|value| leave_out_others(value, mark));
            true
        }
        Value::Object(fields) => fields.values_mut().all(|value| leave_out_others(value, mark)),
        _ => true,
    }
}

/// Makes maps of the lists that have no order.
fn keyed(value: Value, path: &str, unordered: &Unordered) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = keyed(value, &format!("{path}.{name}"), unordered);
                (name, value)
            })
            .collect(),
        Value::Array(values) => {
            let values: Vec<_> = values.into_iter().map(|value| keyed(value, path, unordered)).collect();
            match unordered.get(path) {
                None => Value::Array(values),
                Some(key) => by_key(values, key),
            }
        }
        other => other,
    }
}

fn by_key(values: Vec<Value>, key: &str) -> Value {
    let part = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let name = |value: &Value| match value.is_object() {
        true => key.split(',').map(|field| part(&value[field])).collect::<Vec<_>>().join("/"),
        false => part(value),
    };
    let mut map = Map::new();
    for value in values {
        let name = name(&value);
        let free = |name: &String| !map.contains_key(name);
        let unique = (2..).map(|number| format!("{name} ({number})"));
        let unique = std::iter::once(name.clone()).chain(unique).find(free).unwrap();
        map.insert(unique, value);
    }
    Value::Object(map)
}
