//! Advice on a name that nothing has: the names that are nearest to it.

use crate::expr::edits;

/// Told at most.
const NAMES_MAX: usize = 3;

/// `use level or levels`, or `otherwise` if there is no name.
pub(crate) fn advice<'n>(wanted: &str, known: impl Iterator<Item = &'n str>, otherwise: &str) -> String {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<(usize, &str)> = known.map(|name| (distance(&wanted, &name.to_lowercase()), name)).collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    let names: Vec<&str> = ranked.into_iter().take(NAMES_MAX).map(|(_, name)| name).collect();
    match names.split_last() {
        None => otherwise.to_owned(),
        Some((only, [])) => format!("use {only}, or {otherwise}"),
        Some((last, others)) => format!("use {} or {last}, or {otherwise}", others.join(", ")),
    }
}

/// Levenshtein's distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let characters = |text: &str| text.chars().collect::<Vec<_>>();
    edits(&characters(a), &characters(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let known = ["timestamp", "level", "host", "levels", "message"];
        assert_eq!(advice("Levl", known.into_iter(), "declare it"), "use level, levels or host, or declare it");
        assert_eq!(advice("x", ["y"].into_iter(), "declare it"), "use y, or declare it");
        assert_eq!(advice("x", [].into_iter(), "declare it"), "declare it");
    }
}
