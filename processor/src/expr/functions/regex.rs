//! Regular expressions, with Java's meaning.

use std::cell::RefCell;
use std::sync::Arc;

use fancy_regex::{Captures, Regex};

use super::java_regex::translate;
use crate::types::Value;

/// A compiled regular expression. What takes too many steps to find out matches nothing.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Arc<Regex>,
    /// Instead of it, for texts that end with a line end.
    before_line_end: Option<Arc<Regex>>,
}

impl Pattern {
    /// What is wrong with it, if it is not Java's, or if it needs what cannot be done.
    pub(crate) fn compile(java: &str) -> Result<Self, String> {
        let translated = translate(java)?;
        let compiled = |regex: &str| {
            Regex::new(regex)
                .map(Arc::new)
                .map_err(|error| format!("'{java}' is no regular expression that is supported: {error}"))
        };
        Ok(Self {
            regex: compiled(&translated.plain)?,
            before_line_end: translated.before_line_end.as_deref().map(compiled).transpose()?,
        })
    }

    pub(crate) fn groups(&self) -> usize {
        self.regex.captures_len().saturating_sub(1)
    }

    fn regex_for(&self, text: &str) -> &Regex {
        match &self.before_line_end {
            Some(regex) if text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) => regex,
            _ => &self.regex,
        }
    }

    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        self.regex_for(&text).is_match(text.as_ref()).unwrap_or(false)
    }

    /// Calls `each` on all matches from a byte on, as Java's `Matcher.find` finds them, until it is false.
    pub(super) fn for_each(
        &self,
        text: &str,
        from: usize,
        mut each: impl FnMut(&Captures<'_, str>, (usize, usize)) -> bool,
    ) {
        let regex = self.regex_for(text);
        let mut at = from;
        while at <= text.len() {
            let Ok(Some(found)) = regex.captures_from_pos(text, at) else { return };
            let Some(whole) = found.get(0) else { return };
            if !each(&found, (whole.start(), whole.end())) {
                return;
            }
            at = if whole.end() > whole.start() {
                whole.end()
            } else {
                // An empty match: one character on.
                let rest = text.get(whole.end()..).unwrap_or_default();
                whole.end() + rest.chars().next().map_or(1, char::len_utf8)
            };
        }
    }
}

/// The text of a replacement, taken apart: `$1` is a group, `\` takes the sign after it as it is.
#[derive(Clone, Debug)]
pub(crate) struct Replacement(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Group(usize),
    Named(String),
}

impl Replacement {
    /// As `Matcher.appendReplacement`: a group's number has as many digits as there are groups for.
    pub(crate) fn parse(text: &str, groups: usize) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\\' => literal.push(chars.next().ok_or(r"a \ stands last in the replacement")?),
                '$' => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    if chars.next_if_eq(&'{').is_some() {
                        parts.push(Part::Named(chars.by_ref().take_while(|char| *char != '}').collect()));
                        continue;
                    }
                    let digit = chars.next().and_then(|char| char.to_digit(10));
                    let Some(digit) = digit else {
                        return Err(
                            r"in the replacement, $ stands before a group's number; write \$ for a $".to_owned()
                        );
                    };
                    let mut group = digit as usize;
                    while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10))
                        && group * 10 + digit as usize <= groups
                    {
                        chars.next();
                        group = group * 10 + digit as usize;
                    }
                    if group > groups {
                        return Err(format!("the replacement has ${group}, and there are {groups} groups"));
                    }
                    parts.push(Part::Group(group));
                }
                other => literal.push(other),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    pub(super) fn write(&self, found: &Captures<'_, str>, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(found.get(*group).map_or("", |group| group.as_str())),
                Part::Named(name) => out.push_str(found.name(name).map_or("", |group| group.as_str())),
            }
        }
    }
}

thread_local! {
    /// The pattern of the row before: patterns that come from a column are often the same ones.
    static LAST: RefCell<Option<(Vec<u8>, Pattern)>> = const { RefCell::new(None) };
}

/// A pattern of the row; `None` if it is none.
pub(crate) fn of_row(regex: &Value<'_>) -> Option<Pattern> {
    let Value::String(regex) = regex else { return None };
    LAST.with_borrow_mut(|last| {
        if let Some((text, pattern)) = last
            && text.as_slice() == regex.as_ref()
        {
            return Some(pattern.clone());
        }
        let pattern = Pattern::compile(&String::from_utf8_lossy(regex)).ok()?;
        *last = Some((regex.to_vec(), pattern.clone()));
        Some(pattern)
    })
}
