//! Names of topics.

use sqlparser::ast::{ObjectName, Spanned};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;

/// A name: parts joined by dots, for there are no schemas and Kafka's names may hold dots.
pub(super) fn joined(name: &ObjectName) -> Result<String, PlanError> {
    let mut parts = Vec::with_capacity(name.0.len());
    for part in &name.0 {
        match part.as_ident() {
            Some(ident) if matches!(ident.quote_style, Some('\'' | '"')) => {
                let what = format!("{ident} is a text, and not a topic's name");
                return Err(refuse(ident.span, what, format!("write `{}`", ident.value)));
            }
            Some(ident) => parts.push(identifier(ident)),
            None => return Err(refuse(name.span(), "this is not a topic's name", "write the name of a topic")),
        }
    }
    Ok(parts.join("."))
}

/// Kafka's rules: `org.apache.kafka.common.internals.Topic`.
pub(super) fn check(topic: &str, place: Span) -> Result<(), PlanError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if topic.is_empty() || topic.len() > 249 || topic == "." || topic == ".." || !topic.bytes().all(legal) {
        let what = format!("Kafka allows no topic of the name {topic:?}");
        return Err(refuse(place, what, "use up to 249 of a-z, A-Z, 0-9, '.', '_' and '-'"));
    }
    Ok(())
}
