//! BINARY out of a string: base64 as Jackson reads it (`Base64Variants.MIME_NO_LINEFEEDS`). Blanks and control
//! characters may stand between groups of four, padding is due, bits beyond the last byte are ignored, and after a
//! padded group another may follow.

/// What the text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Char(char),
    End,
}

/// Where the characters come from.
pub(super) trait Source {
    /// The next character, escapes taken out; `None` on an error.
    fn next(&mut self) -> Option<Unit>;
    /// Goes back before the end.
    fn back_to_end(&mut self);
}

/// A digit's six bits, or one above them.
const PADDING: u32 = 1 << 6;
const OTHER: u32 = 1 << 7;

fn bits(character: char) -> u32 {
    match character {
        'A'..='Z' => character as u32 - 'A' as u32,
        'a'..='z' => character as u32 - 'a' as u32 + 26,
        '0'..='9' => character as u32 - '0' as u32 + 52,
        '+' => 62,
        '/' => 63,
        '=' => PADDING,
        _ => OTHER,
    }
}

/// Appends the bytes; `None` if it is no base64. Where the source then stands is where Jackson does.
pub(super) fn decode(source: &mut impl Source, out: &mut Vec<u8>) -> Option<()> {
    loop {
        let first = match source.next()? {
            Unit::End => return Some(()),
            Unit::Char('\0'..=' ') => continue,
            Unit::Char(character) => bits(character),
        };
        if first >= PADDING {
            return None;
        }
        let group = first << 6 | digit(source.next()?)?;
        let third = inner(source)?;
        if third == PADDING {
            if source.next()? != Unit::Char('=') {
                return None;
            }
            out.push((group >> 4) as u8);
            continue;
        }
        let group = group << 6 | third;
        let fourth = inner(source)?;
        if fourth == PADDING {
            out.extend_from_slice(&[(group >> 10) as u8, (group >> 2) as u8]);
            continue;
        }
        let group = group << 6 | fourth;
        out.extend_from_slice(&[(group >> 16) as u8, (group >> 8) as u8, group as u8]);
    }
}

fn digit(unit: Unit) -> Option<u32> {
    match unit {
        Unit::Char(character) => Some(bits(character)).filter(|&bits| bits < PADDING),
        Unit::End => None,
    }
}

/// The third or fourth digit of a group, or padding. At the end, where padding is missing, the source stays before it.
fn inner(source: &mut impl Source) -> Option<u32> {
    match source.next()? {
        Unit::Char(character) => Some(bits(character)).filter(|&bits| bits <= PADDING),
        Unit::End => {
            source.back_to_end();
            None
        }
    }
}

/// A string whose escapes have been taken out.
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl Source for Text<'_> {
    #[inline]
    fn next(&mut self) -> Option<Unit> {
        // A byte beyond ASCII is as wrong as the character that it belongs to.
        Some(match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                Unit::Char(char::from(byte))
            }
            None => Unit::End,
        })
    }

    fn back_to_end(&mut self) {}
}
