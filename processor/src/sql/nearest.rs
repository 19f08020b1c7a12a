//! Advice on a name that nothing has: the names that are nearest to it.

/// Told at most.
const NAMES_MAX: usize = 3;

/// `use level or levels`, or `otherwise` if there is no name.
pub(super) fn advice<'n>(wanted: &str, known: impl Iterator<Item = &'n str>, otherwise: &str) -> String {
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
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (index, left) in a.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(b.chars()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = changed.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        let known = ["timestamp", "level", "host", "levels", "message"];
        assert_eq!(advice("Levl", known.into_iter(), "declare it"), "use level, levels or host, or declare it");
        assert_eq!(advice("x", ["y"].into_iter(), "declare it"), "use y, or declare it");
        assert_eq!(advice("x", [].into_iter(), "declare it"), "declare it");
    }
}
