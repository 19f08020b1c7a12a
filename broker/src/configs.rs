//! Settings of what can be configured: which there are, what may be set, what is kept. What topics may set is in
//! `topics/`.

pub(crate) mod broker;
mod broker_start;
mod broker_table;
pub(crate) mod change;
pub(crate) mod client_metrics;
pub(crate) mod group;
pub(crate) mod kept;
pub(crate) mod topic;

/// Kinds of resources (`ConfigResource.Type`).
pub(crate) const TOPIC: i8 = 2;
pub(crate) const BROKER: i8 = 4;
pub(crate) const BROKER_LOGGER: i8 = 8;
pub(crate) const CLIENT_METRICS: i8 = 16;
pub(crate) const GROUP: i8 = 32;

use std::borrow::Cow;

use crate::topics::config::{Kind, Source};

/// A setting as it is told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// `None` is not set, or a secret.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
    /// Only set at the start.
    pub(crate) read_only: bool,
    pub(crate) sensitive: bool,
    /// Where the value could come from, the first that counts first.
    pub(crate) synonyms: Vec<Synonym>,
    pub(crate) doc: &'static str,
}

/// A value that counts unless there is one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Synonym {
    pub(crate) name: Cow<'static, str>,
    /// `None` is a secret.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
}

impl Synonym {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, value: &str, source: Source) -> Self {
        Self { name: name.into(), value: Some(value.to_owned()), source }
    }
}
