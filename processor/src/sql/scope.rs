//! The columns that a query names. Without a schema every name is a column of type STRING, found as a field of the
//! JSON value; names that differ in case alone are one column, as in Spark, and as first written is the field's name.

use sqlparser::ast::{Expr, Ident, Spanned};

use super::error::{PlanError, refuse};
use super::literal::identifier;

pub(super) struct Scope {
    /// What may stand before a column's dot: the topic's alias, or its name.
    qualifier: String,
    columns: Vec<String>,
}

impl Scope {
    pub(super) fn new(qualifier: String) -> Self {
        Self { qualifier, columns: Vec::new() }
    }

    /// The number of the column of this name; a new name is a new column.
    pub(super) fn column(&mut self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        })
    }

    /// The number of the column of this name, if there is one by now.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let folded = name.to_lowercase();
        self.columns.iter().position(|column| column.to_lowercase() == folded)
    }

    /// The name of a column.
    pub(super) fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }

    /// The fields' names, in the order of their numbers.
    pub(super) fn into_columns(self) -> Vec<String> {
        self.columns
    }

    /// The name in `expr`, if it is a column.
    pub(super) fn column_name(&self, expr: &Expr) -> Result<Option<String>, PlanError> {
        match expr {
            Expr::Identifier(ident) => Ok(Some(identifier(ident))),
            Expr::CompoundIdentifier(parts) => self.qualified(expr, parts).map(Some),
            Expr::Nested(inner) => self.column_name(inner),
            _ => Ok(None),
        }
    }

    fn qualified(&self, expr: &Expr, parts: &[Ident]) -> Result<String, PlanError> {
        let names: Vec<String> = parts.iter().map(identifier).collect();
        if let Some((column, before)) = names.split_last()
            && before.join(".").eq_ignore_ascii_case(&self.qualifier)
        {
            return Ok(column.clone());
        }
        let what =
            format!("{} is neither a column of {} nor a field that can be read", names.join("."), self.qualifier);
        Err(refuse(expr.span(), what, "use top-level fields; a name that holds dots stands in backquotes"))
    }
}
