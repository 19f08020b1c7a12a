//! The orders of rows: that of ORDER BY, and that in which Spark's console shows groups, by the shuffle partition that
//! their key hashes to.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::plan::SortKey;
use crate::types::{Value, hash_value, order};

/// `spark.sql.shuffle.partitions` by default.
const SHUFFLE_PARTITIONS: i32 = 200;

const SEED: u32 = 42;

/// The shuffle partition, below 200, of a group with these key columns: `pmod(Murmur3Hash(columns, 42), 200)`. A NULL
/// leaves the hash so far as it is.
///
/// Rows are shown partition by partition; within one, as they first appeared.
pub(crate) fn partition_of<'v, 'a: 'v>(columns: impl IntoIterator<Item = &'v Value<'a>>) -> u32 {
    let hash = columns.into_iter().fold(SEED, |seed, column| hash_value(column, seed));
    (hash as i32).rem_euclid(SHUFFLE_PARTITIONS) as u32
}

/// As the order of rows has it, for a key of STRING columns.
pub fn spark_partition<'a>(columns: impl IntoIterator<Item = Option<&'a [u8]>>) -> u32 {
    let value = |column: Option<&'a [u8]>| column.map_or(Value::Null, |text| Value::String(Cow::Borrowed(text)));
    let columns: Vec<Value<'a>> = columns.into_iter().map(value).collect();
    partition_of(&columns)
}

/// Rows in the order of ORDER BY, each given with what its items are; those that are equal in it as they come.
pub(crate) fn sorted<T>(keys: &[SortKey], mut rows: Vec<(Vec<Value<'static>>, T)>) -> Vec<T> {
    rows.sort_by(|a, b| compare(keys, &a.0, &b.0));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// By the first item of ORDER BY that tells two rows apart.
fn compare(keys: &[SortKey], left: &[Value<'_>], right: &[Value<'_>]) -> Ordering {
    for (key, (left, right)) in keys.iter().zip(left.iter().zip(right)) {
        let nulls = |null_first: bool| if null_first { Ordering::Less } else { Ordering::Greater };
        let found = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => nulls(key.nulls_first),
            (false, true) => nulls(!key.nulls_first),
            (false, false) if key.descending => order(right, left),
            (false, false) => order(left, right),
        };
        if found.is_ne() {
            return found;
        }
    }
    Ordering::Equal
}
