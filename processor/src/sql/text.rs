//! The query's tokens with their places, for what the syntax tree does not say.

use sqlparser::keywords::Keyword;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use super::SHAPE;
use super::dialect::Spark;
use super::error::{PlanError, refuse};

/// The parser builds a tree as deep as there are operators in a row, and trees are walked and dropped by recursion.
const JOINTS_MAX: usize = 300;

pub(super) struct Text {
    pub(super) tokens: Vec<TokenWithSpan>,
    end: Span,
}

impl Text {
    pub(super) fn read(sql: &str) -> Result<Self, PlanError> {
        let tokens = Tokenizer::new(&Spark, sql)
            .with_unescape(false)
            .tokenize_with_location()
            .map_err(|error| refuse(point(error.location), error.message, "close what is open, or quote it"))?;
        let mut joints = tokens.iter().filter(|token| deepens(&token.token));
        if let Some(token) = joints.nth(JOINTS_MAX) {
            let what = format!("the query has more than {JOINTS_MAX} keywords and operators");
            return Err(refuse(token.span, what, "put values into one list: column IN ('a', 'b')"));
        }
        let end = tokens.last().map_or(Span::empty(), |token| point(token.span.end));
        Ok(Self { tokens, end })
    }

    /// The place of the first such keyword outside of parentheses.
    pub(super) fn keyword(&self, wanted: Keyword) -> Span {
        let mut depth = 0;
        for token in &self.tokens {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::Word(word) if depth == 0 && word.quote_style.is_none() && word.keyword == wanted => {
                    return token.span;
                }
                _ => {}
            }
        }
        Span::empty()
    }

    pub(super) fn at_start(&self, what: &str, instead: &str) -> PlanError {
        refuse(self.words().next().unwrap_or(Span::empty()), what, instead)
    }

    pub(super) fn at_second_statement(&self, what: &str, instead: &str) -> PlanError {
        let mut after = false;
        let second = self.tokens.iter().find(|token| match token.token {
            Token::SemiColon => {
                after = true;
                false
            }
            Token::Whitespace(_) => false,
            _ => after,
        });
        refuse(second.map_or(Span::empty(), |token| token.span), what, instead)
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
        refuse(place.unwrap_or(self.end), what, SHAPE)
    }

    fn words(&self) -> impl Iterator<Item = Span> {
        self.tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).map(|token| token.span)
    }
}

/// Whether a token may make the tree one level deeper. (Parentheses are counted by the parser.)
fn deepens(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_none() && word.keyword != Keyword::NoKeyword,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => false,
        Token::Comma | Token::LParen | Token::RParen | Token::Period | Token::Whitespace(_) => false,
        _ => true,
    }
}

fn point(location: Location) -> Span {
    Span { start: location, end: location }
}
