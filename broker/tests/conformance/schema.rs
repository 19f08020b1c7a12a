//! The layout of every request and response, from tests/conformance/messages.txt.

use std::collections::BTreeMap;

use serde_json::Value;

const TEXT: &str = include_str!("../../../tests/conformance/messages.txt");

/// One API.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) key: i16,
    pub(crate) name: String,
    /// Versions that Kafka has.
    pub(crate) versions: Versions,
    /// First flexible version (KIP-482).
    pub(crate) flexible: Option<i16>,
    pub(crate) request: Vec<Field>,
    pub(crate) response: Vec<Field>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions(pub(crate) i16, pub(crate) i16);

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) list: bool,
    pub(crate) versions: Versions,
    /// Versions that allow null.
    pub(crate) null: Option<Versions>,
    pub(crate) tag: Option<u32>,
    pub(crate) default: Value,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Bool,
    /// A signed number of so many bytes.
    Int(usize),
    /// An unsigned one.
    Unsigned(usize),
    Float,
    Text,
    Uuid,
    Bytes,
    Records,
    Struct(Vec<Field>),
}

impl Versions {
    pub(crate) fn has(self, version: i16) -> bool {
        (self.0..=self.1).contains(&version)
    }

    /// `2-4`, or `2+` up to the last of `whole`.
    fn parse(text: &str, whole: Self) -> Self {
        match text.strip_suffix('+') {
            Some(low) => Self(low.parse().unwrap(), whole.1),
            None => {
                let (low, high) = text.split_once('-').unwrap();
                Self(low.parse().unwrap(), high.parse().unwrap())
            }
        }
    }
}

impl Api {
    pub(crate) fn is_flexible(&self, version: i16) -> bool {
        self.flexible.is_some_and(|first| version >= first)
    }
}

/// All APIs by name.
pub(crate) fn apis() -> BTreeMap<String, Api> {
    let mut lines = TEXT.lines().peekable();
    let mut apis = BTreeMap::new();
    while let Some(line) = lines.next() {
        let words: Vec<_> = line.split(' ').collect();
        let versions = Versions::parse(words[2], Versions(0, 0));
        assert_eq!(lines.next(), Some("request"));
        let request = fields(&mut lines, 1, versions, versions);
        assert_eq!(lines.next(), Some("response"));
        let response = fields(&mut lines, 1, versions, versions);
        let flexible = words.get(4).map(|first| first.parse().unwrap());
        let (key, name) = (words[0].parse().unwrap(), words[1].to_owned());
        apis.insert(name.clone(), Api { key, name, versions, flexible, request, response });
    }
    apis
}

fn fields<'a>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    depth: usize,
    parent: Versions,
    whole: Versions,
) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some(line) = lines.next_if(|line| line.len() - line.trim_start().len() == depth) {
        let mut words = line.trim_start().split(' ').peekable();
        let (name, kind) = (words.next().unwrap().to_owned(), words.next().unwrap());
        let is_range = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let versions = words.next_if(is_range).map_or(parent, |text| Versions::parse(text, whole));
        let null = words.next_if(|word| word.starts_with('?')).map(|word| match &word[1..] {
            "" => versions,
            text => Versions::parse(text, whole),
        });
        let tag = words.next_if(|word| *word == "tag").map(|_| words.next().unwrap().parse().unwrap());
        let (element, list) = match kind {
            "[]" => ("{}", true),
            kind => kind.strip_prefix("[]").map_or((kind, false), |element| (element, true)),
        };
        let default = words.next().map(|word| word.strip_prefix('=').unwrap());
        let kind = match element {
            "bool" => Kind::Bool,
            "int8" => Kind::Int(1),
            "int16" => Kind::Int(2),
            "int32" => Kind::Int(4),
            "int64" => Kind::Int(8),
            "uint16" => Kind::Unsigned(2),
            "uint32" => Kind::Unsigned(4),
            "float64" => Kind::Float,
            "string" => Kind::Text,
            "uuid" => Kind::Uuid,
            "bytes" => Kind::Bytes,
            "records" => Kind::Records,
            "{}" => Kind::Struct(self::fields(lines, depth + 1, versions, whole)),
            other => panic!("no type {other}"),
        };
        let default = default_value(&kind, list, default);
        fields.push(Field { name, kind, list, versions, null, tag, default });
    }
    fields
}

fn default_value(kind: &Kind, list: bool, written: Option<&str>) -> Value {
    match (written, kind) {
        (Some("null"), _) => Value::Null,
        (Some(text), Kind::Bool) => (text == "true").into(),
        (Some(text), Kind::Int(_) | Kind::Unsigned(_)) => {
            text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| i64::from_str_radix(hex, 16)).unwrap().into()
        }
        (Some(text), _) => text.into(),
        (None, _) if list => Value::Array(Vec::new()),
        (None, Kind::Bool) => false.into(),
        (None, Kind::Int(_) | Kind::Unsigned(_)) => 0.into(),
        (None, Kind::Float) => 0.0.into(),
        (None, Kind::Text | Kind::Bytes) => "".into(),
        (None, Kind::Uuid) => ZERO_UUID.into(),
        (None, Kind::Records) => Value::Null,
        (None, Kind::Struct(_)) => Value::Object(serde_json::Map::new()),
    }
}

/// The id that stands for none.
pub(crate) const ZERO_UUID: &str = "00000000-0000-0000-0000-000000000000";
