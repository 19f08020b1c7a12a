//! Builds typed expressions as Spark's analyzer does: resolves functions, finds common types, adds casts.

mod access;
mod arithmetic;
mod call;
mod coerce;
mod compare;
mod conditional;
mod interval;
mod pattern;

use crate::expr::Expr;
use crate::expr::eval::constant;
use crate::expr::functions::Function;
use crate::types::{self, DataType, Value};

pub(crate) use access::{field, index};
pub(crate) use call::{call, is_function, no_function, type_of};
pub(crate) use coerce::Takes;
pub(crate) use compare::{between, in_list, is_not_null, is_null, not};
pub(crate) use conditional::case;
pub(crate) use interval::{Interval, interval, timestamp_add, timestamp_diff};
pub(crate) use pattern::{like, rlike};

/// An expression, its type, and the name that Spark gives to the column if it has no alias.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) data_type: DataType,
    pub(crate) name: String,
    /// How it stands in the names of larger expressions: `a.b` where the column is `b`.
    pub(crate) text: String,
}

/// What is wrong, and what to write instead; the caller knows the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuildError {
    pub(crate) what: String,
    pub(crate) instead: String,
}

/// Operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegralDivide,
    Modulo,
    Concat,
    BitAnd,
    BitOr,
    BitXor,
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    NullSafeEq,
    And,
    Or,
}

pub(crate) type Built = Result<Typed, BuildError>;

impl Typed {
    fn new(expr: Expr, data_type: DataType, text: String) -> Self {
        Self { expr, data_type, name: text.clone(), text }
    }

    /// The expression, computed now if it is the same for every row.
    fn into_expr(self) -> Expr {
        constant(self.expr)
    }

    /// The value, if it is the same for every row.
    pub(crate) fn value(&self) -> Option<Value<'static>> {
        match constant(self.expr.clone()) {
            Expr::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// A conversion that the analyzer adds, which no name shows.
    fn converted(self, to: &DataType) -> Self {
        if self.data_type == *to {
            return self;
        }
        let expr = Expr::Cast { operand: Box::new(self.expr), from: self.data_type, to: to.clone() };
        Self { expr: constant(expr), data_type: to.clone(), name: self.name, text: self.text }
    }
}

impl BuildError {
    fn new(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), instead: instead.into() }
    }

    /// Two operands of types that do not go together.
    fn mismatch(text: &str, left: &Typed, right: &Typed) -> Self {
        Self::new(
            format!("{text}: {} and {} do not go together", sql_type(&left.data_type), sql_type(&right.data_type)),
            "CAST one of them to a type that fits the other".to_owned(),
        )
    }

    /// An operand of a type that is not taken.
    fn operand(text: &str, operand: &Typed, wanted: &str) -> Self {
        Self::new(
            format!("{text} takes {wanted}, and {} is {}", operand.text, sql_type(&operand.data_type)),
            format!("an expression of type {wanted}"),
        )
    }
}

/// A type as Spark writes it in SQL: `DECIMAL(10,2)`, `STRUCT<a: INT>`.
fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Array(element) => format!("ARRAY<{}>", sql_type(element)),
        DataType::Map(key, value) => format!("MAP<{}, {}>", sql_type(key), sql_type(value)),
        DataType::Struct(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|field| format!("{}: {}", field.name, sql_type(&field.data_type))).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        simple => simple.to_string().to_uppercase(),
    }
}

/// The type that values of two types can both have, as UNION ALL needs it.
pub(crate) fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    coerce::wider(left, right)
}

pub(crate) fn literal(value: Value<'static>, data_type: DataType, name: String) -> Typed {
    Typed::new(Expr::Literal(value), data_type, name)
}

pub(crate) fn column(index: usize, data_type: DataType, name: String) -> Typed {
    Typed::new(Expr::Column(index), data_type, name)
}

pub(crate) fn binary(op: Binary, left: Typed, right: Typed) -> Built {
    match op {
        Binary::Eq | Binary::NotEq | Binary::Lt | Binary::LtEq | Binary::Gt | Binary::GtEq | Binary::NullSafeEq => {
            compare::comparison(op, left, right)
        }
        Binary::And | Binary::Or => compare::junction(op, left, right),
        Binary::Concat => call("concat", vec![left, right]),
        _ => arithmetic::arithmetic(op, left, right),
    }
}

pub(crate) fn negate(operand: Typed) -> Built {
    arithmetic::negate(operand)
}

pub(crate) fn cast(operand: Typed, to: DataType) -> Built {
    let text = format!("CAST({} AS {})", operand.text, sql_type(&to));
    if !types::can_cast(&operand.data_type, &to) {
        return Err(BuildError::new(
            format!("{text}: {} cannot become {}", sql_type(&operand.data_type), sql_type(&to)),
            "a CAST by way of STRING or BIGINT, or none".to_owned(),
        ));
    }
    // Of a plain column Spark keeps the name; an aggregate's name is that of a call.
    let name = match &operand.expr {
        Expr::Column(_) if !operand.name.ends_with(')') => operand.name,
        _ => text.clone(),
    };
    let expr = if operand.data_type == to {
        operand.expr
    } else {
        Expr::Cast { operand: Box::new(constant(operand.expr)), from: operand.data_type, to: to.clone() }
    };
    Ok(Typed { expr, data_type: to, name, text })
}

/// A CAST as ANSI mode has it, but NULL where that fails.
pub(crate) fn try_cast(operand: Typed, to: DataType) -> Built {
    let text = format!("TRY_CAST({} AS {})", operand.text, sql_type(&to));
    let from = operand.data_type.clone();
    let mut cast = cast(operand.clone(), to.clone())?;
    if cast.name == cast.text {
        cast.name.clone_from(&text);
    }
    let expr = if from == to { cast.expr } else { Function::TryCast(from, to.clone()).over(vec![operand.into_expr()]) };
    Ok(Typed { expr, data_type: to, name: cast.name, text })
}

/// A BOOLEAN for WHERE and HAVING, or the error that Spark gives.
pub(crate) fn condition(operand: Typed) -> Built {
    match operand.data_type {
        DataType::Boolean => Ok(operand),
        DataType::Null => Ok(operand.converted(&DataType::Boolean)),
        _ => Err(BuildError::new(
            format!("a condition is BOOLEAN, and {} is {}", operand.text, sql_type(&operand.data_type)),
            format!("a comparison, as {} = …", operand.text),
        )),
    }
}
