//! Aggregate functions: `COUNT(*)`, `SUM(a)`, `MAX(b) FILTER (WHERE c)`.

mod kind;
mod parameters;
mod signature;

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, NullTreatment, Spanned, Value as Literal};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::function::expressions;
use super::lowered::{AGGREGATES, Clause, Lowered, Lowering, at};
use crate::aggregate::AggregateFunction;
use crate::expr;
use crate::expr::build;
use crate::plan::Aggregate;
use crate::types::DataType;

pub(super) use kind::{Kind, kind, unsupported};
pub(super) use signature::has_order;

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

/// A function with its lowered arguments, their names and normal forms.
struct Shape {
    function: AggregateFunction,
    arguments: Vec<expr::Expr>,
    input: DataType,
    data_type: DataType,
    /// Of the arguments, as the name of the column shows them.
    names: Vec<String>,
    texts: Vec<String>,
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
                AggregateFunction::Count if call.kind == Kind::Count => AggregateFunction::CountDistinct,
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
        let shown = if name == "array_agg" { "collect_list" } else { name };
        let mut label = format!("{shown}({distinct}{})", shape.names.join(", "));
        let mut text = match &shape.function {
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
            self.aggregates.push((text.clone(), Aggregate { function: function.clone(), arguments, input, filter }));
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
        let mut expressions = expressions(call.arguments, name, place)?;
        let (least, most) = kind.arguments();
        if expressions.is_empty() {
            return Err(refuse(place, format!("{name} has no argument"), format!("write {}", kind.example(name))));
        }
        if !(least..=most).contains(&expressions.len()) {
            let wanted = match (least, most) {
                (1, 1) => "one argument".to_owned(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            let what = format!("{name} takes {wanted}, not {}", expressions.len());
            return Err(refuse(place, what, format!("write {}", kind.example(name))));
        }
        let more = if matches!(kind, Kind::First | Kind::Last) { expressions.split_off(1).pop() } else { None };
        let ignore_nulls = self.ignore_nulls(call, more)?;
        let mut lowered = Vec::with_capacity(expressions.len());
        for column in &expressions {
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
        signature::shape(kind, name, lowered, ignore_nulls, place)
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
