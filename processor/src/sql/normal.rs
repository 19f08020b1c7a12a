//! The normal form of a query: equal queries have equal text.

use std::fmt::Write;

use super::block::{Block, Level};
use super::lowered::Lowering;
use crate::plan::{Sink, Watermark};

/// The normal form. Counts over undeclared columns have the text that they have always had: checkpoints and derived
/// names depend on it.
pub(super) fn text(block: &Block<'_>, sink: &Sink, watermark: Option<Watermark>) -> String {
    let sink = match sink {
        Sink::Console => "CONSOLE".to_owned(),
        Sink::Topic(topic) => format!("TOPIC {topic:?}"),
        Sink::Json => "JSON".to_owned(),
        Sink::File(path) => format!("FILE {path:?}"),
    };
    let mut from = format!("{:?}", block.topic);
    list(&mut from, " READ ", block.scope.declared().map(|(name, data_type)| format!("{name:?} {data_type}")));
    if let Some(watermark) = watermark {
        // Writing into a string cannot fail.
        let _ = write!(from, " WATERMARK {} {}", block.scope.text(watermark.column), watermark.delay_micros);
    }
    sink + &levels_text(&block.levels, from)
}

fn levels_text(levels: &[Level], mut from: String) -> String {
    let mut levels = levels.iter().peekable();
    while let Some(level) = levels.next() {
        let selected = select_text(level, &from);
        from = if levels.peek().is_some() { format!("({})", selected.trim_start()) } else { selected };
    }
    from
}

fn select_text(level: &Level, from: &str) -> String {
    if !level.united.is_empty() {
        let united = level.united.iter().map(|levels| levels_text(levels, from.to_owned()));
        return united.collect::<Vec<_>>().join(" UNION ALL");
    }
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
pub(super) fn state(block: &Block<'_>) -> String {
    let mut from = format!("FROM {:?}", block.topic);
    if !block.last.is_grouped {
        return from;
    }
    let last = block.levels.iter().rposition(|level| level.is_grouped).unwrap_or(block.levels.len().saturating_sub(1));
    for level in block.levels.iter().take(last) {
        let grouped = if level.is_grouped { level.state.as_str() } else { "" };
        from = format!("FROM ({}{grouped})", select_text(&unconditional(level), from.trim_start_matches("FROM ")));
    }
    let Some(level) = block.levels.get(last) else { return from };
    list(&mut from, " MAKE ", level.generators.iter().cloned());
    from + &level.state
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
