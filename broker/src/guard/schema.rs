//! How the layout of a request is written down: see [`Schema`].

use kafka_protocol::protocol::StrBytes;

/// The layout of one API's request in all versions that the protocol crate, or `newer.rs`, decodes.
///
/// A field carries the versions it is in and, where it is optional, its tag; a list of structures carries the size of
/// the structure that the crate decodes each element to. Whether null is allowed is left to the crate.
pub(super) struct Schema {
    /// The API's key.
    pub(super) key: i16,
    /// The oldest version that is decoded.
    pub(super) first: i16,
    /// The newest version that is decoded.
    pub(super) last: i16,
    /// The first flexible version (KIP-482): compact lengths, tagged fields.
    pub(super) flexible: i16,
    /// The fields in their order on the wire.
    pub(super) fields: &'static [Field],
}

/// One field of a structure.
pub(super) struct Field {
    pub(super) kind: Kind,
    first: i16,
    last: i16,
    tag: Option<u32>,
}

/// What a field's bytes are.
pub(super) enum Kind {
    /// That many bytes.
    Fixed(usize),
    /// A length of 16 bits, or compact, and as many bytes.
    Text,
    /// A length of 32 bits, or compact, and as many bytes.
    Bytes,
    /// A count and as many numbers of that many bytes.
    Numbers(usize),
    /// A count and as many texts.
    Texts,
    /// A structure without any mark.
    One(&'static [Field]),
    /// A byte, and a structure if it is 1.
    Optional(&'static [Field]),
    /// A count and as many structures.
    Many {
        /// Bytes that one takes when decoded.
        decoded: usize,
        /// Its fields.
        fields: &'static [Field],
    },
}

impl Field {
    const fn new(kind: Kind) -> Self {
        Self { kind, first: 0, last: i16::MAX, tag: None }
    }

    /// The field came with `version`.
    pub(super) const fn from(mut self, version: i16) -> Self {
        self.first = version;
        self
    }

    /// `version` was the last that had the field.
    pub(super) const fn until(mut self, version: i16) -> Self {
        self.last = version;
        self
    }

    /// The field stands among the tagged ones.
    pub(super) const fn tag(mut self, tag: u32) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Whether the field stands, untagged, in `version`.
    pub(super) fn stands_in(&self, version: i16) -> bool {
        self.tag.is_none() && self.first <= version && version <= self.last
    }

    /// Whether `tag` is this field in `version`.
    pub(super) fn is_tagged(&self, tag: u32, version: i16) -> bool {
        self.tag == Some(tag) && self.first <= version && version <= self.last
    }
}

pub(super) const fn int8() -> Field {
    Field::new(Kind::Fixed(1))
}

pub(super) const fn int16() -> Field {
    Field::new(Kind::Fixed(2))
}

pub(super) const fn int32() -> Field {
    Field::new(Kind::Fixed(4))
}

pub(super) const fn int64() -> Field {
    Field::new(Kind::Fixed(8))
}

pub(super) const fn uuid() -> Field {
    Field::new(Kind::Fixed(16))
}

pub(super) const fn text() -> Field {
    Field::new(Kind::Text)
}

pub(super) const fn bytes() -> Field {
    Field::new(Kind::Bytes)
}

/// A list of numbers of `size` bytes each.
pub(super) const fn numbers(size: usize) -> Field {
    Field::new(Kind::Numbers(size))
}

pub(super) const fn texts() -> Field {
    Field::new(Kind::Texts)
}

/// Bytes that one text of a list takes when decoded.
pub(super) const TEXT_DECODED: usize = size_of::<StrBytes>();

pub(super) const fn one(fields: &'static [Field]) -> Field {
    Field::new(Kind::One(fields))
}

pub(super) const fn optional(fields: &'static [Field]) -> Field {
    Field::new(Kind::Optional(fields))
}

/// A list of structures that the crate decodes to `T`.
pub(super) const fn many<T>(fields: &'static [Field]) -> Field {
    Field::new(Kind::Many { decoded: size_of::<T>(), fields })
}
