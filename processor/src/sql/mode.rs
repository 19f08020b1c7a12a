//! Which queries may run as a stream, and in which output mode: `UnsupportedOperationChecker` in Spark.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::PlanSettings;
use super::error::{PlanError, refuse};
use super::text::Text;
use crate::plan::{Grouping, Inner, OutputMode, Window};

/// What the rules look at.
pub(super) struct Rules<'q> {
    pub(super) text: &'q Text,
    pub(super) grouping: Option<&'q Grouping>,
    /// Groupings whose rows are grouped again.
    pub(super) inner: &'q [Inner],
    /// ORDER BY
    pub(super) is_ordered: bool,
    /// LIMIT, of this query or one inside of it.
    pub(super) is_limited: bool,
    /// LIMIT of an inner query, before what is asked of its rows.
    pub(super) limits_records: bool,
    /// Whether the query has a watermark.
    pub(super) watermark: bool,
    /// Whether it groups by the keyword GROUP BY, or else by DISTINCT or one aggregate over all.
    pub(super) grouped_at: Span,
}

/// The mode in which the query runs. A batch knows no modes: all its rows are final.
pub(super) fn check(rules: &Rules<'_>, settings: &PlanSettings) -> Result<OutputMode, PlanError> {
    if settings.batch {
        return Ok(if rules.grouping.is_some() { OutputMode::Complete } else { OutputMode::Append });
    }
    let mode = settings.mode.unwrap_or_default();
    let start = rules.text.start();
    if mode == OutputMode::Complete && rules.grouping.is_none() {
        let what = "complete mode needs an aggregate: it keeps all rows of the result";
        return Err(refuse(start, what, "use append or update mode, or GROUP BY"));
    }
    if rules.is_ordered && mode != OutputMode::Complete {
        let what = "ORDER BY needs an aggregate in complete mode, for there alone a result is whole";
        return Err(refuse(rules.text.keyword(Keyword::ORDER), what, "use complete mode, or leave it out"));
    }
    if rules.is_limited && mode == OutputMode::Update {
        let what = "LIMIT is not supported in update mode, in Spark neither";
        let instead = "narrow the rows with WHERE, or use complete or append mode";
        return Err(refuse(rules.text.keyword(Keyword::LIMIT), what, instead));
    }
    let Some(grouping) = rules.grouping else { return Ok(mode) };
    if rules.limits_records && mode != OutputMode::Complete {
        let what = "groups over a query with LIMIT need complete mode";
        return Err(refuse(rules.grouped_at, what, "use complete mode, or leave LIMIT out"));
    }
    if !rules.inner.is_empty() && mode != OutputMode::Append {
        let what = "groups of groups need append mode: groups that change cannot be taken back out of others";
        let instead = "use append mode, or write the inner query as INSERT INTO topic SELECT …, and read that topic";
        return Err(refuse(rules.grouped_at, what, instead));
    }
    let groupings = || rules.inner.iter().map(|inner| &inner.grouping).chain([grouping]);
    for grouping in groupings().filter(|grouping| matches!(grouping.window, Some(Window::Session { .. }))) {
        session(grouping, mode, rules.grouped_at)?;
    }
    if mode == OutputMode::Append && groupings().any(|grouping| grouping.event_time.is_none()) {
        let (what, instead) = if rules.watermark {
            (
                "append mode needs a group key that carries the event time: without, no row is ever final",
                "group by the watermark's column, or by window(column, '10 seconds') over it",
            )
        } else {
            (
                "append mode needs a watermark: without, no row is ever final",
                "declare one: CREATE TABLE … WITH (watermark = 'column 5 seconds'), and group by a window over it",
            )
        };
        return Err(refuse(rules.grouped_at, what, instead));
    }
    Ok(mode)
}

/// Spark refuses update mode at start, and fails in the first batch where a session is the only key.
fn session(grouping: &Grouping, mode: OutputMode, place: Span) -> Result<(), PlanError> {
    if mode == OutputMode::Update {
        let what = "session_window is not supported in update mode, in Spark neither";
        return Err(refuse(place, what, "use append or complete mode"));
    }
    if grouping.keys.len() < 2 {
        let what = "session_window needs a second key, in Spark too";
        return Err(refuse(place, what, "group by whom the sessions belong to: GROUP BY user, session_window(…)"));
    }
    Ok(())
}
