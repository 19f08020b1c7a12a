//! LIKE: `%` is any text, `_` any one character, the escape (`\`) takes the sign after it as it is.

use super::{text, utf8};
use crate::types::Value;

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LikePattern {
    pieces: Vec<Piece>,
    /// What most patterns are, which is quicker to look for.
    simple: Option<Simple>,
}

/// A text, with `%` at no, one or both of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Simple {
    text: Vec<u8>,
    open_start: bool,
    open_end: bool,
}

impl Simple {
    /// `None` if there is a `%` or a `_` inside.
    fn of(pieces: &[Piece]) -> Option<Self> {
        let open_start = pieces.first() == Some(&Piece::Any);
        let inner = pieces.get(usize::from(open_start)..).unwrap_or_default();
        let open_end = inner.last() == Some(&Piece::Any);
        let inner = inner.get(..inner.len() - usize::from(open_end)).unwrap_or_default();
        let text: Option<String> =
            inner.iter().map(|piece| if let Piece::Char(char) = piece { Some(*char) } else { None }).collect();
        Some(Self { text: text?.into_bytes(), open_start, open_end })
    }

    fn matches(&self, value: &[u8]) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => value == self.text,
            (false, true) => value.starts_with(&self.text),
            (true, false) => value.ends_with(&self.text),
            (true, true) => utf8::find(value, &self.text, 0).is_some(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Char(char),
}

impl LikePattern {
    /// `None` if the escape stands before anything but `%`, `_` and itself, or last; Spark refuses that too.
    pub(crate) fn parse(text: &str, escape: char) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            pieces.push(match char {
                _ if char == escape => {
                    Piece::Char(chars.next().filter(|next| matches!(next, '%' | '_') || *next == escape)?)
                }
                '%' => Piece::Any,
                '_' => Piece::One,
                other => Piece::Char(other),
            });
        }
        Some(Self { simple: Simple::of(&pieces), pieces })
    }

    /// Whether the whole of `value` fits. Takes at most length times pieces.
    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        self.simple.as_ref().map_or_else(|| self.matches_pieces(value), |simple| simple.matches(value))
    }

    /// Bytes that are not UTF-8 fit nothing.
    fn matches_pieces(&self, value: &[u8]) -> bool {
        let Ok(value) = std::str::from_utf8(value) else { return false };
        let mut rest = value.chars();
        let mut at = 0;
        // Where to go on if what follows the last `%` did not fit: the pieces after it, one character further on.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            match self.pieces.get(at) {
                Some(Piece::Any) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                None if rest.as_str().is_empty() => return true,
                piece => {
                    let next = rest.next();
                    let fits = match (piece, next) {
                        (Some(Piece::One), Some(_)) => true,
                        (Some(Piece::Char(wanted)), Some(found)) => *wanted == found,
                        _ => false,
                    };
                    if fits {
                        at += 1;
                        continue;
                    }
                }
            }
            let Some((after, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            at = *after;
            rest = from.clone();
        }
    }
}

/// LIKE with a pattern of the row; NULL if the pattern is none.
pub(crate) fn like_any<'a>(value: Value<'a>, pattern: Value<'a>) -> Value<'a> {
    let (Value::String(value), Value::String(pattern)) = (value, pattern) else { return Value::Null };
    match LikePattern::parse(&String::from_utf8_lossy(&pattern), '\\') {
        Some(pattern) => Value::Boolean(pattern.matches(&value)),
        None => Value::Null,
    }
}

pub(crate) fn ilike_any<'a>(value: Value<'a>, pattern: Value<'a>) -> Value<'a> {
    like_any(text::lower(value), text::lower(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_values() {
        let cases: [(&str, &[&str], &[&str]); 7] = [
            ("ERR%", &["ERR", "ERROR"], &["AERR", "err"]),
            ("%ERR", &["ERR", "xERR", "ERRERR"], &["ERRx"]),
            ("%a%b%", &["ab", "xaxbx", "aab"], &["ba", ""]),
            ("_", &["a", "日"], &["", "ab"]),
            ("", &[""], &["a"]),
            (r"50\%", &["50%"], &["500", r"50\%"]),
            ("%", &["", "anything"], &[]),
        ];
        for (pattern, fitting, others) in cases {
            let parsed = LikePattern::parse(pattern, '\\').unwrap();
            for value in fitting {
                assert!(parsed.matches(value.as_bytes()), "{value} LIKE {pattern}");
            }
            for value in others {
                assert!(!parsed.matches(value.as_bytes()), "{value} NOT LIKE {pattern}");
            }
        }
        assert_eq!(LikePattern::parse(r"a\b", '\\'), None);
        assert_eq!(LikePattern::parse("a\\", '\\'), None);
        let escaped = LikePattern::parse("a#%#_##", '#').unwrap();
        assert!(escaped.matches(b"a%_#"));
        assert!(!escaped.matches(b"abc#"));
    }
}
