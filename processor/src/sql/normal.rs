//! The normal form of a query: equal queries have equal text.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::block::Level;
use super::lowered::Lowering;
use super::reads::Reads;
use crate::plan::Sink;

/// The normal form. Counts over undeclared columns have the text that they have always had: checkpoints and derived
/// names depend on it.
pub(super) fn text(levels: &[Level], reads: &Reads<'_>, sink: &Sink) -> String {
    let sink = match sink {
        Sink::Console => "CONSOLE".to_owned(),
        Sink::Topic(topic) => format!("TOPIC {topic:?}"),
        Sink::Json => "JSON".to_owned(),
        Sink::File(path) => format!("FILE {path:?}"),
    };
    let mut from = reads.branches().map(|(topic, scope, watermark)| {
        let mut from = format!("{topic:?}");
        list(&mut from, " READ ", scope.declared().map(|(name, data_type)| format!("{name:?} {data_type}")));
        if let Some(watermark) = watermark {
            // Writing into a string cannot fail.
            let _ = write!(from, " WATERMARK {} {}", scope.text(watermark.column), watermark.delay_micros);
        }
        from
    });
    sink + &levels_text(levels, &mut from)
}

/// What each branch reads, in the order in which they stand in the text.
type From<'f> = dyn Iterator<Item = String> + 'f;

fn levels_text(levels: &[Level], reads: &mut From<'_>) -> String {
    let mut from = String::new();
    let mut levels = levels.iter().peekable();
    while let Some(level) = levels.next() {
        let selected = select_text(level, &from, reads);
        from = if levels.peek().is_some() { format!("({})", selected.trim_start()) } else { selected };
    }
    from
}

/// Over the text `from`; if that is empty, over what the next branch reads.
fn select_text(level: &Level, from: &str, reads: &mut From<'_>) -> String {
    if !level.united.is_empty() {
        let united = level.united.iter().map(|levels| levels_text(levels, reads));
        return united.collect::<Vec<_>>().join(" UNION ALL");
    }
    let from = if from.is_empty() { reads.next().unwrap_or_default() } else { from.to_owned() };
    let mut text = String::new();
    list(&mut text, " SELECT ", level.outputs.iter().cloned());
    let _ = write!(text, " FROM {from}");
    list(&mut text, " MAKE ", level.generators.iter().cloned());
    if let Some(condition) = &level.condition {
        let _ = write!(text, " WHERE {condition}");
    }
    list(&mut text, " GROUP BY ", level.keys.iter().cloned());
    if let Some(having) = &level.having {
        let _ = write!(text, " HAVING {having}");
    }
    list(&mut text, " ORDER BY ", level.order.iter().cloned());
    if let Some(limit) = level.limit {
        let _ = write!(text, " LIMIT {limit}");
    }
    text
}

/// What the state is of: queries that agree in it may go on with each other's. Conditions are left out.
pub(super) fn state(levels: &[Level], reads: &Reads<'_>, has_groups: bool) -> String {
    let topics = || reads.topics().map(|topic| format!("{topic:?}"));
    let mut state = String::new();
    if !has_groups {
        list(&mut state, "FROM ", topics());
        return state;
    }
    state = levels_state(levels, &mut reads.branches().map(|(topic, ..)| format!("{topic:?}")));
    let distinct: BTreeSet<&str> = reads.topics().collect();
    if distinct.len() < topics().count() {
        // Which of them are read twice, conditions say too.
        list(&mut state, " READS ", topics());
    }
    state
}

fn levels_state(levels: &[Level], reads: &mut From<'_>) -> String {
    let last = levels.iter().rposition(Level::holds_groups).unwrap_or(levels.len().saturating_sub(1));
    let mut from = String::new();
    for level in levels.iter().take(last) {
        from = if level.united.iter().flatten().any(Level::holds_groups) {
            format!("({})", united_state(level, reads))
        } else {
            let grouped = if level.is_grouped { level.state.as_str() } else { "" };
            let selected = select_text(&unconditional(level), from.trim_start_matches("FROM "), reads);
            format!("FROM ({selected}{grouped})")
        };
    }
    match levels.get(last) {
        Some(level) if !level.united.is_empty() => united_state(level, reads),
        Some(level) => {
            if from.is_empty() {
                from = format!("FROM {}", reads.next().unwrap_or_default());
            }
            list(&mut from, " MAKE ", level.generators.iter().cloned());
            from + &level.state
        }
        None => from,
    }
}

fn united_state(level: &Level, reads: &mut From<'_>) -> String {
    let sides: Vec<String> = level.united.iter().map(|levels| levels_state(levels, reads)).collect();
    sides.join(" UNION ALL ")
}

fn unconditional(level: &Level) -> Level {
    let united = level.united.iter().map(|levels| levels.iter().map(unconditional).collect());
    Level { united: united.collect(), condition: None, having: None, ..level.clone() }
}

/// The part of `state` that the SELECT with the groups adds.
pub(super) fn grouped_state(lowering: &Lowering<'_>) -> String {
    let mut text = String::new();
    let keys = lowering.keys.iter().map(|key| format!("{} {}", key.text, key.typed.data_type));
    list(&mut text, " GROUP BY ", keys);
    let aggregates = lowering.aggregates.iter().map(|(text, aggregate)| format!("{text} {}", aggregate.input));
    list(&mut text, " AGGREGATES ", aggregates);
    text
}

pub(super) fn list(text: &mut String, before: &str, items: impl Iterator<Item = String>) {
    for (index, item) in items.enumerate() {
        text.push_str(if index == 0 { before } else { ", " });
        text.push_str(&item);
    }
}
