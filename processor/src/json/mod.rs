//! Reads the wanted top-level columns of a JSON record, with the meaning of Spark 3.4's
//! `from_json(CAST(value AS STRING), schema)` in PERMISSIVE mode.
//!
//! One pass. The whole root object is checked, wanted or not: a syntax error anywhere in it makes every column null
//! (unless it stands inside a wanted column; see `replay.rs`). What follows the root object is not looked at. A value
//! that is not of its column's type is null, and so is an array, map or struct with such a part; the other columns stay.
//! See `JacksonParser` and `JsonToStructs` of Spark, and `ReaderBasedJsonParser` of Jackson 2.14, whose options Spark sets
//! so: single quotes and the non-finite numbers are allowed; comments, unquoted names, leading zeros and raw control
//! characters are not. Nesting has no bound, but that of a column's type is nesting of calls.

mod base64;
mod column;
mod identifier;
mod input;
mod legacy;
mod nested;
mod number;
mod parser;
mod reader;
mod replay;
mod rewrite;
mod row;
mod scalar;
mod scanner;
mod skip;
mod stops;
mod text;
mod token;
mod typed;
#[cfg(test)]
mod typed_tests;

pub use row::Scanned;
pub use scanner::Scanner;
