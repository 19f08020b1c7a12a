//! The types that aggregates take and give. See `Sum`, `Average`, `Min` and their neighbours in
//! `org.apache.spark.sql.catalyst.expressions.aggregate`.

use sqlparser::tokenizer::Span;

use super::parameters::{accuracy, fractions, register_bits};
use super::{Kind, Shape};
use crate::aggregate::{AggregateFunction, Moment, Percentiles};
use crate::expr;
use crate::expr::build::{self, Takes, Typed};
use crate::sql::error::{PlanError, refuse};
use crate::sql::lowered::{Lowered, at};
use crate::sql::schema::shown;
use crate::types::{DataType, Field, IntervalRange};

/// Spark's own, where none is given.
const ACCURACY: u32 = 10_000;
const REGISTER_BITS: u8 = 9;

/// What a single argument makes: the function, the type in which it takes it, and that of the result.
type Signature = (AggregateFunction, DataType, DataType);

/// The function with its lowered arguments.
pub(super) fn shape(
    kind: Kind,
    name: &str,
    lowered: Vec<(Lowered, Span)>,
    ignore_nulls: bool,
    place: Span,
) -> Result<Shape, PlanError> {
    let mut names: Vec<String> = lowered.iter().map(|(column, _)| column.typed.text.clone()).collect();
    let mut texts: Vec<String> = lowered.iter().map(|(column, _)| column.text.clone()).collect();
    let (columns, places): (Vec<Typed>, Vec<Span>) = lowered.into_iter().map(|(column, at)| (column.typed, at)).unzip();
    let refused = |number: usize| {
        let given = columns.get(number).map_or(DataType::Null, |column| column.data_type.clone());
        let place = places.get(number).copied().unwrap_or(place);
        refuse(place, format!("{name} does not take {}", shown(&given)), kind.advice())
    };
    let place_of = |number: usize| places.get(number).copied().unwrap_or(place);
    let number = |number: usize, takes: Takes| match columns.get(number) {
        Some(column) => takes.accept(&column.data_type).ok_or_else(|| refused(number)),
        None => Err(refused(number)),
    };
    let (function, input, data_type) = match kind {
        Kind::PairMoment(moment) => {
            let input = tuple(&columns, [number(0, Takes::Double)?, number(1, Takes::Double)?]);
            (AggregateFunction::PairMoment(moment), input, DataType::Double)
        }
        Kind::PairCount => {
            let input = tuple(&columns, [number(0, Takes::Numeric)?, number(1, Takes::Numeric)?]);
            texts = vec![format!("the pair {}", texts.join(", "))];
            (AggregateFunction::Count, input, DataType::BigInt)
        }
        Kind::PairAverage { second } | Kind::PairSquares { second } => {
            let types = [number(0, Takes::Numeric)?, number(1, Takes::Numeric)?];
            let (chosen, other) = if second { (1, 0) } else { (0, 1) };
            let Some(column) = columns.get(chosen).zip(columns.get(other)) else { return Err(refused(0)) };
            let taken = types.into_iter().nth(chosen).unwrap_or(DataType::Double);
            let (function, input, data_type) = match kind {
                Kind::PairSquares { .. } => {
                    (AggregateFunction::Moment(Moment::Squares), DataType::Double, DataType::Double)
                }
                _ => signature(Kind::Avg, &taken, false).ok_or_else(|| refused(chosen))?,
            };
            // One of the pairs that are whole.
            let whole = build::is_not_null(column.1.clone());
            let chosen = build::case(vec![(whole, column.0.clone())], None).map_err(at(place))?;
            let arguments = vec![converted(chosen, &input)];
            let texts = vec![format!("{} of the pair {}", if second { "x" } else { "y" }, texts.join(", "))];
            return Ok(Shape { function, arguments, input, data_type, names, texts });
        }
        Kind::MinBy | Kind::MaxBy => {
            let [value, by] = [0, 1].map(|number| columns.get(number).map(|column| column.data_type.clone()));
            let (Some(value), Some(by)) = (value, by) else { return Err(refused(0)) };
            if !has_order(&by) {
                return Err(refused(1));
            }
            let function = if kind == Kind::MinBy { AggregateFunction::MinBy } else { AggregateFunction::MaxBy };
            (function, tuple(&columns, [value.clone(), by]), value)
        }
        Kind::Percentile | Kind::ApproxPercentile | Kind::Median => {
            let given = columns.first().map(|column| column.data_type.clone()).unwrap_or(DataType::Null);
            let is_exact = kind != Kind::ApproxPercentile;
            let (input, of_one) = percentile_types(&given, is_exact).ok_or_else(|| refused(0))?;
            let (fractions, many) = match columns.get(1) {
                Some(argument) => fractions(argument, name, place_of(1))?,
                None => ([0.5].into(), false),
            };
            let accuracy = match columns.get(2).filter(|_| !is_exact) {
                Some(argument) => Some(accuracy(argument, name, place_of(2))?),
                None => (!is_exact).then_some(ACCURACY),
            };
            let data_type = if many { DataType::Array(of_one.into()) } else { of_one };
            match (kind, columns.len()) {
                (Kind::Percentile, 2) => names.push("1".to_owned()),
                (Kind::ApproxPercentile, 2) => names.push(ACCURACY.to_string()),
                _ => {}
            }
            let function = AggregateFunction::Percentiles(Percentiles { fractions, many, accuracy });
            let mut arguments = vec![converted(columns.first().cloned().ok_or_else(|| refused(0))?, &input)];
            let frequency = columns.get(2).filter(|_| is_exact);
            texts = texts.first().into_iter().chain(texts.get(2).filter(|_| is_exact)).cloned().collect();
            let input = match frequency {
                None => input,
                Some(frequency) if is_whole(&frequency.data_type) => {
                    arguments.push(converted(frequency.clone(), &DataType::BigInt));
                    tuple(&columns, [input, DataType::BigInt])
                }
                Some(_) => return Err(refused(2)),
            };
            return Ok(Shape { function, arguments, input, data_type, names, texts });
        }
        Kind::ApproxCountDistinct => {
            let bits = match columns.get(1) {
                Some(argument) => register_bits(argument, name, place_of(1))?,
                None => REGISTER_BITS,
            };
            names.truncate(1);
            texts.truncate(1);
            let input = columns.first().map_or(DataType::Null, |column| column.data_type.clone());
            (AggregateFunction::ApproxCountDistinct { bits }, input, DataType::BigInt)
        }
        Kind::Count if columns.len() > 1 => {
            let types: Vec<DataType> = columns.iter().map(|column| column.data_type.clone()).collect();
            (AggregateFunction::Count, tuple(&columns, types), DataType::BigInt)
        }
        _ => {
            let given = columns.first().map_or(&DataType::Null, |column| &column.data_type);
            signature(kind, given, ignore_nulls).ok_or_else(|| refused(0))?
        }
    };
    let takes = |number: usize| match &input {
        DataType::Struct(fields) if columns.len() > 1 && kind != Kind::ApproxCountDistinct => {
            fields.get(number).map_or(&DataType::Null, |field| &field.data_type)
        }
        input => input,
    };
    let count = if kind == Kind::ApproxCountDistinct { 1 } else { columns.len() };
    let arguments = columns.iter().take(count).enumerate();
    let arguments = arguments.map(|(number, column)| converted(column.clone(), takes(number))).collect();
    Ok(Shape { function, arguments, input, data_type, names, texts })
}

/// The type of several arguments together.
fn tuple(columns: &[Typed], types: impl IntoIterator<Item = DataType>) -> DataType {
    let fields = columns.iter().zip(types).map(|(column, data_type)| Field { name: column.name.clone(), data_type });
    DataType::Struct(fields.collect())
}

/// `None` if it does not take the type.
fn signature(kind: Kind, given: &DataType, ignore_nulls: bool) -> Option<Signature> {
    use DataType::{BigInt, Boolean, Decimal, Double, Int, Interval, Null};
    let wider = |precision: u8, scale: u8, more: u8, more_scale: u8| Decimal {
        precision: (precision + more).min(38),
        scale: (scale + more_scale).min(38),
    };
    let same = |function: AggregateFunction| (function, given.clone(), given.clone());
    let bits = |function: AggregateFunction| match given {
        Null => Some((function, Int, Int)),
        given => is_whole(given).then(|| (function, given.clone(), given.clone())),
    };
    let list = DataType::Array(given.clone().into());
    Some(match (kind, given) {
        (Kind::Count, _) => (AggregateFunction::Count, given.clone(), BigInt),
        (Kind::CountIf, Boolean | Null) => (AggregateFunction::CountIf, Boolean, BigInt),
        (Kind::BoolAnd, Boolean | Null) => (AggregateFunction::BoolAnd, Boolean, Boolean),
        (Kind::BoolOr, Boolean | Null) => (AggregateFunction::BoolOr, Boolean, Boolean),
        (Kind::Sum, _) if is_whole(given) => (AggregateFunction::Sum, BigInt, BigInt),
        (Kind::TrySum, _) if is_whole(given) => (AggregateFunction::TrySum, BigInt, BigInt),
        (Kind::Avg, _) if is_whole(given) => (AggregateFunction::Avg, BigInt, Double),
        (Kind::Sum | Kind::TrySum, _) if is_doubled(given) => (AggregateFunction::Sum, Double, Double),
        (Kind::Avg, _) if is_doubled(given) => (AggregateFunction::Avg, Double, Double),
        (Kind::Sum | Kind::TrySum, Decimal { precision, scale }) => {
            (AggregateFunction::Sum, given.clone(), wider(*precision, *scale, 10, 0))
        }
        (Kind::Avg, Decimal { precision, scale }) => {
            (AggregateFunction::Avg, given.clone(), wider(*precision, *scale, 4, 4))
        }
        (Kind::Sum | Kind::TrySum, Interval(_)) => same(AggregateFunction::Sum),
        (Kind::Avg, Interval(range)) => (AggregateFunction::Avg, given.clone(), Interval(all_units(*range))),
        (Kind::Min, _) if has_order(given) => same(AggregateFunction::Min),
        (Kind::Max, _) if has_order(given) => same(AggregateFunction::Max),
        (Kind::First, _) => same(AggregateFunction::First { ignore_nulls }),
        (Kind::Last, _) => same(AggregateFunction::Last { ignore_nulls }),
        (Kind::BitAnd, _) => bits(AggregateFunction::BitAnd)?,
        (Kind::BitOr, _) => bits(AggregateFunction::BitOr)?,
        (Kind::BitXor, _) => bits(AggregateFunction::BitXor)?,
        (Kind::Moment(moment), _) => (AggregateFunction::Moment(moment), Takes::Double.accept(given)?, Double),
        (Kind::CollectList, _) => (AggregateFunction::CollectList, given.clone(), list),
        (Kind::CollectSet, _) if has_order(given) => (AggregateFunction::CollectSet, given.clone(), list),
        (Kind::Mode, _) => same(AggregateFunction::Mode),
        _ => return None,
    })
}

/// The type in which a percentile takes its values, and that of one result.
fn percentile_types(given: &DataType, is_exact: bool) -> Option<(DataType, DataType)> {
    use DataType::{Date, Decimal, Double, Float, Interval, Null, String, Timestamp};
    Some(match given {
        String | Null => (Double, Double),
        Interval(range) if is_exact => (given.clone(), Interval(all_units(*range))),
        Interval(_) => (given.clone(), given.clone()),
        Date | Timestamp if !is_exact => (given.clone(), given.clone()),
        Float | Double | Decimal { .. } => (given.clone(), if is_exact { Double } else { given.clone() }),
        _ if is_whole(given) => (given.clone(), if is_exact { Double } else { given.clone() }),
        _ => return None,
    })
}

fn all_units(range: IntervalRange) -> IntervalRange {
    if range.is_of_months() { IntervalRange::YEAR_TO_MONTH } else { IntervalRange::DAY_TO_SECOND }
}

fn is_whole(data_type: &DataType) -> bool {
    matches!(data_type, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt)
}

/// What sums take as DOUBLE; of a time, Spark takes the seconds.
fn is_doubled(data_type: &DataType) -> bool {
    use DataType::{Double, Float, Null, String, Timestamp};
    matches!(data_type, Float | Double | String | Timestamp | Null)
}

/// Maps have none.
pub(in crate::sql) fn has_order(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => false,
        DataType::Array(element) => has_order(element),
        DataType::Struct(fields) => fields.iter().all(|field| has_order(&field.data_type)),
        _ => true,
    }
}

fn converted(typed: Typed, to: &DataType) -> expr::Expr {
    if typed.data_type == *to {
        return typed.expr;
    }
    expr::Expr::Cast { operand: Box::new(typed.expr), from: typed.data_type, to: to.clone() }
}
