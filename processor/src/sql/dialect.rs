//! The lexical rules of Spark SQL that sqlparser asks for, and the expressions that it parses in another way.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    Interval, ObjectName, UnaryOperator, Value, ValueWithSpan,
};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::interval;
use crate::types::IntervalUnit;

/// Spark SQL: backquoted identifiers, strings in single or double quotes with backslash escapes, `!` as NOT.
#[derive(Debug)]
pub(super) struct Spark;

impl Dialect for Spark {
    fn is_delimited_identifier_start(&self, sign: char) -> bool {
        sign == '`'
    }

    fn is_identifier_start(&self, sign: char) -> bool {
        sign.is_ascii_alphabetic() || sign == '_'
    }

    fn is_identifier_part(&self, sign: char) -> bool {
        sign.is_ascii_alphanumeric() || sign == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_string_literal_column_alias(&self, _explicit: bool) -> bool {
        false
    }

    fn supports_string_literal_table_alias(&self, _explicit: bool) -> bool {
        false
    }

    fn supports_string_literal_concatenation(&self) -> bool {
        true
    }

    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_comparison_in_between_low_bound(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn supports_select_expr_star(&self) -> bool {
        true
    }

    fn supports_aliased_function_args(&self) -> bool {
        true
    }

    fn supports_select_item_multi_column_alias(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    /// Spark joins strings where it adds numbers: `a || b + c` is `(a || b) + c`.
    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        match parser.peek_token_ref().token {
            Token::StringConcat => Some(Ok(self.prec_value(Precedence::PlusMinus))),
            _ => None,
        }
    }

    /// `INTERVAL …` with any number of units, and `~`, which binds as a minus does.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Tilde => {
                parser.advance_token();
                let operand = parser.parse_subexpr(self.prec_value(Precedence::MulDivModOp));
                Some(operand.map(|expr| Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: Box::new(expr) }))
            }
            Token::Word(word) if word.keyword == Keyword::INTERVAL && word.quote_style.is_none() => {
                let value = matches!(
                    parser.peek_nth_token_ref(1).token,
                    Token::Number(..)
                        | Token::SingleQuotedString(_)
                        | Token::DoubleQuotedString(_)
                        | Token::Minus
                        | Token::Plus
                );
                value.then(|| parse_interval(parser))
            }
            _ => None,
        }
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        if let Some(like) = quantified_like(parser, left) {
            return Some(like);
        }
        if !parser.parse_keyword(Keyword::DIV) {
            return None;
        }
        let op = BinaryOperator::MyIntegerDivide;
        let right = parser.parse_subexpr(precedence);
        Some(right.map(|right| Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right) }))
    }
}

/// `[NOT] LIKE ANY (…)` and the like become a call whose name no one can write.
fn quantified_like(parser: &mut Parser<'_>, left: &Expr) -> Option<Result<Expr, ParserError>> {
    let keyword = |number: usize| match &parser.peek_nth_token_ref(number).token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    };
    let negated = keyword(0) == Some(Keyword::NOT);
    let at = usize::from(negated);
    let word = match keyword(at)? {
        Keyword::LIKE => "like",
        Keyword::ILIKE => "ilike",
        _ => return None,
    };
    let quantifier = match keyword(at + 1)? {
        Keyword::ALL => "all",
        Keyword::ANY | Keyword::SOME => "any",
        _ => return None,
    };
    (0..at + 2).for_each(|_| parser.advance_token());
    let not = if negated { "not " } else { "" };
    let patterns = parser.expect_token(&Token::LParen).and_then(|_| parser.parse_comma_separated(Parser::parse_expr));
    Some(patterns.and_then(|patterns| {
        parser.expect_token(&Token::RParen)?;
        let arguments = std::iter::once(left.clone()).chain(patterns).map(FunctionArgExpr::Expr);
        Ok(Expr::Function(call(&format!("{not}{word} {quantifier}"), arguments.map(FunctionArg::Unnamed).collect())))
    }))
}

fn call(name: &str, args: Vec<FunctionArg>) -> Function {
    Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

/// The value of `INTERVAL …` becomes a text that `interval::parse` reads.
fn parse_interval(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    let start = parser.next_token();
    let mut sum = crate::expr::build::Interval::default();
    let mut units = 0;
    let mut range: Option<(IntervalUnit, IntervalUnit)> = None;
    let mut widen = |unit: Option<IntervalUnit>| {
        if let Some(unit) = unit {
            range = Some(range.map_or((unit, unit), |(from, to)| (from.min(unit), to.max(unit))));
        }
    };
    loop {
        let value = parser.peek_token_ref().clone();
        let negative = match value.token {
            Token::Minus => true,
            Token::Plus => false,
            Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => false,
            _ => break,
        };
        let signed = matches!(value.token, Token::Minus | Token::Plus);
        // After the first unit, a sign is an operator unless a number and a unit follow it.
        let ahead = usize::from(signed);
        let number = match &parser.peek_nth_token_ref(ahead).token {
            Token::Number(text, _) | Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text.clone(),
            _ => break,
        };
        let Some(unit) = unit(parser.peek_nth_token_ref(ahead + 1)) else {
            if units > 0 || signed {
                break;
            }
            parser.advance_token();
            sum = interval::parse(&number).ok_or_else(|| bad(&value, &number))?;
            let named = interval::units_of(&number);
            widen(named.map(|(from, _)| from));
            widen(named.map(|(_, to)| to));
            units += 1;
            break;
        };
        (0..ahead + 2).for_each(|_| parser.advance_token());
        if units == 0 && parser.parse_keyword(Keyword::TO) {
            let to = parser.next_token();
            let last = self::unit(&to).ok_or_else(|| bad(&to, &to.to_string()))?;
            let parsed = interval::parse_range(&number, unit.trim_end_matches('s'), last.trim_end_matches('s'));
            sum = parsed.ok_or_else(|| bad(&value, &number))?;
            widen(interval::unit(&unit));
            widen(interval::unit(&last));
            if negative {
                sum = interval::negated(sum);
            }
            units += 1;
            break;
        }
        let (minus, digits) = match number.trim().strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number.trim().trim_start_matches('+')),
        };
        widen(interval::unit(&unit));
        interval::add(&mut sum, digits, &unit, minus != negative).ok_or_else(|| bad(&value, &number))?;
        units += 1;
    }
    if units == 0 {
        return Err(bad(parser.peek_token_ref(), "what follows INTERVAL"));
    }
    let value = ValueWithSpan { value: Value::SingleQuotedString(interval::to_text(sum)), span: start.span };
    Ok(Expr::Interval(Interval {
        value: Box::new(Expr::Value(value)),
        leading_field: range.map(|(from, _)| interval::field(from)),
        leading_precision: None,
        last_field: range.map(|(_, to)| interval::field(to)),
        fractional_seconds_precision: None,
    }))
}

fn unit(token: &TokenWithSpan) -> Option<String> {
    const UNITS: [&str; 9] = ["year", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"];
    let Token::Word(word) = &token.token else { return None };
    let folded = word.value.to_ascii_lowercase();
    let known = word.quote_style.is_none() && UNITS.contains(&folded.strip_suffix('s').unwrap_or(&folded));
    known.then_some(folded)
}

fn bad(token: &TokenWithSpan, text: &str) -> ParserError {
    ParserError::ParserError(format!("{text} is no interval such as INTERVAL 5 SECONDS{}", token.span.start))
}
