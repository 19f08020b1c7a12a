//! LIKE: `%` is any text, `_` any one character, `\` takes the sign after it as it is.

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LikePattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Char(char),
}

impl LikePattern {
    /// `None` if `\` stands before anything but `%`, `_` and `\`, or last; Spark refuses that too.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            pieces.push(match char {
                '%' => Piece::Any,
                '_' => Piece::One,
                '\\' => Piece::Char(chars.next().filter(|next| matches!(next, '%' | '_' | '\\'))?),
                other => Piece::Char(other),
            });
        }
        Some(Self(pieces))
    }

    /// Whether the whole of `value` fits; bytes that are not UTF-8 fit nothing. Takes at most length times pieces.
    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let Ok(value) = std::str::from_utf8(value) else { return false };
        let mut rest = value.chars();
        let mut at = 0;
        // Where to go on if what follows the last `%` did not fit: the pieces after it, one character further on.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            match self.0.get(at) {
                Some(Piece::Any) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                None if rest.as_str().is_empty() => return true,
                piece => {
                    let next = rest.next();
                    let fits = match (piece, next) {
                        (Some(Piece::One), Some(_)) => true,
                        (Some(Piece::Char(wanted)), Some(found)) => *wanted == found,
                        _ => false,
                    };
                    if fits {
                        at += 1;
                        continue;
                    }
                }
            }
            let Some((after, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            at = *after;
            rest = from.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_values() {
        let cases: [(&str, &[&str], &[&str]); 7] = [
            ("ERR%", &["ERR", "ERROR"], &["AERR", "err"]),
            ("%ERR", &["ERR", "xERR", "ERRERR"], &["ERRx"]),
            ("%a%b%", &["ab", "xaxbx", "aab"], &["ba", ""]),
            ("_", &["a", "日"], &["", "ab"]),
            ("", &[""], &["a"]),
            (r"50\%", &["50%"], &["500", r"50\%"]),
            ("%", &["", "anything"], &[]),
        ];
        for (pattern, fitting, others) in cases {
            let parsed = LikePattern::parse(pattern).unwrap();
            for value in fitting {
                assert!(parsed.matches(value.as_bytes()), "{value} LIKE {pattern}");
            }
            for value in others {
                assert!(!parsed.matches(value.as_bytes()), "{value} NOT LIKE {pattern}");
            }
        }
        assert_eq!(LikePattern::parse(r"a\b"), None);
        assert_eq!(LikePattern::parse("a\\"), None);
    }
}
