//! Functions of numbers.

use super::{Call, Entry, custom, one, two};
use crate::expr::build::arithmetic::{negated, operation, pmod, tried};
use crate::expr::build::coerce::{Takes, decimal, digits};
use crate::expr::build::{Binary, BuildError, Built, Typed, literal};
use crate::expr::functions::rounding::{Mode, Round};
use crate::expr::functions::{Function, arithmetic, math};
use crate::types::{DataType, Value};

use DataType as T;
use Takes::{Double, Int};

pub(super) const TABLE: &[Entry] = &[
    custom("abs", 1, 1, |call| {
        let interval = matches!(call.arguments.first().map(|operand| &operand.data_type), Some(T::Interval(_)));
        same(call, if interval { Takes::Any } else { Takes::Numeric }, arithmetic::abs)
    }),
    custom("positive", 1, 1, positive),
    custom("negative", 1, 1, negative),
    custom("mod", 2, 2, modulo),
    custom("pmod", 2, 2, positive_modulo),
    custom("try_add", 2, 2, |call| attempt(call, Binary::Add)),
    custom("try_subtract", 2, 2, |call| attempt(call, Binary::Subtract)),
    custom("try_multiply", 2, 2, |call| attempt(call, Binary::Multiply)),
    custom("try_divide", 2, 2, |call| attempt(call, Binary::Divide)),
    one("sign", Double, T::Double, |value| math::double(value, math::signum)),
    one("signum", Double, T::Double, |value| math::double(value, math::signum)).shown("SIGNUM"),
    custom("ceil", 1, 2, |call| step(call, "CEIL", Mode::Ceiling, math::ceil)),
    custom("ceiling", 1, 2, |call| step(call, "ceiling", Mode::Ceiling, math::ceil)),
    custom("floor", 1, 2, |call| step(call, "FLOOR", Mode::Floor, math::floor)),
    custom("round", 1, 2, |call| round(call, Mode::HalfUp)),
    custom("bround", 1, 2, |call| round(call, Mode::HalfEven)),
    one("rint", Double, T::Double, |value| math::double(value, f64::round_ties_even)),
    one("sqrt", Double, T::Double, |value| math::double(value, f64::sqrt)).shown("SQRT"),
    one("cbrt", Double, T::Double, |value| math::double(value, libm::cbrt)).shown("CBRT"),
    two("pow", [Double; 2], T::Double, |base, power| math::doubles(base, power, libm::pow)),
    two("power", [Double; 2], T::Double, |base, power| math::doubles(base, power, libm::pow)).shown("POWER"),
    one("exp", Double, T::Double, |value| math::double(value, libm::exp)).shown("EXP"),
    one("expm1", Double, T::Double, |value| math::double(value, libm::expm1)).shown("EXPM1"),
    one("ln", Double, T::Double, |value| math::above(value, 0.0, libm::log)),
    custom("log", 1, 2, log).shown("LOG"),
    one("log2", Double, T::Double, |value| math::above(value, 0.0, math::log2)).shown("LOG2"),
    one("log10", Double, T::Double, |value| math::above(value, 0.0, libm::log10)).shown("LOG10"),
    one("log1p", Double, T::Double, |value| math::above(value, -1.0, libm::log1p)).shown("LOG1P"),
    one("sin", Double, T::Double, |value| math::double(value, libm::sin)).shown("SIN"),
    one("cos", Double, T::Double, |value| math::double(value, libm::cos)).shown("COS"),
    one("tan", Double, T::Double, |value| math::double(value, libm::tan)).shown("TAN"),
    one("cot", Double, T::Double, |value| math::double(value, |value| 1.0 / libm::tan(value))).shown("COT"),
    one("sec", Double, T::Double, |value| math::double(value, |value| 1.0 / libm::cos(value))).shown("SEC"),
    one("csc", Double, T::Double, |value| math::double(value, |value| 1.0 / libm::sin(value))).shown("CSC"),
    one("asin", Double, T::Double, |value| math::double(value, libm::asin)).shown("ASIN"),
    one("acos", Double, T::Double, |value| math::double(value, libm::acos)).shown("ACOS"),
    one("atan", Double, T::Double, |value| math::double(value, libm::atan)).shown("ATAN"),
    // Java's atan2 of a negative zero is that of zero: Spark adds 0.0.
    two("atan2", [Double; 2], T::Double, |y, x| math::doubles(y, x, |y, x| libm::atan2(y + 0.0, x + 0.0)))
        .shown("ATAN2"),
    one("sinh", Double, T::Double, |value| math::double(value, libm::sinh)).shown("SINH"),
    one("cosh", Double, T::Double, |value| math::double(value, libm::cosh)).shown("COSH"),
    one("tanh", Double, T::Double, |value| math::double(value, libm::tanh)).shown("TANH"),
    one("asinh", Double, T::Double, |value| math::double(value, math::asinh)).shown("ASINH"),
    one("acosh", Double, T::Double, |value| math::double(value, math::acosh)).shown("ACOSH"),
    one("atanh", Double, T::Double, |value| math::double(value, math::atanh)).shown("ATANH"),
    one("degrees", Double, T::Double, |value| math::double(value, f64::to_degrees)).shown("DEGREES"),
    one("radians", Double, T::Double, |value| math::double(value, f64::to_radians)).shown("RADIANS"),
    two("hypot", [Double; 2], T::Double, |left, right| math::doubles(left, right, libm::hypot)).shown("HYPOT"),
    custom("pi", 0, 0, |call| Ok(constant(call, std::f64::consts::PI))).shown("PI"),
    custom("e", 0, 0, |call| Ok(constant(call, std::f64::consts::E))).shown("E"),
    one("factorial", Int, T::BigInt, math::factorial),
    custom("shiftleft", 2, 2, |call| shift(call, math::shift_left)),
    custom("shiftright", 2, 2, |call| shift(call, math::shift_right)),
    custom("shiftrightunsigned", 2, 2, |call| shift(call, math::shift_right_unsigned)),
    custom("bit_count", 1, 1, bit_count),
    custom("getbit", 2, 2, get_bit),
    custom("bit_get", 2, 2, get_bit),
    custom("~", 1, 1, complement),
    custom("width_bucket", 4, 4, |call| {
        call.strict(&[Double, Double, Double, Takes::BigInt], T::BigInt, Function::Many(math::width_bucket))
    }),
];

/// In the type of the operand.
fn same(call: Call, takes: Takes, function: super::One) -> Built {
    let arguments = call.converted(&[takes])?;
    let gives = arguments.first().map_or(T::Double, |operand| operand.data_type.clone());
    Ok(call.over(arguments, gives, Function::One(function)))
}

fn positive(call: Call) -> Built {
    let mut typed = same(call, Takes::Numeric, |value| value)?;
    typed.text = typed.text.replacen("positive(", "(+ ", 1);
    typed.name.clone_from(&typed.text);
    Ok(typed)
}

fn negative(call: Call) -> Built {
    let text = call.text();
    let [operand] = call.take()?;
    negated(operand, text)
}

fn modulo(call: Call) -> Built {
    let text = call.text();
    let [left, right] = call.take()?;
    operation(Binary::Modulo, left, right, text)
}

fn positive_modulo(call: Call) -> Built {
    let text = call.text();
    let [left, right] = call.take()?;
    pmod(left, right, text)
}

fn attempt(call: Call, op: Binary) -> Built {
    let text = call.text();
    let [left, right] = call.take()?;
    tried(op, left, right, text)
}

fn complement(call: Call) -> Built {
    let shown = call.arguments.first().map(|operand| format!("~{}", operand.text)).unwrap_or_default();
    let mut typed = same(call, Takes::Integral, math::complement)?;
    typed.text.clone_from(&shown);
    typed.name = shown;
    Ok(typed)
}

fn constant(call: Call, value: f64) -> Typed {
    literal(Value::Double(value), T::Double, call.text())
}

fn log(call: Call) -> Built {
    if call.arguments.len() == 2 {
        return call.strict(&[Double], T::Double, Function::Two(math::log));
    }
    let text = format!("LOG(E(), {})", call.arguments.first().map_or("", |operand| operand.text.as_str()));
    let typed = call.strict(&[Double], T::Double, Function::One(|value| math::above(value, 0.0, libm::log)))?;
    Ok(Typed::new(typed.expr, typed.data_type, text))
}

fn shift(call: Call, function: super::Two) -> Built {
    let arguments = call.converted(&[Takes::Whole, Int])?;
    let gives = arguments.first().map_or(T::Int, |operand| operand.data_type.clone());
    Ok(call.over(arguments, gives, Function::Two(function)))
}

fn bit_count(call: Call) -> Built {
    let is_boolean = call.arguments.first().is_some_and(|operand| operand.data_type == T::Boolean);
    let takes = if is_boolean { Takes::Boolean } else { Takes::Integral };
    call.strict(&[takes], T::Int, Function::One(math::bit_count))
}

fn get_bit(call: Call) -> Built {
    call.strict(&[Takes::Integral, Int], T::TinyInt, Function::Two(math::get_bit))
}

/// How many places, which must be the same for every row.
fn places(call: &Call, argument: &Typed) -> Result<Option<i32>, BuildError> {
    let argument = call.convert(argument.clone(), Int)?;
    match argument.value() {
        Some(Value::Int(places)) => Ok(Some(places)),
        Some(_) => Ok(None),
        None => Err(call.error("the number of places is the same for every row", "a number, as 2")),
    }
}

/// The precision and the scale of a decimal that is rounded to so many places.
fn rounded_type(precision: u8, scale: u8, places: i32) -> (u8, u8) {
    let whole = i32::from(precision) - i32::from(scale) + 1;
    let (precision, scale) = if places < 0 {
        (whole.max(1 - places), 0)
    } else {
        let scale = i32::from(scale).min(places);
        (whole + scale, scale)
    };
    (precision.clamp(1, 38) as u8, scale as u8)
}

fn rounded(call: &Call, operand: Typed, places: i32, mode: Mode) -> Typed {
    let (gives, precision, scale) = match operand.data_type {
        T::Decimal { precision, scale } => {
            let (precision, scale) = rounded_type(precision, scale, places);
            (decimal(precision, scale), precision, scale)
        }
        ref other => (other.clone(), 0, 0),
    };
    call.over(vec![operand], gives, Function::Round(Round { mode, places, precision, scale }))
}

fn round(call: Call, mode: Mode) -> Built {
    let call = call.or_default(2, Value::Int(0), T::Int, "0");
    let [operand, to] = call.arguments.as_slice() else { return Err(call.error("it takes two arguments", "two")) };
    let operand = call.convert(operand.clone(), Takes::Numeric)?;
    match places(&call, to)? {
        Some(places) => Ok(rounded(&call, operand, places, mode)),
        None => Ok(literal(Value::Null, operand.data_type, call.text())),
    }
}

/// CEIL and FLOOR: to whole numbers, a BIGINT or a DECIMAL; with places always a DECIMAL.
fn step(mut call: Call, whole_name: &'static str, mode: Mode, function: super::One) -> Built {
    if let [operand, to] = call.arguments.as_slice() {
        let operand = call.convert(operand.clone(), Takes::Numeric)?;
        let (precision, scale) = digits(&operand.data_type).unwrap_or((30, 15));
        let operand = operand.converted(&decimal(precision, scale));
        return match places(&call, to)? {
            Some(places) => Ok(rounded(&call, operand, places, mode)),
            None => Ok(literal(Value::Null, operand.data_type, call.text())),
        };
    }
    call.shown = whole_name;
    let [operand] = call.arguments.as_slice() else { return Err(call.error("it takes one argument", "one")) };
    match operand.data_type {
        T::Decimal { scale: 0, .. } => {
            let gives = operand.data_type.clone();
            call.strict(&[Takes::Numeric], gives, Function::One(|value| value))
        }
        T::Decimal { .. } => Ok(rounded(&call, operand.clone(), 0, mode)),
        T::TinyInt | T::SmallInt | T::Int | T::BigInt => {
            call.strict(&[Takes::BigInt], T::BigInt, Function::One(|value| value))
        }
        _ => call.strict(&[Double], T::BigInt, Function::One(function)),
    }
}
