use super::*;
use crate::predicate::tests::row;

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
    let like = plan("SELECT COUNT(*) FROM t WHERE a LIKE '50\\%%'").unwrap().filter.unwrap();
    assert_eq!(like.evaluate(&row(&[Some(b"50%!")])), Some(true));
    assert_eq!(like.evaluate(&row(&[Some(b"500")])), Some(false));
}

#[test]
fn keys_are_the_first_columns_that_are_read() {
    let plan = plan("SELECT b, a, COUNT(*) FROM t WHERE z = '1' AND a = '2' GROUP BY a, b").unwrap();
    assert_eq!(plan.source.columns, ["a", "b", "z"]);
    assert_eq!(plan.key_count, 2);
    let filter = plan.filter.unwrap();
    assert_eq!(filter.evaluate(&row(&[Some(b"2"), None, Some(b"1")])), Some(true));
    assert_eq!(filter.evaluate(&row(&[Some(b"1"), None, Some(b"2")])), Some(false));
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
fn refusals_tell_the_place_and_what_to_write() {
    let cases = [
        ("", "1:1: there is no query; write "),
        ("SELECT level, COUNT(*) FROM logs", "1:8: level stands in SELECT and is not grouped; add level to GROUP BY"),
        ("SELECT level,\n  host, COUNT(*) FROM logs GROUP BY level", "2:3: host stands in SELECT and is not grouped; "),
        ("SELECT SUM(x) FROM logs", "1:8: the function SUM is not supported; write COUNT(*)"),
        ("SELECT COUNT(level) FROM logs", "1:8: COUNT(level) is not supported; write COUNT(*)"),
        ("SELECT COUNT(DISTINCT level) FROM logs", "1:8: DISTINCT in COUNT is not supported"),
        ("SELECT DISTINCT level FROM logs", "1:8: DISTINCT is not supported; group instead"),
        (
            "SELECT level FROM logs",
            "1:1: a query without COUNT(*) is not supported; count them: SELECT level, COUNT(*)",
        ),
        ("SELECT * FROM logs", "1:8: * is not supported"),
        ("SELECT 1, COUNT(*) FROM logs", "1:8: SELECT can hold columns and COUNT(*) alone"),
        ("SELECT COUNT(*) FROM logs ORDER BY 1", "1:27: ORDER BY is not supported"),
        ("SELECT COUNT(*) FROM logs LIMIT 5", "1:27: LIMIT is not supported"),
        ("SELECT level, COUNT(*) FROM logs GROUP BY level HAVING COUNT(*) > 1", "1:49: HAVING is not supported"),
        ("SELECT COUNT(*) FROM a JOIN b ON a.x = b.x", "1:24: JOIN is not supported"),
        ("SELECT COUNT(*) FROM a, b", "1:25: joining topics is not supported"),
        ("SELECT COUNT(*) FROM (SELECT * FROM logs)", "a query inside FROM is not supported"),
        ("SELECT COUNT(*)", "1:1: the query has no FROM"),
        ("SELECT COUNT(*) FROM a UNION SELECT COUNT(*) FROM b", "1:24: UNION is not supported"),
        ("WITH x AS (SELECT 1) SELECT COUNT(*) FROM x", "1:1: WITH is not supported"),
        (
            "SELECT COUNT(*) FROM logs WHERE code = 5",
            "1:40: columns are STRINGs and 5 is a number; compare with a string, byte by byte: '5'",
        ),
        ("SELECT COUNT(*) FROM logs WHERE code = -5", "columns are STRINGs and -5 is a number"),
        ("SELECT COUNT(*) FROM logs WHERE ok = true", "1:38: columns are STRINGs and true is a BOOLEAN"),
        ("SELECT COUNT(*) FROM logs WHERE ok", "1:33: ok is a STRING, not a condition; compare it: ok = 'true'"),
        ("SELECT COUNT(*) FROM logs WHERE lower(a) = 'x'", "1:33: only columns and strings can be compared"),
        ("SELECT COUNT(*) FROM logs WHERE a + b", "1:33: the operator + is not supported"),
        ("SELECT COUNT(*) FROM logs WHERE 'a' = 'b'", "1:33: no column stands in this comparison"),
        ("SELECT COUNT(*) FROM logs WHERE a IN (SELECT x FROM y)", "1:33: WHERE cannot hold this"),
        ("SELECT COUNT(*) FROM logs WHERE a LIKE 'x\\\\'", "1:40: in a pattern"),
        ("SELECT COUNT(*) FROM logs GROUP BY lower(level)", "1:36: GROUP BY can hold columns alone"),
        ("SELECT COUNT(*) FROM logs GROUP BY 3", "1:36: GROUP BY 3 names no item of SELECT"),
        ("SELECT COUNT(*) AS n FROM logs GROUP BY n", "1:41: n is the count itself"),
        ("SELECT level, COUNT(*) FROM logs GROUP BY level WITH ROLLUP", "1:34: ROLLUP"),
        (
            "SELECT data.level, COUNT(*) FROM logs GROUP BY data.level",
            "1:8: data.level is neither a column of logs nor",
        ),
        ("SELECT COUNT(*) FROM `no such topic`", "1:22: Kafka allows no topic of the name"),
        ("INSERT INTO logs SELECT COUNT(*) FROM logs", "1:13: the query would read its own output from logs"),
        ("INSERT INTO o (a) SELECT COUNT(*) FROM logs", "1:16: INSERT takes no list of columns"),
        ("INSERT INTO o SELECT a, b AS a, COUNT(*) FROM t GROUP BY a, b", "two columns are called \"a\""),
        ("INSERT INTO o VALUES (1)", "1:15: VALUES is not supported"),
        ("DELETE FROM logs", "1:1: only SELECT and INSERT INTO … SELECT are queries"),
        ("SELECT COUNT(*) FROM a; SELECT COUNT(*) FROM b", "1:25: a query is one statement"),
        ("SELEC level", "1:1: expected an SQL statement, found: SELEC; write"),
        ("SELECT level FROM logs GROUP", "1:24: expected end of statement, found: GROUP; write"),
        ("SELECT level FROM", "1:18: expected identifier, found: EOF; write"),
        ("SELECT 'open FROM logs", "1:8: Unterminated string literal"),
        ("SELECT level, COUNT(*) FROM logs GROUP BY level EMIT CHANGES", "1:49: "),
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
fn a_text_of_any_depth_ends_in_an_answer() {
    let fill = |unit: &str| unit.repeat((SQL_BYTES_MAX - 100) / unit.len());
    for deep in ["a=''OR ", "(", "NOT ", "!", "- ", "a+", "a.", "a[1]", "a::"] {
        plan(&format!("SELECT COUNT(*) FROM t WHERE {}a=''", fill(deep))).unwrap_err();
    }
    plan(&format!("SELECT COUNT(*) FROM t WHERE {}a=''", "a='' OR ".repeat(140))).unwrap();
    plan(&format!("SELECT COUNT(*) FROM t WHERE a IN ({}'')", "'x', ".repeat(10_000))).unwrap();
    plan(&fill("x ").repeat(2)).unwrap_err();
}

proptest::proptest! {
    #[test]
    fn any_text_is_planned_or_refused(text in ".{0,60}", words in proptest::collection::vec(
        proptest::sample::select(vec!["SELECT", "COUNT(*)", "FROM", "t", "WHERE", "a", "=", "'x'", "GROUP BY", ",", "(", ")",
            "INSERT INTO", "AND", "NOT", "NULL", "IS", "1", "AS", "IN", "LIKE", ";", "*", "."]), 0..14)) {
        let _ = plan(&text);
        let _ = plan(&words.join(" "));
    }
}
