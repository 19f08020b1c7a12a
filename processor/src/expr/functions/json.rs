//! `get_json_object`: a part of a JSON text by a path, as text. Follows `GetJsonObject` of Spark.

mod reader;
mod schema;
mod write;

pub(crate) use schema::{FromJson, infer, object_keys};
pub(crate) use write::of_value;

use self::reader::{Node, Reader};
use self::write::write;
use super::string;
use crate::types::Value;

/// A path, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `.name` or `['name']`
    Name(String),
    /// `[0]`
    Index(usize),
    /// `[*]`
    All,
    /// `.*` or `['*']`, which nothing has in Spark either.
    AnyName,
}

impl Path {
    /// `None` if it is no path.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(named) = rest.strip_prefix("['") {
                let (name, after) = named.split_once('\'')?;
                rest = after.strip_prefix(']')?;
                steps.push(if name == "*" { Step::AnyName } else { Step::Name(name.to_owned()) });
            } else if let Some(numbered) = rest.strip_prefix('[') {
                let (number, after) = numbered.split_once(']')?;
                rest = after;
                steps.push(if number == "*" { Step::All } else { Step::Index(number.parse().ok()?) });
            } else {
                let named = rest.strip_prefix('.')?;
                let (name, after) = named.split_at(named.find(['.', '[']).unwrap_or(named.len()));
                rest = after;
                match name {
                    "" => return None,
                    "*" => steps.push(Step::AnyName),
                    name => steps.push(Step::Name(name.to_owned())),
                }
            }
        }
        Some(Self(steps))
    }
}

pub(crate) fn get<'a>(path: &Path, value: Value<'a>) -> Value<'a> {
    let Value::String(text) = &value else { return Value::Null };
    let Some(root) = Reader::new(text).document() else { return Value::Null };
    let mut out = Vec::new();
    if evaluate(&root, &path.0, Style::Raw, &mut out) { string(out) } else { Value::Null }
}

/// NULL if the text is no array.
pub(crate) fn array_length(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = &value else { return Value::Null };
    match Reader::new(text).document() {
        Some(Node::Array(items)) => super::int(items.len()),
        _ => Value::Null,
    }
}

/// By a path of the row.
pub(crate) fn get_any<'a>(value: Value<'a>, path: Value<'a>) -> Value<'a> {
    match path {
        Value::String(path) => Path::parse(&path).map_or(Value::Null, |path| get(&path, value)),
        _ => Value::Null,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A string is its text.
    Raw,
    /// A string is quoted.
    Quoted,
    /// As `Quoted`, and arrays in an array are one.
    Flat,
}

/// Appends what the path finds; whether it found something.
fn evaluate(node: &Node, steps: &[Step], style: Style, out: &mut Vec<u8>) -> bool {
    match (node, steps) {
        (Node::String(text), []) if style == Style::Raw => {
            out.extend_from_slice(text.as_bytes());
            true
        }
        (Node::Array(items), []) if style == Style::Flat => list(items.iter(), &[], Style::Flat, out) > 0,
        (node, []) => {
            write(node, out);
            true
        }
        (Node::Object(fields), [Step::Name(name), rest @ ..]) => fields
            .iter()
            .find(|(other, value)| other == name && !matches!(value, Node::Null))
            .is_some_and(|(_, value)| evaluate(value, rest, style, out)),
        (Node::Array(items), [Step::All, Step::All, rest @ ..]) => {
            out.push(b'[');
            let found = list(items.iter(), rest, Style::Flat, out);
            out.push(b']');
            found > 0
        }
        (Node::Array(items), [Step::All, rest @ ..]) if style != Style::Quoted => {
            let next = if style == Style::Raw { Style::Quoted } else { style };
            let mut inner = Vec::new();
            let found = list(items.iter(), rest, next, &mut inner);
            if found > 1 {
                out.push(b'[');
            }
            out.extend_from_slice(&inner);
            if found > 1 {
                out.push(b']');
            }
            found > 0
        }
        (Node::Array(items), [Step::All, rest @ ..]) => {
            out.push(b'[');
            let found = list(items.iter(), rest, Style::Quoted, out);
            out.push(b']');
            found > 0
        }
        (Node::Array(items), [Step::Index(index), Step::All, rest @ ..]) => items.get(*index).is_some_and(|item| {
            let steps: Vec<Step> = std::iter::once(Step::All).chain(rest.iter().cloned()).collect();
            evaluate(item, &steps, Style::Quoted, out)
        }),
        (Node::Array(items), [Step::Index(index), rest @ ..]) => {
            items.get(*index).is_some_and(|item| evaluate(item, rest, style, out))
        }
        _ => false,
    }
}

/// Appends what is found in each, with commas between; how many had something.
fn list<'n>(items: impl Iterator<Item = &'n Node>, steps: &[Step], style: Style, out: &mut Vec<u8>) -> usize {
    let mut found = 0;
    for item in items {
        let before = out.len();
        if found > 0 {
            out.push(b',');
        }
        if evaluate(item, steps, style, out) {
            found += 1;
        } else {
            out.truncate(before);
        }
    }
    found
}
