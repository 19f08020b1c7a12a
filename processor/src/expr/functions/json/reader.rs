//! JSON texts as trees.

/// Values nest no deeper.
const DEPTH_MAX: usize = 1_000;

/// A JSON value. Numbers keep their text, strings are decoded.
pub(super) enum Node {
    Null,
    Word(&'static str),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

pub(super) struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The first value; what follows does not count.
    pub(super) fn document(mut self) -> Option<Node> {
        self.value()
    }

    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn value(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let node = match self.peek()? {
            b'{' => self.object()?,
            b'[' => self.array()?,
            b'"' | b'\'' => Node::String(self.string()?),
            b't' => self.word("true").map(Node::Word)?,
            b'f' => self.word("false").map(Node::Word)?,
            b'n' => self.word("null").map(|_| Node::Null)?,
            _ => self.number()?,
        };
        self.depth -= 1;
        Some(node)
    }

    fn word(&mut self, word: &'static str) -> Option<&'static str> {
        let end = self.at + word.len();
        (self.text.get(self.at..end)? == word.as_bytes()).then(|| self.at = end)?;
        Some(word)
    }

    fn object(&mut self) -> Option<Node> {
        self.take(b'{')?;
        let mut fields = Vec::new();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Node::Object(fields));
        }
        loop {
            self.peek()?;
            let name = self.string()?;
            self.take(b':')?;
            fields.push((name, self.value()?));
            if self.peek()? == b',' {
                self.at += 1;
            } else {
                self.take(b'}')?;
                return Some(Node::Object(fields));
            }
        }
    }

    fn array(&mut self) -> Option<Node> {
        self.take(b'[')?;
        let mut items = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Node::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.peek()? == b',' {
                self.at += 1;
            } else {
                self.take(b']')?;
                return Some(Node::Array(items));
            }
        }
    }

    /// Between quotes, or single ones; control characters stand for themselves.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let quote = *self.text.get(start).filter(|byte| matches!(byte, b'"' | b'\''))?;
        let mut end = start + 1;
        loop {
            match self.text.get(end)? {
                b'\\' => end += 2,
                byte if *byte == quote => break,
                _ => end += 1,
            }
        }
        self.at = end + 1;
        let inner = String::from_utf8_lossy(self.text.get(start + 1..end)?);
        let plain = !inner.contains(|char: char| char.is_ascii_control() || matches!(char, '\\' | '"'));
        if plain {
            return Some(inner.into_owned());
        }
        // As JSON proper, which serde_json decodes.
        let mut quoted = String::with_capacity(inner.len() + 2);
        quoted.push('"');
        let mut chars = inner.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => match chars.next()? {
                    '\'' => quoted.push('\''),
                    escaped => quoted.extend(['\\', escaped]),
                },
                '"' => quoted.push_str("\\\""),
                char if char.is_ascii_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(char))),
                char => quoted.push(char),
            }
        }
        quoted.push('"');
        serde_json::from_str(&quoted).ok()
    }

    /// Whole numbers keep their digits, others are written as Java writes a double.
    fn number(&mut self) -> Option<Node> {
        let rest = self.text.get(self.at..)?;
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
        let text = std::str::from_utf8(rest.get(..length)?).ok()?;
        self.at += length;
        let number: serde_json::Number = serde_json::from_str(text).ok()?;
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            // A whole zero has no sign.
            return Some(Node::Number(if text == "-0" { "0" } else { text }.to_owned()));
        }
        let mut out = Vec::new();
        crate::java_double::write(number.as_f64()?, &mut out);
        String::from_utf8(out).ok().map(Node::Number)
    }
}
