//! Rounding to places: HALF_UP (`round`), HALF_EVEN (`bround`), up (`ceil`) and down (`floor`).

use super::decimal_or_null;
use crate::types::{Decimal, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    HalfUp,
    HalfEven,
    Ceiling,
    Floor,
}

/// To `places` digits after the point (before it, if below 0), in the type of the operand, of which a decimal has this
/// precision and scale then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) mode: Mode,
    pub(crate) places: i32,
    pub(crate) precision: u8,
    pub(crate) scale: u8,
}

impl Round {
    pub(crate) fn apply(self, value: Value<'_>) -> Value<'_> {
        match value {
            // Java cuts what the rounding made too large.
            Value::TinyInt(value) => Value::TinyInt(self.whole(i128::from(value)) as i8),
            Value::SmallInt(value) => Value::SmallInt(self.whole(i128::from(value)) as i16),
            Value::Int(value) => Value::Int(self.whole(i128::from(value)) as i32),
            Value::BigInt(value) => Value::BigInt(self.whole(i128::from(value)) as i64),
            // By the digits of its double, as Spark.
            Value::Float(value) => Value::Float(double(f64::from(value), self.places, self.mode) as f32),
            Value::Double(value) => Value::Double(double(value, self.places, self.mode)),
            Value::Decimal(value) => decimal_or_null(self.decimal(value)),
            _ => Value::Null,
        }
    }

    fn whole(self, value: i128) -> i128 {
        match power_of_ten(self.places.saturating_neg()) {
            Some(unit) if self.places < 0 => divided(value, unit, self.mode) * unit,
            Some(_) => value,
            None => 0,
        }
    }

    fn decimal(self, value: Decimal) -> Option<Decimal> {
        // Units of the last place that stays, in units of the operand's last place.
        let dropped = i32::from(value.scale) - self.places;
        if dropped <= 0 {
            return value.rescale(self.precision, self.scale);
        }
        let rounded = match power_of_ten(dropped) {
            Some(unit) => divided(value.unscaled, unit, self.mode),
            None => match self.mode {
                Mode::Ceiling if value.unscaled > 0 => 1,
                Mode::Floor if value.unscaled < 0 => -1,
                _ => 0,
            },
        };
        let shift = i32::from(self.scale) - self.places;
        let unscaled = if rounded == 0 { 0 } else { rounded.checked_mul(power_of_ten(shift)?)? };
        Decimal::new(unscaled, self.precision, self.scale)
    }
}

/// 1 for what is below 0; `None` if it has more than 38 zeros.
fn power_of_ten(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).unwrap_or(0))
}

fn divided(value: i128, unit: i128, mode: Mode) -> i128 {
    let (quotient, rest) = (value / unit, value % unit);
    let half = unit / 2;
    let away = match mode {
        Mode::HalfUp => rest.abs() >= unit - half && rest != 0,
        Mode::HalfEven => rest.abs() > half || (rest.abs() == half && unit % 2 == 0 && quotient % 2 != 0),
        Mode::Ceiling => rest > 0,
        Mode::Floor => rest < 0,
    };
    if away { quotient + value.signum() } else { quotient }
}

pub(crate) fn half_up(value: f64, places: i32) -> f64 {
    double(value, places, Mode::HalfUp)
}

/// By the digits that the double is written with, as `BigDecimal` of its text.
fn double(value: f64, places: i32, mode: Mode) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let text = format!("{:e}", value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    // So many digits stay.
    let kept = i64::from(exponent) + 1 + i64::from(places);
    let Ok(all) = digits.parse::<i128>() else { return value };
    let dropped = i64::try_from(digits.len()).unwrap_or(0) - kept;
    if dropped <= 0 {
        // A zero has no sign then.
        return value + 0.0;
    }
    let Ok(dropped_digits) = i32::try_from(dropped) else { return 0.0 };
    let rounded = match power_of_ten(dropped_digits) {
        Some(unit) => divided(if value < 0.0 { -all } else { all }, unit, mode),
        None => 0,
    };
    format!("{rounded}e{}", -i64::from(places)).parse().unwrap_or(value)
}
