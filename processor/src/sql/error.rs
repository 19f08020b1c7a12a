use sqlparser::tokenizer::Span;

/// Why a text is not a query that brooklet runs: `line:column: what; instead`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {what}; {instead}")]
pub struct PlanError {
    /// Line of the text, from 1.
    pub line: u64,
    /// Character of the line, from 1.
    pub column: u64,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

/// A place in the text. An empty span (the parser does not know every place) is the start.
pub(crate) fn refuse(place: Span, what: impl Into<String>, instead: impl Into<String>) -> PlanError {
    PlanError {
        line: place.start.line.max(1),
        column: place.start.column.max(1),
        what: what.into(),
        instead: instead.into(),
    }
}
