//! FROM, and the clauses that the parser knows and the plan does not.

use sqlparser::ast::{Select, Spanned, TableFactor};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::text::Text;
use super::{SHAPE, names};

/// The topic of FROM, and its alias.
pub(super) fn source(text: &Text, select: &Select) -> Result<(String, Option<String>), PlanError> {
    let from = match select.from.as_slice() {
        [from] => from,
        [] => return Err(refuse(text.keyword(Keyword::SELECT), "the query has no FROM", SHAPE)),
        [_, second, ..] => {
            return Err(refuse(second.span(), "joining topics is not supported", "read one topic in each query"));
        }
    };
    if let Some(join) = from.joins.first() {
        let place = text.keyword(Keyword::JOIN);
        let place = if place == Span::empty() { join.span() } else { place };
        return Err(refuse(place, "JOIN is not supported", "read one topic in each query"));
    }
    match &from.relation {
        TableFactor::Table { name, alias, args: None, version: None, sample: None, json_path: None, .. } => {
            let alias = match alias {
                Some(alias) if !alias.columns.is_empty() => {
                    return Err(refuse(alias.span(), "columns cannot be renamed here", "use aliases in SELECT"));
                }
                Some(alias) => Some(identifier(&alias.name)),
                None => None,
            };
            Ok((names::topic(name)?, alias))
        }
        TableFactor::Derived { .. } => {
            Err(refuse(from.relation.span(), "a query inside FROM is not supported", "name a topic"))
        }
        other => Err(refuse(other.span(), "FROM can hold a topic's name alone", "write FROM topic")),
    }
}

/// Clauses that the parser knows and the plan does not.
pub(super) fn refuse_clauses(text: &Text, select: &Select) -> Result<(), PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    if select.distinct.is_some() {
        let instead = "group instead: SELECT column FROM topic GROUP BY column";
        return at(Keyword::DISTINCT, "DISTINCT is not supported", instead);
    }
    if select.having.is_some() {
        return at(
            Keyword::HAVING,
            "HAVING is not supported",
            "filter records with WHERE, and rows where you read them",
        );
    }
    if !select.named_window.is_empty() {
        return at(Keyword::WINDOW, "WINDOW is not supported", "leave it out");
    }
    if !select.lateral_views.is_empty() {
        return at(Keyword::LATERAL, "LATERAL VIEW is not supported", "group by top-level fields");
    }
    if !select.sort_by.is_empty() {
        return at(Keyword::SORT, "SORT BY is not supported", "leave it out");
    }
    let plain = select.top.is_none() && select.into.is_none() && select.prewhere.is_none() && select.qualify.is_none();
    let spread = !select.cluster_by.is_empty() || !select.distribute_by.is_empty() || !select.connect_by.is_empty();
    if !plain || spread || select.exclude.is_some() || select.value_table_mode.is_some() {
        return at(Keyword::SELECT, "this form of SELECT is not supported", SHAPE);
    }
    Ok(())
}
