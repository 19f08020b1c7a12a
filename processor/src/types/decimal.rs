//! `decimal(precision,scale)`: whole numbers of at most 38 digits, with a point `scale` digits from their end.
//! Follows `org.apache.spark.sql.types.Decimal`.

mod arithmetic;
mod print;
mod read;

use std::cmp::Ordering;

pub(crate) use arithmetic::DecimalType;
pub(crate) use read::take_digit;

/// Digits that a decimal can have.
pub(crate) const DIGITS_MAX: u8 = 38;

/// `unscaled` * 10^-`scale`; its magnitude is below 10^`precision`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    pub(crate) unscaled: i128,
    pub(crate) precision: u8,
    pub(crate) scale: u8,
}

const POWERS_OF_TEN: [i128; DIGITS_MAX as usize + 1] = {
    let mut powers = [1; DIGITS_MAX as usize + 1];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// 10^exponent, for up to 38.
pub(super) fn power_of_ten(exponent: u32) -> Option<i128> {
    POWERS_OF_TEN.get(exponent as usize).copied()
}

impl Decimal {
    /// Of this precision and scale; `None` if `unscaled` has more digits.
    pub(crate) fn new(unscaled: i128, precision: u8, scale: u8) -> Option<Self> {
        let bound = power_of_ten(u32::from(precision))?;
        (unscaled.unsigned_abs() < bound.unsigned_abs()).then_some(Self { unscaled, precision, scale })
    }

    /// A whole number as decimal of this type; `None` if it does not fit.
    pub(crate) fn from_integer(value: i64, precision: u8, scale: u8) -> Option<Self> {
        let unscaled = i128::from(value).checked_mul(power_of_ten(u32::from(scale))?)?;
        Self::new(unscaled, precision, scale)
    }

    /// A double by its digits as Java prints them; `None` if it is not finite or does not fit.
    pub(crate) fn from_f64(value: f64, precision: u8, scale: u8) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let mut text = Vec::with_capacity(24);
        crate::java_double::write(value, &mut text);
        Self::read(&text, precision, scale)
    }

    /// The same number with another precision and scale, rounded HALF_UP; `None` if it does not fit.
    pub(crate) fn rescale(self, precision: u8, scale: u8) -> Option<Self> {
        let unscaled = if scale >= self.scale {
            let factor = power_of_ten(u32::from(scale - self.scale))?;
            self.unscaled.checked_mul(factor)?
        } else {
            let divisor = power_of_ten(u32::from(self.scale - scale))?;
            let (quotient, rest) = (self.unscaled / divisor, self.unscaled % divisor);
            let up = rest.unsigned_abs() * 2 >= divisor.unsigned_abs();
            quotient + if up { self.unscaled.signum() } else { 0 }
        };
        Self::new(unscaled, precision, scale)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.unscaled == 0
    }

    pub(crate) fn negated(self) -> Self {
        Self { unscaled: -self.unscaled, ..self }
    }

    /// The whole part: what is beyond 64 bits is cut off, as `BigDecimal.longValue` does.
    pub(crate) fn to_i64(self) -> i64 {
        self.whole_and_fraction().0 as i64
    }

    /// The whole part, if 64 bits hold it.
    pub(crate) fn to_i64_exact(self) -> Option<i64> {
        i64::try_from(self.whole_and_fraction().0).ok()
    }

    /// Of seconds, the microseconds, cut to whole ones and to 64 bits. (Spark rounds to 34 digits on the way, which shows
    /// only where 64 bits do not hold the time.)
    pub(crate) fn to_micros(self) -> i64 {
        let (whole, fraction) = self.whole_and_fraction();
        // The fraction is below 10^scale: of its digits the first six count.
        let micros = match power_of_ten(u32::from(self.scale.saturating_sub(6))) {
            Some(divisor) if self.scale > 6 => fraction / divisor,
            _ => fraction * power_of_ten(6 - u32::from(self.scale.min(6))).unwrap_or(1),
        };
        whole.wrapping_mul(1_000_000).wrapping_add(micros) as i64
    }

    /// The nearest double.
    pub(crate) fn to_f64(self) -> f64 {
        const EXACT_DIGITS: u8 = 22;
        const EXACT_MAX: u128 = 1 << 53;
        if self.unscaled.unsigned_abs() <= EXACT_MAX
            && self.scale <= EXACT_DIGITS
            && let Some(power) = power_of_ten(u32::from(self.scale))
        {
            // Both are exact, so the quotient is rounded once.
            return self.unscaled as f64 / power as f64;
        }
        format!("{}e-{}", self.unscaled, self.scale).parse().unwrap_or(f64::NAN)
    }

    /// The nearest float.
    pub(crate) fn to_f32(self) -> f32 {
        format!("{}e-{}", self.unscaled, self.scale).parse().unwrap_or(f32::NAN)
    }

    /// By value, whatever the scales.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        if self.scale == other.scale {
            return self.unscaled.cmp(&other.unscaled);
        }
        let scale = self.scale.max(other.scale);
        let parts = |decimal: Self| {
            let (whole, fraction) = decimal.whole_and_fraction();
            // Below 10^scale, which fits.
            (whole, fraction * power_of_ten(u32::from(scale - decimal.scale)).unwrap_or(1))
        };
        parts(self).cmp(&parts(other))
    }

    /// Both have the sign of the number.
    fn whole_and_fraction(self) -> (i128, i128) {
        let divisor = power_of_ten(u32::from(self.scale)).unwrap_or(i128::MAX);
        (self.unscaled / divisor, self.unscaled % divisor)
    }
}
