//! Which queries may run as a stream, and in which output mode: `UnsupportedOperationChecker` in Spark.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::PlanSettings;
use super::error::{PlanError, refuse};
use super::text::Text;
use crate::plan::{Grouping, OutputMode, Plan, Stage, Window};

/// The mode in which a query runs. A batch knows no modes: all its rows are final. `grouped_at` is where it groups: by GROUP
/// BY, or else by DISTINCT or one aggregate over all.
pub(super) fn check(
    plan: &Plan,
    text: &Text,
    grouped_at: Span,
    settings: &PlanSettings,
) -> Result<OutputMode, PlanError> {
    let has_groups = plan.groupings().next().is_some();
    if settings.batch {
        return Ok(if has_groups { OutputMode::Complete } else { OutputMode::Append });
    }
    let mode = settings.mode.unwrap_or_default();
    let start = text.start();
    if mode == OutputMode::Complete && !has_groups {
        let what = "complete mode needs an aggregate: it keeps all rows of the result";
        return Err(refuse(start, what, "use append or update mode, or GROUP BY"));
    }
    let is_ordered = !plan.order_by.is_empty() || plan.inner.iter().any(|inner| !inner.order_by.is_empty());
    if is_ordered && mode != OutputMode::Complete {
        let what = "ORDER BY needs an aggregate in complete mode, for there alone a result is whole";
        return Err(refuse(text.keyword(Keyword::ORDER), what, "use complete mode, or leave it out"));
    }
    if (plan.limit.is_some() || !plan.limits.is_empty()) && mode == OutputMode::Update {
        let what = "LIMIT is not supported in update mode, in Spark neither";
        let instead = "narrow the rows with WHERE, or use complete or append mode";
        return Err(refuse(text.keyword(Keyword::LIMIT), what, instead));
    }
    if groups_limited_records(plan) && mode != OutputMode::Complete {
        let what = "groups over a query with LIMIT need complete mode";
        return Err(refuse(grouped_at, what, "use complete mode, or leave LIMIT out"));
    }
    if plan.inner.iter().any(|inner| plan.level(inner.to).1.is_some()) && mode != OutputMode::Append {
        let what = "groups of groups need append mode: groups that change cannot be taken back out of others";
        let instead = "use append mode, or write the inner query as INSERT INTO topic SELECT …, and read that topic";
        return Err(refuse(grouped_at, what, instead));
    }
    for grouping in plan.groupings().filter(|grouping| matches!(grouping.window, Some(Window::Session { .. }))) {
        session(grouping, mode, grouped_at)?;
    }
    if mode == OutputMode::Append && plan.groupings().any(|grouping| grouping.event_time.is_none()) {
        let (what, instead) = if plan.branches().any(|branch| branch.watermark.is_some()) {
            (
                "append mode needs a group key that carries the event time: without, no row is ever final",
                "group by the watermark's column, or by window(column, '10 seconds') over it; UNION ALL carries that of its \
                 first SELECT",
            )
        } else {
            (
                "append mode needs a watermark: without, no row is ever final",
                "declare one: CREATE TABLE … WITH (watermark = 'column 5 seconds'), and group by a window over it",
            )
        };
        return Err(refuse(grouped_at, what, instead));
    }
    Ok(mode)
}

/// Whether a grouping takes what a LIMIT of an inner query leaves of records.
fn groups_limited_records(plan: &Plan) -> bool {
    let is_limited = |stages: &[Stage]| stages.iter().any(|stage| matches!(stage, Stage::Limit(_)));
    plan.branches().any(|branch| {
        let (stages, grouping) = plan.level(branch.to);
        let of_side = || branch.side.as_ref().is_some_and(|side| is_limited(&side.stages));
        grouping.is_some() && (is_limited(stages) || of_side())
    })
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
