//! Levels of features (`FeatureControlManager`; KIP-584): what the cluster as a whole has been told to do.

use std::collections::BTreeMap;

use brooklet_storage::Update;
use kafka_protocol::ResponseError;

use crate::error::ApiError;
use crate::shared::NODE_ID;

/// A feature, the levels of it that are known here, and the one of a new cluster, as Kafka 4.2 has them. Of Kafka's
/// others there is nothing here: neither its newer group protocols, nor voters that come and go.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    pub(crate) min: i16,
    pub(crate) max: i16,
    new: i16,
}

pub(crate) const FEATURES: [Feature; 3] = [
    // With one replica none is ever to be elected outside of those in sync (KIP-966): the level changes nothing.
    Feature { name: "eligible.leader.replicas.version", min: 0, max: 1, new: 1 },
    Feature { name: METADATA_VERSION, min: 7, max: 29, new: 29 },
    // Tells clients which protocol of transactions to speak (KIP-890); both are always answered.
    Feature { name: "transaction.version", min: 0, max: 2, new: 2 },
];
const METADATA_VERSION: &str = "metadata.version";
/// Below it Kafka would lose some of its metadata. Here they do not go by it: it is what clients are told.
const METADATA_KEPT_MIN: i16 = 23;

/// Ways to change a level (`FeatureUpdate.UpgradeType`).
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const UNSAFE_DOWNGRADE: i8 = 3;

/// A wish for a level.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) feature: String,
    pub(crate) level: i16,
    pub(crate) way: i8,
}

/// The levels that are not a new cluster's, and how often any has changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Features {
    epoch: i64,
    levels: BTreeMap<String, i16>,
}

impl Features {
    /// Grows with each change.
    pub(crate) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The level of a feature; 0 is none.
    pub(crate) fn level(&self, feature: &Feature) -> i16 {
        self.levels.get(feature.name).copied().unwrap_or(feature.new)
    }

    /// What is to be recorded so that all levels are as wished; of a feature that comes twice the last wish counts.
    ///
    /// Errors: INVALID_UPDATE_VERSION, and then nothing is changed.
    pub(crate) fn update(&self, wishes: &[Wish]) -> (Vec<Update>, Result<(), ApiError>) {
        let mut next = self.clone();
        for wish in wishes {
            match self.check(wish) {
                Ok(feature) => drop(next.levels.insert(feature.name.to_owned(), wish.level)),
                Err(message) => return (Vec::new(), Err(ApiError::new(ResponseError::InvalidUpdateVersion, message))),
            }
        }
        let changed = FEATURES.iter().any(|feature| next.level(feature) != self.level(feature));
        next.epoch += 1;
        // Numbers by text: nothing that JSON cannot say.
        let written = serde_json::to_vec(&(next.epoch, next.levels)).unwrap_or_default();
        (changed.then(|| (PREFIX.as_bytes().to_vec(), Some(written))).into_iter().collect(), Ok(()))
    }

    /// The feature that is meant, or in Kafka's words why it cannot be so.
    fn check(&self, Wish { feature: name, level, way }: &Wish) -> Result<&'static Feature, String> {
        let invalid = |why: &str| Err(format!("Invalid update version {level} for feature {name}. {why}"));
        if !(UPGRADE..=UNSAFE_DOWNGRADE).contains(way) {
            return invalid("The controller does not support the given upgrade type.");
        }
        if *level < 0 {
            return invalid("A feature version cannot be less than 0.");
        }
        let Some(feature) = FEATURES.iter().find(|feature| feature.name == name) else {
            return invalid(&format!("Local controller {} does not support this feature.", NODE_ID.0));
        };
        let Feature { min, max, .. } = feature;
        if !(min..=max).contains(&level) {
            return invalid(&format!("Local controller {} only supports versions {min}-{max}", NODE_ID.0));
        }
        let now = self.level(feature);
        if *level < now && *way == UPGRADE {
            return invalid(
                "Can't downgrade the version of this feature without setting the upgrade type to either safe or \
                 unsafe downgrade.",
            );
        }
        if *level > now && *way != UPGRADE {
            return invalid("Can't downgrade to a newer version.");
        }
        if name == METADATA_VERSION && *level < now && *level < METADATA_KEPT_MIN {
            let why = match *way {
                SAFE_DOWNGRADE => {
                    "Refusing to perform the requested downgrade because it might delete metadata information."
                }
                _ => "Unsafe metadata downgrade is not supported in this version.",
            };
            return Err(format!("Unsupported metadata.version downgrade from {now} to {level}. {why}"));
        }
        Ok(feature)
    }

    /// Takes up a record that [`update`](Self::update) made; `None` if it is none.
    pub(super) fn replay(&mut self, rest: &str, value: Option<&[u8]>) -> Option<()> {
        let read = if rest.is_empty() { value } else { None };
        let (epoch, levels) = serde_json::from_slice(read?).ok()?;
        *self = Self { epoch, levels };
        Some(())
    }
}

/// The key of the one record.
pub(super) const PREFIX: &str = "features";
