//! The format of a record, in kcat's way: text with `%` for what a record has.

use std::io::Write as _;
use std::str::FromStr;

use crate::reader::Fetched;

/// A format that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    KeyLength,
    Value,
    ValueLength,
    Headers,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            match character {
                '\\' => literal.push(escape(&mut rest)?),
                '%' => {
                    let part = match rest.next() {
                        Some('%') => {
                            literal.push(b'%');
                            continue;
                        }
                        Some('t') => Part::Topic,
                        Some('p') => Part::Partition,
                        Some('o') => Part::Offset,
                        Some('T') => Part::Timestamp,
                        Some('k') => Part::Key,
                        Some('K') => Part::KeyLength,
                        Some('s') => Part::Value,
                        Some('S') => Part::ValueLength,
                        Some('h') => Part::Headers,
                        Some(other) => return Err(format!("%{other} is not one of %t %p %o %T %k %K %s %S %h %%")),
                        None => return Err("it ends with a % (a percent sign is %%)".to_owned()),
                    };
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(part);
                }
                other => literal.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }
}

fn escape(rest: &mut std::str::Chars<'_>) -> Result<u8, String> {
    match rest.next() {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('0') => Ok(0),
        Some('\\') => Ok(b'\\'),
        Some('x') => {
            let digits: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| digits.len() == 2)
                .ok_or_else(|| format!("\\x{digits} is not \\xHH"))
        }
        Some(other) => Err(format!("\\{other} is not one of \\n \\r \\t \\0 \\\\ \\xHH")),
        None => Err("it ends with a \\ (a backslash is \\\\)".to_owned()),
    }
}

impl Format {
    /// Appends the record. What is null is written as nothing, as kcat does.
    pub(crate) fn write(&self, topic: &str, record: &Fetched<'_>, out: &mut Vec<u8>) {
        let length = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
        for part in &self.0 {
            // Writing into a vector cannot fail.
            let _ = match part {
                Part::Text(text) => out.write_all(text),
                Part::Topic => out.write_all(topic.as_bytes()),
                Part::Partition => write!(out, "{}", record.partition),
                Part::Offset => write!(out, "{}", record.offset),
                Part::Timestamp => write!(out, "{}", record.timestamp),
                Part::Key => out.write_all(record.key.unwrap_or_default()),
                Part::KeyLength => write!(out, "{}", length(record.key)),
                Part::Value => out.write_all(record.value.unwrap_or_default()),
                Part::ValueLength => write!(out, "{}", length(record.value)),
                Part::Headers => {
                    headers(record, out);
                    Ok(())
                }
            };
        }
    }
}

fn headers(record: &Fetched<'_>, out: &mut Vec<u8>) {
    for (number, (name, value)) in record.headers.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value.unwrap_or(b"NULL"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_the_format_says() {
        let headers: [(&[u8], Option<&[u8]>); 2] = [(b"a", Some(b"1")), (b"b", None)];
        let record = Fetched {
            partition: 3,
            offset: 70,
            timestamp: 1000,
            is_append_time: false,
            key: None,
            value: Some("wörd\0".as_bytes()),
            headers: &headers,
        };
        let written = |format: &str| {
            let mut out = Vec::new();
            format.parse::<Format>().unwrap().write("t", &record, &mut out);
            out
        };
        assert_eq!(
            written("%t/%p@%o %T [%k:%K] %s %S %h%%\\t\\x41\\\\ü\\n"),
            "t/3@70 1000 [:-1] wörd\0 6 a=1,b=NULL%\tA\\ü\n".as_bytes()
        );
        assert_eq!(written(""), b"");
        for bad in ["%q", "%", "\\q", "\\", "\\x4", "\\xzz"] {
            assert!(bad.parse::<Format>().is_err(), "{bad}");
        }
    }
}
