//! FROM, and the clauses that the parser knows and the plan does not.

use std::rc::Rc;

use sqlparser::ast::{Select, Spanned, TableAlias, TableFactor};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::block::Block;
use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::schema::{self, Table};
use super::select::{self, Context};
use super::text::Text;
use super::{SHAPE, names};

/// What a query selects from.
pub(super) enum Source<'q> {
    Topic {
        topic: String,
        qualifier: String,
        table: Option<&'q Table>,
    },
    /// An inner query, and what its columns are called instead.
    Query {
        block: Box<Block<'q>>,
        qualifier: String,
        columns: Vec<String>,
    },
}

/// The topic, table or query of FROM.
pub(super) fn source<'q>(context: &Context<'q>, text: &Rc<Text>, select: &'q Select) -> Result<Source<'q>, PlanError> {
    let from = match select.from.as_slice() {
        [from] => from,
        [] => return Err(refuse(text.keyword(Keyword::SELECT), "the query has no FROM", SHAPE)),
        [_, second, ..] => {
            let what = "a query reads one topic, and joins tables by JOIN";
            return Err(refuse(second.span(), what, "write FROM topic JOIN table ON topic.column = table.column"));
        }
    };
    match &from.relation {
        TableFactor::Table { name, alias, args: None, version: None, sample: None, json_path: None, .. } => {
            let (alias, columns) = aliases(alias.as_ref());
            let written = names::joined(name)?;
            if let Some(at) = context.named.iter().rposition(|named| named.name.eq_ignore_ascii_case(&written)) {
                return named(context, text, at, alias.unwrap_or(written), columns, name.span());
            }
            if !columns.is_empty() {
                return Err(refuse(from.relation.span(), "columns cannot be renamed here", "use aliases in SELECT"));
            }
            let table = schema::find(context.tables, &written);
            let topic = table.map_or(&written, |table| &table.topic).clone();
            names::check(&topic, name.span())?;
            Ok(Source::Topic { topic, qualifier: alias.unwrap_or(written), table })
        }
        TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
            let (alias, columns) = aliases(alias.as_ref());
            let inner = Rc::new(text.within(subquery.span()));
            let block = select::block(context, &inner, subquery)?;
            renamed(block, alias.unwrap_or_default(), columns, subquery.span())
        }
        other => Err(refuse(other.span(), "FROM can hold a topic's name or a query alone", "write FROM topic")),
    }
}

/// A query of WITH, which knows those before it.
fn named<'q>(
    context: &Context<'q>,
    text: &Rc<Text>,
    at: usize,
    qualifier: String,
    columns: Vec<String>,
    place: Span,
) -> Result<Source<'q>, PlanError> {
    let Some(named) = context.named.get(at) else {
        return Err(refuse(place, "there is no such query", SHAPE));
    };
    let mut before = context.clone();
    before.named.truncate(at);
    let inner = Rc::new(text.whole().within(named.query.span()));
    let block = select::block(&before, &inner, named.query)?;
    let columns = if columns.is_empty() { named.columns.clone() } else { columns };
    renamed(block, qualifier, columns, place)
}

fn renamed(block: Block<'_>, qualifier: String, columns: Vec<String>, place: Span) -> Result<Source<'_>, PlanError> {
    if !columns.is_empty() && columns.len() != block.last.outputs.len() {
        let what = format!("the query has {} columns, and {} are named", block.last.outputs.len(), columns.len());
        return Err(refuse(place, what, "name each of them, or none"));
    }
    Ok(Source::Query { block: Box::new(block), qualifier, columns })
}

pub(super) fn aliases(alias: Option<&TableAlias>) -> (Option<String>, Vec<String>) {
    let columns = alias.into_iter().flat_map(|alias| &alias.columns).map(|column| identifier(&column.name));
    (alias.map(|alias| identifier(&alias.name)), columns.collect())
}

/// Clauses that the parser knows and the plan does not.
pub(super) fn refuse_clauses(text: &Text, select: &Select) -> Result<(), PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    if !select.named_window.is_empty() {
        return at(Keyword::WINDOW, "WINDOW is not supported", "write GROUP BY window(ts, '10 seconds')");
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
