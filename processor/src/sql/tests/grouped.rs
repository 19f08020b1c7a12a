//! Keys, aggregates, windows and what SELECT makes of them.

use super::*;

const TABLE: &str = "CREATE TABLE t (a INT, b BIGINT, s STRING, ts TIMESTAMP, st STRUCT<x: INT, y: STRING>, \
                     ar ARRAY<STRUCT<b: STRING>>, ok BOOLEAN, m DECIMAL(10,2)) WITH (topic = 'logs', watermark = 'ts 5 seconds'); ";

fn typed(query: &str) -> Plan {
    plan(&format!("{TABLE}{query}")).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn columns(plan: &Plan) -> Vec<(String, String)> {
    plan.output.iter().map(|column| (column.name.clone(), column.data_type.to_string())).collect()
}

/// Names and types that Spark 3.4.0 gives.
#[test]
fn columns_are_called_and_typed_as_by_spark() {
    let cases: [(&str, &[(&str, &str)]); 22] = [
        (
            "count(*), count(a), count(a,b), count(2), count('x') FROM t",
            &[
                ("count(1)", "bigint"),
                ("count(a)", "bigint"),
                ("count(a, b)", "bigint"),
                ("count(2)", "bigint"),
                ("count(x)", "bigint"),
            ],
        ),
        (
            "sum(a), avg(a), mean(a), min(a), max(a), first(a), first(a, true), any_value(a), last(a) IGNORE NULLS FROM t",
            &[
                ("sum(a)", "bigint"),
                ("avg(a)", "double"),
                ("mean(a)", "double"),
                ("min(a)", "int"),
                ("max(a)", "int"),
                ("first(a)", "int"),
                ("first(a)", "int"),
                ("any_value(a)", "int"),
                ("last(a)", "int"),
            ],
        ),
        (
            "bool_and(ok), every(ok), some(ok), any(ok), count_if(a > 1) FROM t",
            &[
                ("bool_and(ok)", "boolean"),
                ("every(ok)", "boolean"),
                ("some(ok)", "boolean"),
                ("any(ok)", "boolean"),
                ("count_if((a > 1))", "bigint"),
            ],
        ),
        (
            "sum(a) filter (where a > 1), count(*) filter (where ok), (sum(a) / count(*)), sum(a)+1, -sum(a) FROM t",
            &[
                ("sum(a) FILTER (WHERE (a > 1))", "bigint"),
                ("count(1) FILTER (WHERE ok)", "bigint"),
                ("(sum(a) / count(1))", "double"),
                ("(sum(a) + 1)", "bigint"),
                ("(- sum(a))", "bigint"),
            ],
        ),
        (
            "count(distinct a), count(distinct a, b) FROM t",
            &[("count(DISTINCT a)", "bigint"), ("count(DISTINCT a, b)", "bigint")],
        ),
        (
            "sum(s), avg(s), sum(m), avg(m) FROM t",
            &[("sum(s)", "double"), ("avg(s)", "double"), ("sum(m)", "decimal(20,2)"), ("avg(m)", "decimal(14,6)")],
        ),
        (
            "window(ts, '10 seconds'), count(*) FROM t GROUP BY window(ts, '10 seconds')",
            &[("window", "struct<start:timestamp,end:timestamp>"), ("count(1)", "bigint")],
        ),
        (
            "window.start, window.end, window(ts, '10 seconds').start FROM t GROUP BY window(ts, '10 seconds')",
            &[("start", "timestamp"), ("end", "timestamp"), ("window.start", "timestamp")],
        ),
        (
            "window(ts, '10 seconds') as w, count(*) FROM t GROUP BY w",
            &[("w", "struct<start:timestamp,end:timestamp>"), ("count(1)", "bigint")],
        ),
        ("a+b, count(*) FROM t GROUP BY b+a", &[("(a + b)", "bigint"), ("count(1)", "bigint")]),
        ("(a+b)*2, count(*) FROM t GROUP BY a+b", &[("((a + b) * 2)", "bigint"), ("count(1)", "bigint")]),
        ("a+1 as c, count(*) FROM t GROUP BY C", &[("c", "int"), ("count(1)", "bigint")]),
        ("st.x, ST.X, max(st.y) FROM t GROUP BY st", &[("x", "int"), ("X", "int"), ("max(st.y)", "string")]),
        ("ar[0].b, count(*) FROM t GROUP BY ar[0]", &[("ar[0].b", "string"), ("count(1)", "bigint")]),
        ("T.a, t.st.x, `a`, ar.b FROM t", &[("a", "int"), ("x", "int"), ("a", "int"), ("b", "array<string>")]),
        ("st.* FROM t", &[("x", "int"), ("y", "string")]),
        ("upper(s), count(*) FROM t GROUP BY UPPER(S)", &[("upper(s)", "string"), ("count(1)", "bigint")]),
        (
            "'x', 1L, 2.5, 1e3, 2147483648, 9223372036854775808, -5, true, null, X'1f' FROM t",
            &[
                ("x", "string"),
                ("1", "bigint"),
                ("2.5", "decimal(2,1)"),
                ("1000.0", "double"),
                ("2147483648", "bigint"),
                ("9223372036854775808", "decimal(19,0)"),
                ("-5", "int"),
                ("true", "boolean"),
                ("NULL", "void"),
                ("X'1F'", "binary"),
            ],
        ),
        (
            "date'2024-01-01', timestamp '2024-01-01 00:00:00' FROM t",
            &[("DATE '2024-01-01'", "date"), ("TIMESTAMP '2024-01-01 00:00:00'", "timestamp")],
        ),
        (
            "a is null, ok is true, ok is not false, a is distinct from b, a <=> b, a != b, a div 2, ~a, +a, a & 1 | 2 ^ 3 FROM t",
            &[
                ("(a IS NULL)", "boolean"),
                ("(ok <=> true)", "boolean"),
                ("(NOT (ok <=> false))", "boolean"),
                ("(NOT (a <=> b))", "boolean"),
                ("(a <=> b)", "boolean"),
                ("(NOT (a = b))", "boolean"),
                ("(a div 2)", "bigint"),
                ("~a", "int"),
                ("(+ a)", "int"),
                ("((a & 1) | (2 ^ 3))", "int"),
            ],
        ),
        ("count(*) + count(a) as n, n + 1 as m FROM t", &[("n", "bigint"), ("m", "bigint")]),
        (
            "ts + interval 5 seconds, interval '1 day 2 hours' + ts, ts - interval 1 day FROM t",
            &[
                ("ts + INTERVAL '05' SECOND", "timestamp"),
                ("ts + INTERVAL '1 02' DAY TO HOUR", "timestamp"),
                ("ts - INTERVAL '1' DAY", "timestamp"),
            ],
        ),
    ];
    for (query, expected) in cases {
        let found = columns(&typed(&format!("SELECT {query}")));
        let expected: Vec<_> = expected.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn a_star_is_the_declared_columns() {
    let plan = typed("SELECT * FROM t");
    assert_eq!(columns(&plan).len(), 16);
    let kafka = plan_all("SELECT kafka.*, timestamp FROM t", &PlanSettings::default()).unwrap().remove(0);
    let from: Vec<ReadFrom> = kafka.sources[0].columns.iter().map(|column| column.from).collect();
    assert_eq!(from.len(), 9);
    assert_eq!((from[0], from[8]), (ReadFrom::Key, ReadFrom::Json));
    let declared = typed("SELECT timestamp, offset FROM t");
    assert!(declared.sources[0].columns.iter().any(|column| column.from == ReadFrom::Timestamp));
}

#[test]
fn undeclared_columns_have_the_types_of_their_use() {
    let plan = plan("SELECT a.b, a.c.d, A.B, e[0].f, g[1], h['i'] FROM t").unwrap();
    let columns: Vec<String> =
        plan.sources[0].columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    let expected =
        ["a struct<b:string,c:struct<d:string>>", "e array<struct<f:string>>", "g array<string>", "h struct<i:string>"];
    assert_eq!(columns, expected);
    assert!(plan.output.iter().all(|column| column.data_type == DataType::String));
}

#[test]
fn a_window_follows_the_columns_and_carries_the_event_time() {
    let plan =
        typed("SELECT s, window.start, count(*) FROM t WHERE a > 1 GROUP BY s, window(ts, '10 seconds', '5 seconds')");
    assert_eq!(plan.sources[0].columns.len(), 3);
    assert_eq!(plan.sources[0].topic, "logs");
    let grouping = plan.grouping.unwrap();
    assert!(matches!(grouping.keys[1].expr, Expr::Column(3)), "{:?}", grouping.keys);
    assert_eq!(grouping.event_time, Some(EventTime::WindowEnd(1)));
    let Some(Window::Sliding { size_micros: 10_000_000, slide_micros: 5_000_000, start_micros: 0, .. }) =
        grouping.window
    else {
        panic!("no such window")
    };
    assert_eq!(plan.sources[0].branches[0].watermark.map(|watermark| watermark.delay_micros), Some(5_000_000));
    let event_time = |query: &str| typed(query).grouping.unwrap().event_time;
    assert_eq!(event_time("SELECT ts, count(*) FROM t GROUP BY s, ts"), Some(EventTime::Time(1)));
    assert_eq!(event_time("SELECT count(*) FROM t GROUP BY window(ts + INTERVAL 1 DAY, '1 day')"), None);
    assert_eq!(event_time("SELECT count(*) FROM t GROUP BY window(ts, '1 day').end"), None);
    assert_eq!(event_time("SELECT count(*) FROM t GROUP BY date_trunc('HOUR', ts)"), None);
}

#[test]
fn where_is_split_at_the_watermark_and_having_over_keys_goes_first() {
    let plan = typed(
        "SELECT s, count(*) AS n FROM t WHERE a = 1 AND ts > '2024-01-01' AND b = 2 GROUP BY s HAVING n > 1 AND s <> 'x'",
    );
    let branch = &plan.sources[0].branches[0];
    let Some(Expr::And(early)) = &branch.early_filter else { panic!("{:?}", branch.early_filter) };
    assert_eq!(early.len(), 3);
    assert!(matches!(branch.filter, Some(Expr::Compare { .. })));
    assert!(matches!(plan.having, Some(Expr::Compare { .. })));
}

#[test]
fn equal_keys_are_recognised() {
    for query in [
        "SELECT upper(s) || 'x', count(*) FROM t GROUP BY upper( S )",
        "SELECT a + b, count(*) FROM t GROUP BY T.b + a",
        "SELECT a, a, count(*) FROM t GROUP BY a, a",
        "SELECT max(a) + a, count(*) FROM t GROUP BY a",
        "SELECT case when ok then 1 end, count(*) FROM t GROUP BY CASE WHEN ok THEN 1 END",
        "SELECT 1, 'x', s, count(*) FROM t GROUP BY 1 + 1, s",
        "SELECT s, count(*) FROM t GROUP BY ALL",
        "SELECT DISTINCT a, s FROM t",
        "SELECT s AS x, count(*) AS n FROM t GROUP BY x HAVING n > 0 AND x > 'a'",
        "SELECT count(*) AS n FROM t GROUP BY 'x'",
    ] {
        assert!(typed(query).grouping.is_some_and(|grouping| !grouping.keys.is_empty()), "{query}");
    }
    let constant = typed("SELECT count(*) FROM t GROUP BY 'x', s");
    assert_eq!(constant.grouping.unwrap().keys.len(), 1);
}

#[test]
fn equal_plans_have_equal_text() {
    let text = |query: &str| typed(query).text;
    let first = text("SELECT upper(s) AS u, sum(a) FROM t WHERE b>1 GROUP BY window(ts, '10 seconds'), upper(s)");
    let same = "select UPPER( t.S ) as u, SUM( a )\nfrom T where (B > 1) group by window(ts, 'interval 10 second'), 1";
    assert_eq!(first.replace("sum(a)", "SUM(a)"), text(same).replace("sum(a)", "SUM(a)"));
    assert_ne!(text("SELECT upper('s') FROM t"), text("SELECT upper(s) FROM t"));
    assert_ne!(text("SELECT s FROM t"), text("SELECT s FROM t WHERE ok"));
}

#[test]
fn a_session_has_a_gap() {
    let settings = PlanSettings { mode: Some(OutputMode::Append), ..PlanSettings::default() };
    let query = "SELECT s, session_window.start, count(*) FROM t \
                 GROUP BY session_window(ts, CASE WHEN a = 1 THEN '5 minutes' ELSE '1 second' END), s";
    let plan = plan_all(&format!("{TABLE}{query}"), &settings).unwrap().remove(0);
    let grouping = plan.grouping.unwrap();
    assert_eq!(grouping.event_time, Some(EventTime::WindowEnd(0)));
    assert!(matches!(grouping.window, Some(Window::Session { gap_micros: Expr::Case { .. }, .. })));
    assert_eq!(grouping.keys[0].name, "session_window");
}
