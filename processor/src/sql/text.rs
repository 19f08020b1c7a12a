//! The statements' tokens with their places, for what the syntax tree does not say.

use std::rc::Rc;

use sqlparser::keywords::Keyword;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use super::SHAPE;
use super::dialect::Spark;
use super::error::{PlanError, refuse};
use super::rewrite;

/// The parser builds a tree as deep as there are operators in a row, and trees are walked and dropped by recursion.
const JOINTS_MAX: usize = 300;

/// One statement, or a query inside of it.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) tokens: Vec<TokenWithSpan>,
    end: Span,
    /// The statement, of a query inside of it.
    around: Option<Rc<Text>>,
}

impl Text {
    /// The statements that semicolons separate, without empty ones.
    pub(super) fn read(sql: &str) -> Result<Vec<Self>, PlanError> {
        let tokens = Tokenizer::new(&Spark, sql)
            .with_unescape(false)
            .tokenize_with_location()
            .map_err(|error| refuse(point(error.location), error.message, "close what is open, or quote it"))?;
        let tokens = rewrite::all(tokens);
        let statements = tokens.split(|token| token.token == Token::SemiColon).map(|tokens| {
            let end = tokens.last().map_or(Span::empty(), |token| point(token.span.end));
            Self { tokens: tokens.to_vec(), end, around: None }
        });
        Ok(statements.filter(|text| text.words().next().is_some()).collect())
    }

    /// The statement.
    pub(super) fn whole(&self) -> &Self {
        self.around.as_deref().unwrap_or(self)
    }

    /// A query inside of it.
    pub(super) fn within(&self, place: Span) -> Self {
        let inside = |token: &&TokenWithSpan| token.span.start >= place.start && token.span.end <= place.end;
        let tokens = self.tokens.iter().filter(inside).cloned().collect();
        let end = Span { start: place.end, end: place.end };
        Self { tokens, end, around: Some(self.around.clone().unwrap_or_else(|| Rc::new(self.clone()))) }
    }

    /// Keeps the tree of a statement shallow.
    pub(super) fn check_joints(&self) -> Result<(), PlanError> {
        let mut joints = self.tokens.iter().filter(|token| deepens(&token.token));
        match joints.nth(JOINTS_MAX) {
            Some(token) => {
                let what = format!("the query has more than {JOINTS_MAX} keywords and operators");
                Err(refuse(token.span, what, "put values into one list: column IN ('a', 'b')"))
            }
            None => Ok(()),
        }
    }

    /// The tokens without whitespace and comments.
    pub(super) fn words(&self) -> impl Iterator<Item = &TokenWithSpan> {
        self.tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_)))
    }

    /// The word before `FROM` before a place: the field of `EXTRACT(field FROM …)` as it is written.
    pub(super) fn extracted(&self, place: Span) -> Option<String> {
        let words: Vec<&TokenWithSpan> = self.words().take_while(|token| token.span.start < place.start).collect();
        let from = words.iter().rposition(|token| is_keyword(token, Keyword::FROM))?;
        words.get(from.checked_sub(1)?).map(|token| token.token.to_string())
    }

    /// Whether it starts with these keywords.
    pub(super) fn starts_with(&self, keywords: &[Keyword]) -> bool {
        let mut words = self.words();
        keywords.iter().all(|keyword| words.next().is_some_and(|token| is_keyword(token, *keyword)))
    }

    /// The place of the first such keyword outside of parentheses.
    pub(super) fn keyword(&self, wanted: Keyword) -> Span {
        let mut depth = 0;
        for token in &self.tokens {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ if depth == 0 && is_keyword(token, wanted) => return token.span,
                _ => {}
            }
        }
        Span::empty()
    }

    pub(super) fn start(&self) -> Span {
        self.words().next().map_or(Span::empty(), |token| token.span)
    }

    pub(super) fn end(&self) -> Span {
        self.end
    }

    pub(super) fn at_start(&self, what: &str, instead: &str) -> PlanError {
        refuse(self.start(), what, instead)
    }

    /// sqlparser writes the place at the end of its message, and none where the text ended too early.
    pub(super) fn parser_error(&self, error: ParserError) -> PlanError {
        let message = match error {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
            ParserError::RecursionLimitExceeded => {
                return self.at_start("the query is nested too deeply", "take parentheses away");
            }
        };
        let (what, place) = match message.split_once(" at Line: ") {
            Some((what, place)) => (
                what,
                place.split_once(", Column: ").and_then(|(line, column)| {
                    Some(point(Location { line: line.parse().ok()?, column: column.parse().ok()? }))
                }),
            ),
            None => (message.as_str(), None),
        };
        let what = what.strip_prefix("Expected: ").map_or(what.to_owned(), |rest| format!("expected {rest}"));
        let place = place.unwrap_or(self.end);
        refuse(place, what, self.quoted(place).as_deref().unwrap_or(SHAPE))
    }

    /// Where a minus at `place` stands within a name, as Kafka's topics have it: to write the name in quotes.
    pub(super) fn quoted(&self, place: Span) -> Option<String> {
        let at = self.tokens.iter().position(|token| token.span.start == place.start)?;
        let is_minus = matches!(self.tokens.get(at)?.token, Token::Minus);
        let is_part = |token: &&TokenWithSpan| match &token.token {
            Token::Word(word) => word.quote_style.is_none(),
            Token::Number(..) | Token::Minus | Token::Period => true,
            _ => false,
        };
        let before = self.tokens.get(..at)?.iter().rev().take_while(is_part).count();
        let after = self.tokens.get(at..)?.iter().take_while(is_part).count();
        let name: String =
            self.tokens.get(at - before..at + after)?.iter().map(|token| token.token.to_string()).collect();
        (is_minus && before > 0 && after > 1)
            .then(|| format!("write a name with other signs than letters, digits and _ in backquotes: `{name}`"))
    }
}

/// Whether a token is this word, out of quotes.
pub(super) fn is_keyword(token: &TokenWithSpan, keyword: Keyword) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}

/// Whether a token may make the tree one level deeper. (Parentheses are counted by the parser.)
fn deepens(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none() && !matches!(word.keyword, Keyword::NoKeyword | Keyword::AS | Keyword::FILTER)
        }
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => false,
        Token::Comma | Token::LParen | Token::RParen | Token::Period | Token::Whitespace(_) => false,
        _ => true,
    }
}

pub(super) fn point(location: Location) -> Span {
    Span { start: location, end: location }
}
