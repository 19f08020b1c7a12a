//! What makes several rows of one: `explode(array)` and its like in SELECT and in LATERAL VIEW, and windows outside of
//! GROUP BY.

use std::ops::Range;

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, LateralView, Spanned};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::lowered::{Clause, GENERATED, Generated, Lowered, Lowering, Reach};
use super::schema::shown;
use super::window::Windowed;
use crate::expr;
use crate::plan::{Generator, Stage, Window};
use crate::types::{DataType, Value};

/// The most windows that a time may be in, each of which makes a row.
const WINDOWS_MAX: i64 = 10_000;

/// The generator that an expression calls, in lower case.
pub(super) fn called(expr: &Expr) -> Option<String> {
    const NAMES: [&str; 7] =
        ["explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "stack"];
    let Expr::Function(Function { name, .. }) = expr else { return None };
    let [part] = name.0.as_slice() else { return None };
    let name = identifier(part.as_ident()?).to_lowercase();
    NAMES.contains(&name.as_str()).then_some(name)
}

/// The columns that a generator makes, and how.
struct Made {
    generator: Generator,
    text: String,
    columns: Vec<(String, DataType)>,
}

impl Lowering<'_> {
    /// `LATERAL VIEW [OUTER] explode(array) view AS column`
    pub(super) fn lateral_view(&mut self, view: &LateralView) -> Result<(), PlanError> {
        let place = view.lateral_view.span();
        if called(&view.lateral_view).is_none() {
            let what = "LATERAL VIEW takes explode, posexplode, inline or stack";
            return Err(refuse(place, what, "write LATERAL VIEW explode(array) view AS column"));
        }
        let qualifier = super::names::joined(&view.lateral_view_name)?;
        let aliases = view.lateral_col_alias.iter().map(identifier).collect();
        self.generate(&view.lateral_view, Some(qualifier), aliases, false, view.outer)?;
        Ok(())
    }

    /// Adds a generator; the numbers of its columns, from 0.
    pub(super) fn generate(
        &mut self,
        expr: &Expr,
        qualifier: Option<String>,
        aliases: Vec<String>,
        hidden: bool,
        outer: bool,
    ) -> Result<Range<usize>, PlanError> {
        let place = expr.span();
        let (Some(name), Expr::Function(function)) = (called(expr), expr) else {
            return Err(refuse(place, "this makes no rows", "write explode(array)"));
        };
        let mut made = self.made(&name, function, place)?;
        if let Generator::Explode { outer: keeps, .. } = &mut made.generator {
            *keeps |= outer;
        }
        if !aliases.is_empty() && aliases.len() != made.columns.len() {
            let what = format!("{name} makes {} columns here, and {} are named", made.columns.len(), aliases.len());
            return Err(refuse(place, what, "name each of them, or none"));
        }
        let text = format!("{}{}", if outer { "OUTER " } else { "" }, made.text);
        let columns = made.columns.into_iter().enumerate().map(|(number, (name, data_type))| {
            let name = aliases.get(number).cloned().unwrap_or(name);
            (Some(name), data_type)
        });
        Ok(self.add_generator(made.generator, text, qualifier, columns.collect(), hidden))
    }

    /// `hidden` columns can be called by SELECT alone, and not be looked up by their names.
    pub(super) fn add_generator(
        &mut self,
        generator: Generator,
        text: String,
        qualifier: Option<String>,
        columns: Vec<(Option<String>, DataType)>,
        hidden: bool,
    ) -> Range<usize> {
        let first = self.generated.len();
        for (number, (name, data_type)) in columns.into_iter().enumerate() {
            let text = format!("{text}.{number}");
            let (qualifier, reach) = if hidden { (None, Reach::Hidden) } else { (qualifier.clone(), Reach::Plain) };
            self.generated.push(Generated { qualifier, name, data_type, text, reach });
        }
        self.makers.push((text, Stage::Generate(generator)));
        first..self.generated.len()
    }

    fn made(&mut self, name: &str, function: &Function, place: Span) -> Result<Made, PlanError> {
        let arguments = match &function.args {
            FunctionArguments::List(list) => list.args.as_slice(),
            _ => &[],
        };
        let mut lowered = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
                return Err(refuse(place, format!("{name} cannot take {argument}"), format!("write {name}(array)")));
            };
            lowered.push((self.lower(expr, Clause::Argument)?, expr.span()));
        }
        let texts: Vec<&str> = lowered.iter().map(|(argument, _)| argument.text.as_str()).collect();
        let text = format!("{name}({})", texts.join(", "));
        if name == "stack" {
            return stack(lowered, text, place);
        }
        let [(operand, place)] = <[_; 1]>::try_from(lowered)
            .map_err(|_| refuse(place, format!("{name} takes one argument"), format!("write {name}(array)")))?;
        explode(name, operand, text, place)
    }

    /// A window outside of GROUP BY: a row for each window that the time is in.
    pub(super) fn window_rows(&mut self, windowed: Windowed, place: Span) -> Result<Lowered, PlanError> {
        let Window::Sliding { time, size_micros, slide_micros, start_micros } = windowed.window else {
            let what = "session_window stands outside of GROUP BY";
            return Err(refuse(place, what, "write GROUP BY session_window(…) with the same arguments"));
        };
        if size_micros / slide_micros > WINDOWS_MAX {
            let what = format!("each time is in more than {WINDOWS_MAX} such windows");
            return Err(refuse(place, what, "make the slide longer"));
        }
        let known = self.makers.iter().position(|(text, _)| *text == windowed.text);
        if let Some(number) = known {
            let before = self.makers.iter().take(number).map(|(_, maker)| maker.width()).sum();
            return Ok(self.window_of(before));
        }
        if self.makers.iter().any(|(_, maker)| matches!(maker, Stage::Generate(Generator::Windows { .. }))) {
            let what = "a query has one window: several would multiply its rows";
            return Err(refuse(place, what, "run one query for each window"));
        }
        let generator = Generator::Windows { time, size_micros, slide_micros, start_micros };
        let columns = vec![(Some(windowed.name.to_owned()), super::window::data_type())];
        let number = self.add_generator(generator, windowed.text, None, columns, true).start;
        Ok(self.window_of(number))
    }

    fn window_of(&self, number: usize) -> Lowered {
        let mut lowered = self.generated(number);
        lowered.typed.expr = expr::Expr::Column(GENERATED + number);
        lowered
    }
}

fn explode(name: &str, operand: Lowered, text: String, place: Span) -> Result<Made, PlanError> {
    let (base, keeps) = name.strip_suffix("_outer").map_or((name, false), |base| (base, true));
    let position = base == "posexplode";
    let mut columns = Vec::new();
    if position {
        columns.push(("pos".to_owned(), DataType::Int));
    }
    let inline = base == "inline";
    match (&operand.typed.data_type, inline) {
        (DataType::Array(element), true) => match element.as_ref() {
            DataType::Struct(fields) => {
                columns.extend(fields.iter().map(|field| (field.name.clone(), field.data_type.clone())));
            }
            other => {
                let what = format!("inline takes an ARRAY of STRUCTs, and these are {}", shown(other));
                return Err(refuse(place, what, "write explode(array)"));
            }
        },
        (DataType::Array(element), false) => columns.push(("col".to_owned(), element.as_ref().clone())),
        (DataType::Map(key, value), false) => {
            columns.push(("key".to_owned(), key.as_ref().clone()));
            columns.push(("value".to_owned(), value.as_ref().clone()));
        }
        (other, _) => {
            let what = format!("{name} takes an ARRAY or a MAP, and this is {}", shown(other));
            return Err(refuse(place, what, "give it an ARRAY: split(text, ','), or a column declared as ARRAY<…>"));
        }
    }
    let width = columns.len() - usize::from(position);
    let generator = Generator::Explode { operand: operand.typed.expr, position, outer: keeps, width, inline };
    Ok(Made { generator, text, columns })
}

/// `stack(rows, value, …)`: so many rows, of the values in order.
fn stack(arguments: Vec<(Lowered, Span)>, text: String, place: Span) -> Result<Made, PlanError> {
    const SHAPE: &str = "write stack(2, a, b, c, d)";
    let mut arguments = arguments.into_iter();
    let count = match arguments.next().map(|(count, _)| count.typed.expr) {
        Some(expr::Expr::Literal(Value::Int(count))) => usize::try_from(count).ok().filter(|count| *count > 0),
        _ => None,
    };
    let values: Vec<(Lowered, Span)> = arguments.collect();
    let Some(count) = count.filter(|count| *count <= values.len()) else {
        return Err(refuse(place, "stack takes a number of rows, and their values", SHAPE));
    };
    let width = values.len().div_ceil(count);
    let mut columns: Vec<(String, DataType)> = Vec::with_capacity(width);
    let mut rows = vec![vec![expr::Expr::Literal(Value::Null); width]; count];
    for (number, (value, place)) in values.into_iter().enumerate() {
        let (row, column) = (number / width, number % width);
        let data_type = value.typed.data_type.clone();
        match columns.get_mut(column) {
            None => columns.push((format!("col{column}"), data_type)),
            Some((_, known)) if *known == DataType::Null => *known = data_type,
            Some((_, known)) if *known == data_type || data_type == DataType::Null => {}
            Some((_, known)) => {
                let what = format!("stack has {} and {} in one column", shown(known), shown(&data_type));
                return Err(refuse(place, what, "CAST one of them to the type of the other"));
            }
        }
        if let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = value.typed.expr;
        }
    }
    Ok(Made { generator: Generator::Rows(rows), text, columns })
}
