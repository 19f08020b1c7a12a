//! Settings of what is no topic: brokers, subscriptions to metrics, groups. They are kept as they are given; what they
//! mean is the caller's, but for those that hold for topics without their own.

use std::collections::BTreeMap;

use super::Storage;
use crate::catalogue::{self, Resource};
use crate::{AlterResourceError, Settings};

/// Resources that have settings of their own, of all kinds together.
const RESOURCES_MAX: usize = 10_000;
/// Bytes of the names and values of all of them: 16 MiB.
const BYTES_MAX: usize = 16 << 20;

impl Storage {
    /// The settings of a resource by its kind (`ConfigResource.Type`) and name; none if it has none of its own.
    pub fn resource_config(&self, kind: i8, name: &str) -> Settings {
        self.resources.read().get(&Resource { kind, name: name.to_owned() }).cloned().unwrap_or_default()
    }

    /// One setting of a resource, if it has it.
    pub fn resource_setting(&self, kind: i8, name: &str, setting: &str) -> Option<String> {
        self.resources.read().get(&Resource { kind, name: name.to_owned() })?.get(setting).cloned()
    }

    /// The names of the resources of a kind that have settings of their own, in order.
    pub fn resource_names(&self, kind: i8) -> Vec<String> {
        let resources = self.resources.read();
        resources.keys().filter(|resource| resource.kind == kind).map(|resource| resource.name.clone()).collect()
    }

    /// What topics have that do not set it themselves, by the names that topics have for it.
    pub fn topic_defaults(&self) -> Settings {
        self.records.lock().topic_defaults.clone()
    }

    /// Replaces a resource's settings, and with `topic_defaults` what holds for topics without their own; it holds at
    /// once. Both are on record, or neither, when this returns.
    pub fn alter_resource_config(
        &self,
        kind: i8,
        name: &str,
        settings: Settings,
        topic_defaults: Option<Settings>,
    ) -> Result<(), AlterResourceError> {
        let mut records = self.records.lock();
        let resource = Resource { kind, name: name.to_owned() };
        self.check_room(&resource, &settings)?;
        let mut changes = vec![catalogue::put_resource(&resource, &settings)];
        let changed = topic_defaults.filter(|defaults| *defaults != records.topic_defaults);
        if let Some(defaults) = &changed {
            self.started_with.with_overrides(defaults)?;
            changes.push(catalogue::put_topic_defaults(defaults));
        }
        self.catalogue.write(&changes)?;
        match settings.is_empty() {
            true => self.resources.write().remove(&resource),
            false => self.resources.write().insert(resource, settings),
        };
        if let Some(defaults) = changed {
            records.topic_defaults = defaults;
            self.configure_topics(&records)?;
        }
        Ok(())
    }
}

impl Storage {
    fn check_room(&self, resource: &Resource, settings: &Settings) -> Result<(), AlterResourceError> {
        let resources = self.resources.read();
        let is_new = !settings.is_empty() && !resources.contains_key(resource);
        if is_new && resources.len() >= RESOURCES_MAX {
            return Err(AlterResourceError::TooMany(RESOURCES_MAX));
        }
        let others = resources.iter().filter(|(other, _)| *other != resource);
        let bytes: usize = others.map(|(other, settings)| bytes_of(other, settings)).sum();
        // Whoever makes it less is let.
        let had = resources.get(resource).map_or(0, |settings| bytes_of(resource, settings));
        let has = bytes_of(resource, settings);
        if has > had && bytes.saturating_add(has) > BYTES_MAX {
            return Err(AlterResourceError::TooLarge(BYTES_MAX));
        }
        Ok(())
    }
}

fn bytes_of(resource: &Resource, settings: &Settings) -> usize {
    let texts = settings.iter().map(|(name, value)| name.len() + value.len());
    resource.name.len() + texts.sum::<usize>()
}

/// The settings of all resources.
pub(super) type Resources = BTreeMap<Resource, Settings>;
