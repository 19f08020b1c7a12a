//! SQL text to [`Plan`]. What the plan cannot express is refused with its place and what to write instead.

mod dialect;
mod error;
mod from;
mod literal;
mod lower;
mod names;
mod scope;
mod text;
mod where_clause;

pub use error::PlanError;

use sqlparser::ast::Statement;
use sqlparser::parser::{Parser, ParserOptions};

use crate::plan::Plan;
use text::Text;

/// Longest SQL text that is read, in bytes.
pub const SQL_BYTES_MAX: usize = 64 * 1024;

/// Lowers one statement, `SELECT …` or `INSERT INTO topic SELECT …`; a `;` may end it.
///
/// # Errors
/// The statement is not SQL, or asks for what brooklet cannot do: see [`PlanError`].
pub fn plan(sql: &str) -> Result<Plan, PlanError> {
    if sql.len() > SQL_BYTES_MAX {
        let what = format!("the query is longer than {SQL_BYTES_MAX} bytes");
        return Err(PlanError { line: 1, column: 1, what, instead: "split it into several queries".into() });
    }
    let text = Text::read(sql)?;
    let mut statements = Parser::new(&dialect::Spark)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(text.tokens.clone())
        .parse_statements()
        .map_err(|error| text.parser_error(error))?;
    let statement = match statements.len() {
        1 => statements.swap_remove(0),
        0 => return Err(text.at_start("there is no query", SHAPE)),
        _ => {
            return Err(
                text.at_second_statement("a query is one statement", "give each statement to a query of its own")
            );
        }
    };
    match statement {
        Statement::Query(query) => lower::query(&text, &query, None),
        Statement::Insert(insert) => lower::insert(&text, &insert),
        _ => Err(text.at_start("only SELECT and INSERT INTO … SELECT are queries", SHAPE)),
    }
}

/// What a query looks like: the advice where nothing closer can be said.
const SHAPE: &str =
    "write [INSERT INTO topic] SELECT columns, COUNT(*) AS name FROM topic [WHERE condition] GROUP BY columns";

#[cfg(test)]
mod tests;
