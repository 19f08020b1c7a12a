//! Decimals as text, as Java's `BigDecimal.toString` has them.

use std::fmt;

use super::Decimal;

impl Decimal {
    /// Appends what `Display` shows.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        // Writing into memory cannot fail.
        let _ = write!(out, "{self}");
    }
}

/// With all digits of its scale; with an exponent where more than five zeros would follow the point.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = self.unscaled.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        if let Some(whole) = digits.len().checked_sub(scale).filter(|whole| *whole > 0) {
            let (before, after) = digits.split_at(whole);
            return write!(f, "{sign}{before}.{after}");
        }
        let exponent = digits.len() as i32 - 1 - i32::from(self.scale);
        if exponent >= -6 {
            return write!(f, "{sign}0.{digits:0>scale$}");
        }
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{point}{rest}E{exponent}")
    }
}
