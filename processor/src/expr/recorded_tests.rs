//! Expressions whose names, types and values Spark 3.4.0 gave: `tests/spark-parity/record_functions.py` records them.

mod rows;

use serde_json::Value as Json;

use super::{Expr, Row};
use crate::plan::Plan;
use crate::sql::{PlanSettings, plan_all};
use crate::types::{DataType, Value, cast};

const RECORDED: &str = include_str!("../../tests/data/functions-3.4.0.jsonl");

/// What is refused with a reason of its own.
const NOT_BUILT: &str = include_str!("recorded_tests/not_built.txt");
/// What differs on purpose.
const DIFFERENT: &str = include_str!("recorded_tests/different.txt");
/// Where Spark fails for a value, and that is NULL here.
const FAILS: &str = include_str!("recorded_tests/fails_in_spark.txt");

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn shown(value: Value<'_>, data_type: &DataType) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        value => match cast(value, data_type, &DataType::String) {
            Value::String(text) => String::from_utf8_lossy(&text).into_owned(),
            _ => return None,
        },
    };
    Some(text)
}

/// Java's and our functions of doubles may differ in the last digit.
fn near(left: &str, right: &str) -> bool {
    let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) else { return false };
    (left - right).abs() <= 1e-12 * left.abs().max(right.abs())
}

fn same(ours: Option<&str>, theirs: Option<&str>, data_type: &DataType) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if *data_type == DataType::Double => ours == theirs || near(ours, theirs),
        (ours, theirs) => ours == theirs,
    }
}

/// The query that selects an expression from the recorded rows.
fn planned(expression: &str) -> Result<Plan, String> {
    let sql = format!("CREATE TABLE recorded ({}); SELECT {expression} FROM recorded", rows::SCHEMA);
    let settings = PlanSettings { mode: Some(crate::OutputMode::Append), ..PlanSettings::default() };
    let mut plans = plan_all(&sql, &settings).map_err(|error| error.to_string())?;
    plans.pop().filter(|plan| plan.output.len() == 1).ok_or_else(|| "is no single expression".to_owned())
}

/// The columns that a plan reads of a row.
fn read(plan: &Plan, row: &Values) -> Values {
    let columns = plan.sources[0].columns.iter();
    Values(columns.map(|column| row.value(rows::number(&column.name)).into_owned()).collect())
}

fn check(record: &[Json]) -> Result<(), String> {
    let text = |index: usize| record.get(index).and_then(Json::as_str).unwrap_or_default();
    let planned = planned(text(0));
    let Some(values) = record.get(3).and_then(Json::as_array) else {
        return match planned {
            Ok(plan) if lines(FAILS).any(|fails| fails == text(0)) => {
                let value =
                    |row: &&Values| shown(plan.output[0].expr.eval(&read(&plan, row)), &plan.output[0].data_type);
                let nulls = rows::rows().iter().filter(|row| value(row).is_none()).count();
                if nulls > 0 { Ok(()) } else { Err("gives no NULL, and Spark fails".to_owned()) }
            }
            Ok(plan) => Err(format!("is built as {}, and Spark says {}", plan.output[0].name, text(1))),
            Err(_) => Ok(()),
        };
    };
    let plan = planned.map_err(|error| format!("is not built: {error}"))?;
    let output = &plan.output[0];
    if output.name != text(1) {
        return Err(format!("is named {}, and in Spark {}", output.name, text(1)));
    }
    let data_type = &output.data_type;
    if data_type.to_string() != text(2) {
        return Err(format!("is {data_type}, and in Spark {}", text(2)));
    }
    for (row, theirs) in rows::rows().iter().zip(values) {
        let ours = shown(output.expr.eval(&read(&plan, row)), data_type);
        if !same(ours.as_deref(), theirs.as_str(), data_type) {
            return Err(format!("gives {ours:?}, and in Spark {:?}", theirs.as_str()));
        }
    }
    Ok(())
}

#[test]
fn expressions_have_sparks_names_types_and_values() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in RECORDED.lines() {
        let record: Vec<Json> = serde_json::from_str(line).unwrap();
        let expression = record[0].as_str().unwrap();
        let known = |list| lines(list).any(|known| known == expression);
        count += 1;
        match check(&record) {
            Ok(()) if known(NOT_BUILT) || known(DIFFERENT) => wrong.push(format!("{expression}: is as in Spark now")),
            Err(error) if !known(NOT_BUILT) && !known(DIFFERENT) => wrong.push(format!("{expression}: {error}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Columns by their places.
struct Values(Vec<Value<'static>>);

impl Row for Values {
    fn value(&self, column: usize) -> Value<'_> {
        self.0.get(column).map_or(Value::Null, Value::borrowed)
    }
}

#[test]
fn conditions_know_three_values() {
    let row = Values(vec![Value::Null, Value::Boolean(true), Value::Boolean(false)]);
    let column = |index| Expr::Column(index);
    assert_eq!(Expr::And(vec![column(0), column(2)]).test(&row), Some(false));
    assert_eq!(Expr::And(vec![column(0), column(1)]).test(&row), None);
    assert_eq!(Expr::Or(vec![column(0), column(1)]).test(&row), Some(true));
    assert_eq!(Expr::Or(vec![column(0), column(2)]).test(&row), None);
    assert_eq!(Expr::Not(Box::new(column(0))).test(&row), None);
}
