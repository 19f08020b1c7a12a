//! Numbers of a pattern, alone or side by side (`DateTimeFormatterBuilder.NumberPrinterParser`).

/// How a number is written and read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) sign: Sign,
    /// Two digits of a year from 2000 to 2099.
    pub(super) reduced: bool,
    pub(super) following: Following,
}

/// `java.time.format.SignStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A minus where it is negative.
    Normal,
    None,
    /// And a plus where it has more digits than it would be padded to.
    ExceedsPad,
}

/// Numbers right behind this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Following {
    Nothing,
    /// Of fixed width, so many digits together.
    Digits(usize),
    /// This is one of them, or stands before one that is not fixed.
    Fixed,
}

impl Number {
    pub(super) const fn new(min: usize, max: usize, sign: Sign) -> Self {
        Self { min, max, sign, reduced: false, following: Following::Nothing }
    }

    /// As many digits as it has.
    pub(super) const fn any() -> Self {
        Self::new(1, 19, Sign::Normal)
    }

    pub(super) const fn fixed(width: usize) -> Self {
        Self::new(width, width, Sign::None)
    }

    pub(super) fn is_fixed_width(self) -> bool {
        self.min == self.max && self.sign == Sign::None
    }

    /// False if it cannot be written like this.
    pub(super) fn print(self, value: i64, out: &mut Vec<u8>) -> bool {
        let value = if self.reduced { value.abs() % 100 } else { value };
        let digits = value.unsigned_abs().to_string();
        if digits.len() > self.max {
            return false;
        }
        match self.sign {
            Sign::None if value < 0 => return false,
            Sign::Normal | Sign::ExceedsPad if value < 0 => out.push(b'-'),
            Sign::ExceedsPad if digits.len() > self.min => out.push(b'+'),
            _ => {}
        }
        out.resize(out.len() + self.min.saturating_sub(digits.len()), b'0');
        out.extend_from_slice(digits.as_bytes());
        true
    }

    /// The number at the front, and what is behind it.
    pub(super) fn parse(self, text: &str) -> Option<(i64, &str)> {
        let (sign, digits) = match text.as_bytes().first()? {
            sign @ (b'+' | b'-') => (Some(*sign), text.get(1..)?),
            _ => (None, text),
        };
        match (sign, self.sign) {
            (None, _) | (Some(b'-'), Sign::Normal) | (Some(_), Sign::ExceedsPad) => {}
            _ => return None,
        }
        let mut width = self.max;
        if let Following::Digits(following) = self.following {
            let all = count_digits(digits, width + following);
            width = all.saturating_sub(following).max(self.min);
        }
        let count = count_digits(digits, width);
        if count < self.min {
            return None;
        }
        let (digits, rest) = digits.split_at_checked(count)?;
        let value: i64 = digits.parse().ok()?;
        let value = match sign {
            // There is no minus zero.
            Some(b'-') if value == 0 => return None,
            Some(b'-') => -value,
            Some(_) if count <= self.min => return None,
            None if self.sign == Sign::ExceedsPad && count > self.min => return None,
            _ => value,
        };
        Some((if self.reduced { 2000 + value } else { value }, rest))
    }
}

pub(super) fn count_digits(text: &str, max: usize) -> usize {
    text.bytes().take(max).take_while(u8::is_ascii_digit).count()
}
