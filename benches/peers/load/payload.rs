//! What the records hold.

use std::io::Write;

/// Distinct payloads, cycled through.
pub const PAYLOADS: usize = 4096;

/// Payloads of a size, of bytes that no codec or checksum could take a short cut on (xorshift64).
pub fn noise(size: usize) -> Vec<&'static [u8]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut payload = || {
        let mut bytes = vec![0; size];
        for byte in &mut bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = b' ' + (state % 95) as u8;
        }
        &*bytes.leak()
    };
    (0..PAYLOADS).map(|_| payload()).collect()
}

/// Log records of exactly 100 bytes, in the proportions of a busy service.
pub fn json_lines() -> Vec<&'static [u8]> {
    let level = |number: usize| match number % 20 {
        0 => "ERROR",
        1 | 2 => "WARN",
        3..=7 => "DEBUG",
        _ => "INFO",
    };
    let line = |number: usize| {
        let mut bytes = Vec::with_capacity(100);
        let _ = write!(bytes, r#"{{"level":"{}","message":"request {number:05} of session "#, level(number * 7919));
        while bytes.len() < 98 {
            bytes.push(b'a' + (number * bytes.len() % 26) as u8);
        }
        bytes.extend_from_slice(b"\"}");
        &*bytes.leak()
    };
    (0..PAYLOADS).map(line).collect()
}

/// Readings of a hundred sensors over an hour, of exactly 100 bytes.
pub fn sensor_readings() -> Vec<&'static [u8]> {
    let reading = |number: usize| {
        let mixed = number * 7919;
        let (sensor, second, tenths) = (mixed % 100, mixed % 3600, mixed % 400);
        let (minute, second) = (second / 60, second % 60);
        let mut bytes = Vec::with_capacity(100);
        let _ = write!(
            bytes,
            r#"{{"sensor":"sensor-{sensor:02}","ts":"2026-01-01T12:{minute:02}:{second:02}Z","celsius":{}.{},"n":""#,
            tenths / 10,
            tenths % 10
        );
        padded(bytes, 100)
    };
    (0..PAYLOADS).map(reading).collect()
}

/// Twenty columns of text in 1024 bytes.
pub fn wide() -> Vec<&'static [u8]> {
    let record = |number: usize| {
        let mut bytes = Vec::with_capacity(1024);
        for column in 0..19 {
            let before = if column == 0 { '{' } else { ',' };
            let value = (number * 7919 + column * 31) % 50;
            let _ = write!(bytes, r#"{before}"c{column:02}":"value {value:02} of the column, and what it says""#);
        }
        bytes.extend_from_slice(br#","c19":""#);
        padded(bytes, 1024)
    };
    (0..PAYLOADS).map(record).collect()
}

/// Ends a text and its object at a size.
fn padded(mut bytes: Vec<u8>, size: usize) -> &'static [u8] {
    while bytes.len() < size - 2 {
        bytes.push(b'a' + (bytes.len() * 7 % 26) as u8);
    }
    bytes.extend_from_slice(b"\"}");
    bytes.leak()
}
