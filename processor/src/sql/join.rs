//! JOIN with a topic as a table of latest values: an extension, for Spark joins a stream with files or with another
//! stream.
//!
//! `CREATE TABLE users (id STRING, name STRING) WITH (latest_by = 'id')` says that of each `id` the topic's last record
//! counts; `latest_by = 'key'` goes by the record's key, and a record without a value ends the key's row. A row of the
//! query meets the table as it is when its batch begins.

use sqlparser::ast::{Join, JoinConstraint, JoinOperator, Spanned, TableFactor};
use sqlparser::tokenizer::Span;

use super::block::conjuncts;
use super::error::{PlanError, refuse};
use super::from::aliases;
use super::lowered::{Clause, GENERATED, Generated, Lowering, Reach};
use super::schema::{self, Table, shown};
use super::select::{Context, condition_of};
use super::{assemble, columns, kafka, names};
use crate::expr::{Comparison, Expr};
use crate::plan::{JoinedTable, Lookup, ReadFrom, SourceColumn, Stage};

const SHAPE: &str = "write FROM topic JOIN table ON topic.column = table.column";

impl Lowering<'_> {
    /// Takes one JOIN in.
    pub(super) fn join(&mut self, context: &Context<'_>, join: &Join) -> Result<(), PlanError> {
        let (outer, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (false, constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (true, constraint),
            _ => {
                let what = "a topic joins a table by JOIN or LEFT JOIN alone";
                return Err(refuse(join.relation.span(), what, SHAPE));
            }
        };
        let JoinConstraint::On(condition) = constraint else {
            return Err(refuse(join.relation.span(), "a JOIN needs ON", SHAPE));
        };
        let (table, qualifier) = self.joined_table(context, &join.relation)?;
        let place = condition.span();
        let known = self.tables.len();
        let first = self.generated.len();
        let joined = joined(table);
        for (number, column) in joined.columns.iter().enumerate() {
            let reach = if column.from == ReadFrom::Json { Reach::Joined } else { Reach::Qualified };
            self.generated.push(Generated {
                qualifier: Some(qualifier.clone()),
                name: Some(column.name.clone()),
                data_type: column.data_type.clone(),
                text: format!("table.{known}.{number}"),
                reach,
            });
        }
        let lowered = condition_of(self, condition, Clause::Where)?;
        let mut keys: Vec<Option<Expr>> = vec![None; joined.key.len()];
        let mut rest = Vec::new();
        let width = joined.columns.len();
        let own = |expr: &Expr| {
            columns::of(expr).iter().any(|column| (first..first + width).contains(&(column.wrapping_sub(GENERATED))))
        };
        for conjunct in conjuncts(&lowered.typed.expr) {
            match key_of(&conjunct, |column| joined.key.iter().position(|key| first + key == column), own) {
                Some((number, expr)) if keys.get(number).is_some_and(Option::is_none) => {
                    if let Some(key) = keys.get_mut(number) {
                        *key = Some(expr);
                    }
                }
                _ => rest.push(conjunct),
            }
        }
        let mut found = Vec::with_capacity(keys.len());
        for (key, number) in keys.into_iter().zip(&joined.key) {
            let Some(key) = key else { return Err(without_key(&joined, *number, &qualifier, place)) };
            found.push(key);
        }
        let kind = if outer { "LEFT JOIN" } else { "JOIN" };
        let text = format!("{kind} {} ON {}", text(&joined), lowered.text);
        let condition = if outer { assemble::joined(std::mem::take(&mut rest)) } else { None };
        let columns = (0..width).map(Some).collect();
        self.tables.push(joined);
        self.makers.push((text, Stage::Lookup(Lookup { table: known, keys: found, condition, outer, columns })));
        self.makers.extend(rest.into_iter().map(|condition| (String::new(), Stage::Filter(condition))));
        Ok(())
    }

    /// The table that is joined, and what it is called.
    fn joined_table<'c>(
        &self,
        context: &Context<'c>,
        relation: &TableFactor,
    ) -> Result<(&'c Table, String), PlanError> {
        let place = relation.span();
        let TableFactor::Table { name, alias, args: None, version: None, sample: None, json_path: None, .. } = relation
        else {
            return Err(refuse(place, "what is joined is no table of latest values", SHAPE));
        };
        let written = names::joined(name)?;
        let (alias, renamed) = aliases(alias.as_ref());
        if !renamed.is_empty() {
            return Err(refuse(place, "columns cannot be renamed here", "use aliases in SELECT"));
        }
        let table = schema::find(context.tables, &written);
        let Some(table) = table.filter(|table| !table.latest_by.is_empty()) else {
            let what = format!("{written} is no table of latest values, and a stream joins no other");
            let instead = "declare which columns its rows are told by: \
                           CREATE TABLE users (id STRING, name STRING) WITH (latest_by = 'id')";
            return Err(refuse(place, what, instead));
        };
        let qualifier = alias.unwrap_or(written);
        if qualifier.contains('.') {
            return Err(refuse(
                place,
                "a joined table with a dot in its name needs an alias",
                "write JOIN table AS name",
            ));
        }
        let folded = qualifier.to_lowercase();
        let is_taken = |generated: &Generated| {
            generated.qualifier.as_ref().is_some_and(|qualifier| qualifier.to_lowercase() == folded)
        };
        if self.scope.is_qualifier(std::slice::from_ref(&qualifier)) || self.generated.iter().any(is_taken) {
            let what = format!("two tables are called {qualifier}");
            return Err(refuse(place, what, "give one of them an alias: JOIN table AS name"));
        }
        Ok((table, qualifier))
    }
}

/// All that can be read of a table.
fn joined(table: &Table) -> JoinedTable {
    let declared = table.columns.iter().map(|field| SourceColumn {
        name: field.name.clone(),
        from: ReadFrom::Json,
        data_type: field.data_type.clone(),
    });
    let hidden = |name: &str| table.column(name).is_some();
    let kafka = kafka::COLUMNS.into_iter().filter(|(name, _)| !hidden(name)).map(|(name, from)| SourceColumn {
        name: name.to_owned(),
        from,
        data_type: kafka::data_type(from),
    });
    let columns: Vec<SourceColumn> = declared.chain(kafka).collect();
    let is = |column: &SourceColumn, name: &str| column.name.eq_ignore_ascii_case(name);
    let key = table.latest_by.iter().filter_map(|name| columns.iter().position(|column| is(column, name))).collect();
    JoinedTable { topic: table.topic.clone(), columns, key, kept: Vec::new() }
}

/// Which key column a conjunct says something of, and what it is equal to.
fn key_of(conjunct: &Expr, key: impl Fn(usize) -> Option<usize>, own: impl Fn(&Expr) -> bool) -> Option<(usize, Expr)> {
    let Expr::Compare { op: Comparison::Eq, left, right } = conjunct else { return None };
    let sides = [(left, right), (right, left)];
    sides.into_iter().find_map(|(table, other)| match table.as_ref() {
        Expr::Column(column) if !own(other) => Some((key(column.checked_sub(GENERATED)?)?, other.as_ref().clone())),
        _ => None,
    })
}

fn without_key(table: &JoinedTable, number: usize, qualifier: &str, place: Span) -> PlanError {
    let Some(SourceColumn { name, data_type, .. }) = table.columns.get(number) else {
        return refuse(place, "ON says nothing of the table's key", SHAPE);
    };
    let what = format!("ON does not say what {qualifier}.{name} is equal to, by which the table's rows are told");
    let instead = format!("write ON topic.column = {qualifier}.{name}, with a column that is {}", shown(data_type));
    refuse(place, what, instead)
}

/// The table in a plan's text.
fn text(table: &JoinedTable) -> String {
    let column =
        |number: &usize| table.columns.get(*number).map_or(String::new(), |column| format!("{:?}", column.name));
    let keys: Vec<String> = table.key.iter().map(column).collect();
    format!("{:?} LATEST BY {}", table.topic, keys.join(", "))
}
