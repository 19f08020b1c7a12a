//! `INSERT INTO topic SELECT …`

use sqlparser::ast::{Insert, Spanned, TableObject};
use sqlparser::keywords::Keyword;

use super::error::{PlanError, refuse};
use super::schema::{self, Table};
use super::text::Text;
use super::{PlanSettings, SHAPE, names, select};
use crate::plan::{Plan, Sink};

pub(super) fn insert(
    text: &Text,
    insert: &Insert,
    tables: &[Table],
    settings: &PlanSettings,
) -> Result<Plan, PlanError> {
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
    let written = names::joined(name)?;
    let declared = schema::find(tables, &written);
    let topic = declared.map_or(written, |table| table.topic.clone());
    names::check(&topic, name.span())?;
    let plan = select::query(text, source, tables, Sink::Topic(topic.clone()), settings)?;
    if plan.reads(&topic) {
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
