//! Client quotas as they are kept (`ClientQuotaControlManager`, `ClientQuotasImage`; KIP-546, KIP-599, KIP-612).

use std::collections::BTreeMap;

use brooklet_storage::Update;
use kafka_protocol::ResponseError;

use super::{Updates, check_name};
use crate::error::ApiError;

/// Kinds of entities.
pub(crate) const USER: &str = "user";
pub(crate) const CLIENT_ID: &str = "client-id";
pub(crate) const IP: &str = "ip";

/// Whom a quota is for: names by kind. Without a name it is the default of the kind.
pub(crate) type Entity = BTreeMap<String, Option<String>>;
/// Bounds by key, such as `producer_byte_rate`.
pub(crate) type Values = BTreeMap<String, f64>;

/// What each key's bound may be.
const OF_CLIENTS: [(&str, Number); 4] = [
    ("producer_byte_rate", Number::Long),
    ("consumer_byte_rate", Number::Long),
    ("request_percentage", Number::Double),
    ("controller_mutation_rate", Number::Double),
];
const OF_ADDRESSES: [(&str, Number); 1] = [("connection_creation_rate", Number::Int)];
/// So far from a whole number it is a fraction.
const FRACTION: f64 = 1e-6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Int,
    Long,
    Double,
}

/// A change of one entity's quotas: bounds by key, in the order given; none removes it.
#[derive(Clone, Debug)]
pub(crate) struct Alteration {
    pub(crate) entity: Entity,
    pub(crate) operations: Vec<(String, Option<f64>)>,
}

/// What entities a filter lets through, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// This name, or the default where it is none.
    Exactly(Option<String>),
    /// Whatever has the kind.
    Any,
}

/// All quotas.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Quotas(BTreeMap<Entity, Values>);

impl Quotas {
    /// Quotas as they are given, unchecked.
    #[cfg(test)]
    pub(crate) fn of(quotas: impl IntoIterator<Item = (Entity, Values)>) -> Self {
        Self(quotas.into_iter().collect())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&Entity, &Values)> {
        self.0.iter()
    }

    /// The quotas of all that pass the filter; of a strict one, who has no other kinds.
    pub(crate) fn matching<'a>(
        &'a self,
        filter: &'a BTreeMap<String, Match>,
        strict: bool,
    ) -> impl Iterator<Item = (&'a Entity, &'a Values)> {
        self.0.iter().filter(move |(entity, _)| {
            let passes = |(kind, wanted): (&String, &Match)| match (entity.get(kind), wanted) {
                (None, _) => false,
                (Some(name), Match::Exactly(wanted)) => name == wanted,
                (Some(_), Match::Any) => true,
            };
            (!strict || entity.len() == filter.len()) && filter.iter().all(passes)
        })
    }

    /// What is to be recorded for the alterations, and what each entity is answered. As in Kafka one that comes twice is
    /// altered the first time and told that it is wrong. `hosts` are the addresses, and the names of hosts, among what
    /// is given for an address.
    pub(crate) fn alter(
        &self,
        alterations: Vec<Alteration>,
        hosts: &[String],
    ) -> (Vec<Update>, BTreeMap<Entity, Result<(), ApiError>>) {
        let mut updates = Updates::default();
        let mut results: BTreeMap<Entity, Result<(), ApiError>> = BTreeMap::new();
        for Alteration { entity, operations } in alterations {
            let count = operations.len();
            let operations: BTreeMap<_, _> = operations.into_iter().collect();
            let result = if results.contains_key(&entity) || operations.len() < count {
                Err(invalid(format!("Ignoring duplicate entity {}", shown(&entity))))
            } else {
                self.altered(&entity, operations, hosts).and_then(|values| {
                    let unchanged = self.0.get(&entity).map_or(values.is_empty(), |before| *before == values);
                    if unchanged { Ok(()) } else { updates.push(update(&entity, &values)) }
                })
            };
            results.insert(entity, result);
        }
        (updates.updates, results)
    }

    fn altered(
        &self,
        entity: &Entity,
        operations: BTreeMap<String, Option<f64>>,
        hosts: &[String],
    ) -> Result<Values, ApiError> {
        let keys = keys(entity, hosts)?;
        let mut values = self.0.get(entity).cloned().unwrap_or_default();
        for (key, bound) in operations {
            match bound {
                None => drop(values.remove(&key)),
                Some(bound) => {
                    check(keys, &key, bound)?;
                    values.insert(key, bound);
                }
            }
        }
        Ok(values)
    }

    /// Takes up a record that [`alter`](Self::alter) made; `None` if it is none.
    pub(super) fn replay(&mut self, entity: &str, value: Option<&[u8]>) -> Option<()> {
        let entity: Entity = serde_json::from_str(entity).ok()?;
        let Some(value) = value else {
            self.0.remove(&entity);
            return Some(());
        };
        let written: BTreeMap<String, String> = serde_json::from_slice(value).ok()?;
        let read = |(key, bound): (String, String)| Some((key, bound.parse().ok()?));
        self.0.insert(entity, written.into_iter().map(read).collect::<Option<_>>()?);
        Some(())
    }

    /// Bytes that the names and keys take.
    pub(super) fn weight(&self) -> usize {
        let of_name = |(kind, name): (&String, &Option<String>)| kind.len() + name.as_ref().map_or(0, String::len);
        let of_value = |key: &String| key.len() + size_of::<f64>();
        let weight = |(entity, values): (&Entity, &Values)| {
            entity.iter().map(of_name).sum::<usize>() + values.keys().map(of_value).sum::<usize>()
        };
        self.0.iter().map(weight).sum()
    }
}

/// Where the record of an entity's quotas stands, before its name.
pub(super) const PREFIX: &str = "quota/";

/// The entity's quotas are these from now on.
fn update(entity: &Entity, values: &Values) -> Update {
    // Maps of texts: nothing that JSON cannot say. It could not say what is no number, which Kafka takes for a quota.
    let json = |it: serde_json::Result<Vec<u8>>| it.unwrap_or_default();
    let written: BTreeMap<_, _> = values.iter().map(|(key, bound)| (key, bound.to_string())).collect();
    let key = [PREFIX.as_bytes(), &json(serde_json::to_vec(entity))].concat();
    (key, (!values.is_empty()).then(|| json(serde_json::to_vec(&written))))
}

fn invalid(message: String) -> ApiError {
    ApiError::new(ResponseError::InvalidRequest, message)
}

/// As Kafka shows an entity in its messages.
fn shown(entity: &Entity) -> String {
    let pair = |(kind, name): (&String, &Option<String>)| format!("{kind}={}", name.as_deref().unwrap_or("null"));
    format!("ClientQuotaEntity(entries={{{}}})", entity.iter().map(pair).collect::<Vec<_>>().join(", "))
}

/// The keys that an entity may have, if it is one.
fn keys(entity: &Entity, hosts: &[String]) -> Result<&'static [(&'static str, Number)], ApiError> {
    if entity.is_empty() {
        return Err(invalid("Invalid empty client quota entity".to_owned()));
    }
    for (kind, name) in entity {
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return Err(invalid(format!("Unhandled client quota entity type: {kind}")));
        }
        match name {
            Some(empty) if empty.is_empty() => return Err(invalid(format!("Empty {kind} not supported"))),
            Some(name) => check_name(name)?,
            None => {}
        }
    }
    match entity.get(IP) {
        None => Ok(&OF_CLIENTS),
        Some(_) if entity.len() > 1 => {
            let message = "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId";
            Err(invalid(message.to_owned()))
        }
        Some(Some(address)) if !hosts.contains(address) => {
            Err(invalid(format!("{address} is not a valid IP or resolvable host.")))
        }
        Some(_) => Ok(&OF_ADDRESSES),
    }
}

fn check(keys: &[(&str, Number)], key: &str, bound: f64) -> Result<(), ApiError> {
    let known = keys.iter().find(|(known, _)| *known == key);
    let Some((_, number)) = known else { return Err(invalid(format!("Invalid configuration key {key}"))) };
    if bound <= 0.0 {
        return Err(invalid(format!("Quota {key} must be greater than 0")));
    }
    let (max, name) = match number {
        Number::Double => return Ok(()),
        Number::Int => (f64::from(i32::MAX), "an INT"),
        Number::Long => (i64::MAX as f64, "a LONG"),
    };
    if bound > max {
        return Err(invalid(format!("Proposed value for {key} is too large for {name}.")));
    }
    if (bound % 1.0).abs() > FRACTION {
        return Err(invalid(format!("{key} cannot be a fractional value.")));
    }
    Ok(())
}
