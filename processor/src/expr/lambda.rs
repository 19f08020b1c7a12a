//! Functions that take functions: `transform(a, x -> x + 1)`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Expr, Row};
use crate::types::{Value, equal};

/// Parameters, which are columns from `first` on, and what is made of them.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) body: Expr,
}

/// See `higherOrderFunctions.scala` in Spark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HigherOrder {
    Transform,
    Filter,
    Exists,
    Forall,
    /// With a first value, and a second lambda for the end.
    Aggregate,
    ZipWith,
    ArraySort,
    MapFilter,
    TransformKeys,
    TransformValues,
    MapZipWith,
}

/// A row, and the parameters of a lambda beside its columns.
struct Bound<'r> {
    row: &'r dyn Row,
    first: usize,
    values: Vec<Value<'static>>,
}

impl Row for Bound<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        match column.checked_sub(self.first).and_then(|number| self.values.get(number)) {
            Some(value) => value.borrowed(),
            None => self.row.value(column),
        }
    }
}

impl Lambda {
    fn apply(&self, row: &dyn Row, mut values: Vec<Value<'static>>) -> Value<'static> {
        values.truncate(self.count);
        let bound = Bound { row, first: self.first, values };
        self.body.eval(&bound).into_owned()
    }

    /// `None` is NULL.
    fn test(&self, row: &dyn Row, values: Vec<Value<'static>>) -> Option<bool> {
        match self.apply(row, values) {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }
}

impl HigherOrder {
    pub(super) fn eval(self, arguments: &[Value<'_>], lambdas: &[Lambda], row: &dyn Row) -> Value<'static> {
        let (Some(first), Some(lambda)) = (arguments.first(), lambdas.first()) else { return Value::Null };
        match (self, first) {
            (Self::Aggregate, Value::Array(items)) => {
                let zero = arguments.get(1).map_or(Value::Null, |zero| zero.clone().into_owned());
                let merged = items.iter().fold(zero, |sum, item| lambda.apply(row, vec![sum, item.clone()]));
                lambdas.get(1).map_or_else(|| merged.clone(), |finish| finish.apply(row, vec![merged.clone()]))
            }
            (Self::ZipWith, Value::Array(left)) => match arguments.get(1) {
                Some(Value::Array(right)) => zip(left, right, lambda, row),
                _ => Value::Null,
            },
            (Self::MapZipWith, Value::Map(left)) => match arguments.get(1) {
                Some(Value::Map(right)) => zip_maps(left, right, lambda, row),
                _ => Value::Null,
            },
            (_, Value::Array(items)) => self.over_array(items, lambda, row),
            (_, Value::Map(entries)) => self.over_map(entries, lambda, row),
            _ => Value::Null,
        }
    }

    fn over_array(self, items: &Arc<[Value<'static>]>, lambda: &Lambda, row: &dyn Row) -> Value<'static> {
        let numbered = || items.iter().zip(0..).map(|(item, number)| (item, vec![item.clone(), Value::Int(number)]));
        match self {
            Self::Transform => Value::Array(numbered().map(|(_, values)| lambda.apply(row, values)).collect()),
            Self::Filter => {
                let kept = numbered().filter(|(_, values)| lambda.test(row, values.clone()) == Some(true));
                Value::Array(kept.map(|(item, _)| item.clone()).collect())
            }
            Self::Exists | Self::Forall => {
                let decides = self == Self::Exists;
                let mut all = Some(!decides);
                for item in items.iter() {
                    match lambda.test(row, vec![item.clone()]) {
                        Some(found) if found == decides => return Value::Boolean(decides),
                        Some(_) => {}
                        None => all = None,
                    }
                }
                all.map_or(Value::Null, Value::Boolean)
            }
            Self::ArraySort => {
                let order = |left: &Value<'static>, right: &Value<'static>| match lambda
                    .apply(row, vec![left.clone(), right.clone()])
                {
                    Value::Int(order) => order.cmp(&0),
                    _ => Ordering::Equal,
                };
                Value::Array(merge_sorted(items.to_vec(), &order).into())
            }
            _ => Value::Null,
        }
    }

    fn over_map(
        self,
        entries: &Arc<[(Value<'static>, Value<'static>)]>,
        lambda: &Lambda,
        row: &dyn Row,
    ) -> Value<'static> {
        let pair = |(key, value): &(Value<'static>, Value<'static>)| vec![key.clone(), value.clone()];
        match self {
            Self::MapFilter => {
                let kept = entries.iter().filter(|entry| lambda.test(row, pair(entry)) == Some(true));
                Value::Map(kept.cloned().collect())
            }
            Self::TransformValues => {
                Value::Map(entries.iter().map(|entry| (entry.0.clone(), lambda.apply(row, pair(entry)))).collect())
            }
            Self::TransformKeys => {
                let mut all: Vec<(Value<'static>, Value<'static>)> = Vec::with_capacity(entries.len());
                for entry in entries.iter() {
                    let key = lambda.apply(row, pair(entry));
                    // Spark fails.
                    if key.is_null() || all.iter().any(|(other, _)| equal(other, &key)) {
                        return Value::Null;
                    }
                    all.push((key, entry.1.clone()));
                }
                Value::Map(all.into())
            }
            _ => Value::Null,
        }
    }
}

/// The shorter one goes on with NULLs.
fn zip(left: &[Value<'static>], right: &[Value<'static>], lambda: &Lambda, row: &dyn Row) -> Value<'static> {
    let at = |items: &[Value<'static>], index: usize| items.get(index).cloned().unwrap_or(Value::Null);
    let longest = left.len().max(right.len());
    Value::Array((0..longest).map(|index| lambda.apply(row, vec![at(left, index), at(right, index)])).collect())
}

type Entries = [(Value<'static>, Value<'static>)];

/// The keys of both, in the order in which they come; a map that lacks one has NULL for it.
fn zip_maps(left: &Entries, right: &Entries, lambda: &Lambda, row: &dyn Row) -> Value<'static> {
    let value = |entries: &Entries, key: &Value<'static>| {
        let found = entries.iter().find(|(other, _)| equal(other, key));
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    let only_right = right.iter().filter(|(key, _)| !left.iter().any(|(other, _)| equal(other, key)));
    let keys = left.iter().chain(only_right).map(|(key, _)| key);
    let zipped =
        keys.map(|key| (key.clone(), lambda.apply(row, vec![key.clone(), value(left, key), value(right, key)])));
    Value::Map(zipped.collect())
}

/// Equal ones stay in order. An order that contradicts itself does no harm, which the standard library's sorting does
/// not promise.
fn merge_sorted(
    mut items: Vec<Value<'static>>,
    order: &impl Fn(&Value<'static>, &Value<'static>) -> Ordering,
) -> Vec<Value<'static>> {
    if items.len() < 2 {
        return items;
    }
    let right = items.split_off(items.len() / 2);
    let mut left = merge_sorted(items, order).into_iter().peekable();
    let mut right = merge_sorted(right, order).into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if order(first, second).is_gt() { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}
