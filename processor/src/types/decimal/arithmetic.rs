//! Exact arithmetic between decimals, and the types of its results.
//! Follows `DecimalPrecision`, `BinaryArithmetic` and `Decimal` of Spark 3.4.

use ruint::aliases::U384;

use super::{DIGITS_MAX, Decimal};

/// Digits after the point that are kept where a result's type would have more than 38.
const SCALE_KEPT: i32 = 6;

/// Precision and scale of a decimal column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecimalType {
    pub(crate) precision: u8,
    pub(crate) scale: u8,
}

impl DecimalType {
    pub(crate) const fn new(precision: u8, scale: u8) -> Self {
        Self { precision, scale }
    }

    /// `DecimalType.bounded`: what is beyond 38 is cut.
    fn bounded(precision: i32, scale: i32) -> Self {
        let bound = i32::from(DIGITS_MAX);
        Self { precision: precision.clamp(0, bound) as u8, scale: scale.clamp(0, bound) as u8 }
    }

    /// `DecimalType.adjustPrecisionScale`: digits after the point, down to six of them, give way to those before it.
    fn adjusted(precision: i32, scale: i32) -> Self {
        let bound = i32::from(DIGITS_MAX);
        if precision <= bound {
            return Self::bounded(precision, scale);
        }
        let whole = precision - scale;
        Self::bounded(bound, (bound - whole).max(scale.min(SCALE_KEPT)))
    }

    fn whole(self) -> i32 {
        i32::from(self.precision) - i32::from(self.scale)
    }

    fn places(self) -> i32 {
        i32::from(self.scale)
    }

    /// Of a sum or a difference.
    pub(crate) fn of_sum(self, other: Self) -> Self {
        let scale = self.places().max(other.places());
        Self::adjusted(self.whole().max(other.whole()) + scale + 1, scale)
    }

    pub(crate) fn of_product(self, other: Self) -> Self {
        let precision = i32::from(self.precision) + i32::from(other.precision) + 1;
        Self::adjusted(precision, self.places() + other.places())
    }

    pub(crate) fn of_quotient(self, other: Self) -> Self {
        let scale = SCALE_KEPT.max(self.places() + i32::from(other.precision) + 1);
        Self::adjusted(self.whole() + other.places() + scale, scale)
    }

    pub(crate) fn of_remainder(self, other: Self) -> Self {
        let scale = self.places().max(other.places());
        Self::adjusted(self.whole().min(other.whole()) + scale, scale)
    }
}

/// A number on its way to a decimal: (-1)^`negative` * `magnitude` * 10^-`scale`.
struct Wide {
    negative: bool,
    magnitude: U384,
    scale: i32,
}

fn wide_power_of_ten(exponent: i32) -> Option<U384> {
    U384::from(10).checked_pow(U384::from(u32::try_from(exponent).ok()?))
}

/// How many digits there are beyond 38, and ten to that power.
fn unit_of_38_digits(number: U384) -> Option<(i32, U384)> {
    let bound = wide_power_of_ten(i32::from(DIGITS_MAX))?;
    let (mut excess, mut unit) = (0, U384::from(1));
    while number / unit >= bound {
        unit = unit.checked_mul(U384::from(10))?;
        excess += 1;
    }
    Some((excess, unit))
}

/// Half up: 5 in the first digit that goes.
fn divided_half_up(dividend: U384, divisor: U384) -> U384 {
    let (quotient, rest) = dividend.div_rem(divisor);
    // A rest is below the divisor, and half of one loses no more than the odd bit.
    if rest >= divisor - rest { quotient + U384::from(1) } else { quotient }
}

impl Wide {
    /// Unscaled, of both at the larger scale.
    fn aligned(left: Decimal, right: Decimal) -> Option<(U384, U384, i32)> {
        let scale = i32::from(left.scale.max(right.scale));
        let at_scale = |decimal: Decimal| {
            let factor = wide_power_of_ten(scale - i32::from(decimal.scale))?;
            U384::from(decimal.unscaled.unsigned_abs()).checked_mul(factor)
        };
        Some((at_scale(left)?, at_scale(right)?, scale))
    }

    /// Rounded to 38 digits, as Spark's MATH_CONTEXT does before the result's own rounding.
    fn rounded_to_38_digits(mut self) -> Option<Self> {
        let (excess, divisor) = unit_of_38_digits(self.magnitude)?;
        if excess > 0 {
            self.magnitude = divided_half_up(self.magnitude, divisor);
            self.scale -= excess;
        }
        Some(self)
    }

    fn to_decimal(&self, to: DecimalType) -> Option<Decimal> {
        let shift = to.places() - self.scale;
        let magnitude = if shift >= 0 {
            if self.magnitude.is_zero() {
                self.magnitude
            } else {
                self.magnitude.checked_mul(wide_power_of_ten(shift)?)?
            }
        } else {
            divided_half_up(self.magnitude, wide_power_of_ten(-shift)?)
        };
        let magnitude = i128::try_from(u128::try_from(magnitude).ok()?).ok()?;
        Decimal::new(if self.negative { -magnitude } else { magnitude }, to.precision, to.scale)
    }
}

impl Decimal {
    /// The sum as a decimal of type `to`; `None` if it does not fit.
    pub(crate) fn plus(self, other: Self, to: DecimalType) -> Option<Self> {
        if self.scale == other.scale && self.scale == to.scale {
            // 38 digits and 38 digits are below 2^127 and a bit, so the sum may not fit.
            return Self::new(self.unscaled.checked_add(other.unscaled)?, to.precision, to.scale);
        }
        let (left, right, scale) = Wide::aligned(self, other)?;
        let (left_negative, right_negative) = (self.unscaled < 0, other.unscaled < 0);
        let sum = if left_negative == right_negative {
            Wide { negative: left_negative, magnitude: left.checked_add(right)?, scale }
        } else if left >= right {
            Wide { negative: left_negative, magnitude: left - right, scale }
        } else {
            Wide { negative: right_negative, magnitude: right - left, scale }
        };
        sum.to_decimal(to)
    }

    pub(crate) fn minus(self, other: Self, to: DecimalType) -> Option<Self> {
        self.plus(other.negated(), to)
    }

    pub(crate) fn times(self, other: Self, to: DecimalType) -> Option<Self> {
        let negative = (self.unscaled < 0) != (other.unscaled < 0);
        let scale = i32::from(self.scale) + i32::from(other.scale);
        if let Some(unscaled) = self.unscaled.checked_mul(other.unscaled)
            && scale == to.places()
            && let Some(product) = Self::new(unscaled, to.precision, to.scale)
        {
            return Some(product);
        }
        let magnitude =
            U384::from(self.unscaled.unsigned_abs()).checked_mul(U384::from(other.unscaled.unsigned_abs()))?;
        Wide { negative, magnitude, scale }.rounded_to_38_digits()?.to_decimal(to)
    }

    /// `None` also where `other` is zero. Rounded to 38 digits after the point first, and then to `to`.
    pub(crate) fn divided_by(self, other: Self, to: DecimalType) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let scale = i32::from(DIGITS_MAX);
        let factor = wide_power_of_ten(scale + i32::from(other.scale) - i32::from(self.scale))?;
        let dividend = U384::from(self.unscaled.unsigned_abs()).checked_mul(factor)?;
        let magnitude = divided_half_up(dividend, U384::from(other.unscaled.unsigned_abs()));
        let negative = (self.unscaled < 0) != (other.unscaled < 0);
        Wide { negative, magnitude, scale }.to_decimal(to)
    }

    /// What remains, with the sign of `self`. `None` where `other` is zero, and where the whole part of the quotient has
    /// more than 38 digits that count (there Spark fails).
    pub(crate) fn remainder(self, other: Self, to: DecimalType) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let (left, right, scale) = Wide::aligned(self, other)?;
        let (quotient, magnitude) = left.div_rem(right);
        let (_, unit) = unit_of_38_digits(quotient)?;
        if !(quotient % unit).is_zero() {
            return None;
        }
        Wide { negative: self.unscaled < 0, magnitude, scale }.to_decimal(to)
    }

    /// The whole part of the quotient (`div`); `None` where `other` is zero or the quotient has more than 38 digits.
    pub(crate) fn integral_quotient(self, other: Self) -> Option<i64> {
        if other.is_zero() {
            return None;
        }
        let (left, right, _) = Wide::aligned(self, other)?;
        let negative = (self.unscaled < 0) != (other.unscaled < 0);
        let quotient = Wide { negative, magnitude: left / right, scale: 0 };
        Some(quotient.to_decimal(DecimalType::new(DIGITS_MAX, 0))?.to_i64())
    }
}
