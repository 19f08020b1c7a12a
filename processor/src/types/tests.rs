//! Values against Spark 3.4.0's answers to SQL expressions.

use std::borrow::Cow;

use super::*;

const CASES: &str = include_str!("spark/values.json");

fn cases(of: &str) -> Vec<serde_json::Value> {
    let mut cases: serde_json::Value = serde_json::from_str(CASES).unwrap();
    serde_json::from_value(cases[of].take()).unwrap()
}

fn decimal(text: &str, data_type: DecimalType) -> Decimal {
    Decimal::parse(text.as_bytes(), data_type.precision, data_type.scale).unwrap()
}

#[test]
fn decimals_are_computed_as_in_spark() {
    let mut wrong = Vec::new();
    for group in cases("decimal") {
        let [p1, s1, p2, s2]: [u8; 4] = serde_json::from_value(group["types"].clone()).unwrap();
        let (left_type, right_type) = (DecimalType::new(p1, s1), DecimalType::new(p2, s2));
        let types = [
            left_type.of_sum(right_type),
            left_type.of_sum(right_type),
            left_type.of_product(right_type),
            left_type.of_quotient(right_type),
            left_type.of_remainder(right_type),
        ];
        for (data_type, expected) in types.iter().zip(group["results"].as_array().unwrap()) {
            assert_eq!(format!("decimal({},{})", data_type.precision, data_type.scale), expected.as_str().unwrap());
        }
        let [sum, difference, product, quotient, remainder] = types;
        for row in group["rows"].as_array().unwrap() {
            let row: Vec<Option<String>> = serde_json::from_value(row.clone()).unwrap();
            let (left, right) = (row[0].as_deref().unwrap(), row[1].as_deref().unwrap());
            let (a, b) = (decimal(left, left_type), decimal(right, right_type));
            let shown = |decimal: Option<Decimal>| decimal.map(|decimal| decimal.to_string());
            // Comparisons are between values of the type that both fit into, as far as they do.
            let scale = left_type.scale.max(right_type.scale);
            let whole = (left_type.precision - left_type.scale).max(right_type.precision - right_type.scale);
            let wider = DecimalType::new((whole + scale).min(38), scale);
            let compared = a
                .rescale(wider.precision, wider.scale)
                .zip(b.rescale(wider.precision, wider.scale))
                .map(|(a, b)| a.compare(b));
            if let Some(compared) = compared {
                assert_eq!(a.compare(b), compared, "{left} and {right}");
            }
            let found = [
                shown(a.plus(b, sum)),
                shown(a.minus(b, difference)),
                shown(a.times(b, product)),
                shown(a.divided_by(b, quotient)),
                shown(a.remainder(b, remainder)),
                a.integral_quotient(b).map(|quotient| quotient.to_string()),
                compared.map(|order| order.is_lt().to_string()),
                compared.map(|order| order.is_eq().to_string()),
            ];
            for ((found, expected), what) in found.iter().zip(&row[2..]).zip(["+", "-", "*", "/", "%", "div", "<", "="])
            {
                if found.as_deref() != expected.as_deref().filter(|answer| *answer != "!!") {
                    let types = format!("{left_type:?} {right_type:?}");
                    wrong.push(format!("{left} {what} {right} ({types}): {found:?}, Spark {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals_have_the_type_that_they_are_written_with() {
    for (text, expected) in [
        ("1.50", Some("1.50 (3,2)")),
        ("0.05", Some("0.05 (2,2)")),
        ("100", Some("100 (3,0)")),
        ("0", Some("0 (1,0)")),
        ("1e3", Some("1000 (4,0)")),
        ("1.25e-3", Some("0.00125 (5,5)")),
        ("123456789012345678901234567890123456789", None),
        ("x", None),
    ] {
        let found = Decimal::literal(text.as_bytes());
        let found = found.map(|decimal| format!("{decimal} ({},{})", decimal.precision, decimal.scale));
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

/// A value out of how the cases write it: times as numbers since 1970.
fn value(text: &str, data_type: &DataType) -> Value<'static> {
    match data_type {
        DataType::Timestamp => Value::Timestamp(text.parse().unwrap()),
        DataType::Date => Value::Date(text.parse().unwrap()),
        other => cast(Value::String(Cow::Borrowed(text.as_bytes())), &DataType::String, other).into_owned(),
    }
}

fn shown(value: &Value<'_>, data_type: &DataType) -> Option<String> {
    match value {
        // The cases have them as numbers, and in hex.
        Value::Timestamp(micros) => return Some(micros.to_string()),
        Value::Binary(bytes) => return Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        _ => {}
    }
    let mut out = Vec::new();
    to_text(value, data_type, &mut out).then(|| String::from_utf8(out).unwrap())
}

#[test]
fn values_convert_as_in_spark() {
    let mut wrong = Vec::new();
    for case in cases("cast") {
        let (from, text, to, expected): (String, String, String, Option<String>) =
            serde_json::from_value(case).unwrap();
        let (from, to) = (parse_type(&from).unwrap(), parse_type(&to).unwrap());
        let found = shown(&cast(value(&text, &from), &from, &to), &to);
        if found != expected {
            wrong.push(format!("{text} as {from} to {to}: {found:?}, Spark {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_casts_that_spark_allows_are_allowed() {
    let types: Vec<DataType> = cases("types")
        .iter()
        .map(|name| {
            name.as_str().filter(|name| *name != "void").map_or(DataType::Null, |name| parse_type(name).unwrap())
        })
        .collect();
    for (from, case) in types.iter().zip(cases("can_cast")) {
        for (to, allowed) in types.iter().zip(case[1].as_str().unwrap().chars()) {
            // Spark has no name to cast to it.
            if *to != DataType::Null {
                assert_eq!(can_cast(from, to), allowed == '1', "{from} to {to}");
            }
        }
    }
}

fn text(text: &'static str) -> Value<'static> {
    Value::String(Cow::Borrowed(text.as_bytes()))
}

fn array(values: &[Value<'static>]) -> Value<'static> {
    Value::Array(values.into())
}

fn fields(values: &[Value<'static>]) -> Value<'static> {
    Value::Struct(values.into())
}

fn map(entries: &[(Value<'static>, Value<'static>)]) -> Value<'static> {
    Value::Map(entries.into())
}

fn number(text: &str, precision: u8, scale: u8) -> Value<'static> {
    Value::Decimal(Decimal::parse(text.as_bytes(), precision, scale).unwrap())
}

/// 2024-01-02 03:04:05.123456
const MICROS: i64 = 1_704_164_645_123_456;
/// 2024-01-02
const DAYS: i32 = 19_724;

#[test]
fn nested_values_are_shown_as_in_spark() {
    use Value::{BigInt, Binary, Boolean, Date, Double, Int, Null, Timestamp};
    for (data_type, value, expected) in [
        ("array<int>", array(&[Int(1), Null, Int(3)]), "[1, null, 3]"),
        ("array<string>", array(&[text("a"), Null, text("")]), "[a, null, ]"),
        ("array<array<int>>", array(&[array(&[Int(1)]), Null]), "[[1], null]"),
        ("struct<a:int,b:string,c:string>", fields(&[Int(1), Null, text("x")]), "{1, null, x}"),
        ("map<string,int>", map(&[(text("k"), Int(1)), (text("l"), Null)]), "{k -> 1, l -> null}"),
        ("map<int,array<double>>", map(&[(Int(1), array(&[Double(1.5), Double(f64::NAN)]))]), "{1 -> [1.5, NaN]}"),
        ("array<binary>", array(&[Binary(Cow::Borrowed(b"ab")), Null]), "[ab, null]"),
        (
            "struct<d:date,t:timestamp,n:decimal(3,2)>",
            fields(&[Date(DAYS), Timestamp(MICROS / 100_000 * 100_000), number("1.50", 3, 2)]),
            "{2024-01-02, 2024-01-02 03:04:05.1, 1.50}",
        ),
        ("struct<b:boolean,s:struct<x:int>>", fields(&[Boolean(true), fields(&[Int(1)])]), "{true, {1}}"),
        ("array<int>", array(&[]), "[]"),
        ("map<int,int>", map(&[]), "{}"),
        ("array<decimal(38,20)>", array(&[number("0", 38, 20)]), "[0E-20]"),
        ("array<double>", array(&[Double(-0.0), Double(1e7), Double(1e-4)]), "[-0.0, 1.0E7, 1.0E-4]"),
        ("bigint", BigInt(i64::MIN), "-9223372036854775808"),
    ] {
        let data_type = parse_type(data_type).unwrap();
        let mut out = Vec::new();
        assert!(to_text(&value, &data_type, &mut out));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let Value::String(cast) = cast(value, &data_type, &DataType::String) else { panic!("{expected}") };
        assert_eq!(cast.as_ref(), expected.as_bytes());
    }
    let mut out = Vec::new();
    assert!(to_text(&Binary(Cow::Borrowed(b"a\xff")), &DataType::Binary, &mut out));
    assert!(!to_text(&Null, &DataType::Int, &mut out));
    assert_eq!(out, b"[61 FF]");
}

#[test]
fn nested_values_convert_by_their_parts() {
    use Value::{Double, Int, Null};
    for (from, to, value, expected) in [
        ("array<string>", "array<int>", array(&[text("1"), text("x"), Null]), "[1, null, null]"),
        ("struct<a:string,b:string>", "struct<x:int,y:double>", fields(&[text("1"), text("2.5")]), "{1, 2.5}"),
        ("map<int,string>", "map<string,int>", map(&[(Int(1), text("2"))]), "{1 -> 2}"),
        ("map<int,string>", "map<bigint,double>", map(&[(Int(1), text("x"))]), "{1 -> null}"),
        ("array<double>", "array<boolean>", array(&[Double(1.7)]), "[true]"),
    ] {
        let (from, to) = (parse_type(from).unwrap(), parse_type(to).unwrap());
        assert_eq!(shown(&cast(value, &from, &to), &to).as_deref(), Some(expected));
    }
}

#[test]
fn json_is_written_as_in_spark() {
    use Value::{BigInt, Binary, Boolean, Date, Double, Int, Null, Timestamp};
    for (data_type, value, expected) in [
        ("struct<a:int,b:string>", fields(&[Int(1), Null]), r#"{"a":1,"b":null}"#),
        (
            "struct<s:string>",
            fields(&[text("a\"\\\n\t\r\u{8}\u{c}/\u{1}\u{1f}\u{7f}é€😀")]),
            "{\"s\":\"a\\\"\\\\\\n\\t\\r\\b\\f/\\u0001\\u001F\u{7f}é€😀\"}",
        ),
        ("array<double>", array(&[Double(1.0), Double(1e7), Double(-0.0)]), "[1.0,1.0E7,-0.0]"),
        (
            "array<double>",
            array(&[Double(f64::NAN), Double(f64::INFINITY), Double(f64::NEG_INFINITY)]),
            r#"["NaN","Infinity","-Infinity"]"#,
        ),
        (
            "struct<a:decimal(10,2),b:decimal(38,20),c:decimal(10,7)>",
            fields(&[number("1.50", 10, 2), number("0", 38, 20), number("0.0000001", 10, 7)]),
            r#"{"a":1.50,"b":0E-20,"c":1E-7}"#,
        ),
        (
            "struct<d:date,t:timestamp,u:timestamp>",
            fields(&[Date(DAYS), Timestamp(MICROS), Timestamp(-62_135_596_800_000_000)]),
            r#"{"d":"2024-01-02","t":"2024-01-02T03:04:05.123Z","u":"0001-01-01T00:00:00.000Z"}"#,
        ),
        (
            "array<timestamp>",
            array(&[Timestamp(253_402_300_800_000_000), Timestamp(-62_167_219_200_000_001), Timestamp(-1)]),
            r#"["+10000-01-01T00:00:00.000Z","-0001-12-31T23:59:59.999Z","1969-12-31T23:59:59.999Z"]"#,
        ),
        (
            "array<binary>",
            array(&[Binary(Cow::Borrowed(b"abc\xff")), Binary(Cow::Borrowed(b"")), Binary(Cow::Borrowed(b"\0"))]),
            r#"["YWJj/w==","","AA=="]"#,
        ),
        (
            "struct<a:array<int>,m:map<string,int>,s:struct<x:int>>",
            fields(&[array(&[Int(1), Null]), map(&[(text("k"), Null), (text("l"), Int(1))]), fields(&[Null])]),
            r#"{"a":[1,null],"m":{"k":null,"l":1},"s":{"x":null}}"#,
        ),
        ("map<date,int>", map(&[(Date(DAYS), Int(1))]), r#"{"19724":1}"#),
        ("map<timestamp,int>", map(&[(Timestamp(1_704_164_645_000_000), Int(1))]), r#"{"1704164645000000":1}"#),
        ("map<double,int>", map(&[(Double(1.5), Int(1))]), r#"{"1.5":1}"#),
        ("map<boolean,int>", map(&[(Boolean(true), Int(1))]), r#"{"true":1}"#),
        ("map<decimal(10,2),bigint>", map(&[(number("1.5", 10, 2), BigInt(-5))]), r#"{"1.50":-5}"#),
        ("struct<a:array<int>,m:map<int,int>>", fields(&[array(&[]), map(&[])]), r#"{"a":[],"m":{}}"#),
        ("struct<`a\"b`:int>", fields(&[Int(1)]), r#"{"a\"b":1}"#),
        ("string", Value::String(Cow::Borrowed(b"a\xffb\xe2\x82c")), "\"a\u{fffd}b\u{fffd}c\""),
    ] {
        let mut out = Vec::new();
        to_json(&value, &parse_type(data_type).unwrap(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn hashes_are_those_of_spark() {
    use Value::{BigInt, Binary, Boolean, Date, Double, Int, Null, Timestamp};
    let binary = |bytes: &'static [u8]| Binary(Cow::Borrowed(bytes));
    const LARGE: &str = "12345678901234567890123456789012345678";
    let negative = format!("-{LARGE}");
    let minute = 60_000_000;
    let start = MICROS / minute * minute;
    for (value, expected) in [
        (Null, 42),
        (Int(1), -559580957),
        (Int(-1), -1604776387),
        (BigInt(1), -1712319331),
        (BigInt(-5_000_000_000), 1755508969),
        (Boolean(true), -559580957),
        (Boolean(false), 933211791),
        (Double(1.5), 1290763749),
        (Double(-0.0), -1670924195),
        (Double(0.0), -1670924195),
        (Double(f64::NAN), -1281358385),
        (Double(-f64::NAN), -1281358385),
        (text("a"), 1485273170),
        (text("abcd"), -396302900),
        (text("abcde"), 814637928),
        (text("é€😀"), -1844856255),
        (text(""), 142593372),
        (binary(b"ab"), -97053317),
        (binary(b"\xff\xfe"), -552689488),
        (Date(DAYS), -21057580),
        (Timestamp(MICROS), -1224577211),
        (number("1.5", 10, 2), -2056712946),
        (number("-1.5", 18, 2), -1998913259),
        (number("1.5", 20, 2), -339019914),
        (number("-1.5", 38, 2), -690534446),
        (number(LARGE, 38, 0), -1328266464),
        (number(&negative, 38, 0), 988508472),
        (number("0", 38, 20), -783713497),
        (number("128", 20, 0), -544401882),
        (number("-128", 20, 0), 775851899),
        (number("255", 20, 0), 1246198977),
        (number("-129", 20, 0), -771458971),
        (array(&[Int(1), Null, Int(2)]), -222940379),
        (fields(&[Int(1), text("x")]), -1305545736),
        (fields(&[Timestamp(start), Timestamp(start + minute)]), 1770816366),
        (fields(&[Null]), 42),
        (array(&[text("a"), text("b")]), 190734147),
        (fields(&[text("a"), Int(1), Null, fields(&[Int(1), text("x")]), Double(2.5)]), -201021613),
    ] {
        assert_eq!(hash_value(&value, 42) as i32, expected, "{value:?}");
    }
}
