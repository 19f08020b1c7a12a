//! Names, chains of names, and what is taken of a value by name or number.

use sqlparser::ast::{AccessExpr, Expr, Ident, Spanned, Subscript};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal;
use super::lowered::{Clause, GENERATED, LAMBDAS, Lowered, Lowering, Reach, WINDOW, at};
use super::scope::Access;
use crate::expr;
use crate::expr::build;
use crate::types::{DataType, Value};

/// Types are walked and dropped by recursion.
const PATH_MAX: usize = 64;

/// A step into a value; that of an index with its normal form.
pub(super) enum Step {
    Field(String),
    Index(Lowered),
}

impl Lowering<'_> {
    /// `a.b[0].c`: a root and the steps into it.
    pub(super) fn access(
        &mut self,
        expr: &Expr,
        root: &Expr,
        chain: &[AccessExpr],
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let mut root = root;
        while let Expr::Nested(inner) = root {
            root = inner;
        }
        let mut names: Vec<&Ident> = match root {
            Expr::Identifier(ident) => vec![ident],
            Expr::CompoundIdentifier(parts) => parts.iter().collect(),
            _ => Vec::new(),
        };
        let mut rest = chain;
        while let Some((AccessExpr::Dot(Expr::Identifier(ident)), after)) = rest.split_first()
            && !names.is_empty()
        {
            names.push(ident);
            rest = after;
        }
        let steps = rest.iter().map(|step| self.step(step, clause)).collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            let root = self.lower(root, clause)?;
            return self.walk(root, false, steps, expr.span(), clause);
        }
        let names: Vec<String> = names.into_iter().map(literal::identifier).collect();
        self.path(&names, steps, expr.span(), clause)
    }

    fn step(&mut self, step: &AccessExpr, clause: Clause) -> Result<Step, PlanError> {
        match step {
            AccessExpr::Dot(Expr::Identifier(ident)) => Ok(Step::Field(literal::identifier(ident))),
            AccessExpr::Subscript(Subscript::Index { index }) => Ok(Step::Index(self.lower(index, clause)?)),
            other => Err(refuse(other.span(), "this does not take a part of a value", "write value.name or value[0]")),
        }
    }

    /// A chain of names that starts with a column, and the steps after it.
    pub(super) fn path(
        &mut self,
        names: &[String],
        steps: Vec<Step>,
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        if names.len() + steps.len() > PATH_MAX {
            let what = format!("a path has more than {PATH_MAX} steps");
            return Err(refuse(place, what, "take parts of values that are less deep"));
        }
        let after = |taken: usize| names.iter().skip(taken).cloned().map(Step::Field).chain(steps).collect();
        if let Some(parameter) = names.first().and_then(|first| self.parameter(first)) {
            return self.walk(parameter, true, after(1), place, clause);
        }
        if let Some(window) = self.window_column(names) {
            return self.walk(self.keyed(window, clause), true, after(1), place, clause);
        }
        if let Some((generated, taken)) = self.generated_column(names, place)? {
            return self.walk(self.keyed(generated, clause), true, after(taken), place, clause);
        }
        let Some(found) = self.scope.find(names) else {
            // Spark 3.4 lets SELECT use the aliases before it; a column of the table goes first.
            if clause == Clause::Select
                && let Some(first) = names.first()
                && let Some(output) = self.output(first)
            {
                return self.walk(output.named(first), true, after(1), place, clause);
            }
            let aliases: Vec<&str> = self.outputs.iter().map(|(name, _)| name.as_str()).collect();
            return Err(self.scope.unknown(names, place, &aliases));
        };
        if self.scope.is_ambiguous(found.column) {
            let what = format!("several columns of the inner query are called {}", self.scope.name(found.column));
            return Err(refuse(place, what, "give each a name of its own there: expression AS name"));
        }
        self.references.push((found.column, place));
        let written = names.get(found.taken - 1).cloned().unwrap_or_default();
        let steps = after(found.taken);
        let text = self.scope.text(found.column);
        if !self.scope.is_inferred(found.column) {
            let typed = build::column(found.column, self.scope.data_type(found.column), written);
            let column = self.keyed(Lowered::new(typed, text), clause);
            return self.walk(column, true, steps, place, clause);
        }
        let steps: Vec<Step> = steps.into_iter().map(by_name).collect();
        let accesses: Vec<Access<'_>> = steps.iter().map(Step::access).collect();
        self.scope.infer(found.column, &accesses, place)?;
        let typed = build::column(found.column, self.scope.data_type(found.column), written);
        self.walk(Lowered::new(typed, text), true, steps, place, clause)
    }

    /// Takes steps one by one, for each may be a group key. A path of names from a column is called by its last name,
    /// everything else by its text.
    fn walk(
        &self,
        from: Lowered,
        mut is_path: bool,
        steps: Vec<Step>,
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        steps.into_iter().try_fold(from, |from, step| {
            let text = from.closed() + &step.text(&from.typed.data_type);
            let (built, last) = match step {
                Step::Field(name) => (build::field(from.typed, &name), Some(name)),
                Step::Index(index) => (build::index(from.typed, index.typed), None),
            };
            let mut typed = built.map_err(at(place))?;
            is_path &= last.is_some();
            typed.name = last.filter(|_| is_path).unwrap_or_else(|| typed.text.clone());
            Ok(self.keyed(Lowered::new(typed, text), clause))
        })
    }

    /// A parameter of a lambda around the expression, the innermost of a name.
    fn parameter(&self, name: &str) -> Option<Lowered> {
        let folded = name.to_lowercase();
        let number = self.parameters.iter().rposition(|(known, _)| known.to_lowercase() == folded)?;
        let (_, data_type) = self.parameters.get(number)?;
        let typed = build::column(LAMBDAS + number, data_type.clone(), "namedlambdavariable()".to_owned());
        Some(Lowered::new(typed, format!("lambda.{number}")))
    }

    /// A column that a generator makes, and how many names it took.
    fn generated_column(&self, names: &[String], place: Span) -> Result<Option<(Lowered, usize)>, PlanError> {
        let folded: Vec<String> = names.iter().take(2).map(|name| name.to_lowercase()).collect();
        let is = |known: &Option<String>, name: Option<&String>| {
            known.as_ref().map(|known| known.to_lowercase()).as_ref() == name && name.is_some()
        };
        let qualified = self.generated.iter().position(|generated| {
            generated.reach != Reach::Hidden
                && is(&generated.qualifier, folded.first())
                && is(&generated.name, folded.get(1))
        });
        if let Some(number) = qualified {
            return Ok(Some((self.generated(number), 2)));
        }
        let mut plain = self
            .generated
            .iter()
            .enumerate()
            .filter(|(_, generated)| generated.reach.is_plain() && is(&generated.name, folded.first()));
        let Some((number, column)) = plain.next() else { return Ok(None) };
        // A topic that no CREATE TABLE declares may have any column.
        let in_topic = if column.reach == Reach::Joined { [Some(true), None].as_slice() } else { &[Some(true)] };
        let name = names.first().map_or("", String::as_str);
        if plain.next().is_some() || in_topic.contains(&self.scope.declares(name)) {
            let what = format!("{name} can be several columns");
            return Err(refuse(
                place,
                what,
                format!(
                    "write what it is a column of before it: {}.{name}",
                    column.qualifier.as_deref().unwrap_or("view")
                ),
            ));
        }
        Ok(Some((self.generated(number), 1)))
    }

    /// The column that a generator makes, by its number.
    pub(super) fn generated(&self, number: usize) -> Lowered {
        let (data_type, name, text) = match self.generated.get(number) {
            Some(generated) => (generated.data_type.clone(), generated.name.clone(), generated.text.clone()),
            None => (DataType::Null, None, String::new()),
        };
        Lowered::new(build::column(GENERATED + number, data_type, name.unwrap_or_default()), text)
    }

    /// A column of what is selected from, by its number.
    pub(super) fn numbered(&mut self, column: usize, place: Span, clause: Clause) -> Lowered {
        if let Some(number) = column.checked_sub(GENERATED) {
            return self.keyed(self.generated(number), clause);
        }
        self.references.push((column, place));
        let name = self.scope.name(column).to_owned();
        let lowered = Lowered::new(build::column(column, self.scope.data_type(column), name), self.scope.text(column));
        self.keyed(lowered, clause)
    }

    /// The window of GROUP BY, where `names` start with what it is called.
    fn window_column(&self, names: &[String]) -> Option<Lowered> {
        let window = self.window.as_ref()?;
        let first = names.first()?;
        let declared = self.scope.declares(first) == Some(true);
        if declared || !first.eq_ignore_ascii_case(window.name) {
            return None;
        }
        let typed = build::column(WINDOW, super::window::data_type(), first.clone());
        Some(Lowered::new(typed, window.text.clone()))
    }
}

impl Step {
    fn access(&self) -> Access<'_> {
        match self {
            Self::Field(name) => Access::Field(name),
            Self::Index(_) => Access::Index,
        }
    }

    /// The normal form of the step out of a value of a type: a field is called as it is declared.
    fn text(&self, data_type: &DataType) -> String {
        match self {
            Self::Index(index) => format!("[{}]", index.text),
            Self::Field(name) => {
                let fields = match data_type {
                    DataType::Struct(fields) => Some(fields),
                    DataType::Array(element) => match element.as_ref() {
                        DataType::Struct(fields) => Some(fields),
                        _ => None,
                    },
                    _ => None,
                };
                let declared = fields.into_iter().flat_map(|fields| fields.iter());
                let declared = declared.map(|field| &field.name).find(|field| field.eq_ignore_ascii_case(name));
                format!(".{:?}", declared.unwrap_or(name))
            }
        }
    }
}

/// `['name']` is `.name` where no type says otherwise.
fn by_name(step: Step) -> Step {
    match &step {
        Step::Index(Lowered { typed, .. }) => match &typed.expr {
            expr::Expr::Literal(Value::String(name)) => Step::Field(String::from_utf8_lossy(name).into_owned()),
            _ => step,
        },
        Step::Field(_) => step,
    }
}
