//! SQL text to [`Plan`]. What the plan cannot express is refused with its place and what to write instead.

mod aggregate;
mod assemble;
mod block;
mod clauses;
mod columns;
mod condition;
mod dialect;
mod error;
mod event_time;
mod expression;
mod from;
mod function;
mod generator;
mod group;
mod insert;
mod interval;
mod items;
mod join;
mod kafka;
mod lambda;
mod literal;
mod lowered;
mod mode;
mod names;
mod normal;
mod number;
mod operator;
mod order;
mod path;
mod push_down;
mod reads;
mod rewrite;
mod schema;
mod scope;
mod select;
mod sets;
mod shape;
mod text;
mod union;
mod value;
mod window;

pub use error::PlanError;
pub(crate) use error::refuse;

use sqlparser::ast::Statement;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::Token;

use crate::plan::{OutputMode, Plan, Sink};
use schema::Table;
use text::Text;

/// Longest SQL text that is read, in bytes.
pub const SQL_BYTES_MAX: usize = 64 * 1024;

/// How queries are to run.
#[derive(Clone, Debug, Default)]
pub struct PlanSettings {
    /// Update if not given; of no meaning for a batch.
    pub mode: Option<OutputMode>,
    /// Over a topic to its end, once, and not as a stream: what a stream cannot do is allowed.
    pub batch: bool,
    /// Where the rows of SELECT go; INSERT says it by itself.
    pub sink: Sink,
}

/// Lowers statements that semicolons separate: `SELECT …` and `INSERT INTO topic SELECT …` are a plan each, `CREATE
/// TABLE …` declares a topic's columns for those after it.
///
/// # Errors
/// A statement is not SQL, or asks for what brooklet cannot do: see [`PlanError`].
pub fn plan_all(sql: &str, settings: &PlanSettings) -> Result<Vec<Plan>, PlanError> {
    if sql.len() > SQL_BYTES_MAX {
        let what = format!("the query is longer than {SQL_BYTES_MAX} bytes");
        return Err(PlanError { line: 1, column: 1, what, instead: "split it into several queries".into() });
    }
    // The parser recurses to a depth that is bounded, with frames that are large in a build without optimizations.
    std::thread::scope(|scope| {
        let lowering = std::thread::Builder::new().stack_size(STACK_BYTES);
        let lowered =
            lowering.spawn_scoped(scope, || lower_all(sql, settings)).map(std::thread::ScopedJoinHandle::join);
        lowered
            .unwrap_or_else(|error| Ok(Err(no_thread(&error))))
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reserved; touched as far as a text is nested.
const STACK_BYTES: usize = 64 << 20;

fn no_thread(error: &std::io::Error) -> PlanError {
    let what = format!("the query cannot be read: {error}");
    PlanError { line: 1, column: 1, what, instead: "allow this process more threads or memory".to_owned() }
}

fn lower_all(sql: &str, settings: &PlanSettings) -> Result<Vec<Plan>, PlanError> {
    let statements = Text::read(sql)?;
    let mut tables: Vec<Table> = Vec::new();
    let mut plans = Vec::new();
    for text in &statements {
        if text.starts_with(&[Keyword::CREATE, Keyword::TABLE]) {
            let table = schema::create_table(sql, text)?;
            add_table(&mut tables, table, &plans)?;
        } else {
            plans.push(statement(text, &tables, settings)?);
        }
    }
    match (plans.is_empty(), statements.last()) {
        (false, _) => Ok(plans),
        (true, Some(text)) => {
            Err(refuse(text.end(), "there is no query after CREATE TABLE", "add SELECT … FROM table"))
        }
        (true, None) => {
            let what = "there is no query".to_owned();
            Err(PlanError { line: 1, column: 1, what, instead: SHAPE.to_owned() })
        }
    }
}

/// Lowers one query in update mode; CREATE TABLE statements may come before it.
///
/// # Errors
/// As [`plan_all`], and if there are several queries.
pub fn plan(sql: &str) -> Result<Plan, PlanError> {
    let mut plans = plan_all(sql, &PlanSettings::default())?;
    match (plans.pop(), plans.is_empty()) {
        (Some(plan), true) => Ok(plan),
        _ => {
            let mut queries = Text::read(sql)?.into_iter();
            let is_query = |text: &Text| !text.starts_with(&[Keyword::CREATE, Keyword::TABLE]);
            let second = queries.by_ref().filter(is_query).nth(1);
            let place = second.map_or(sqlparser::tokenizer::Span::empty(), |text| text.start());
            Err(refuse(place, "this is a second query", "give each query a text of its own"))
        }
    }
}

fn statement(text: &Text, tables: &[Table], settings: &PlanSettings) -> Result<Plan, PlanError> {
    text.check_joints()?;
    let mut parser = Parser::new(&dialect::Spark)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(text.tokens.clone());
    let statement = parser.parse_statement().map_err(|error| text.parser_error(error))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let what = format!("expected end of statement, found: {next}");
        return Err(refuse(next.span, what, text.quoted(next.span).as_deref().unwrap_or(SHAPE)));
    }
    match statement {
        Statement::Query(query) => select::query(text, &query, tables, settings.sink.clone(), settings),
        Statement::Insert(insert) => insert::insert(text, &insert, tables, settings),
        _ => Err(text.at_start("only CREATE TABLE, SELECT and INSERT INTO … SELECT are known", SHAPE)),
    }
}

/// A table is declared once, and before what reads it.
fn add_table(tables: &mut Vec<Table>, table: Table, plans: &[Plan]) -> Result<(), PlanError> {
    if tables.iter().any(|known| known.name.eq_ignore_ascii_case(&table.name)) {
        let what = format!("the table {} is declared twice", table.name);
        return Err(refuse(table.place, what, "leave one out, or give it another name"));
    }
    let declared = tables.iter().any(|known| known.topic.eq_ignore_ascii_case(&table.name));
    if !declared && plans.iter().any(|plan| plan.source_topics().any(|topic| topic.eq_ignore_ascii_case(&table.name))) {
        let what = format!("{} is declared after a query that reads it", table.name);
        return Err(refuse(table.place, what, "put CREATE TABLE before the query"));
    }
    tables.push(table);
    Ok(())
}

/// What a query looks like: the advice where nothing closer can be said.
const SHAPE: &str =
    "write [INSERT INTO topic] SELECT columns, COUNT(*) AS name FROM topic [WHERE condition] GROUP BY columns";

#[cfg(test)]
mod tests;
