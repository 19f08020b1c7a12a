//! The words, quoted names, texts and symbols of DDL.

use super::DdlError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters, digits and underscores.
    Word(&'a str),
    /// A name in backquotes.
    Quoted(String),
    /// A string literal; what it says does not matter.
    Text,
    Symbol(char),
    End,
}

/// Tokens one at a time, with one looked at ahead.
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// Where the next token is looked for.
    from: usize,
    ahead: Option<(Token<'a>, usize)>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, from: 0, ahead: None }
    }

    pub(super) fn peek(&mut self) -> Result<&Token<'a>, DdlError> {
        Ok(&self.look()?.0)
    }

    /// Where the next token starts.
    pub(super) fn position(&mut self) -> Result<usize, DdlError> {
        Ok(self.look()?.1)
    }

    /// The next token as an error names it, and where it starts.
    pub(super) fn found(&mut self) -> Result<(String, usize), DdlError> {
        let (token, position) = self.look()?;
        let shown = match token {
            Token::Word(word) => format!("`{word}`"),
            Token::Quoted(name) => format!("the name `{name}`"),
            Token::Text => "a text in quotes".to_owned(),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end".to_owned(),
        };
        Ok((shown, *position))
    }

    /// Past the token that was looked at.
    pub(super) fn advance(&mut self) {
        self.ahead = None;
    }

    fn look(&mut self) -> Result<&(Token<'a>, usize), DdlError> {
        let next = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.read()?,
        };
        Ok(self.ahead.insert(next))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.from..).unwrap_or_default()
    }

    fn read(&mut self) -> Result<(Token<'a>, usize), DdlError> {
        self.skip_blanks()?;
        let start = self.from;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, start)) };
        let token = match first {
            '`' => self.quoted()?,
            '\'' | '"' => self.literal(first)?,
            _ => {
                let length = rest.find(|character: char| !(character.is_alphanumeric() || character == '_'));
                let word = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
                if word.is_empty() {
                    self.from += first.len_utf8();
                    Token::Symbol(first)
                } else {
                    self.from += word.len();
                    Token::Word(word)
                }
            }
        };
        Ok((token, start))
    }

    /// Whitespace, `-- comments` to the end of the line, and `/* comments */`.
    fn skip_blanks(&mut self) -> Result<(), DdlError> {
        loop {
            let rest = self.rest().trim_start();
            let start = self.text.len() - rest.len();
            let length = if rest.starts_with("--") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                self.from = start;
                let end = rest.find("*/").ok_or_else(|| self.error("the comment is not closed"))?;
                end + 2
            } else {
                self.from = start;
                return Ok(());
            };
            self.from = start + length;
        }
    }

    /// Two backquotes stand for one.
    fn quoted(&mut self) -> Result<Token<'a>, DdlError> {
        let mut name = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((_, character)) = characters.next() {
            if character != '`' {
                name.push(character);
            } else if characters.next_if(|(_, next)| *next == '`').is_some() {
                name.push('`');
            } else {
                self.from += characters.peek().map_or(self.rest().len(), |(index, _)| *index);
                return Ok(Token::Quoted(name));
            }
        }
        Err(self.error("the backquote is not closed"))
    }

    fn literal(&mut self, quote: char) -> Result<Token<'a>, DdlError> {
        let mut escaped = false;
        for (index, character) in self.rest().char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == quote {
                self.from += index + quote.len_utf8();
                return Ok(Token::Text);
            }
        }
        Err(self.error("the quote is not closed"))
    }

    fn error(&self, message: &str) -> DdlError {
        DdlError { message: message.to_owned(), position: self.from }
    }
}
