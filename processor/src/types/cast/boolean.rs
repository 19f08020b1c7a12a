//! BOOLEAN out of text (Spark's `StringUtils.isTrueString`).

use crate::types::blank::trim_all;

pub(super) fn parse(text: &[u8]) -> Option<bool> {
    let text = trim_all(text);
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if is_one_of(&["t", "true", "y", "yes", "1"]) {
        Some(true)
    } else if is_one_of(&["f", "false", "n", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}
