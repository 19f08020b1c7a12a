//! Output modes, and what a batch may do.

use super::*;

const TABLE: &str = "CREATE TABLE t (s STRING, n INT, ts TIMESTAMP) WITH (watermark = 'ts 0 seconds'); ";

fn run(query: &str, mode: Option<OutputMode>) -> Result<Plan, PlanError> {
    let settings = PlanSettings { mode, batch: mode.is_none(), sink: Sink::Console };
    Ok(plan_all(&format!("{TABLE}{query}"), &settings)?.remove(0))
}

/// The letters of the modes in which Spark runs a query: Update, Complete, Append, and Batch.
#[test]
fn modes_are_those_of_spark() {
    let cases = [
        ("SELECT s FROM t", "UAB"),
        ("SELECT s FROM t LIMIT 3", "AB"),
        ("SELECT s FROM t ORDER BY n", "B"),
        ("SELECT s, count(*) FROM t GROUP BY s", "UCB"),
        ("SELECT count(*) FROM t", "UCB"),
        ("SELECT s, count(*) AS n FROM t GROUP BY s ORDER BY n DESC, sum(n) LIMIT 3", "CB"),
        ("SELECT s, count(*) FROM t GROUP BY s LIMIT 3", "CB"),
        ("SELECT s, count(*) FROM t GROUP BY s, ts", "UCAB"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 day')", "UCAB"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 day') LIMIT 3", "CAB"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 day').start", "UCB"),
        ("SELECT s, count(*) FROM t GROUP BY s, session_window(ts, '1 day')", "CAB"),
        ("SELECT count(*) FROM t GROUP BY session_window(ts, '1 day')", "B"),
        ("SELECT DISTINCT s FROM t", "UCB"),
        ("SELECT DISTINCT ts FROM t", "UCAB"),
        ("SELECT DISTINCT s, count(*) FROM t GROUP BY s", "B"),
        ("SELECT DISTINCT s FROM t ORDER BY s", "CB"),
        ("SELECT DISTINCT s FROM t ORDER BY n", ""),
    ];
    for (query, expected) in cases {
        let modes = [
            ('U', Some(OutputMode::Update)),
            ('C', Some(OutputMode::Complete)),
            ('A', Some(OutputMode::Append)),
            ('B', None),
        ];
        let fits = modes.into_iter().filter(|(_, mode)| run(query, *mode).is_ok());
        let found: String = fits.map(|(letter, _)| letter).collect();
        assert_eq!(found, expected, "{query}: {:?}", run(query, Some(OutputMode::Update)).err());
    }
}

#[test]
fn refusals_of_modes_and_windows_tell_what_to_write() {
    let cases = [
        ("SELECT s, count(*) FROM t GROUP BY s", OutputMode::Append, "1:109: append mode needs a group key"),
        ("SELECT s FROM t", OutputMode::Complete, "complete mode needs an aggregate"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 month')", OutputMode::Update, "holds months"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 day', '2 days')", OutputMode::Update, "leave gaps"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '0 seconds')", OutputMode::Update, "longer than nothing"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 day', '1 day', '1 day')", OutputMode::Update, "the start is"),
        ("SELECT count(*) FROM t GROUP BY window(n, '1 day')", OutputMode::Update, "this is INT"),
        ("SELECT count(*) FROM t GROUP BY window(ts, s)", OutputMode::Update, "the same for all records"),
        ("SELECT count(*) FROM t GROUP BY window(ts, INTERVAL 1 DAY)", OutputMode::Update, "not an INTERVAL"),
        ("SELECT window.start FROM t", OutputMode::Update, "window.start is no column of t"),
        ("SELECT window(ts, '1 day'), count(*) FROM t GROUP BY s", OutputMode::Update, "does not stand in GROUP BY"),
        ("SELECT session_window(ts, '1 day') FROM t", OutputMode::Update, "stands outside of GROUP BY"),
        ("SELECT window(ts, '1 day'), window(ts, '2 days') FROM t", OutputMode::Update, "one window"),
        ("SELECT s, count(*) FROM (SELECT s FROM t LIMIT 3) GROUP BY s", OutputMode::Append, "need complete mode"),
        ("SELECT count(*) FROM t GROUP BY window(ts, '1 day'), window(ts, '2 day')", OutputMode::Update, "one window"),
        ("SELECT s FROM t LIMIT n", OutputMode::Append, "LIMIT takes a whole number"),
        ("SELECT s FROM t LIMIT 3 OFFSET 1", OutputMode::Append, "OFFSET is not supported"),
    ];
    for (query, mode, part) in cases {
        let error = run(query, Some(mode)).expect_err(query).to_string();
        assert!(error.contains(part), "{query}\n  gives  {error}\n  not    {part}");
    }
}

#[test]
fn several_statements_are_several_plans() {
    let sql = "SELECT a FROM x;; INSERT INTO y SELECT b FROM x ;";
    let plans = plan_all(sql, &PlanSettings { sink: Sink::Json, ..PlanSettings::default() }).unwrap();
    assert_eq!(plans.len(), 2);
    assert_eq!(*plans[0].sink(), Sink::Json);
    assert_eq!(*plans[1].sink(), Sink::Topic("y".to_owned()));
    assert!(plans[1].source_topics().eq(["x"]));
}
