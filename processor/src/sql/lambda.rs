//! Functions that take functions: `transform(array, x -> x + 1)`, `aggregate(array, 0, (sum, x) -> sum + x)`.

use std::sync::Arc;

use sqlparser::ast::{Expr, LambdaFunction, OneOrManyWithParens, Spanned};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::lowered::{Clause, LAMBDAS, Lowered, Lowering};
use super::schema::shown;
use crate::expr::build::{self, Typed};
use crate::expr::{self, HigherOrder, Lambda};
use crate::types::{DataType, Field};

/// The function of a name that takes functions.
pub(super) fn function(name: &str, arguments: &[&Expr]) -> Option<HigherOrder> {
    Some(match name {
        "transform" => HigherOrder::Transform,
        "filter" => HigherOrder::Filter,
        "exists" => HigherOrder::Exists,
        "forall" => HigherOrder::Forall,
        "aggregate" | "reduce" => HigherOrder::Aggregate,
        "zip_with" => HigherOrder::ZipWith,
        "array_sort" if arguments.len() > 1 => HigherOrder::ArraySort,
        "map_filter" => HigherOrder::MapFilter,
        "transform_keys" => HigherOrder::TransformKeys,
        "transform_values" => HigherOrder::TransformValues,
        "map_zip_with" => HigherOrder::MapZipWith,
        _ => return None,
    })
}

/// A lambda, lowered.
struct Made {
    lambda: Lambda,
    data_type: DataType,
    name: String,
    text: String,
}

impl Lowering<'_> {
    pub(super) fn higher_order(
        &mut self,
        function: HigherOrder,
        name: &str,
        arguments: &[&Expr],
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let split = arguments.iter().position(|argument| matches!(argument, Expr::Lambda(_)));
        let (values, functions) = arguments.split_at(split.unwrap_or(arguments.len()));
        let (value_count, function_max) = match function {
            HigherOrder::Aggregate => (2, 2),
            HigherOrder::ZipWith | HigherOrder::MapZipWith => (2, 1),
            _ => (1, 1),
        };
        if values.len() != value_count || functions.is_empty() || functions.len() > function_max {
            let what = format!("{name} takes {value_count} value(s), and a function after them");
            return Err(refuse(place, what, format!("write {}", shape(function, name))));
        }
        let mut lowered = Vec::with_capacity(values.len());
        for value in values {
            lowered.push(self.lower(value, clause)?);
        }
        if function == HigherOrder::MapZipWith {
            with_common_keys(&mut lowered);
        }
        let types: Vec<DataType> = lowered.iter().map(|value| value.typed.data_type.clone()).collect();
        let Some(parameters) = parameters(function, &types) else {
            let what = format!("{name} does not take {}", shown(types.first().unwrap_or(&DataType::Null)));
            return Err(refuse(place, what, format!("write {}", shape(function, name))));
        };
        // The number of an element may be left out.
        let least = match function {
            HigherOrder::Transform | HigherOrder::Filter => 1,
            _ => parameters.len(),
        };
        let mut made = vec![self.lambda(functions.first().copied(), &parameters, least, clause, place)?];
        if let Some(finish) = functions.get(1) {
            let sum = made.iter().map(|made| made.data_type.clone()).collect::<Vec<_>>();
            made.push(self.lambda(Some(finish), &sum, 1, clause, place)?);
        }
        let body = made.first().map_or(DataType::Null, |made| made.data_type.clone());
        let last = made.last().map_or(DataType::Null, |made| made.data_type.clone());
        let data_type = result(function, &types, &body, &last).ok_or_else(|| {
            let what = format!("{name} cannot take a function that gives {}", shown(&body));
            refuse(place, what, format!("write {}", shape(function, name)))
        })?;
        if function == HigherOrder::Aggregate && functions.len() == 1 {
            // What it ends with shows in the name, as in Spark.
            let identity = "lambdafunction(namedlambdavariable(), namedlambdavariable())".to_owned();
            made.first_mut().into_iter().for_each(|made| made.name = format!("{}, {identity}", made.name));
        }
        let list = |values: Vec<&str>, functions: Vec<&str>| [values, functions].concat().join(", ");
        let shown = list(
            lowered.iter().map(|value| value.typed.text.as_str()).collect(),
            made.iter().map(|made| made.name.as_str()).collect(),
        );
        let text = list(
            lowered.iter().map(|value| value.text.as_str()).collect(),
            made.iter().map(|made| made.text.as_str()).collect(),
        );
        let expr = expr::Expr::HigherOrder {
            function,
            arguments: lowered.into_iter().map(|value| value.typed.expr).collect(),
            lambdas: made.into_iter().map(|made| made.lambda).collect(),
        };
        let shown = format!("{name}({shown})");
        let typed = Typed { expr, data_type, name: shown.clone(), text: shown };
        Ok(Lowered::new(typed, format!("{name}({text})")))
    }

    fn lambda(
        &mut self,
        written: Option<&Expr>,
        types: &[DataType],
        least: usize,
        clause: Clause,
        place: Span,
    ) -> Result<Made, PlanError> {
        let Some(Expr::Lambda(LambdaFunction { params, body, .. })) = written else {
            return Err(refuse(place, "a function is expected here", "write x -> x + 1"));
        };
        let names: Vec<String> = match params {
            OneOrManyWithParens::One(one) => vec![identifier(&one.name)],
            OneOrManyWithParens::Many(many) => many.iter().map(|one| identifier(&one.name)).collect(),
        };
        let fits = (least..=types.len()).contains(&names.len());
        if !fits {
            let what = format!("the function has {} parameters, and gets {}", names.len(), types.len());
            return Err(refuse(body.span(), what, "write x -> x + 1, or (x, i) -> x + i"));
        }
        let first = self.parameters.len();
        let count = names.len();
        self.parameters.extend(names.into_iter().zip(types.iter().cloned()));
        let lowered = self.lower(body, clause);
        self.parameters.truncate(first);
        let lowered = lowered?;
        let variables = vec!["namedlambdavariable()"; count].join(", ");
        Ok(Made {
            lambda: Lambda { first: LAMBDAS + first, count, body: lowered.typed.expr },
            data_type: lowered.typed.data_type,
            name: format!("lambdafunction({}, {variables})", lowered.typed.text),
            text: format!("{count} -> {}", lowered.text),
        })
    }
}

/// What a function's function gets.
fn parameters(function: HigherOrder, types: &[DataType]) -> Option<Vec<DataType>> {
    let element = |data_type: Option<&DataType>| match data_type {
        Some(DataType::Array(element)) => Some(element.as_ref().clone()),
        _ => None,
    };
    let first = types.first();
    match function {
        HigherOrder::Transform | HigherOrder::Filter => Some(vec![element(first)?, DataType::Int]),
        HigherOrder::Exists | HigherOrder::Forall => Some(vec![element(first)?]),
        HigherOrder::ArraySort => Some(vec![element(first)?, element(first)?]),
        HigherOrder::Aggregate => Some(vec![types.get(1)?.clone(), element(first)?]),
        HigherOrder::ZipWith => Some(vec![element(first)?, element(types.get(1))?]),
        HigherOrder::MapZipWith => match (first, types.get(1)) {
            (Some(DataType::Map(key, left)), Some(DataType::Map(other, right))) if key == other => {
                Some(vec![key.as_ref().clone(), left.as_ref().clone(), right.as_ref().clone()])
            }
            _ => None,
        },
        HigherOrder::MapFilter | HigherOrder::TransformKeys | HigherOrder::TransformValues => match first {
            Some(DataType::Map(key, value)) => Some(vec![key.as_ref().clone(), value.as_ref().clone()]),
            _ => None,
        },
    }
}

/// The type of the result; `None` if the function's function gives what it must not.
fn result(function: HigherOrder, types: &[DataType], body: &DataType, last: &DataType) -> Option<DataType> {
    let first = types.first()?.clone();
    let is_condition = matches!(body, DataType::Boolean | DataType::Null);
    match function {
        HigherOrder::Transform | HigherOrder::ZipWith => Some(DataType::Array(Arc::new(body.clone()))),
        HigherOrder::Filter | HigherOrder::MapFilter => is_condition.then_some(first),
        HigherOrder::Exists | HigherOrder::Forall => is_condition.then_some(DataType::Boolean),
        HigherOrder::ArraySort => (*body == DataType::Int).then_some(first),
        HigherOrder::Aggregate => same(types.get(1)?, body).then(|| last.clone()),
        HigherOrder::TransformKeys | HigherOrder::TransformValues | HigherOrder::MapZipWith => match first {
            DataType::Map(key, _) if function != HigherOrder::TransformKeys => {
                Some(DataType::Map(key, Arc::new(body.clone())))
            }
            DataType::Map(_, value) => Some(DataType::Map(Arc::new(body.clone()), value)),
            _ => None,
        },
    }
}

/// Makes the keys of two maps of one type, if there is one for both.
fn with_common_keys(maps: &mut [Lowered]) {
    let [left, right] = maps else { return };
    let (DataType::Map(left_key, left_value), DataType::Map(right_key, right_value)) =
        (left.typed.data_type.clone(), right.typed.data_type.clone())
    else {
        return;
    };
    let Some(key) = build::common_type(&left_key, &right_key).map(Arc::new) else { return };
    for (map, value) in [(left, left_value), (right, right_value)] {
        let from = map.typed.data_type.clone();
        let to = DataType::Map(key.clone(), value);
        if from != to {
            let operand = Box::new(map.typed.expr.clone());
            map.typed.expr = expr::Expr::Cast { operand, from, to: to.clone() };
            map.typed.data_type = to;
        }
    }
}

/// One type, whatever the fields are called.
fn same(left: &DataType, right: &DataType) -> bool {
    match (left, right) {
        (DataType::Array(left), DataType::Array(right)) => same(left, right),
        (DataType::Struct(left), DataType::Struct(right)) => {
            let pair = |(left, right): (&Field, &Field)| same(&left.data_type, &right.data_type);
            left.len() == right.len() && left.iter().zip(right.iter()).all(pair)
        }
        (left, right) => left == right,
    }
}

fn shape(function: HigherOrder, name: &str) -> String {
    match function {
        HigherOrder::Aggregate => format!("{name}(array, 0, (sum, x) -> sum + x)"),
        HigherOrder::ZipWith => format!("{name}(a, b, (x, y) -> x + y)"),
        HigherOrder::ArraySort => format!("{name}(array, (x, y) -> x - y)"),
        HigherOrder::Transform => format!("{name}(array, x -> x + 1)"),
        HigherOrder::Filter | HigherOrder::Exists | HigherOrder::Forall => format!("{name}(array, x -> x > 1)"),
        HigherOrder::MapFilter => format!("{name}(map, (k, v) -> v > 1)"),
        HigherOrder::TransformKeys | HigherOrder::TransformValues => format!("{name}(map, (k, v) -> v)"),
        HigherOrder::MapZipWith => format!("{name}(a, b, (k, x, y) -> x + y)"),
    }
}
