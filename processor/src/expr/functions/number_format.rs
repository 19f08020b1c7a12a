//! Numbers in texts of a given form: `to_number('$1,234.5', '$9,999.9')` and `to_char`. Follows `ToNumberParser` of
//! Spark 3.4.

use crate::types::{DIGITS_MAX, Decimal, Value, take_digit};

use super::string;

/// A form: `[MI|S] [$] [0|9|G|,]* [.|D] [0|9]* [PR|MI|S]`, in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberFormat {
    first_sign: Sign,
    dollar: bool,
    /// Before the point; commas stand between.
    groups: Vec<Group>,
    point: bool,
    /// Digits after the point.
    places: usize,
    last_sign: Sign,
    /// A negative number stands in angle brackets.
    brackets: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sign {
    #[default]
    None,
    /// `S`: plus or minus.
    Both,
    /// `MI`: minus, or a blank.
    Minus,
}

/// Digits between commas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Group {
    digits: usize,
    /// It begins with 0: all of its digits are there.
    full: bool,
}

impl NumberFormat {
    /// What is wrong with the form, if it is none.
    pub(crate) fn parse(form: &str) -> Result<Self, &'static str> {
        const ORDER: &str = "its parts stand in the order [MI|S] [$] [0|9|G|,]* [.|D] [0|9]* [PR|MI|S], each once";
        let form = form.to_ascii_uppercase();
        let mut format = Self::default();
        let mut rest = form.as_str();
        format.first_sign = Sign::take(&mut rest);
        format.dollar = take(&mut rest, "$");
        let mut group = Group::default();
        loop {
            match rest.bytes().next() {
                Some(digit @ (b'0' | b'9')) if !format.point => {
                    group.full |= group.digits == 0 && digit == b'0';
                    group.digits += 1;
                }
                Some(b'0' | b'9') => format.places += 1,
                Some(b',' | b'G') if format.point => return Err("it has a comma after the point"),
                Some(b',' | b'G') => {
                    format.groups.push(std::mem::take(&mut group));
                }
                Some(b'.' | b'D') if !format.point => format.point = true,
                _ => break,
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        if group != Group::default() || !format.groups.is_empty() {
            format.groups.push(group);
        }
        format.last_sign = Sign::take(&mut rest);
        format.brackets = format.last_sign == Sign::None && take(&mut rest, "PR");
        if !rest.is_empty() {
            return Err(ORDER);
        }
        if format.first_sign != Sign::None && format.first_sign == format.last_sign {
            return Err("it has one sign twice");
        }
        if format.groups.iter().any(|group| group.digits == 0) {
            return Err("its commas have digits on both sides");
        }
        match format.precision() {
            0 => Err("it has no digit"),
            digits if digits > usize::from(DIGITS_MAX) => Err("it has more than 38 digits"),
            _ => Ok(format),
        }
    }

    fn precision(&self) -> usize {
        self.groups.iter().map(|group| group.digits).sum::<usize>() + self.places
    }

    /// Precision and scale of the decimal that a text is read as.
    pub(crate) fn digits(&self) -> (u8, u8) {
        // Of at most 38 digits.
        (self.precision() as u8, self.places as u8)
    }

    /// A text as a number; NULL if it is not of this form, where `to_number` of Spark fails.
    pub(crate) fn read<'a>(&self, text: &Value<'_>) -> Value<'a> {
        let Value::String(text) = text else { return Value::Null };
        let read = std::str::from_utf8(text).ok().and_then(|text| self.number(text));
        super::decimal_or_null(read)
    }

    fn number(&self, mut rest: &str) -> Option<Decimal> {
        let mut negative = false;
        let bracket = self.brackets && take(&mut rest, "<");
        negative ^= bracket;
        negative ^= self.first_sign.read(&mut rest);
        if self.dollar && !take(&mut rest, "$") {
            return None;
        }
        let mut digits = String::new();
        let mut groups = vec![0];
        if !self.groups.is_empty() {
            take_digits(&mut rest, true, &mut digits, &mut groups);
        }
        self.holds(&groups).then_some(())?;
        let mut after = vec![0];
        let point = self.point && take(&mut rest, ".");
        if point {
            take_digits(&mut rest, false, &mut digits, &mut after);
        }
        let places = after.iter().sum::<usize>();
        // What was written without any digit is 0 if it has a point.
        if places > self.places || digits.is_empty() && !point {
            return None;
        }
        digits.extend(std::iter::repeat_n('0', self.places - places));
        negative ^= self.last_sign.read(&mut rest);
        if bracket && !take(&mut rest, ">") || !rest.is_empty() {
            return None;
        }
        let (precision, scale) = self.digits();
        let unscaled: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        Decimal::new(if negative { -unscaled } else { unscaled }, precision, scale)
    }

    /// Whether groups of so many digits, of which the last stand before the point, are of this form.
    fn holds(&self, given: &[usize]) -> bool {
        if given.len() > self.groups.len().max(1) {
            return false;
        }
        let given = given.iter().rev().copied().chain(std::iter::repeat(0));
        let fits = |(group, given): (&Group, usize)| given == group.digits || given < group.digits && !group.full;
        self.groups.iter().rev().zip(given).all(fits)
    }

    /// A number as text: `#` stands for each digit of one that has more of them.
    pub(crate) fn write<'a>(&self, number: &Value<'_>) -> Value<'a> {
        let Value::Decimal(number) = number else { return Value::Null };
        let (whole, fraction) = parts(*number);
        let whole_digits = self.groups.iter().map(|group| group.digits).sum::<usize>();
        let fits = whole.len() <= whole_digits && fraction.len() <= self.places;
        let negative = number.unscaled < 0;
        let mut out = Output(Vec::new());
        if self.brackets && negative {
            out.0.push(b'<');
        }
        self.first_sign.write(negative, &mut out.0);
        if self.dollar {
            out.0.push(b'$');
        }
        let mut missing = whole_digits - whole.len().min(whole_digits);
        let mut digits = whole.iter();
        for (index, group) in self.groups.iter().enumerate() {
            if index > 0 {
                out.comma();
            }
            for _ in 0..group.digits {
                if !fits {
                    out.0.push(b'#');
                } else if missing == 0 {
                    out.0.extend(digits.next());
                } else {
                    missing -= 1;
                    if group.full { out.0.push(b'0') } else { out.blank() }
                }
            }
        }
        if self.point {
            out.point();
        }
        let fraction = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(self.places);
        out.0.extend(fraction.map(|digit| if fits { digit } else { b'#' }));
        self.last_sign.write(negative, &mut out.0);
        if self.brackets {
            out.0.extend_from_slice(if negative { b">" } else { b"  " });
        }
        if self.point && self.places == 0 {
            // A blank for the point that nothing follows.
            out.0.retain(|byte| *byte != b'.');
            out.0.push(b' ');
        }
        string(out.0)
    }
}

/// The digits before the point without zeros at their start, and those after it without zeros at their end.
fn parts(number: Decimal) -> (Vec<u8>, Vec<u8>) {
    let scale = usize::from(number.scale);
    let mut whole = format!("{:0>width$}", number.unscaled.unsigned_abs(), width = scale).into_bytes();
    let mut fraction = whole.split_off(whole.len().saturating_sub(scale));
    fraction.truncate(fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1));
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    whole.drain(..zeros);
    (whole, fraction)
}

/// A text on its way.
struct Output(Vec<u8>);

impl Output {
    /// Before the signs at the end: they stand beside the first digit.
    fn blank(&mut self) {
        let signs = self.0.iter().rev().take_while(|byte| matches!(byte, b'+' | b'-' | b'<')).count();
        self.0.insert(self.0.len() - signs, b' ');
    }

    fn comma(&mut self) {
        if self.0.last().is_some_and(u8::is_ascii_digit) { self.0.push(b',') } else { self.blank() }
    }

    /// Before it stands a digit rather than a blank.
    fn point(&mut self) {
        if let Some(last) = self.0.last_mut().filter(|last| **last == b' ') {
            *last = b'0';
        }
        self.0.push(b'.');
    }
}

impl Sign {
    fn take(rest: &mut &str) -> Self {
        if take(rest, "MI") {
            Self::Minus
        } else if take(rest, "S") {
            Self::Both
        } else {
            Self::None
        }
    }

    /// Takes a sign off the front, if there is one; whether it is a minus.
    fn read(self, rest: &mut &str) -> bool {
        match self {
            Self::None => false,
            Self::Minus => take(rest, "-"),
            Self::Both => {
                let negative = take(rest, "-");
                if !negative {
                    take(rest, "+");
                }
                negative
            }
        }
    }

    fn write(self, negative: bool, out: &mut Vec<u8>) {
        match self {
            Self::None => {}
            _ if negative => out.push(b'-'),
            Self::Both => out.push(b'+'),
            Self::Minus => out.push(b' '),
        }
    }
}

/// Takes a text off the front, if it is there.
fn take(rest: &mut &str, text: &str) -> bool {
    match rest.strip_prefix(text) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

/// Takes digits off the front, with blanks between them, and commas if these may be there; counts the digits of each
/// group.
fn take_digits(rest: &mut &str, commas: bool, digits: &mut String, groups: &mut Vec<usize>) {
    while let Some(first) = rest.chars().next() {
        if let Some((digit, _)) = take_digit(rest.as_bytes()) {
            digits.push(char::from(b'0' + digit));
            if let Some(count) = groups.last_mut() {
                *count += 1;
            }
        } else if first == ',' && commas {
            groups.push(0);
        } else if first != ' ' {
            return;
        }
        *rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
}
