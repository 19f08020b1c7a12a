//! Writes an object or array again, as Jackson's generator does for a STRING column (`copyCurrentStructure`):
//! without whitespace, numbers through their value, strings with its own choice of escapes.

use super::input::Input;
use super::number::{take_non_finite, take_number, write_number};
use super::skip::skip_whitespace;
use super::text::{Piece, Pieces, take_literal};

/// Appends the well-formed value `text`, whitespace and all, in compact form.
pub(super) fn rewrite(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => skip_whitespace(text, at),
            b'"' | b'\'' => rewrite_string(text, at, byte, out),
            b'0'..=b'9' | b'-' | b'+' | b'N' | b'I' => rewrite_number(text, at, out),
            // Structure, true, false and null stand for themselves.
            _ => {
                out.push(byte);
                at + 1
            }
        };
    }
}

fn rewrite_string(text: &[u8], at: usize, quote: u8, out: &mut Vec<u8>) -> usize {
    let Some(literal) = take_literal(&mut Input::new(text), at + 1, quote) else { return text.len() };
    write_string(text.get(at + 1..literal.close).unwrap_or_default(), out);
    literal.close + 1
}

/// Appends a string with quotes, given what stands between the quotes of its literal.
pub(super) fn write_string(raw: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for piece in Pieces::new(raw) {
        match piece {
            Piece::Plain(bytes) => {
                for character in std::str::from_utf8(bytes).unwrap_or_default().chars() {
                    write_char(character, out);
                }
            }
            Piece::Char(character) => write_char(character, out),
            Piece::LoneSurrogate(unit) => write_unit(unit, out),
        }
    }
    out.push(b'"');
}

fn rewrite_number(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    if let Some(number) = take_number(text, at) {
        write_number(text.get(at..number.end).unwrap_or_default(), number.float, out);
        return number.end;
    }
    match take_non_finite(text, at) {
        Some((end, value)) => {
            out.extend_from_slice(value.written().as_bytes());
            end
        }
        None => text.len(),
    }
}

/// Characters beyond the basic plane are written as two escapes, half by half, as `UTF8JsonGenerator` does.
fn write_char(character: char, out: &mut Vec<u8>) {
    let short = match character {
        '"' | '\\' => character,
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\0'..'\u{20}' => return write_unit(character as u16, out),
        '\u{10000}'.. => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write_unit(*unit, out);
            }
            return;
        }
        _ => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short as u8]);
}

fn write_unit(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_jackson_writes_them() {
        for (text, written) in [
            ("{\"a\": 1, \"b\" : [1, 2.50, {\"c\": null}]}", "{\"a\":1,\"b\":[1,2.5,{\"c\":null}]}"),
            (
                "['x\"y\\'', -0, -0.0, NaN, +INF, -Infinity, true]",
                "[\"x\\\"y'\",0,-0.0,\"NaN\",\"Infinity\",\"-Infinity\",true]",
            ),
            (r#"{"k\/":"\u00e9\n\u0001\u007f\/"}"#, "{\"k/\":\"é\\n\\u0001\u{7f}/\"}"),
            (r#"["😀","\ud83d\ude00","\ud83d"]"#, r#"["\uD83D\uDE00","\uD83D\uDE00","\uD83D"]"#),
        ] {
            let mut out = Vec::new();
            rewrite(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
}
