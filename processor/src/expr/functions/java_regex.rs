//! Java's regular expressions (`java.util.regex.Pattern`) in the syntax of crate `fancy_regex`.
//!
//! Java's classes are of ASCII, its `.` stops at more line ends than `\n`, and its `$` also matches before a last one.

const DIGIT: &str = "0-9";
const WORD: &str = "a-zA-Z0-9_";
const SPACE: &str = r" \t\n\x0B\f\r";
const HORIZONTAL: &str = r" \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL: &str = r"\n\x0B\f\r\x{85}\x{2028}\x{2029}";
const LINE_END: &str = r"\n\r\x{85}\x{2028}\x{2029}";

/// A translated expression.
pub(super) struct Translated {
    /// For texts that do not end with a line end, where `$` is the end.
    pub(super) plain: String,
    /// For those that do, if it is another one.
    pub(super) before_line_end: Option<String>,
}

pub(super) fn translate(java: &str) -> Result<Translated, String> {
    let plain = Translator::new(java, false).run()?;
    let exact = Translator::new(java, true).run()?;
    let before_line_end = (plain != exact).then_some(exact);
    Ok(Translated { plain, before_line_end })
}

/// Flags of the group that is being read.
#[derive(Clone, Copy, Default)]
struct Flags {
    dot_all: bool,
    /// Java knows only the cases of ASCII, but with flag u.
    any_case: bool,
    unicode_case: bool,
    multi_line: bool,
}

struct Translator<'j> {
    chars: std::iter::Peekable<std::str::Chars<'j>>,
    out: String,
    flags: Flags,
    outer: Vec<Flags>,
    /// Whether `$` may stand before a last line end.
    line_end: bool,
}

impl<'j> Translator<'j> {
    fn new(java: &'j str, line_end: bool) -> Self {
        Self {
            chars: java.chars().peekable(),
            out: String::with_capacity(java.len() * 2),
            flags: Flags::default(),
            outer: Vec::new(),
            line_end,
        }
    }

    fn run(mut self) -> Result<String, String> {
        while let Some(char) = self.chars.next() {
            match char {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => {
                    self.flags = self.outer.pop().unwrap_or_default();
                    self.out.push(')');
                }
                '.' if self.flags.dot_all => self.out.push_str("(?s:.)"),
                '.' => self.class_of("^", LINE_END),
                '$' if self.flags.multi_line => self.out.push_str("(?m:$)"),
                '$' => self.end(),
                '^' if self.flags.multi_line => self.out.push_str("(?m:^)"),
                '^' => self.out.push_str(r"\A"),
                other => self.sign(other),
            }
        }
        Ok(self.out)
    }

    fn sign(&mut self, char: char) {
        let ascii_case = self.flags.any_case && !self.flags.unicode_case;
        match char {
            // Unicode has a long s, and a sign for kelvin.
            'k' | 'K' | 's' | 'S' if ascii_case => {
                self.out.push_str(&format!("(?-i:[{}{}])", char.to_ascii_lowercase(), char.to_ascii_uppercase()));
            }
            _ if ascii_case && !char.is_ascii() => self.out.push_str(&format!("(?-i:{char})")),
            _ => self.out.push(char),
        }
    }

    fn end(&mut self) {
        if self.line_end {
            self.out.push_str(&format!(r"(?=(?:\r\n|[{LINE_END}])?\z)"));
        } else {
            self.out.push_str(r"\z");
        }
    }

    fn class_of(&mut self, sign: &str, members: &str) {
        self.out.push('[');
        self.out.push_str(sign);
        self.out.push_str(members);
        self.out.push(']');
    }

    fn group(&mut self) -> Result<(), String> {
        self.outer.push(self.flags);
        self.out.push('(');
        if self.chars.peek() != Some(&'?') {
            return Ok(());
        }
        self.chars.next();
        self.out.push('?');
        let mut on = true;
        let mut kept = String::new();
        loop {
            match self.chars.peek().copied() {
                Some(flag @ ('i' | 'x' | 's' | 'm' | 'u' | '-')) => {
                    self.chars.next();
                    match flag {
                        '-' => on = false,
                        's' => self.flags.dot_all = on,
                        'i' => self.flags.any_case = on,
                        'u' => self.flags.unicode_case = on,
                        'm' => self.flags.multi_line = on,
                        _ => {}
                    }
                    // Case is always Unicode's here, and lines are dealt with sign by sign.
                    if matches!(flag, 'i' | 'x' | '-') {
                        kept.push(flag);
                    }
                }
                Some('U' | 'd') => return Err("Java's flags U and d are not supported".to_owned()),
                end => {
                    let kept = kept.trim_end_matches('-');
                    self.out.push_str(kept);
                    if end == Some(')') {
                        // The flags hold to the end of the group around.
                        self.chars.next();
                        self.outer.pop();
                        if kept.is_empty() {
                            self.out.push(':');
                        }
                        self.out.push(')');
                    }
                    return Ok(());
                }
            }
        }
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.chars.peek() == Some(&'^') {
            self.chars.next();
            self.out.push('^');
        }
        let mut is_first = true;
        while let Some(char) = self.chars.next() {
            match char {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                ']' => self.out.push_str(r"\]"),
                '[' => self.class()?,
                '\\' => self.escape(true)?,
                // Operators between sets there, plain signs in Java.
                '~' => self.out.push_str(r"\~"),
                '-' if self.chars.peek() == Some(&'-') => self.out.push_str(r"\-"),
                other => self.out.push(other),
            }
            is_first = false;
        }
        Err("a [ has no ]".to_owned())
    }

    /// A set, alone or among the members of a class.
    fn set(&mut self, in_class: bool, sign: &str, members: &str) {
        if in_class && sign.is_empty() {
            self.out.push_str(members);
        } else {
            self.class_of(sign, members);
        }
    }

    fn char(&mut self, code: u32) {
        self.out.push_str(&format!(r"\x{{{code:X}}}"));
    }

    /// After `\`.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(char) = self.chars.next() else { return Err(r"a \ stands last".to_owned()) };
        match char {
            'd' => self.set(in_class, "", DIGIT),
            'D' => self.set(in_class, "^", DIGIT),
            'w' => self.set(in_class, "", WORD),
            'W' => self.set(in_class, "^", WORD),
            's' => self.set(in_class, "", SPACE),
            'S' => self.set(in_class, "^", SPACE),
            'h' => self.set(in_class, "", HORIZONTAL),
            'H' => self.set(in_class, "^", HORIZONTAL),
            'v' => self.set(in_class, "", VERTICAL),
            'V' => self.set(in_class, "^", VERTICAL),
            'R' if !in_class => self.out.push_str(&format!(r"(?:\r\n|[{VERTICAL}])")),
            'Z' if !in_class => self.end(),
            'Q' => self.quoted(),
            'p' | 'P' => self.property(char, in_class)?,
            'e' => self.char(0x1B),
            'c' => {
                let control = self.chars.next().ok_or(r"a \c stands last")?;
                self.char(u32::from(control) ^ 0x40);
            }
            '0' => {
                let mut code = 0;
                while let Some(digit) = self.chars.peek().and_then(|char| char.to_digit(8))
                    && code * 8 + digit <= 0o377
                {
                    self.chars.next();
                    code = code * 8 + digit;
                }
                self.char(code);
            }
            'G' | 'X' | 'N' => return Err(format!(r"\{char} is not supported")),
            '<' | '>' => self.out.push(char),
            other => {
                self.out.push('\\');
                self.out.push(other);
            }
        }
        Ok(())
    }

    /// Between `\Q` and `\E`.
    fn quoted(&mut self) {
        let mut text = String::new();
        while let Some(char) = self.chars.next() {
            if char == '\\' && self.chars.peek() == Some(&'E') {
                self.chars.next();
                break;
            }
            text.push(char);
        }
        self.out.push_str(&fancy_regex::escape(&text));
    }

    /// After `\p` or `\P`.
    fn property(&mut self, letter: char, in_class: bool) -> Result<(), String> {
        let mut name = String::new();
        match self.chars.next() {
            Some('{') => {
                for char in self.chars.by_ref() {
                    if char == '}' {
                        break;
                    }
                    name.push(char);
                }
            }
            Some(char) => name.push(char),
            None => return Err(format!(r"a \{letter} stands last")),
        }
        let ascii = match name.as_str() {
            "Lower" => "a-z",
            "Upper" => "A-Z",
            "ASCII" => r"\x00-\x7F",
            "Alpha" => "a-zA-Z",
            "Digit" => "0-9",
            "Alnum" => "a-zA-Z0-9",
            "Punct" => r##"!-/:-@\[-`{-\~"##,
            "Graph" => r"!-\~",
            "Print" => r" -\~",
            "Blank" => r" \t",
            "Cntrl" => r"\x00-\x1F\x7F",
            "XDigit" => "0-9a-fA-F",
            "Space" => SPACE,
            _ => "",
        };
        if ascii.is_empty() {
            let known = name.strip_prefix("Is").or_else(|| name.strip_prefix("script=")).unwrap_or(&name);
            self.out.push_str(&format!(r"\{letter}{{{known}}}"));
        } else {
            self.set(in_class, if letter == 'P' { "^" } else { "" }, ascii);
        }
        Ok(())
    }
}
