//! Arithmetic between decimals of any types, in the type that the builder found for the result.

use super::arithmetic::Operator;
use super::decimal_or_null;
use crate::types::{Decimal, DecimalType, Value};

/// An operator, and the type of its result; `div` gives a BIGINT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) op: Operator,
    pub(crate) to: DecimalType,
}

impl Operation {
    /// NULL where the result has too many digits, or the divisor is zero.
    pub(crate) fn apply<'a>(self, left: Decimal, right: Decimal) -> Value<'a> {
        let to = self.to;
        decimal_or_null(match self.op {
            Operator::Add => left.plus(right, to),
            Operator::Subtract => left.minus(right, to),
            Operator::Multiply => left.times(right, to),
            Operator::Divide => left.divided_by(right, to),
            Operator::Modulo => left.remainder(right, to),
            Operator::PositiveModulo => positive_remainder(left, right, to),
            Operator::IntegralDivide => {
                return left.integral_quotient(right).map_or(Value::Null, Value::BigInt);
            }
            Operator::BitAnd | Operator::BitOr | Operator::BitXor => None,
        })
    }
}

fn positive_remainder(left: Decimal, right: Decimal, to: DecimalType) -> Option<Decimal> {
    let wide = DecimalType::new(38, left.scale.max(right.scale));
    let rest = left.remainder(right, wide)?;
    let rest = if rest.unscaled < 0 { rest.plus(right, wide)?.remainder(right, wide)? } else { rest };
    rest.rescale(to.precision, to.scale)
}
