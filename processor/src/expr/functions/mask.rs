//! `mask`: letters and digits for which others stand. Follows `Mask` of Spark 3.4.

use std::sync::LazyLock;

use fancy_regex::Regex;

use super::string;
use crate::types::Value;

/// What stands for the characters of each kind; those of a kind without it stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    pub(crate) upper: Option<char>,
    pub(crate) lower: Option<char>,
    pub(crate) digit: Option<char>,
    pub(crate) other: Option<char>,
}

impl Mask {
    /// Of a STRING.
    pub(crate) fn apply<'a>(self, text: &Value<'_>) -> Value<'a> {
        let Value::String(text) = text else { return Value::Null };
        let text = String::from_utf8_lossy(text);
        let mut masked = String::with_capacity(text.len());
        for char in text.chars() {
            match self.of(char) {
                // Java masks each of a character's UTF-16 units.
                Some(mask) => masked.extend(std::iter::repeat_n(mask, char.len_utf16())),
                None => masked.push(char),
            }
        }
        string(masked.into_bytes())
    }

    fn of(self, char: char) -> Option<char> {
        match char {
            'A'..='Z' => self.upper,
            'a'..='z' => self.lower,
            '0'..='9' => self.digit,
            _ if char.is_ascii() || char.len_utf16() > 1 => self.other,
            _ if is(&UPPER, char) => self.upper,
            _ if is(&LOWER, char) => self.lower,
            _ if is(&DIGIT, char) => self.digit,
            _ => self.other,
        }
    }
}

static UPPER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{Lu}").ok());
static LOWER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{Ll}").ok());
static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{Nd}").ok());

/// Whether a character is of a general category of Unicode.
fn is(category: &Option<Regex>, char: char) -> bool {
    let text = char.encode_utf8(&mut [0; 4]).to_owned();
    category.as_ref().is_some_and(|category| category.is_match(text.as_str()).unwrap_or(false))
}
