//! Literals and quoted names as Spark reads them; the tokenizer hands them over with their escapes.

use sqlparser::ast::Ident;
use sqlparser::tokenizer::Word;

/// An identifier's text: a backquote inside backquotes is written twice.
pub(super) fn identifier(ident: &Ident) -> String {
    match ident.quote_style {
        Some('`') => ident.value.replace("``", "`"),
        _ => ident.value.clone(),
    }
}

/// A word's text, as [`identifier`].
pub(super) fn word(word: &Word) -> String {
    match word.quote_style {
        Some('`') => word.value.replace("``", "`"),
        _ => word.value.clone(),
    }
}

/// A string's text between `quote` signs: `\n`, `\u0041`, `\101` and the like; `\%` and `\_` stay for LIKE; two
/// quotes end one text and begin the next, which are joined. See `ParserUtils.unescapeSQLString` in Spark.
pub(super) fn string(raw: &str, quote: char) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        if sign == quote {
            rest = rest.strip_prefix(quote).unwrap_or(rest);
        } else if sign == '\\' {
            rest = escape(rest, &mut text);
        } else {
            text.push(sign);
        }
    }
    text
}

/// Reads what follows a backslash, and returns what follows that.
fn escape<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let digits = |from: usize, len: usize, radix: u32| {
        rest.get(from..from + len)
            .filter(|digits| digits.bytes().all(|digit| char::from(digit).is_digit(radix)))
            .and_then(|digits| u32::from_str_radix(digits, radix).ok())
            .and_then(char::from_u32)
    };
    if rest.starts_with('u')
        && let Some(sign) = digits(1, 4, 16)
    {
        text.push(sign);
        return &rest[5..];
    }
    if rest.starts_with(['0', '1'])
        && let Some(sign) = digits(0, 3, 8)
    {
        text.push(sign);
        return &rest[3..];
    }
    let Some(sign) = rest.chars().next() else { return rest };
    match sign {
        '0' => text.push('\0'),
        'b' => text.push('\u{8}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'Z' => text.push('\u{1a}'),
        '%' => text.push_str("\\%"),
        '_' => text.push_str("\\_"),
        other => text.push(other),
    }
    &rest[sign.len_utf8()..]
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_are_those_of_spark() {
        let cases = [
            (r"a\nb", "a\nb"),
            (r"\u0041\101\0", "AA\0"),
            (r"50\%\_", r"50\%\_"),
            (r"it''s \'x\' \\ \q", r"its 'x' \ q"),
            (r"\u12", "u12"),
            (r"\é", "é"),
        ];
        for (raw, text) in cases {
            assert_eq!(super::string(raw, '\''), text, "{raw}");
        }
    }
}
