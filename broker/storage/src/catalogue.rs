//! What there is: topics, hidden logs, log starts, and what is being deleted. Every change is a record of the hidden
//! log `__brooklet_catalog` before it is anything else.
//!
//! Keys are `topic/NAME`, `hidden/NAME`, `start/NUMBER`, `deleting/ID`, `next`, `config/KIND/NAME` (the settings of
//! what is no topic) and `defaults` (those of topics without their own); values are JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::TopicId;
use serde::{Deserialize, Serialize};

use crate::{Engine, Fsync, Settings, StorageError, Table};

/// The catalogue's own log.
pub(crate) const CATALOGUE_NAME: &str = "__brooklet_catalog";
/// Its number; those of other logs follow.
pub(crate) const CATALOGUE_NUMBER: u32 = 0;
/// Its id.
pub(crate) const CATALOGUE_ID: TopicId = TopicId::from_u128(0x6272_6f6f_6b6c_4574_8000_0000_0000_0001);

/// A topic or hidden log on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TopicRecord {
    #[serde(with = "id_text")]
    pub(crate) id: TopicId,
    /// The number of each partition's log.
    pub(crate) logs: Vec<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) overrides: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) internal: bool,
}

/// A topic on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletingRecord {
    pub(crate) name: String,
    pub(crate) logs: Vec<u32>,
}

/// Something that has settings and is no topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resource {
    /// `ConfigResource.Type`
    pub(crate) kind: i8,
    pub(crate) name: String,
}

/// All that is on record.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) topics: BTreeMap<String, TopicRecord>,
    pub(crate) hidden: BTreeMap<String, TopicRecord>,
    pub(crate) starts: BTreeMap<u32, i64>,
    pub(crate) deleting: BTreeMap<TopicId, DeletingRecord>,
    /// The number of the next log; no number is ever used twice.
    pub(crate) next_log: u32,
    pub(crate) resources: BTreeMap<Resource, Settings>,
    pub(crate) topic_defaults: Settings,
}

/// A key and what stands under it from now on.
type Change = (Vec<u8>, Option<Vec<u8>>);
/// Changes that hold together or not at all.
pub(crate) type Changes = Vec<Change>;

pub(crate) struct Catalogue {
    table: Arc<Table>,
}

impl Catalogue {
    pub(crate) fn new(table: Arc<Table>) -> Self {
        Self { table }
    }

    /// Reads everything.
    pub(crate) fn contents(&self) -> Result<Contents, StorageError> {
        let mut contents = Contents { next_log: CATALOGUE_NUMBER + 1, ..Contents::default() };
        let mut damaged = None;
        self.table.for_each(&mut |key, value| {
            if contents.take(key, value).is_none() {
                damaged = Some(String::from_utf8_lossy(key).into_owned());
            }
        })?;
        match damaged {
            None => Ok(contents),
            Some(key) => Err(StorageError::Damaged(format!("the record of {key}").into())),
        }
    }

    /// Puts changes on record: when this returns, they outlive what an acknowledged append outlives.
    pub(crate) fn write(&self, changes: &Changes) -> Result<(), StorageError> {
        let log = self.table.log();
        let shared = log.shared();
        self.table.append(shared.clock.now(), changes)?;
        match (shared.engine, &shared.index) {
            (Engine::Segments, _) if shared.fsync == Fsync::Always => drop(log.sync()?),
            (Engine::Sled, Some(index)) => index.flush(shared.fsync == Fsync::Always)?,
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn record_log_start(&self, number: u32, start: i64) -> Result<(), StorageError> {
        self.write(&vec![put_start(number, start)])
    }

    pub(crate) fn log(&self) -> &Arc<crate::PartitionLog> {
        self.table.log()
    }
}

impl Contents {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let key = std::str::from_utf8(key).ok()?;
        match key.split_once('/').unwrap_or((key, "")) {
            ("topic", name) => drop(self.topics.insert(name.to_owned(), parse(value)?)),
            ("hidden", name) => drop(self.hidden.insert(name.to_owned(), parse(value)?)),
            ("start", number) => drop(self.starts.insert(number.parse().ok()?, parse(value)?)),
            ("deleting", id) => drop(self.deleting.insert(id.parse().ok()?, parse(value)?)),
            ("next", _) => self.next_log = parse(value)?,
            ("config", resource) => {
                let (kind, name) = resource.split_once('/')?;
                let resource = Resource { kind: kind.parse().ok()?, name: name.to_owned() };
                self.resources.insert(resource, parse(value)?);
            }
            ("defaults", _) => self.topic_defaults = parse(value)?,
            // Of a later version that says so by no new format: nothing that this one needs.
            _ => {}
        }
        Some(())
    }
}

fn parse<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Option<T> {
    serde_json::from_slice(value).ok()
}

fn put(key: String, value: &impl Serialize) -> Change {
    // Maps with keys of text and numbers: nothing that JSON cannot say.
    (key.into_bytes(), Some(serde_json::to_vec(value).unwrap_or_default()))
}

pub(crate) fn put_topic(name: &str, topic: &TopicRecord) -> Change {
    put(format!("topic/{name}"), topic)
}

pub(crate) fn put_hidden(name: &str, log: &TopicRecord) -> Change {
    put(format!("hidden/{name}"), log)
}

pub(crate) fn put_next_log(next: u32) -> Change {
    put("next".to_owned(), &next)
}

pub(crate) fn put_start(number: u32, start: i64) -> Change {
    put(format!("start/{number}"), &start)
}

/// Without settings there is nothing to keep.
pub(crate) fn put_resource(resource: &Resource, settings: &Settings) -> Change {
    let key = format!("config/{}/{}", resource.kind, resource.name);
    if settings.is_empty() { (key.into_bytes(), None) } else { put(key, settings) }
}

pub(crate) fn put_topic_defaults(settings: &Settings) -> Change {
    put("defaults".to_owned(), settings)
}

/// Takes a topic (or hidden log) out and says what is to be removed.
pub(crate) fn begin_delete(kind: &str, name: &str, topic: &TopicRecord) -> Changes {
    let deleting = DeletingRecord { name: name.to_owned(), logs: topic.logs.clone() };
    let mut changes =
        vec![(format!("{kind}/{name}").into_bytes(), None), put(format!("deleting/{}", topic.id), &deleting)];
    changes.extend(topic.logs.iter().map(|number| (format!("start/{number}").into_bytes(), None)));
    changes
}

/// All that was to be removed is.
pub(crate) fn end_delete(id: TopicId) -> Changes {
    vec![(format!("deleting/{id}").into_bytes(), None)]
}

/// Ids as text.
mod id_text {
    use brooklet_model::TopicId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &TopicId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TopicId, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
