//! Every query that Spark 3.4.0 was recorded with: the same names and types of columns, the same refusals at start.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;

use super::*;

/// Queries that Spark refuses at start and brooklet runs: exact distinct counts, several statements, a topic without a
/// table, and WITH over several topics.
const EXTENSIONS: [&str; 5] =
    ["no-count-distinct", "no-count-distinct-by-group", "no-two-statements", "no-unknown-table", "union-with"];
/// Queries that Spark runs, or refuses only when they run.
const REFUSED: [&str; 6] = [
    // A query inside of an expression.
    "no-in-subquery",
    "no-scalar-subquery",
    // Refused at start, where Spark fails in the first batch.
    "session-without-key",
    "element-at-zero",
    "regexp-group-missing",
    "no-bad-regexp",
];

fn cases(folder: &str) -> Vec<Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/spark-parity").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path()).collect();
    files.sort();
    let cases = |path| serde_json::from_slice::<Vec<Json>>(&std::fs::read(path).unwrap()).unwrap();
    files.into_iter().flat_map(cases).collect()
}

/// Which functions there are is no matter of the lowering.
fn is_function_gap(error: &PlanError) -> bool {
    error.what.contains("there is no function") || error.what.contains("pattern")
}

fn table(name: &str, of: &Json) -> String {
    let strings = |names: &Vec<Json>| {
        names.iter().map(|name| format!("`{}` STRING", name.as_str().unwrap())).collect::<Vec<_>>().join(", ")
    };
    let schema = of["schema"].as_str().map(str::to_owned).or_else(|| of["columns"].as_array().map(strings)).unwrap();
    let watermark = of["watermark"].as_array().map_or(String::new(), |watermark| {
        format!(", watermark = '{} {}'", watermark[0].as_str().unwrap(), watermark[1].as_str().unwrap())
    });
    let topic = of["topic"].as_str().unwrap_or(name);
    format!("CREATE TABLE {name} ({schema}) WITH (topic = '{topic}'{watermark}); ")
}

fn lowered(case: &Json) -> Result<Plan, PlanError> {
    let text = |name: &str| case[name].as_str().map(str::to_owned);
    let tables = match case["tables"].as_object() {
        Some(tables) => tables.iter().map(|(name, of)| table(name, of)).collect(),
        None => table(case["topic"].as_str().unwrap_or("logs"), case),
    };
    let mode = match text("mode").as_deref() {
        Some("complete") => OutputMode::Complete,
        Some("append") => OutputMode::Append,
        _ => OutputMode::Update,
    };
    let settings = PlanSettings { mode: Some(mode), ..PlanSettings::default() };
    let mut plans = plan_all(&format!("{tables}{}", text("sql").unwrap()), &settings)?;
    Ok(plans.remove(0))
}

#[test]
fn recorded_queries_have_sparks_columns_and_refusals() {
    let name = |case: &Json| case["name"].as_str().unwrap().to_owned();
    let recorded: HashMap<String, Json> = cases("recorded").into_iter().map(|case| (name(&case), case)).collect();
    let mut wrong = Vec::new();
    for case in cases("corpus") {
        let name = name(&case);
        let recording = recorded.get(&name).unwrap_or(&Json::Null);
        let refused_at_start = case["refused"].as_str() == Some("start");
        let known = EXTENSIONS.contains(&name.as_str()) || REFUSED.contains(&name.as_str());
        match lowered(&case) {
            Ok(_) if refused_at_start && !known => wrong.push(format!("{name}: runs; {}", recording["refused"])),
            Err(error) if is_function_gap(&error) => {}
            Err(error) if !refused_at_start && !known => wrong.push(format!("{name}: {error}\n   {}", case["sql"])),
            Ok(plan) if !refused_at_start => {
                let columns = plan.output.iter().map(|column| (column.name.clone(), column.data_type.to_string()));
                let columns: Vec<(String, String)> = columns.collect();
                if let Some(expected) = recording["columns"].as_array() {
                    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
                    let expected: Vec<(String, String)> =
                        expected.iter().map(|column| (text(&column[0]), text(&column[1]))).collect();
                    if columns != expected {
                        wrong.push(format!("{name}: {columns:?}\n   not {expected:?}"));
                    }
                }
            }
            Ok(_) if known => {}
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
