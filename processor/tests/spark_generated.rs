//! `from_json` of Spark 3.4.0 on generated and mutated values, recorded by `tests/spark-parity/record_from_json.py`.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Read;

use brooklet_processor::Scanner;
use common::from_base64;

fn cell(text: &str) -> Option<Vec<u8>> {
    (text != "-").then(|| from_base64(text))
}

fn shown(cells: &[Option<Vec<u8>>]) -> Vec<Option<String>> {
    cells.iter().map(|cell| cell.as_ref().map(|cell| String::from_utf8_lossy(cell).into_owned())).collect()
}

fn scanned(scanner: &mut Scanner, value: &[u8]) -> Vec<Option<Vec<u8>>> {
    scanner.scan(Some(value)).columns().map(|column| column.map(<[u8]>::to_vec)).collect()
}

/// Twenty thousand values of another seed.
fn more() -> String {
    let packed = include_bytes!("data/from_json-3.4.0-generated-20000.tsv.gz").as_slice();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn generated_values_give_what_spark_gave() {
    let recording = match std::env::var("BROOKLET_SPARK_RECORDING") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("data/from_json-3.4.0-generated.tsv").to_owned() + &more(),
    };
    let mut one = Scanner::new(&["level"]);
    let mut three = Scanner::new(&["a", "level", "b"]);
    let mut differences = Vec::new();
    let mut values = 0;
    for line in recording.lines() {
        let (value, cells) = line.split_once('\t').unwrap();
        let value = from_base64(value);
        let cells: Vec<_> = cells.split('\t').map(cell).collect();
        let got = [scanned(&mut one, &value), scanned(&mut three, &value)].concat();
        if got != cells {
            let value = String::from_utf8_lossy(&value);
            differences.push(format!("{value:?}\n   got {:?}\n spark {:?}", shown(&got), shown(&cells)));
        }
        values += 1;
    }
    assert!(values > 22_000, "only {values} values");
    let count = differences.len();
    differences.sort_by_key(String::len);
    differences.truncate(20);
    assert!(count == 0, "{count} of {values} values differ:\n{}", differences.join("\n"));
}
