//! FROM, and the clauses that the parser knows and the plan does not.

use sqlparser::ast::{Select, SetExpr, Spanned, TableFactor};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::text::Text;
use super::{SHAPE, names};

/// What FROM names.
pub(super) struct From {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) place: Span,
}

/// The topic or table of FROM, and its alias.
pub(super) fn source(text: &Text, select: &Select) -> Result<From, PlanError> {
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
            Ok(From { name: names::joined(name)?, alias, place: name.span() })
        }
        TableFactor::Derived { subquery, .. } => {
            let inner = match subquery.body.as_ref() {
                SetExpr::Select(select) => select.span(),
                _ => from.relation.span(),
            };
            let instead = "write the inner query as INSERT INTO topic SELECT …, and read that topic";
            Err(refuse(inner, "a query inside FROM is not supported", instead))
        }
        other => Err(refuse(other.span(), "FROM can hold a topic's name alone", "write FROM topic")),
    }
}

/// Clauses that the parser knows and the plan does not.
pub(super) fn refuse_clauses(text: &Text, select: &Select) -> Result<(), PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    if !select.named_window.is_empty() {
        return at(Keyword::WINDOW, "WINDOW is not supported", "write GROUP BY window(ts, '10 seconds')");
    }
    if !select.lateral_views.is_empty() {
        return at(Keyword::LATERAL, "LATERAL VIEW is not supported", "take elements by their number: column[0]");
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
