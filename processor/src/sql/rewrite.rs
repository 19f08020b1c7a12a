//! Tokens that Spark reads otherwise than the parser: put right before it sees them.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace};

use super::text::is_keyword;

/// All of it, over the tokens of several statements.
pub(super) fn all(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    quote_names(quote_types(quote_trims(join_suffixes(tokens))))
}

/// Puts into one token what Spark's lexer takes for one: a number and the word that follows it at once (`5L`, `2.5BD`),
/// and `r` and a string, which is taken as it is.
fn join_suffixes(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if let Some(TokenWithSpan { token: Token::Word(word), span }) = joined.last()
            && word.quote_style.is_none()
            && word.value.eq_ignore_ascii_case("r")
            && span.end == token.span.start
            && let Some(raw) = raw_string(&token.token)
        {
            let span = Span { start: span.start, end: token.span.end };
            joined.pop();
            joined.push(TokenWithSpan { token: raw, span });
            continue;
        }
        if let Token::Word(word) = &token.token
            && word.quote_style.is_none()
            && let Some(TokenWithSpan { token: Token::Number(digits, false), span }) = joined.last_mut()
            && span.end == token.span.start
        {
            digits.push_str(&word.value);
            span.end = token.span.end;
        } else {
            joined.push(token);
        }
    }
    joined
}

fn raw_string(token: &Token) -> Option<Token> {
    match token {
        Token::SingleQuotedString(text) => Some(Token::SingleQuotedRawStringLiteral(text.clone())),
        Token::DoubleQuotedString(text) => Some(Token::DoubleQuotedRawStringLiteral(text.clone())),
        _ => None,
    }
}

/// `trim(what, text)` is a plain function; the parser knows `trim(BOTH what FROM text)` alone, unless the name is no
/// keyword. `trim(BOTH FROM text)` it knows without FROM.
fn quote_trims(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut open: Vec<(Option<usize>, bool)> = Vec::new();
    let mut plain = Vec::new();
    let mut before = None;
    let mut after_side = false;
    let mut needless = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen => open.push((before, false)),
            Token::RParen => {
                if let Some((Some(trim), false)) = open.pop() {
                    plain.push(trim);
                }
            }
            _ if is_keyword(token, Keyword::FROM) => {
                if let Some((trim, has_from)) = open.last_mut() {
                    *has_from = true;
                    needless.extend((trim.is_some() && after_side).then_some(index));
                }
            }
            _ => {}
        }
        before = is_keyword(token, Keyword::TRIM).then_some(index);
        let sides = [Keyword::BOTH, Keyword::LEADING, Keyword::TRAILING];
        after_side = sides.into_iter().any(|side| is_keyword(token, side));
    }
    for index in needless {
        if let Some(token) = tokens.get_mut(index) {
            token.token = Token::Whitespace(Whitespace::Space);
        }
    }
    for index in plain {
        if let Some(TokenWithSpan { token: Token::Word(word), .. }) = tokens.get_mut(index) {
            word.quote_style = Some('`');
            word.keyword = Keyword::NoKeyword;
        }
    }
    tokens
}

/// The type of a CAST becomes one quoted name, which `types::parse_type` reads: the parser knows other types.
fn quote_types(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    // Open parentheses, and of those of a CAST the last AS inside.
    let mut open: Vec<(bool, Option<usize>)> = Vec::new();
    let mut types: Vec<(usize, usize)> = Vec::new();
    let mut after_cast = false;
    for (index, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen => open.push((after_cast, None)),
            Token::RParen => {
                if let Some((true, Some(word))) = open.pop() {
                    types.push((word + 1, index));
                }
            }
            _ if is_keyword(token, Keyword::AS) => {
                if let Some((true, word)) = open.last_mut() {
                    *word = Some(index);
                }
            }
            _ => {}
        }
        after_cast = is_keyword(token, Keyword::CAST) || is_keyword(token, Keyword::TRY_CAST);
    }
    let mut rewritten: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut types = types.into_iter().peekable();
    let mut quoted: Option<(String, Span, usize)> = None;
    for (index, token) in tokens.into_iter().enumerate() {
        if let Some((start, end)) = types.next_if(|(start, _)| *start == index)
            && start < end
        {
            quoted = Some((String::new(), token.span, end));
        }
        if let Some((text, span, end)) = &mut quoted {
            if index < *end {
                text.push_str(&token.token.to_string());
                span.end = token.span.end;
                continue;
            }
            // A type in backquotes is none, and stays for the parser to refuse.
            let word = Token::make_word(&text.trim().replace('`', "``"), Some('`'));
            rewritten.push(TokenWithSpan { token: Token::Whitespace(Whitespace::Space), span: *span });
            rewritten.push(TokenWithSpan { token: word, span: *span });
            quoted = None;
        }
        rewritten.push(token);
    }
    rewritten
}

/// Few words are reserved in Spark: one before a dot is a name, and so is a WHERE that nothing follows, and EXISTS before
/// anything but a query.
fn quote_names(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let words: Vec<usize> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)))
        .map(|(index, _)| index)
        .collect();
    for (number, index) in words.iter().enumerate() {
        let next = words.get(number + 1).and_then(|next| tokens.get(*next)).map(|next| &next.token);
        let is_last = matches!(next, None | Some(Token::SemiColon | Token::RParen));
        let is_before_dot = matches!(next, Some(Token::Period));
        let after = words.get(number + 2).and_then(|after| tokens.get(*after));
        let before_query = after.is_some_and(|after| {
            let queries = [Keyword::SELECT, Keyword::WITH, Keyword::VALUES, Keyword::FROM];
            after.token == Token::LParen || queries.into_iter().any(|keyword| is_keyword(after, keyword))
        });
        let is_call = matches!(next, Some(Token::LParen)) && !before_query;
        let Some(token) = tokens.get_mut(*index) else { continue };
        let is_exists = is_keyword(token, Keyword::EXISTS) && is_call;
        let is_where = is_keyword(token, Keyword::WHERE);
        if let Token::Word(word) = &mut token.token
            && word.quote_style.is_none()
            && word.keyword != Keyword::NoKeyword
            && (is_before_dot || is_last && is_where || is_exists)
        {
            word.keyword = Keyword::NoKeyword;
        }
    }
    tokens
}
