//! SELECT and INSERT to [`Plan`].

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Insert, Query, Select, SelectItem,
    SetExpr, Spanned, TableObject, Value,
};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::scope::Scope;
use super::text::Text;
use super::{SHAPE, from, names, where_clause};
use crate::plan::{OutputColumn, OutputValue, Plan, Sink, Source};

pub(super) fn insert(text: &Text, insert: &Insert) -> Result<Plan, PlanError> {
    let Insert { table, table_alias, columns, overwrite, source, partitioned, on, returning, by_name, .. } = insert;
    let into = text.keyword(Keyword::INSERT);
    let TableObject::TableName(name) = table else {
        return Err(refuse(into, "INSERT INTO needs a topic", SHAPE));
    };
    if let Some(column) = columns.first() {
        let instead = "name the fields with aliases in SELECT: COUNT(*) AS count";
        return Err(refuse(column.span(), "INSERT takes no list of columns", instead));
    }
    let plain = table_alias.is_none() && partitioned.is_none() && on.is_none() && returning.is_none();
    if *overwrite || !plain || *by_name {
        return Err(refuse(into, "this form of INSERT is not supported", SHAPE));
    }
    let Some(source) = source else {
        return Err(refuse(name.span(), "INSERT INTO has no SELECT", SHAPE));
    };
    let topic = names::topic(name)?;
    let plan = query(text, source, Some(topic.clone()))?;
    if plan.source.topic == topic {
        let what = format!("the query would read its own output from {topic}");
        return Err(refuse(name.span(), what, "insert into another topic"));
    }
    for (index, column) in plan.output.iter().enumerate() {
        if plan.output.iter().take(index).any(|earlier| earlier.name == column.name) {
            let what =
                format!("two columns are called {:?}, and each is to be a field of one JSON object", column.name);
            return Err(refuse(text.keyword(Keyword::SELECT), what, "give one an alias: column AS name"));
        }
    }
    Ok(plan)
}

pub(super) fn query(text: &Text, query: &Query, into: Option<String>) -> Result<Plan, PlanError> {
    let at = |keyword, what: &str, instead: &str| Err(refuse(text.keyword(keyword), what, instead));
    if query.with.is_some() {
        return at(Keyword::WITH, "WITH is not supported", SHAPE);
    }
    if query.order_by.is_some() {
        return at(
            Keyword::ORDER,
            "ORDER BY is not supported: Spark too has it in complete mode alone",
            "leave it out",
        );
    }
    if query.limit_clause.is_some() || query.fetch.is_some() {
        let keyword = if query.fetch.is_some() { Keyword::FETCH } else { Keyword::LIMIT };
        return at(keyword, "LIMIT is not supported in update mode, in Spark neither", "narrow the rows with WHERE");
    }
    let plain = query.locks.is_empty() && query.for_clause.is_none() && query.settings.is_none();
    if !plain || query.format_clause.is_some() || !query.pipe_operators.is_empty() {
        return at(Keyword::SELECT, "the clause at the end of the query is not supported", SHAPE);
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => lower_select(text, select, into),
        SetExpr::SetOperation { op, .. } => {
            let keyword = match op.to_string().as_str() {
                "EXCEPT" => Keyword::EXCEPT,
                "INTERSECT" => Keyword::INTERSECT,
                _ => Keyword::UNION,
            };
            at(keyword, &format!("{op} is not supported"), "run one query for each SELECT")
        }
        SetExpr::Values(_) => at(Keyword::VALUES, "VALUES is not supported", "send records with a Kafka producer"),
        _ => Err(text.at_start("only a plain SELECT is supported", SHAPE)),
    }
}

fn lower_select(text: &Text, select: &Select, into: Option<String>) -> Result<Plan, PlanError> {
    from::refuse_clauses(text, select)?;
    let (topic, alias) = from::source(text, select)?;
    let mut scope = Scope::new(alias.unwrap_or_else(|| topic.clone()));

    let items: Vec<Item> =
        select.projection.iter().map(|item| lower_item(&mut scope, item)).collect::<Result<_, _>>()?;
    let filter = select.selection.as_ref().map(|filter| where_clause::lower(&mut scope, filter)).transpose()?;
    let keys = group_by(text, &mut scope, select, &items)?;

    if keys.is_empty() && !items.iter().any(|item| item.value == ItemValue::Count) {
        let columns = select.projection.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let instead = format!("count them: SELECT {columns}, COUNT(*) AS count FROM {topic} GROUP BY {columns}");
        return Err(refuse(text.keyword(Keyword::SELECT), "a query without COUNT(*) is not supported", instead));
    }
    let mut output = Vec::with_capacity(items.len());
    for item in items {
        let value = match item.value {
            ItemValue::Count => OutputValue::Count,
            ItemValue::Column(column) => match keys.iter().position(|key| *key == column) {
                Some(number) => OutputValue::Key(number),
                None => {
                    let name = scope.name(column);
                    let what = format!("{name} stands in SELECT and is not grouped");
                    return Err(refuse(item.place, what, format!("add {name} to GROUP BY, or take it out of SELECT")));
                }
            },
        };
        output.push(OutputColumn { name: item.name, value });
    }

    // The keys come first among the columns that are read, in the order of GROUP BY: Spark's partitions depend on it.
    let columns = scope.into_columns();
    let others = (0..columns.len()).filter(|column| !keys.contains(column));
    let order: Vec<usize> = keys.iter().copied().chain(others).collect();
    let moved = |column: usize| order.iter().position(|old| *old == column).unwrap_or(column);
    Ok(Plan {
        source: Source { topic, columns: order.iter().filter_map(|old| columns.get(*old).cloned()).collect() },
        filter: filter.map(|filter| filter.renumbered(&moved)),
        key_count: keys.len(),
        output,
        sink: into.map_or(Sink::Console, Sink::Topic),
    })
}

/// An item of SELECT.
struct Item {
    place: Span,
    name: String,
    alias: Option<String>,
    value: ItemValue,
}

#[derive(PartialEq, Eq)]
enum ItemValue {
    Column(usize),
    Count,
}

fn lower_item(scope: &mut Scope, item: &SelectItem) -> Result<Item, PlanError> {
    let (expr, alias) = match item {
        SelectItem::UnnamedExpr(expr) => (expr, None),
        SelectItem::ExprWithAlias { expr, alias } => (expr, Some(identifier(alias))),
        _ => {
            let instead = "name the columns: SELECT column, COUNT(*) AS count FROM topic GROUP BY column";
            return Err(refuse(item.span(), "* is not supported, for a topic has no schema", instead));
        }
    };
    let place = expr.span();
    if let Some(name) = scope.column_name(expr)? {
        let value = ItemValue::Column(scope.column(&name));
        return Ok(Item { place, name: alias.clone().unwrap_or(name), alias, value });
    }
    match expr {
        Expr::Function(function) => {
            let name = count(function)?;
            Ok(Item { place, name: alias.clone().unwrap_or(name), alias, value: ItemValue::Count })
        }
        _ => Err(refuse(place, "SELECT can hold columns and COUNT(*) alone", SHAPE)),
    }
}

/// Checks that it is `COUNT(*)` or `COUNT(1)`, and gives the name that Spark gives to it.
fn count(function: &Function) -> Result<String, PlanError> {
    let place = function.span();
    let name = function.name.to_string();
    let instead = "write COUNT(*); to count the records where a column is set, add WHERE column IS NOT NULL";
    if !name.eq_ignore_ascii_case("count") {
        return Err(refuse(place, format!("the function {name} is not supported"), instead));
    }
    if function.over.is_some() {
        return Err(refuse(place, "a window function (OVER) is not supported", "write COUNT(*) with GROUP BY"));
    }
    if function.filter.is_some() {
        return Err(refuse(place, "FILTER is not supported", "move its condition to WHERE, in a query of its own"));
    }
    let FunctionArguments::List(list) = &function.args else {
        return Err(refuse(place, "COUNT has no argument", instead));
    };
    if list.duplicate_treatment.is_some() {
        let what = "DISTINCT in COUNT is not supported, in Spark's streams neither";
        return Err(refuse(
            place,
            what,
            "group by the column and count the rows: SELECT column, COUNT(*) ... GROUP BY column",
        ));
    }
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] => Ok("count(1)".to_owned()),
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))]
            if matches!(value.value, Value::Number(..)) =>
        {
            Ok(format!("count({value})"))
        }
        _ => Err(refuse(place, format!("{function} is not supported"), instead)),
    }
}

/// The columns of GROUP BY, each once: by name (a column of SELECT goes before an alias, as in Spark), or by number.
fn group_by(text: &Text, scope: &mut Scope, select: &Select, items: &[Item]) -> Result<Vec<usize>, PlanError> {
    let GroupByExpr::Expressions(exprs, modifiers) = &select.group_by else {
        return Err(refuse(text.keyword(Keyword::GROUP), "GROUP BY ALL is not supported", "name the columns"));
    };
    if !modifiers.is_empty() {
        let what = "ROLLUP, CUBE, TOTALS and GROUPING SETS are not supported";
        return Err(refuse(text.keyword(Keyword::GROUP), what, "run one query for each grouping"));
    }
    let mut keys = Vec::with_capacity(exprs.len());
    for expr in exprs {
        let key = match (scope.column_name(expr)?, expr) {
            (Some(name), _) => {
                let selected = |column| items.iter().any(|item| item.value == ItemValue::Column(column));
                match items.iter().find(|item| item.is_called(&name)) {
                    Some(item) if !scope.find(&name).is_some_and(selected) => item.key(expr)?,
                    _ => scope.column(&name),
                }
            }
            (None, Expr::Value(value)) => match position(&value.value).and_then(|number| items.get(number)) {
                Some(item) => item.key(expr)?,
                None => {
                    let what = format!("GROUP BY {expr} names no item of SELECT");
                    return Err(refuse(expr.span(), what, format!("use 1 to {}, or a column's name", items.len())));
                }
            },
            (None, _) => {
                return Err(refuse(expr.span(), "GROUP BY can hold columns alone", "name the JSON fields to group by"));
            }
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The index that a number in GROUP BY means.
fn position(value: &Value) -> Option<usize> {
    match value {
        Value::Number(digits, _) => digits.parse::<usize>().ok()?.checked_sub(1),
        _ => None,
    }
}

impl Item {
    /// Whether GROUP BY means this item by its alias.
    fn is_called(&self, name: &str) -> bool {
        self.alias.as_ref().is_some_and(|alias| alias.to_lowercase() == name.to_lowercase())
    }

    fn key(&self, expr: &Expr) -> Result<usize, PlanError> {
        match self.value {
            ItemValue::Column(column) => Ok(column),
            ItemValue::Count => {
                let what = format!("{expr} is the count itself and cannot be grouped by");
                Err(refuse(expr.span(), what, "group by columns"))
            }
        }
    }
}
