//! Numbers with thousands parted, and Java's `String.format`.

use super::string;
use crate::types::{DataType, Value, to_text};

const PLACES_MAX: usize = 340;

/// So many digits after the point, rounded HALF_EVEN, thousands parted by commas (`java.text.DecimalFormat`). NULL for
/// less than none.
pub(crate) fn number<'a>(value: Value<'a>, places: Value<'a>) -> Value<'a> {
    let Value::Int(places) = places else { return Value::Null };
    let Ok(places) = usize::try_from(places) else { return Value::Null };
    let places = places.min(PLACES_MAX);
    let plain = match value {
        Value::TinyInt(value) => whole(&value.to_string(), places),
        Value::SmallInt(value) => whole(&value.to_string(), places),
        Value::Int(value) => whole(&value.to_string(), places),
        Value::BigInt(value) => whole(&value.to_string(), places),
        Value::Float(value) => return number(Value::Double(f64::from(value)), Value::Int(places as i32)),
        Value::Double(value) if value.is_nan() => return string(b"NaN".to_vec()),
        Value::Double(value) if value.is_infinite() => {
            return string(if value > 0.0 { "∞" } else { "-∞" }.as_bytes().to_vec());
        }
        Value::Double(value) => double(value, places),
        Value::Decimal(value) => {
            let kept = places.min(usize::from(value.scale));
            let round = super::rounding::Round {
                mode: super::rounding::Mode::HalfEven,
                places: kept as i32,
                precision: 38,
                scale: kept as u8,
            };
            let Value::Decimal(rounded) = round.apply(Value::Decimal(value)) else { return Value::Null };
            let sign = if value.unscaled < 0 { "-" } else { "" };
            let digits = format!("{:0>width$}", rounded.unscaled.unsigned_abs(), width = kept + 1);
            let (before, after) = digits.split_at(digits.len() - kept);
            with_places(&format!("{sign}{before}"), after, places)
        }
        _ => return Value::Null,
    };
    string(grouped(&plain).into_bytes())
}

fn whole(digits: &str, places: usize) -> String {
    with_places(digits, "", places)
}

fn with_places(before: &str, after: &str, places: usize) -> String {
    if places == 0 { before.to_owned() } else { format!("{before}.{after:0<places$}") }
}

/// By its shortest digits if they are enough, and else by its exact value.
fn double(value: f64, places: usize) -> String {
    let shortest = format!("{value}");
    let (before, after) = shortest.split_once('.').unwrap_or((&shortest, ""));
    if after.len() <= places { with_places(before, after, places) } else { format!("{value:.places$}") }
}

/// Thousands parted by commas.
fn grouped(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
    let (before, after) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = sign.to_owned();
    for (index, digit) in before.chars().enumerate() {
        if index > 0 && (before.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + after
}

/// What stands between `%` and the letter.
#[derive(Default)]
struct Specifier {
    argument: Option<usize>,
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    group: bool,
    parentheses: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// `java.util.Formatter` with %s %d %x %o %f %e %b %c %% and %n; NULL where Java fails.
pub(crate) fn printf(values: Vec<Value<'_>>) -> Value<'_> {
    let Some((Value::String(pattern), arguments)) = values.split_first() else { return Value::Null };
    let pattern = String::from_utf8_lossy(pattern);
    formatted(&pattern, arguments).map_or(Value::Null, |text| string(text.into_bytes()))
}

fn formatted(pattern: &str, arguments: &[Value<'_>]) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let mut spec = Specifier::default();
        let mut number = None;
        let letter = loop {
            match chars.next()? {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                ',' => spec.group = true,
                '(' => spec.parentheses = true,
                '#' => spec.alternate = true,
                '0' if number.is_none() => spec.zero = true,
                '$' => spec.argument = number.take(),
                '.' => {
                    let mut digits = 0;
                    while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
                        chars.next();
                        digits = digits * 10 + digit as usize;
                    }
                    spec.precision = Some(digits.min(PLACES_MAX));
                }
                digit if digit.is_ascii_digit() => {
                    number = Some(number.unwrap_or(0) * 10 + digit.to_digit(10)? as usize);
                }
                letter => break letter,
            }
        };
        spec.width = number.unwrap_or(0).min(super::text::LENGTH_MAX);
        let text = match letter {
            '%' => "%".to_owned(),
            'n' => "\n".to_owned(),
            _ => {
                let index = match spec.argument {
                    Some(index) => index.checked_sub(1)?,
                    None => {
                        next += 1;
                        next - 1
                    }
                };
                let text = one(letter, &spec, arguments.get(index)?)?;
                if letter.is_ascii_uppercase() { text.to_uppercase() } else { text }
            }
        };
        let missing = spec.width.saturating_sub(text.chars().count());
        let padding = " ".repeat(missing);
        out.push_str(&if spec.left { text + &padding } else { padding + &text });
    }
    Some(out)
}

fn one(letter: char, spec: &Specifier, value: &Value<'_>) -> Option<String> {
    let cut = |text: String| match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    };
    match (letter.to_ascii_lowercase(), value) {
        ('b', Value::Boolean(value)) => Some(cut(value.to_string())),
        ('b', value) => Some(cut((!value.is_null()).to_string())),
        ('s', value) => Some(cut(shown(value))),
        (_, Value::Null) => Some(cut("null".to_owned())),
        (_, Value::TinyInt(value)) => one(letter, spec, &Value::Int(i32::from(*value))),
        (_, Value::SmallInt(value)) => one(letter, spec, &Value::Int(i32::from(*value))),
        (_, Value::Float(value)) => one(letter, spec, &Value::Double(f64::from(*value))),
        ('d', Value::Int(value)) => Some(integer(i64::from(*value), spec)),
        ('d', Value::BigInt(value)) => Some(integer(*value, spec)),
        ('x', Value::Int(value)) => Some(zeros(&format!("{value:x}"), spec)),
        ('x', Value::BigInt(value)) => Some(zeros(&format!("{value:x}"), spec)),
        ('o', Value::Int(value)) => Some(zeros(&format!("{value:o}"), spec)),
        ('o', Value::BigInt(value)) => Some(zeros(&format!("{value:o}"), spec)),
        ('c', Value::Int(value)) => char::from_u32(u32::try_from(*value).ok()?).map(String::from),
        ('f', Value::Double(value)) if value.is_finite() => {
            let places = spec.precision.unwrap_or(6);
            // Java rounds the shortest digits half up.
            let rounded = super::rounding::half_up(*value, places as i32);
            let is_negative = value.is_sign_negative();
            Some(signed(is_negative, double(rounded.abs(), places), spec))
        }
        ('f', Value::Decimal(value)) => {
            let places = spec.precision.unwrap_or(6);
            let rounded = value.rescale(38, (places as u8).min(value.scale))?;
            let mut text = Vec::new();
            rounded.write(&mut text);
            let text = String::from_utf8(text).ok()?;
            let text = text.trim_start_matches('-');
            let (before, after) = text.split_once('.').unwrap_or((text, ""));
            Some(signed(value.unscaled < 0, with_places(before, after, places), spec))
        }
        ('e', Value::Double(value)) if value.is_finite() => {
            let places = spec.precision.unwrap_or(6);
            let text = format!("{:.places$e}", value.abs());
            let (digits, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            let sign = if exponent < 0 { '-' } else { '+' };
            Some(signed(value.is_sign_negative(), format!("{digits}e{sign}{:02}", exponent.abs()), spec))
        }
        ('f' | 'e', Value::Double(value)) => Some(if value.is_nan() {
            "NaN".to_owned()
        } else if *value > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        }),
        _ => None,
    }
}

/// As Java's objects behind Spark's values print: times are numbers.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) | Value::Binary(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Date(days) => days.to_string(),
        Value::Timestamp(micros) => micros.to_string(),
        other => {
            let mut out = Vec::new();
            to_text(other, &DataType::Null, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}

fn integer(value: i64, spec: &Specifier) -> String {
    signed(value < 0, value.unsigned_abs().to_string(), spec)
}

fn signed(is_negative: bool, magnitude: String, spec: &Specifier) -> String {
    let magnitude = if spec.group { grouped(&magnitude) } else { magnitude };
    let (before, after) = match (is_negative, spec.parentheses) {
        (true, true) => ("(", ")"),
        (true, false) => ("-", ""),
        (false, _) if spec.plus => ("+", ""),
        (false, _) if spec.blank => (" ", ""),
        (false, _) => ("", ""),
    };
    let room = spec.width.saturating_sub(before.len() + after.len() + magnitude.len());
    let zeros = if spec.zero { "0".repeat(room) } else { String::new() };
    format!("{before}{zeros}{magnitude}{after}")
}

fn zeros(digits: &str, spec: &Specifier) -> String {
    let room = if spec.zero { spec.width.saturating_sub(digits.len()) } else { 0 };
    format!("{}{digits}", "0".repeat(room))
}
