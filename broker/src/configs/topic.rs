//! What holds for a topic: its own settings, and those that it takes over from its broker.

use brooklet_storage::Settings;

use super::broker::{self, BrokerSettings};
use super::{Synonym, Told};
use crate::topics::config::{Definition, Source, TABLE};

/// The wanted settings as they hold for a topic with these overrides.
pub(crate) fn told(overrides: &Settings, broker: &BrokerSettings, wanted: impl Fn(&str) -> bool) -> Vec<Told> {
    let tell = |definition: &'static Definition| {
        let own = overrides.get(definition.name).map(|value| definition.canonical(value));
        let own = own.map(|value| Synonym::new(definition.name, &value, Source::Topic));
        let of_broker = definition.synonym.map(|name| broker.synonyms(name, |name| [None, default_synonym(name)]));
        let synonyms: Vec<_> = own.into_iter().chain(of_broker.into_iter().flatten()).collect();
        let first = synonyms.first().and_then(|first| first.value.as_deref());
        let value = first.map_or_else(|| definition.default.to_owned(), |value| definition.canonical(value));
        Told {
            name: definition.name.into(),
            kind: definition.kind,
            value: Some(value),
            source: synonyms.first().map_or(Source::Default, |first| first.source),
            read_only: false,
            sensitive: false,
            synonyms,
            doc: definition.doc,
        }
    };
    TABLE.iter().filter(|definition| wanted(definition.name)).map(tell).collect()
}

/// What holds on a broker where nothing is set.
fn default_synonym(name: &str) -> Option<Synonym> {
    Some(Synonym::new(name.to_owned(), broker::default_of(name)?, Source::Default))
}
