use super::*;
use crate::aggregate::AggregateFunction;
use crate::expr::Expr;
use crate::plan::{ReadFrom, Window};
use crate::state::EventTime;
use crate::types::DataType;

mod corpus;
mod grouped;
mod modes;

fn normal(sql: &str) -> String {
    plan(sql).map_or_else(|error| panic!("{sql}: {error}"), |plan| plan.to_string())
}

#[test]
fn queries_are_lowered() {
    let cases = [
        (
            "SELECT level, COUNT(*) AS count FROM logs GROUP BY level",
            r#"CONSOLE SELECT "level" AS "level", COUNT(*) AS "count" FROM "logs" GROUP BY "level""#,
        ),
        (
            "insert into log_counts select LEVEL as l, count(1) from logs group by level;",
            r#"TOPIC "log_counts" SELECT "LEVEL" AS "l", COUNT(*) AS "count(1)" FROM "logs" GROUP BY "LEVEL""#,
        ),
        ("SELECT COUNT(*) FROM logs", r#"CONSOLE SELECT COUNT(*) AS "count(1)" FROM "logs""#),
        (
            "SELECT COUNT(*) c, host FROM `my-topic` WHERE Level = 'a' GROUP BY level, host",
            r#"CONSOLE SELECT COUNT(*) AS "c", "host" AS "host" FROM "my-topic" WHERE "Level" = 'a' GROUP BY "Level", "host""#,
        ),
        (
            "SELECT l.level AS severity, COUNT(*) FROM my.logs AS l GROUP BY severity",
            r#"CONSOLE SELECT "level" AS "severity", COUNT(*) AS "count(1)" FROM "my.logs" GROUP BY "level""#,
        ),
        (
            "SELECT level, `a``b`, COUNT(*) FROM logs GROUP BY 2, 1, level",
            r#"CONSOLE SELECT "level" AS "level", "a`b" AS "a`b", COUNT(*) AS "count(1)" FROM "logs" GROUP BY "a`b", "level""#,
        ),
        (
            "SELECT trim(both from a), trim('x', a), trim(both) FROM t",
            r#"CONSOLE SELECT trim("a") AS "TRIM(BOTH FROM a)", trim('x', "a") AS "TRIM(BOTH x FROM a)", trim("both") AS "trim(both)" FROM "t""#,
        ),
        ("SELECT level FROM logs GROUP BY level", r#"CONSOLE SELECT "level" AS "level" FROM "logs" GROUP BY "level""#),
    ];
    for (sql, text) in cases {
        assert_eq!(normal(sql), text, "{sql}");
    }
}

#[test]
fn conditions_are_lowered() {
    let cases = [
        ("a = 'x'", r#""a" = 'x'"#),
        ("'x' < a", r#""a" > 'x'"#),
        ("a <> \"it's\"", r#""a" <> 'it\'s'"#),
        ("a = b AND NOT c IS NULL AND d >= 'x'", r#"("a" = "b" AND NOT ("c" IS NULL) AND "d" >= 'x')"#),
        ("(a = '1' OR !(b != '2')) AND TRUE", r#"(("a" = '1' OR NOT ("b" <> '2')) AND true)"#),
        ("a IS NOT NULL OR a = NULL", r#"(NOT ("a" IS NULL) OR NULL)"#),
        ("a NOT IN ('x', 'y', NULL)", r#"NOT ("a" IN (["x", "y"], NULL))"#),
        ("a BETWEEN 'a' AND 'f'", r#"("a" >= 'a' AND "a" <= 'f')"#),
        ("a = 'tab\\t'", r#""a" = 'tab\t'"#),
    ];
    for (condition, text) in cases {
        let plan = normal(&format!("SELECT COUNT(*) FROM t WHERE {condition}"));
        assert_eq!(plan.split_once(" WHERE ").unwrap().1, text, "{condition}");
    }
    let like = plan("SELECT COUNT(*) FROM t WHERE a LIKE '5\\%%_'").unwrap();
    let pieces = "LikePattern([Char('5'), Char('%'), Any, One])";
    assert!(like.to_string().ends_with(&format!(" WHERE \"a\" LIKE {pieces}")), "{like}");
}

#[test]
fn keys_are_the_first_columns_that_are_read() {
    let plan = plan("SELECT b, a, COUNT(*) FROM t WHERE z = '1' AND a = '2' GROUP BY a, b").unwrap();
    let columns: Vec<&str> = plan.sources[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["a", "b", "z"]);
    let grouping = plan.grouping.unwrap();
    assert!(matches!(grouping.keys[0].expr, Expr::Column(0)) && matches!(grouping.keys[1].expr, Expr::Column(1)));
    assert_eq!(grouping.aggregates.len(), 1);
    assert_eq!(grouping.aggregates[0].function, AggregateFunction::CountAll);
    let outputs: Vec<String> = plan.output.iter().map(|column| format!("{:?}", column.expr)).collect();
    assert_eq!(outputs, ["Column(1)", "Column(0)", "Column(2)"]);
    let branch = &plan.sources[0].branches[0];
    assert!(branch.filter.is_none() && plan.having.is_none());
    let Some(Expr::And(parts)) = &branch.early_filter else { panic!("no AND") };
    let Expr::Compare { left, right, .. } = &parts[0] else { panic!("no comparison") };
    assert!(matches!(**left, Expr::Column(2)) && matches!(**right, Expr::Literal(_)));
}

#[test]
fn equal_queries_have_one_derived_name() {
    let name = |sql| plan(sql).unwrap().derived_name();
    let first = name("SELECT level, COUNT(*) AS count FROM logs GROUP BY level");
    assert_eq!(first, "q-162dc359f62b78ec", "names stand in data folders and must not change");
    assert_eq!(first, name("select  level, count(*) count\n from logs group by 1 -- the same"));
    assert_ne!(first, name("SELECT level, COUNT(*) AS count FROM logs GROUP BY level, host"));
}

#[test]
fn queries_in_queries_do_not_grow_without_end() {
    let mut doubled = "SELECT a AS x FROM t".to_owned();
    for _ in 0..20 {
        doubled = format!("SELECT x || x AS x FROM ({doubled})");
    }
    let error = plan(&doubled).unwrap_err().to_string();
    assert!(error.contains("too large when they are put together"), "{error}");
}

#[test]
fn refusals_tell_the_place_and_what_to_write() {
    let cases = [
        ("", "1:1: there is no query; write "),
        ("SELECT level, COUNT(*) FROM logs", "1:8: level stands in SELECT and is not grouped; add level to GROUP BY"),
        ("SELECT level,\n  host, COUNT(*) FROM logs GROUP BY level", "2:3: host stands in SELECT and is not grouped; "),
        ("SELECT level, 1 + max(x) + y FROM logs GROUP BY level", "1:28: y stands in SELECT and is not grouped; "),
        ("SELECT SUM(DISTINCT x) FROM logs", "1:8: DISTINCT in sum is not supported"),
        ("SELECT SUM(COUNT(*)) FROM logs", "1:12: count(…) stands inside of another aggregate"),
        ("SELECT histogram_numeric(x, 5) FROM logs", "1:8: the aggregate histogram_numeric is not supported"),
        ("SELECT no_such(x) FROM logs", "1:8: there is no function no_such; use "),
        ("SELECT level, CUNT(*) FROM logs GROUP BY level", "1:15: there is no function cunt; use count, "),
        ("SELECT upper(a, 1) FROM logs", "1:8: upper takes 1 argument, and has 2; give upper 1 argument"),
        ("SELECT COUNT(*) FROM a-b.v2", "1:23: expected end of statement, found: -; write a name with other signs"),
        ("SELECT COUNT(*) FROM a-b.v2 GROUP BY x-y", "letters, digits and _ in backquotes: `a-b.v2`"),
        ("INSERT INTO out-1 SELECT a FROM logs", "in backquotes: `out-1`"),
        ("SELECT COUNT(*) FROM 'a-b'", "1:22: 'a-b' is a text, and not a topic's name; write `a-b`"),
        ("INSERT INTO \"out\" SELECT a FROM logs", "1:13: \"out\" is a text, and not a topic's name; write `out`"),
        ("SELECT SUM(a, b) FROM logs", "1:8: sum takes one argument, not 2"),
        ("SELECT BOOL_AND(a) FROM logs", "1:17: bool_and does not take STRING; give it a condition"),
        ("SELECT SUM(a) OVER (PARTITION BY b) FROM logs", "1:8: window functions (OVER) are not supported"),
        ("SELECT * FROM logs", "1:8: * is not known, for the topic has no schema"),
        ("SELECT a.* FROM logs", "1:8: a.* is not known, for the topic has no schema"),
        ("SELECT COUNT(*) FROM logs ORDER BY 1", "1:27: ORDER BY needs an aggregate in complete mode"),
        ("SELECT COUNT(*) FROM logs LIMIT 5", "1:27: LIMIT is not supported in update mode"),
        ("SELECT level, COUNT(*) FROM logs GROUP BY level HAVING host = 'a'", "1:56: host stands in HAVING"),
        ("SELECT level FROM logs HAVING level = 'a'", "1:31: HAVING needs GROUP BY"),
        ("SELECT COUNT(*) FROM a JOIN b ON a.x = b.x", "1:29: b is no table of latest values"),
        ("SELECT COUNT(*) FROM a, b", "1:25: a query reads one topic, and joins tables by JOIN"),
        ("SELECT b FROM (SELECT a FROM logs)", "1:8: b is no column of the inner query; use a"),
        ("SELECT a FROM (SELECT a, b AS a FROM logs)", "1:8: several columns of the inner query are called a"),
        ("SELECT COUNT(*) FROM (SELECT a, COUNT(*) FROM logs GROUP BY a)", "1:1: groups of groups need append mode"),
        ("SELECT a FROM (SELECT a FROM logs LIMIT 5)", "LIMIT is not supported in update mode"),
        ("SELECT x, y FROM a UNION ALL SELECT x FROM b", "1:30: the first SELECT has 2 columns, and this has 1"),
        ("SELECT x FROM a UNION ALL SELECT split(x, ',') FROM b", "1:27: split(x, ,, -1) is array<string>, and in the"),
        ("SELECT x FROM a UNION ALL BY NAME SELECT x FROM b", "1:17: UNION BY NAME is not supported"),
        ("(SELECT x FROM a ORDER BY x) UNION ALL SELECT x FROM b", "1:2: ORDER BY stands inside of a UNION"),
        (
            "SELECT window(CAST(a AS TIMESTAMP), '1 day', '1 microsecond') FROM t",
            "1:8: each time is in more than 10000",
        ),
        ("SELECT upper(explode(split(a, ','))) FROM logs", "1:14: explode makes several rows of one"),
        ("SELECT explode(a) FROM logs", "1:16: explode takes an ARRAY or a MAP, and this is STRING"),
        ("SELECT transform(a, x -> x) FROM logs", "1:8: transform does not take STRING"),
        ("SELECT level FROM logs GROUP BY CUBE(a,b,c,d,e,f,g,h,i,j)", "1:24: CUBE has too many columns"),
        ("SELECT COUNT(*)", "1:1: the query has no FROM"),
        ("SELECT COUNT(*) FROM a UNION SELECT COUNT(*) FROM b", "1:1: groups of groups need append mode"),
        ("SELECT COUNT(*) FROM a EXCEPT SELECT COUNT(*) FROM b", "1:24: EXCEPT is not supported"),
        ("WITH x AS (SELECT 1) SELECT COUNT(*) FROM x", "1:12: the query has no FROM"),
        ("SELECT COUNT(*) FROM logs WHERE ok", "1:33: a condition is BOOLEAN, and ok is STRING"),
        ("SELECT COUNT(*) FROM logs WHERE COUNT(*) > 1", "1:33: count(…) stands in WHERE"),
        ("SELECT COUNT(*) FROM logs WHERE a IN (SELECT x FROM y)", "1:33: a query inside of an expression"),
        ("SELECT COUNT(*) FROM logs WHERE a LIKE 'x\\\\'", "1:40: "),
        ("SELECT COUNT(*) FROM logs WHERE a::int = 1", "1:33: only CAST(… AS TYPE) converts"),
        ("SELECT COUNT(*) FROM logs GROUP BY 3", "1:36: GROUP BY 3 names no item of SELECT"),
        ("SELECT COUNT(*) AS n FROM logs GROUP BY n", "1:41: n is an aggregate and cannot be grouped by"),
        ("SELECT COUNT(*) FROM logs GROUP BY COUNT(*)", "1:36: count(…) is an aggregate and cannot be grouped by"),
        ("SELECT level, COUNT(*) FROM logs GROUP BY level WITH TOTALS", "1:34: TOTALS"),
        ("SELECT a, a.b FROM logs", "1:11: a or a part of it is STRING in one place of the query and STRUCT in this"),
        ("SELECT a[0].b, a[0].b.c FROM logs", "1:16: a or a part of it is STRING in one place"),
        ("SELECT a[0], a.b FROM logs", "1:14: a or a part of it is ARRAY<STRING> in one place"),
        ("SELECT a + INTERVAL 5 FROM logs", "1:21: 5 is no interval"),
        ("SELECT DATE '2024-13-01' FROM logs", "1:13: \"2024-13-01\" is no DATE"),
        ("SELECT COUNT(*) FROM `no such topic`", "1:22: Kafka allows no topic of the name"),
        ("INSERT INTO logs SELECT COUNT(*) FROM logs", "1:13: the query would read its own output from logs"),
        ("INSERT INTO o (a) SELECT COUNT(*) FROM logs", "1:16: INSERT takes no list of columns"),
        ("INSERT INTO o SELECT a, b AS a, COUNT(*) FROM t GROUP BY a, b", "two columns are called \"a\""),
        ("INSERT INTO o VALUES (1)", "1:15: VALUES is not supported"),
        ("DELETE FROM logs", "1:1: only CREATE TABLE, SELECT and INSERT INTO … SELECT are known"),
        ("SELECT COUNT(*) FROM a; SELECT COUNT(*) FROM b", "1:25: this is a second query"),
        ("SELEC level", "1:1: expected an SQL statement, found: SELEC; write"),
        ("SELECT level FROM logs GROUP", "1:24: expected end of statement, found: GROUP; write"),
        ("SELECT level FROM", "1:18: expected identifier, found: EOF; write"),
        ("SELECT 'open FROM logs", "1:8: Unterminated string literal"),
        ("SELECT level, COUNT(*) FROM logs GROUP BY level EMIT CHANGES", "1:49: "),
        ("CREATE TABLE t (a STRING)", "there is no query after CREATE TABLE"),
        ("CREATE TABLE t (a STRINK); SELECT a FROM t", "1:19: STRINK is no type; use STRING"),
        ("CREATE TABLE t (a STRING, A INT); SELECT a FROM t", "1:17: two columns are called A"),
        ("CREATE TABLE t (a STRING) WITH (topics = 'x'); SELECT a FROM t", "1:33: topics is no option"),
        (
            "CREATE TABLE t (a STRING) WITH (watermark = 'a 5 seconds'); SELECT a FROM t",
            "1:45: the watermark's column a is STRING",
        ),
        (
            "CREATE TABLE t (a TIMESTAMP) WITH (watermark = 'a 5 s'); SELECT a FROM t",
            "1:48: the watermark's delay \"5 s\"",
        ),
        ("SELECT COUNT(*) FROM t WHERE NULL", "1:30: a bare NULL is no condition"),
        (
            "CREATE TABLE t (m MAP<STRING, INT>); SELECT COUNT(*) FROM t GROUP BY m",
            "1:70: m is MAP<STRING,INT>, which cannot",
        ),
        (
            "CREATE TABLE t (a TIMESTAMP) WITH (watermark = 'b 1 day'); SELECT a FROM t",
            "1:48: the watermark's column b is not declared; use a",
        ),
        ("CREATE TABLE t (level INT);\nSELECT levl FROM t", "2:8: levl is no column of t; use level"),
        ("CREATE TABLE t (s STRUCT<a: INT>); SELECT s.b FROM t", "1:43: s has no field b"),
        ("CREATE TABLE t (a INT); CREATE TABLE T (a INT); SELECT a FROM t", "1:38: the table T is declared twice"),
        ("SELECT a FROM t; CREATE TABLE t (a INT)", "1:31: t is declared after a query that reads it"),
    ];
    for (sql, start) in cases {
        let error = plan(sql).expect_err(sql).to_string();
        let found = if start.starts_with(|first: char| first.is_ascii_digit()) {
            error.starts_with(start)
        } else {
            error.contains(start)
        };
        assert!(found, "{sql}\n  gives  {error}\n  not    {start}");
        assert!(error.contains("; "), "{sql}: {error}");
    }
}

#[test]
fn joins_that_no_table_can_answer_are_refused() {
    let table = "CREATE TABLE t (id BIGINT, name STRING) WITH (latest_by = 'id'); ";
    let cases = [
        ("SELECT t.name FROM s RIGHT JOIN t ON s.a = t.id", "a topic joins a table by JOIN or LEFT JOIN alone"),
        ("SELECT t.name FROM s JOIN t USING (id)", "a JOIN needs ON"),
        ("SELECT t.name FROM s CROSS JOIN t", "a topic joins a table by JOIN or LEFT JOIN alone"),
        ("SELECT t.name FROM s JOIN t ON s.a = t.name", "ON does not say what t.id is equal to"),
        ("SELECT t.name FROM s JOIN t ON s.a < t.id", "ON does not say what t.id is equal to"),
        ("SELECT t.name FROM s JOIN t ON t.id = t.id", "ON does not say what t.id is equal to"),
        ("SELECT t.name FROM s JOIN t ON s.a = t.id OR s.b = 1", "ON does not say what t.id is equal to"),
        ("SELECT t.name FROM s JOIN t ON s.a = CAST(t.id AS STRING)", "ON does not say what t.id is equal to"),
        ("SELECT name FROM s JOIN t ON s.a = t.id", "name can be several columns; write what it is a column of before"),
        ("SELECT t.name FROM s JOIN t ON s.a = t.id JOIN t ON s.b = t.id", "two tables are called t"),
        ("SELECT t.name FROM t JOIN t ON t.id = t.id", "two tables are called t"),
        ("SELECT t.name FROM s JOIN t ON COUNT(*) = t.id", "count(…) stands in WHERE"),
        ("SELECT t.name FROM s JOIN (SELECT 1) t ON s.a = t.id", "what is joined is no table of latest values"),
        ("INSERT INTO t SELECT s.a FROM s JOIN t ON s.a = t.id", "the query would read its own output from t"),
    ];
    for (sql, part) in cases {
        let error = plan(&format!("{table}{sql}")).expect_err(sql).to_string();
        assert!(error.contains(part), "{sql}\n  gives  {error}\n  not    {part}");
    }
    let declared =
        |option: &str| plan(&format!("CREATE TABLE t (m MAP<STRING, INT>, a INT) WITH ({option}); SELECT a FROM t"));
    for (option, part) in [
        ("latest_by = 'b'", "latest_by names b, which is not declared; use m, a or key"),
        ("latest_by = 'a, A'", "latest_by names a twice"),
        ("latest_by = 'm'", "m is MAP<STRING,INT>, which nothing is equal to"),
        ("latest_by = 'a', latest_by = 'a'", "latest_by is set twice"),
    ] {
        let error = declared(option).expect_err(option).to_string();
        assert!(error.contains(part), "{option}: {error}");
    }
    declared("latest_by = 'key, a'").unwrap();
}

#[test]
fn a_table_keeps_what_the_query_reads_of_it() {
    let tables = "CREATE TABLE s (a BIGINT, b STRING); CREATE TABLE t (id BIGINT, name STRING, more STRING) \
        WITH (latest_by = 'id'); ";
    let plan = |sql: &str| plan(&format!("{tables}{sql}")).unwrap();
    let names = |plan: &crate::plan::Plan| -> Vec<String> {
        plan.tables.iter().flat_map(|table| &table.columns).map(|column| column.name.clone()).collect()
    };
    let one = plan("SELECT b, COUNT(*) FROM s JOIN t ON a = id AND name <> 'x' GROUP BY b");
    assert_eq!(names(&one), ["id", "name"]);
    let two = plan("SELECT b, COUNT(*) FROM s JOIN t ON t.id = s.a AND t.name <> 'x' WHERE more = 'y' GROUP BY b");
    assert_eq!(names(&two), ["id", "name", "more"]);
    // What a table keeps is state: a query that reads more of it cannot go on with the rows that are there.
    assert_ne!(one.state, two.state);
    let renamed = plan("SELECT b AS c, COUNT(*) FROM s JOIN t ON a = id AND name <> 'x' WHERE b <> '' GROUP BY b");
    assert_eq!(one.state, renamed.state);
    let all = plan("SELECT * FROM s JOIN t ON a = id");
    let columns: Vec<&str> = all.columns().map(|(name, _)| name).collect();
    assert_eq!(columns.iter().filter(|name| ["id", "name", "more", "a", "b"].contains(name)).count(), 5, "{columns:?}");
    assert_eq!(plan("SELECT t.*, t.offset FROM s JOIN t ON a = id").columns().len(), 4);
}

#[test]
fn a_text_of_any_depth_ends_in_an_answer() {
    let fill = |unit: &str| unit.repeat((SQL_BYTES_MAX - 100) / unit.len());
    for deep in ["a=''OR ", "(", "NOT ", "!", "- ", "a+", "a.", "a[1]", "a::"] {
        plan(&format!("SELECT COUNT(*) FROM t WHERE {}a=''", fill(deep))).unwrap_err();
    }
    for (deep, times) in [("a + ", 290), ("a || ", 290), ("NOT ", 290), ("- ", 290), ("(", 60), ("a.", 10_000)] {
        let _ = plan(&format!("SELECT {}a, COUNT(*) FROM t GROUP BY 1", deep.repeat(times)));
    }
    let _ = plan(&format!("SELECT a{} FROM t", " IS NULL".repeat(140)));
    let _ = plan(&format!("SELECT a{} FROM t", " LIKE 'x'".repeat(290)));
    let _ = plan(&format!("SELECT a{} FROM t", "[0]".repeat(10_000)));
    let _ = plan(&format!("SELECT {}1{} FROM t", "CASE WHEN a THEN ".repeat(60), " END".repeat(60)));
    let _ = plan(&format!("SELECT {}a{} FROM t", "upper(".repeat(60), ")".repeat(60)));
    let _ = plan(&format!("CREATE TABLE t (a {}INT{}); SELECT a FROM t", "ARRAY<".repeat(9_000), ">".repeat(9_000)));
    plan(&format!("SELECT COUNT(*) FROM t WHERE {}a=''", "a='' OR ".repeat(140))).unwrap();
    plan(&format!("SELECT COUNT(*) FROM t WHERE a IN ({}'')", "'x', ".repeat(10_000))).unwrap();
    plan(&fill("x ").repeat(2)).unwrap_err();
}

proptest::proptest! {
    #[test]
    fn any_text_is_planned_or_refused(text in ".{0,60}", words in proptest::collection::vec(
        proptest::sample::select(vec!["SELECT", "COUNT(*)", "SUM(", "window(", "'1 day'", "INTERVAL", "CASE", "WHEN", "END", "ORDER BY",
            "HAVING", "DISTINCT", "CREATE TABLE", "TIMESTAMP", "CAST(", "[", "]", "-", "5L", "LIMIT", "kafka", "FROM", "t", "WHERE", "a", "=", "'x'", "GROUP BY", ",", "(", ")",
            "INSERT INTO", "JOIN", "LEFT JOIN", "ON", "WITH (latest_by = 'a')", "AND", "NOT", "NULL", "IS", "1", "AS", "IN", "LIKE", ";", "*", "."]), 0..14)) {
        let _ = plan(&text);
        let _ = plan(&words.join(" "));
    }
}
