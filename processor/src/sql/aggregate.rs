//! Aggregate functions: `COUNT(*)`, `SUM(a)`, `MAX(b) FILTER (WHERE c)`.

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, NullTreatment, Spanned, Value as Literal};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::function::expressions;
use super::lowered::{AGGREGATES, Clause, Lowered, Lowering, at};
use super::schema::shown;
use crate::aggregate::AggregateFunction;
use crate::expr;
use crate::expr::build::{self, Typed};
use crate::plan::Aggregate;
use crate::types::{DataType, Field};

/// The function of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Count,
    CountIf,
    Sum,
    Min,
    Max,
    Avg,
    BoolAnd,
    BoolOr,
    First,
    Last,
}

/// A call of an aggregate.
pub(super) struct Call<'f> {
    pub(super) function: &'f Function,
    /// In lower case.
    pub(super) name: &'f str,
    pub(super) kind: Kind,
    pub(super) distinct: bool,
    pub(super) arguments: &'f [&'f FunctionArg],
    pub(super) place: Span,
}

/// The aggregates that a query may use, by their names in lower case.
pub(super) fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "count" => Kind::Count,
        "count_if" => Kind::CountIf,
        "sum" => Kind::Sum,
        "min" => Kind::Min,
        "max" => Kind::Max,
        "avg" | "mean" => Kind::Avg,
        "bool_and" | "every" => Kind::BoolAnd,
        "bool_or" | "any" | "some" => Kind::BoolOr,
        "first" | "first_value" | "any_value" => Kind::First,
        "last" | "last_value" => Kind::Last,
        _ => return None,
    })
}

/// Spark's other aggregates: what to write instead.
pub(super) fn unsupported(name: &str) -> Option<&'static str> {
    Some(match name {
        "approx_count_distinct" => "write COUNT(DISTINCT column) in a batch, or group by the column",
        "collect_list" | "collect_set" | "array_agg" => "group by the column, or keep FIRST and LAST",
        "max_by" | "min_by" => "MAX of a struct: MAX(struct(order, value)).value",
        "stddev" | "stddev_samp" | "stddev_pop" | "std" | "variance" | "var_samp" | "var_pop" => {
            "keep SUM(x), SUM(x * x) and COUNT(x), which they are made of"
        }
        "median" | "mode" | "percentile" | "percentile_approx" | "approx_percentile" | "skewness" | "kurtosis"
        | "corr" | "covar_pop" | "covar_samp" | "bit_and" | "bit_or" | "bit_xor" | "try_sum" | "try_avg"
        | "histogram_numeric" | "count_min_sketch" | "grouping" | "grouping_id" | "product" => {
            "use COUNT, COUNT_IF, SUM, MIN, MAX, AVG, BOOL_AND, BOOL_OR, FIRST and LAST"
        }
        _ => return None,
    })
}

impl Lowering<'_> {
    pub(super) fn aggregate(&mut self, call: &Call<'_>, clause: Clause) -> Result<Lowered, PlanError> {
        let Call { name, place, .. } = *call;
        let misplaced = match clause {
            Clause::Select | Clause::Having | Clause::OrderBy => None,
            Clause::Where => Some(("stands in WHERE, which is about single records", "put the condition into HAVING")),
            Clause::GroupBy => Some(("is an aggregate and cannot be grouped by", "group by columns")),
            Clause::Argument => Some(("stands inside of another aggregate", "take one of them out")),
        };
        if let Some((why, instead)) = misplaced {
            return Err(refuse(place, format!("{name}(…) {why}"), instead));
        }
        let mut shape = self.arguments(call)?;
        if call.distinct {
            shape.function = match shape.function {
                AggregateFunction::Count => AggregateFunction::CountDistinct,
                same @ (AggregateFunction::Min
                | AggregateFunction::Max
                | AggregateFunction::BoolAnd
                | AggregateFunction::BoolOr) => same,
                _ => {
                    let what = format!("DISTINCT in {name} is not supported, in Spark's streams neither");
                    let instead = format!("group by the column first, or write {name} without DISTINCT");
                    return Err(refuse(place, what, instead));
                }
            };
        }
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let mut label = format!("{name}({distinct}{})", shape.names.join(", "));
        let mut text = match shape.function {
            AggregateFunction::CountAll => "COUNT(*)".to_owned(),
            function => format!("{function:?}({})", shape.texts.join(", ")),
        };
        let mut filter = None;
        if let Some(condition) = &call.function.filter {
            let lowered = self.lower(condition, Clause::Argument)?;
            label.push_str(&format!(" FILTER (WHERE {})", lowered.typed.text));
            text.push_str(&format!(" FILTER (WHERE {})", lowered.text));
            filter = Some(build::condition(lowered.typed).map_err(at(condition.span()))?.expr);
        }
        let known = self.aggregates.iter().position(|(known, _)| *known == text);
        let number = known.unwrap_or_else(|| {
            let Shape { function, arguments, input, .. } = &shape;
            let (arguments, input) = (arguments.clone(), input.clone());
            self.aggregates.push((text.clone(), Aggregate { function: *function, arguments, input, filter }));
            self.aggregates.len() - 1
        });
        Ok(Lowered::new(build::column(AGGREGATES + number, shape.data_type, label), text))
    }

    /// The function with its arguments, in the types that it takes.
    fn arguments(&mut self, call: &Call<'_>) -> Result<Shape, PlanError> {
        let Call { name, place, kind, .. } = *call;
        if let (Kind::Count, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], false) =
            (kind, call.arguments, call.distinct)
        {
            return Ok(Shape::count_all("1"));
        }
        let expressions = expressions(call.arguments, name, place)?;
        let first_or_last = matches!(kind, Kind::First | Kind::Last);
        let (columns, more) = match expressions.as_slice() {
            [] => return Err(refuse(place, format!("{name} has no argument"), format!("write {name}(column)"))),
            all if kind == Kind::Count => (all, None),
            [column] => (std::slice::from_ref(column), None),
            [_, more] if first_or_last && name != "any_value" => {
                (expressions.get(..1).unwrap_or_default(), Some(*more))
            }
            _ => {
                let what = format!("{name} takes one argument, not {}", expressions.len());
                return Err(refuse(place, what, format!("write {name}(column)")));
            }
        };
        let ignore_nulls = self.ignore_nulls(call, more)?;
        let mut lowered = Vec::with_capacity(columns.len());
        for column in columns {
            lowered.push((self.lower(column, Clause::Argument)?, column.span()));
        }
        let constant = |lowered: &Lowered| match &lowered.typed.expr {
            expr::Expr::Literal(value) => !value.is_null(),
            _ => false,
        };
        if kind == Kind::Count && !call.distinct && lowered.iter().all(|(column, _)| constant(column)) {
            let names: Vec<&str> = lowered.iter().map(|(column, _)| column.typed.text.as_str()).collect();
            return Ok(Shape::count_all(&names.join(", ")));
        }
        let names = lowered.iter().map(|(column, _)| column.typed.text.clone()).collect();
        let texts = lowered.iter().map(|(column, _)| column.text.clone()).collect();
        let given = lowered.first().map_or(DataType::Null, |(column, _)| column.typed.data_type.clone());
        let Some((function, input, data_type)) = signature(kind, &given, ignore_nulls) else {
            let what = format!("{name} does not take {}", shown(&given));
            let place = lowered.first().map_or(place, |(_, place)| *place);
            return Err(refuse(place, what, advice(kind)));
        };
        let input = if lowered.len() > 1 { tuple(&lowered) } else { input };
        let arguments = match kind {
            Kind::Count => lowered.into_iter().map(|(column, _)| column.typed.expr).collect(),
            _ => lowered.into_iter().map(|(column, _)| converted(column.typed, &input)).collect(),
        };
        Ok(Shape { function, arguments, input, data_type, names, texts })
    }

    /// `FIRST(a, true)`, `FIRST(a) IGNORE NULLS`.
    fn ignore_nulls(&self, call: &Call<'_>, more: Option<&Expr>) -> Result<bool, PlanError> {
        let treatment = call.function.null_treatment.is_some();
        if treatment && !matches!(call.kind, Kind::First | Kind::Last) {
            let what = format!("{} takes no IGNORE NULLS", call.name);
            return Err(refuse(call.place, what, "leave it out: it takes no NULLs anyway"));
        }
        match more {
            None => Ok(call.function.null_treatment == Some(NullTreatment::IgnoreNulls)),
            Some(Expr::Value(value)) if matches!(value.value, Literal::Boolean(_)) && !treatment => {
                Ok(value.value == Literal::Boolean(true))
            }
            Some(other) => {
                let what = format!("the second argument of {} is TRUE or FALSE", call.name);
                Err(refuse(other.span(), what, format!("write {}(column, true)", call.name)))
            }
        }
    }
}

/// A function with its lowered arguments, their names and normal forms.
struct Shape {
    function: AggregateFunction,
    arguments: Vec<expr::Expr>,
    input: DataType,
    data_type: DataType,
    names: Vec<String>,
    texts: Vec<String>,
}

impl Shape {
    fn count_all(name: &str) -> Self {
        Self {
            function: AggregateFunction::CountAll,
            arguments: Vec::new(),
            input: DataType::Null,
            data_type: DataType::BigInt,
            names: vec![name.to_owned()],
            texts: Vec::new(),
        }
    }
}

/// The type of several arguments together.
fn tuple(arguments: &[(Lowered, Span)]) -> DataType {
    let field = |(column, _): &(Lowered, Span)| Field {
        name: column.typed.name.clone(),
        data_type: column.typed.data_type.clone(),
    };
    DataType::Struct(arguments.iter().map(field).collect())
}

/// The function, the type in which it takes its argument, and that of its result; `None` if it does not take the type.
/// See `Sum`, `Average`, `Min` and their neighbours in `org.apache.spark.sql.catalyst.expressions.aggregate`.
fn signature(kind: Kind, given: &DataType, ignore_nulls: bool) -> Option<(AggregateFunction, DataType, DataType)> {
    use DataType::{BigInt, Boolean, Decimal, Double, Float, Int, Null, SmallInt, TinyInt};
    let wider = |precision: u8, scale: u8, more: u8, more_scale: u8| Decimal {
        precision: (precision + more).min(38),
        scale: (scale + more_scale).min(38),
    };
    Some(match (kind, given) {
        (Kind::Count, _) => (AggregateFunction::Count, given.clone(), BigInt),
        (Kind::CountIf, Boolean | Null) => (AggregateFunction::CountIf, Boolean, BigInt),
        (Kind::BoolAnd, Boolean | Null) => (AggregateFunction::BoolAnd, Boolean, Boolean),
        (Kind::BoolOr, Boolean | Null) => (AggregateFunction::BoolOr, Boolean, Boolean),
        (Kind::Sum, TinyInt | SmallInt | Int | BigInt) => (AggregateFunction::Sum, BigInt, BigInt),
        (Kind::Avg, TinyInt | SmallInt | Int | BigInt) => (AggregateFunction::Avg, BigInt, Double),
        // Of a time, Spark takes the seconds.
        (Kind::Sum, Float | Double | DataType::String | DataType::Timestamp | Null) => {
            (AggregateFunction::Sum, Double, Double)
        }
        (Kind::Avg, Float | Double | DataType::String | DataType::Timestamp | Null) => {
            (AggregateFunction::Avg, Double, Double)
        }
        (Kind::Sum, Decimal { precision, scale }) => {
            (AggregateFunction::Sum, given.clone(), wider(*precision, *scale, 10, 0))
        }
        (Kind::Avg, Decimal { precision, scale }) => {
            (AggregateFunction::Avg, given.clone(), wider(*precision, *scale, 4, 4))
        }
        (Kind::Min, _) if has_order(given) => (AggregateFunction::Min, given.clone(), given.clone()),
        (Kind::Max, _) if has_order(given) => (AggregateFunction::Max, given.clone(), given.clone()),
        (Kind::First, _) => (AggregateFunction::First { ignore_nulls }, given.clone(), given.clone()),
        (Kind::Last, _) => (AggregateFunction::Last { ignore_nulls }, given.clone(), given.clone()),
        _ => return None,
    })
}

/// Maps have none.
pub(super) fn has_order(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => false,
        DataType::Array(element) => has_order(element),
        DataType::Struct(fields) => fields.iter().all(|field| has_order(&field.data_type)),
        _ => true,
    }
}

fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::CountIf | Kind::BoolAnd | Kind::BoolOr => "give it a condition: a = 'x'",
        Kind::Min | Kind::Max => "take a part of it",
        _ => "give it a number: CAST(a AS DOUBLE)",
    }
}

fn converted(typed: Typed, to: &DataType) -> expr::Expr {
    if typed.data_type == *to {
        return typed.expr;
    }
    expr::Expr::Cast { operand: Box::new(typed.expr), from: typed.data_type, to: to.clone() }
}
