//! What comes and goes: topics, partitions, settings, hidden logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_model::TopicId;

use super::{Records, Storage, Topics, topic_config};
use crate::catalogue::{self, CATALOGUE_NAME, Contents, TopicRecord};
use crate::topic::{HIDDEN_PREFIX, is_file_name};
use crate::{
    AlterResourceError, AlterTopicError, CreateTopicError, DeleteTopicError, LogConfig, LogConfigError, NewTopic,
    PartitionLog, Settings, StorageError, Table, Topic, is_legal_topic_name,
};

/// What a hidden log of updates by key has of its own. A null value outlives by far the checkpoint that takes it to sled:
/// were it gone before that, a crash would bring back what it removed.
const TABLE_OVERRIDES: [(&str, &str); 3] =
    [("cleanup.policy", "compact"), ("segment.bytes", "1048576"), ("delete.retention.ms", "3600000")];

/// The settings on record of a hidden log of updates by key.
pub(super) fn table_overrides() -> Settings {
    TABLE_OVERRIDES.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The settings of a hidden log.
pub(super) fn hidden_config(name: &str, overrides: &Settings) -> LogConfig {
    let hidden = LogConfig::hidden();
    hidden.with_overrides(overrides).unwrap_or_else(|error| {
        tracing::warn!(log = name, %error, "the log goes on without settings of its own");
        hidden
    })
}

impl Storage {
    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().by_name.get(name).cloned()
    }

    /// The topic of that id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        self.topics.read().by_id.get(&id).cloned()
    }

    /// All topics by name; brooklet's own logs are not among them.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.topics.read().by_name.values().cloned().collect()
    }

    /// The log of a topic's partition.
    pub fn log(&self, topic: &str, partition: i32) -> Option<Arc<PartitionLog>> {
        let index = usize::try_from(partition).ok()?;
        self.topics.read().by_name.get(topic)?.partitions.get(index).cloned()
    }

    /// Creates a topic. It is on record and usable at once when this returns.
    pub fn create_topic(&self, topic: NewTopic) -> Result<Arc<Topic>, CreateTopicError> {
        let mut records = self.records.lock();
        if let Some(existing) = self.topic(&topic.name) {
            return Err(CreateTopicError::Exists(existing));
        }
        if !is_legal_topic_name(&topic.name) {
            return Err(CreateTopicError::InvalidName(topic.name));
        }
        if topic.partitions < 1 {
            return Err(CreateTopicError::InvalidPartitions(topic.partitions));
        }
        let config = self.topic_settings(&records)?.with_overrides(&topic.overrides)?;
        let id = TopicId::new_v4();
        let logs = records.numbers(topic.partitions);
        let record = TopicRecord { id, logs, overrides: topic.overrides, internal: topic.internal };
        let name: Arc<str> = topic.name.as_str().into();
        self.catalogue.write(&vec![catalogue::put_next_log(records.next_log), catalogue::put_topic(&name, &record)])?;
        records.topics.insert(topic.name, record.clone());
        self.publish(&name, &record, config, &[]).map_err(CreateTopicError::Storage)
    }

    /// Deletes a topic and its records, in a way that a crash cannot undo or leave half done.
    pub fn delete_topic(&self, name: &str) -> Result<(), DeleteTopicError> {
        let mut records = self.records.lock();
        let Some(record) = records.topics.get(name).cloned() else {
            return Err(DeleteTopicError::Unknown(name.to_owned()));
        };
        self.catalogue.write(&catalogue::begin_delete("topic", name, &record))?;
        records.topics.remove(name);
        let removed = self.topics.write().take(name);
        self.changed();
        let logs = removed.map(|topic| topic.partitions.clone()).unwrap_or_default();
        Ok(self.remove_logs(record.id, &logs)?)
    }

    /// Replaces a topic's overrides. They hold for its partitions at once.
    pub fn alter_topic_config(
        &self,
        name: &str,
        overrides: BTreeMap<String, String>,
    ) -> Result<Arc<Topic>, AlterTopicError> {
        let mut records = self.records.lock();
        let (topic, record) = self.existing(&records, name)?;
        let config = self.topic_settings(&records)?.with_overrides(&overrides)?;
        let record = TopicRecord { overrides, ..record };
        self.catalogue.write(&vec![catalogue::put_topic(name, &record)])?;
        records.topics.insert(name.to_owned(), record.clone());
        Ok(self.publish(&topic.name, &record, config, &topic.partitions)?)
    }

    /// Adds partitions to a topic, `total` being how many it has then.
    pub fn create_partitions(&self, name: &str, total: i32) -> Result<Arc<Topic>, AlterTopicError> {
        let mut records = self.records.lock();
        let (topic, mut record) = self.existing(&records, name)?;
        let partitions = i32::try_from(record.logs.len()).unwrap_or(i32::MAX);
        if total <= partitions {
            return Err(AlterTopicError::InvalidPartitions { name: name.to_owned(), partitions });
        }
        record.logs.extend(records.numbers(total - partitions));
        self.catalogue.write(&vec![catalogue::put_next_log(records.next_log), catalogue::put_topic(name, &record)])?;
        records.topics.insert(name.to_owned(), record.clone());
        let config = LogConfig::clone(&topic.config);
        Ok(self.publish(&topic.name, &record, config, &topic.partitions)?)
    }

    /// The log of brooklet's own that has that name, created if missing. The name begins with `__brooklet_`; no
    /// client sees it.
    pub fn hidden_log(&self, name: &str) -> Result<Arc<PartitionLog>, StorageError> {
        self.hidden(name, BTreeMap::new())
    }

    /// As [`hidden_log`](Self::hidden_log), for updates by key: it is compacted, so that its size is bounded by what it
    /// is about.
    pub fn hidden_table(&self, name: &str) -> Result<Arc<Table>, StorageError> {
        let log = self.hidden(name, table_overrides())?;
        let mut records = self.records.lock();
        if let Some(record) = records.hidden.get_mut(name).filter(|record| record.overrides != table_overrides()) {
            // It was made when such logs had other settings.
            let now = TopicRecord { overrides: table_overrides(), ..record.clone() };
            self.catalogue.write(&vec![catalogue::put_hidden(name, &now)])?;
            log.set_config(Arc::new(hidden_config(name, &now.overrides)));
            *record = now;
        }
        drop(records);
        self.table(log)
    }

    fn hidden(&self, name: &str, overrides: Settings) -> Result<Arc<PartitionLog>, StorageError> {
        if let Some(log) = self.known_hidden_log(name) {
            return Ok(log);
        }
        let mut records = self.records.lock();
        if let Some(log) = self.known_hidden_log(name) {
            return Ok(log);
        }
        if !is_file_name(name) || !name.starts_with(HIDDEN_PREFIX) || name == CATALOGUE_NAME {
            let text = format!("`{name}` cannot be the name of a hidden log");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, text).into());
        }
        let known = records.hidden.get(name).cloned();
        let record = match known {
            Some(record) => record,
            None => {
                let logs = records.numbers(1);
                let record = TopicRecord { id: TopicId::new_v4(), logs, overrides, internal: true };
                self.catalogue
                    .write(&vec![catalogue::put_next_log(records.next_log), catalogue::put_hidden(name, &record)])?;
                records.hidden.insert(name.to_owned(), record.clone());
                record
            }
        };
        let number = record.logs.first().copied().unwrap_or_default();
        let log = self.opener().open(name, 0, number, record.id, hidden_config(name, &record.overrides), 0)?;
        self.topics.write().hidden.insert(name.to_owned(), log.clone());
        Ok(log)
    }

    /// The log of brooklet's own that has that name, if there is one.
    pub fn known_hidden_log(&self, name: &str) -> Option<Arc<PartitionLog>> {
        self.topics.read().hidden.get(name).cloned()
    }

    /// Removes a hidden log with all that is in it; whether there was one.
    pub fn remove_hidden_log(&self, name: &str) -> Result<bool, StorageError> {
        let mut records = self.records.lock();
        let Some(record) = records.hidden.get(name).cloned() else { return Ok(false) };
        self.catalogue.write(&catalogue::begin_delete("hidden", name, &record))?;
        records.hidden.remove(name);
        let log = self.topics.write().hidden.remove(name);
        self.remove_logs(record.id, &log.into_iter().collect::<Vec<_>>())?;
        Ok(true)
    }

    /// Ends the deletions that a crash interrupted.
    pub(super) fn finish_deletions(&self, contents: &Contents) {
        for (id, deleting) in &contents.deleting {
            tracing::info!(topic = deleting.name, "a deletion goes on");
            let mut done = Ok(());
            for (partition, number) in (0..).zip(&deleting.logs) {
                self.forget(*number);
                let partition = brooklet_model::TopicPartition::new(deleting.name.as_str(), partition);
                done = done.and(self.stores.remove(&partition, *number, *id).map_err(StorageError::from));
            }
            if let Err(error) = done.and_then(|()| self.catalogue.write(&catalogue::end_delete(*id))) {
                tracing::warn!(topic = deleting.name, %error, "the deletion did not come to its end");
            }
        }
    }

    /// What holds for topics without settings of their own.
    fn topic_settings(&self, records: &Records) -> Result<LogConfig, LogConfigError> {
        self.started_with.with_overrides(&records.topic_defaults)
    }

    /// Has every topic go by the defaults on record, and by its own settings.
    pub(super) fn configure_topics(&self, records: &Records) -> Result<(), AlterResourceError> {
        let defaults = self.topic_settings(records)?;
        for (name, record) in &records.topics {
            if let Some(topic) = self.topic(name) {
                let config = topic_config(name, &defaults, &record.overrides);
                self.publish(&topic.name, record, config, &topic.partitions)?;
            }
        }
        Ok(())
    }

    fn existing(&self, records: &Records, name: &str) -> Result<(Arc<Topic>, TopicRecord), AlterTopicError> {
        let found = self.topic(name).zip(records.topics.get(name).cloned());
        found.ok_or_else(|| AlterTopicError::Unknown(name.to_owned()))
    }

    /// Makes what is on record what there is; `partitions` are those that are open.
    fn publish(
        &self,
        name: &Arc<str>,
        record: &TopicRecord,
        config: LogConfig,
        partitions: &[Arc<PartitionLog>],
    ) -> Result<Arc<Topic>, StorageError> {
        let config = Arc::new(config);
        let mut partitions = partitions.to_vec();
        partitions.iter().for_each(|log| log.set_config(config.clone()));
        let opener = self.opener();
        for (partition, number) in (0..).zip(&record.logs).skip(partitions.len()) {
            partitions.push(opener.open(name.clone(), partition, *number, record.id, LogConfig::clone(&config), 0)?);
        }
        let topic = self.topics.write().put(Topic {
            name: name.clone(),
            id: record.id,
            internal: record.internal,
            overrides: record.overrides.clone(),
            config,
            partitions,
        });
        self.changed();
        Ok(topic)
    }

    fn remove_logs(&self, id: TopicId, logs: &[Arc<PartitionLog>]) -> Result<(), StorageError> {
        let mut done = Ok(());
        for log in logs {
            done = done.and(log.delete());
            self.forget(log.number());
        }
        // What is left is removed at the next start.
        done?;
        self.catalogue.write(&catalogue::end_delete(id))
    }

    fn forget(&self, number: u32) {
        if let Some(index) = &self.shared.index {
            index.forget(number);
            index.forget_table(number);
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Records {
    /// Takes numbers for new logs.
    fn numbers(&mut self, count: i32) -> Vec<u32> {
        let first = self.next_log;
        self.next_log = first.saturating_add(count.unsigned_abs());
        (first..self.next_log).collect()
    }
}

impl Topics {
    pub(super) fn put(&mut self, topic: Topic) -> Arc<Topic> {
        let topic = Arc::new(topic);
        self.by_name.insert(topic.name.clone(), topic.clone());
        self.by_id.insert(topic.id, topic.clone());
        topic
    }

    fn take(&mut self, name: &str) -> Option<Arc<Topic>> {
        let topic = self.by_name.remove(name)?;
        self.by_id.remove(&topic.id);
        Some(topic)
    }
}

#[cfg(test)]
mod tests;
