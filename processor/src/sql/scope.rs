//! The columns that a query names.
//!
//! With a CREATE TABLE they are the declared ones, and after those the Kafka columns. Without, every name is a field of
//! the JSON value: names that differ in case alone are one column, as in Spark, and as first written is the field's
//! name. `kafka.offset` and the like are the Kafka columns anywhere; written `timestamp` alone, a topic without a table
//! means its JSON field, which logs tend to have.

use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::kafka;
use super::schema::{Table, shown};
use super::shape::Shape;
use crate::nearest;
use crate::plan::{ReadFrom, SourceColumn};
use crate::types::DataType;

/// A step from a value into it.
pub(super) enum Access<'n> {
    Field(&'n str),
    Index,
}

pub(super) struct Scope<'t> {
    /// What may stand before a column's dot: the topic's alias, or its name; of an inner query its alias, or nothing.
    qualifier: String,
    relation: Relation<'t>,
    columns: Vec<Column>,
}

/// What the columns are of.
enum Relation<'t> {
    Topic(Option<&'t Table>),
    /// An inner query's result.
    Query,
}

struct Column {
    /// Equal for columns of an inner query that are one.
    identity: usize,
    name: String,
    from: ReadFrom,
    /// None: as the query uses it.
    data_type: Option<DataType>,
    shape: Shape,
}

/// A column and what follows it in a chain of names.
pub(super) struct Found {
    pub(super) column: usize,
    /// Names of the chain that were taken.
    pub(super) taken: usize,
}

impl<'t> Scope<'t> {
    pub(super) fn new(qualifier: String, table: Option<&'t Table>) -> Self {
        Self { qualifier, relation: Relation::Topic(table), columns: Vec::new() }
    }

    /// Itself, and without columns in its place.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self { qualifier: String::new(), relation: Relation::Query, columns: Vec::new() };
        std::mem::replace(self, empty)
    }

    /// Of the columns of an inner query.
    pub(super) fn of_query(qualifier: String, fields: impl Iterator<Item = (String, DataType, usize)>) -> Self {
        let column = |(name, data_type, identity)| Column {
            identity,
            name,
            from: ReadFrom::Json,
            data_type: Some(data_type),
            shape: Shape::Any,
        };
        Self { qualifier, relation: Relation::Query, columns: fields.map(column).collect() }
    }

    pub(super) fn table(&self) -> Option<&'t Table> {
        match self.relation {
            Relation::Topic(table) => table,
            Relation::Query => None,
        }
    }

    /// How many columns an inner query has; `None` of a topic.
    pub(super) fn query_columns(&self) -> Option<usize> {
        matches!(self.relation, Relation::Query).then_some(self.columns.len())
    }

    /// Whether its columns are known by name and type, and this is one of them; `None` if any name can be one.
    pub(super) fn declares(&self, name: &str) -> Option<bool> {
        match self.relation {
            Relation::Topic(table) => table.map(|table| table.column(name).is_some()),
            Relation::Query => Some(self.position(name, ReadFrom::Json).is_some()),
        }
    }

    /// Whether several columns of an inner query are called so.
    pub(super) fn is_ambiguous(&self, column: usize) -> bool {
        let folded = self.name(column).to_lowercase();
        let identity = self.columns.get(column).map(|column| column.identity);
        let mut same = self.columns.iter().filter(|other| other.name.to_lowercase() == folded);
        matches!(self.relation, Relation::Query) && same.any(|other| Some(other.identity) != identity)
    }

    /// Whether `names` are the topic's name or alias.
    pub(super) fn is_qualifier(&self, names: &[String]) -> bool {
        names.join(".").eq_ignore_ascii_case(&self.qualifier)
    }

    /// The column that a chain of names starts with; `None` if no column is so called, which is so with a table alone.
    pub(super) fn find(&mut self, names: &[String]) -> Option<Found> {
        if let Some(count) = self.qualifier_len(names)
            && let Some(name) = names.get(count)
            && let Some(column) = self.column(name)
        {
            return Some(Found { column, taken: count + 1 });
        }
        let first = names.first()?;
        let is_topic = matches!(self.relation, Relation::Topic(_));
        if is_topic
            && self.declares(first) != Some(true)
            && first.eq_ignore_ascii_case("kafka")
            && let Some((name, from)) = names.get(1).and_then(|name| kafka::column(name))
        {
            return Some(Found { column: self.kafka(name, from), taken: 2 });
        }
        self.column(first).map(|column| Found { column, taken: 1 })
    }

    /// How many names before the last are the qualifier, which may hold dots itself.
    fn qualifier_len(&self, names: &[String]) -> Option<usize> {
        let parts_max = self.qualifier.matches('.').count() + 1;
        (1..names.len().min(parts_max + 1))
            .rev()
            .find(|count| names.get(..*count).is_some_and(|n| self.is_qualifier(n)))
    }

    /// The column of a name without a qualifier.
    pub(super) fn column(&mut self, name: &str) -> Option<usize> {
        let table = match self.relation {
            Relation::Topic(Some(table)) => table,
            Relation::Topic(None) => return Some(self.json(name, None)),
            Relation::Query => return self.position(name, ReadFrom::Json),
        };
        if let Some(field) = table.column(name) {
            return Some(self.json(&field.name, Some(&field.data_type)));
        }
        kafka::column(name).map(|(name, from)| self.kafka(name, from))
    }

    /// Whether a query has named this JSON field so far.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.position(name, ReadFrom::Json).is_some()
    }

    fn position(&self, name: &str, from: ReadFrom) -> Option<usize> {
        let folded = name.to_lowercase();
        self.columns.iter().position(|column| column.from == from && column.name.to_lowercase() == folded)
    }

    fn json(&mut self, name: &str, data_type: Option<&DataType>) -> usize {
        self.position(name, ReadFrom::Json).unwrap_or_else(|| self.push(name, ReadFrom::Json, data_type.cloned()))
    }

    pub(super) fn kafka(&mut self, name: &str, from: ReadFrom) -> usize {
        self.position(name, from).unwrap_or_else(|| self.push(name, from, Some(kafka::data_type(from))))
    }

    fn push(&mut self, name: &str, from: ReadFrom, data_type: Option<DataType>) -> usize {
        let identity = self.columns.len();
        self.columns.push(Column { identity, name: name.to_owned(), from, data_type, shape: Shape::Any });
        self.columns.len() - 1
    }

    /// Takes in the columns of another scope of the same topic: their numbers here. `None` if one is of another type.
    pub(super) fn adopt(&mut self, other: &Self) -> Option<Vec<usize>> {
        let known = |column: &Column| self.position(&column.name, column.from);
        let is_known_otherwise = |(number, column): (usize, &Column)| {
            known(column).is_some_and(|known| self.data_type(known) != other.data_type(number))
        };
        if other.columns.iter().enumerate().any(is_known_otherwise) {
            return None;
        }
        let mut numbers = Vec::with_capacity(other.columns.len());
        for (number, column) in other.columns.iter().enumerate() {
            let known = self.position(&column.name, column.from);
            numbers.push(known.unwrap_or_else(|| self.push(&column.name, column.from, Some(other.data_type(number)))));
        }
        Some(numbers)
    }

    /// Takes into account how a query reads a column that no CREATE TABLE declares.
    pub(super) fn infer(&mut self, column: usize, steps: &[Access<'_>], place: Span) -> Result<(), PlanError> {
        let Some(read) = self.columns.get_mut(column) else { return Ok(()) };
        let name = &read.name;
        shape_of(&mut read.shape, steps).map_err(|(elsewhere, here)| conflict(name, &elsewhere, here, place))
    }

    pub(super) fn data_type(&self, column: usize) -> DataType {
        let Some(column) = self.columns.get(column) else { return DataType::Null };
        column.data_type.clone().unwrap_or_else(|| column.shape.data_type())
    }

    /// Whether no CREATE TABLE says the column's type.
    pub(super) fn is_inferred(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| column.data_type.is_none())
    }

    /// The column in a plan's text.
    pub(super) fn text(&self, column: usize) -> String {
        match self.columns.get(column) {
            Some(Column { from: ReadFrom::Json, name, .. }) => format!("{name:?}"),
            Some(column) => format!("kafka.{}", column.name),
            None => "?".to_owned(),
        }
    }

    /// The declared columns that are no STRING, with their types.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&str, &DataType)> {
        let is_topic = matches!(self.relation, Relation::Topic(_));
        let declared = self.columns.iter().filter(move |column| is_topic && column.from == ReadFrom::Json);
        let typed = declared.filter_map(|column| Some((column.name.as_str(), column.data_type.as_ref()?)));
        typed.filter(|(_, data_type)| **data_type != DataType::String)
    }

    /// A column's name.
    pub(super) fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |column| column.name.as_str())
    }

    pub(super) fn into_columns(self) -> Vec<SourceColumn> {
        let column = |column: Column| {
            let data_type = column.data_type.unwrap_or_else(|| column.shape.data_type());
            SourceColumn { name: column.name, from: column.from, data_type }
        };
        self.columns.into_iter().map(column).collect()
    }

    /// That a chain of names is no column of the table.
    pub(super) fn unknown(&self, names: &[String], place: Span, more: &[&str]) -> PlanError {
        let written = names.join(".");
        let last = names.last().map_or("", String::as_str);
        if self.query_columns().is_some() {
            let columns = self.columns.iter().map(|column| column.name.as_str());
            let instead = nearest::advice(last, columns.chain(more.iter().copied()), "add it to the inner query");
            return refuse(place, format!("{written} is no column of the inner query"), instead);
        }
        let columns = self.table().into_iter().flat_map(|table| &table.columns).map(|column| column.name.as_str());
        let kafka = kafka::COLUMNS.iter().map(|(name, _)| *name);
        let instead = nearest::advice(last, columns.chain(kafka).chain(more.iter().copied()), "add it to CREATE TABLE");
        refuse(place, format!("{written} is no column of {}", self.qualifier), instead)
    }
}

/// Takes the steps into account; on a conflict, what the value is in other places and here.
fn shape_of(shape: &mut Shape, steps: &[Access<'_>]) -> Result<(), (DataType, &'static str)> {
    let mut at = shape;
    for step in steps {
        at = match step {
            Access::Field(name) => at.field(name).map_err(|elsewhere| (elsewhere, "STRUCT"))?,
            Access::Index => at.element().map_err(|elsewhere| (elsewhere, "ARRAY"))?,
        };
    }
    at.text().map_err(|elsewhere| (elsewhere, "STRING"))
}

fn conflict(name: &str, elsewhere: &DataType, here: &str, place: Span) -> PlanError {
    let what = format!("{name} or a part of it is {} in one place of the query and {here} in this", shown(elsewhere));
    refuse(place, what, format!("use it in one way, or say what it is: CREATE TABLE topic ({name} TYPE, …)"))
}
