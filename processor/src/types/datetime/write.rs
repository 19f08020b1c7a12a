//! DATE and TIMESTAMP as text without a pattern.

use super::calendar::{Civil, MICROS_PER_DAY, MICROS_PER_SECOND, days_of_micros};

/// yyyy-MM-dd; years have four digits at least, and a plus sign if they have more.
pub(crate) fn write_date(days: i32, out: &mut Vec<u8>) {
    let Civil { year, month, day } = Civil::of_days(days);
    if year < 0 {
        out.push(b'-');
    } else if year > 9_999 {
        out.push(b'+');
    }
    write_padded(year.unsigned_abs(), 4, out);
    out.push(b'-');
    write_padded(month, 2, out);
    out.push(b'-');
    write_padded(day, 2, out);
}

/// CAST to STRING: yyyy-MM-dd HH:mm:ss and the fraction without the zeros at its end.
pub(crate) fn write_timestamp(micros: i64, out: &mut Vec<u8>) {
    write_date(days_of_micros(micros), out);
    out.push(b' ');
    let mut fraction = write_time(micros, out);
    if fraction > 0 {
        let mut digits = 6;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        out.push(b'.');
        write_padded(fraction, digits, out);
    }
}

/// `to_json`: yyyy-MM-ddTHH:mm:ss.SSSZ, cut to milliseconds.
pub(crate) fn write_json_timestamp(micros: i64, out: &mut Vec<u8>) {
    write_date(days_of_micros(micros), out);
    out.push(b'T');
    let fraction = write_time(micros, out);
    out.push(b'.');
    write_padded(fraction / 1_000, 3, out);
    out.push(b'Z');
}

/// HH:mm:ss; gives the microseconds behind it.
fn write_time(micros: i64, out: &mut Vec<u8>) -> u32 {
    let of_day = micros.rem_euclid(MICROS_PER_DAY);
    let seconds = (of_day / MICROS_PER_SECOND) as u32;
    write_padded(seconds / 3600, 2, out);
    out.push(b':');
    write_padded(seconds / 60 % 60, 2, out);
    out.push(b':');
    write_padded(seconds % 60, 2, out);
    (of_day % MICROS_PER_SECOND) as u32
}

/// With zeros in front up to `width` digits.
pub(super) fn write_padded(value: u32, width: usize, out: &mut Vec<u8>) {
    let digits = value.checked_ilog10().unwrap_or(0) as usize + 1;
    let start = out.len();
    out.resize(start + digits.max(width), b'0');
    let mut rest = value;
    for place in out.iter_mut().skip(start).rev().take(digits) {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}
