//! Function calls, and the forms of functions that have a syntax of their own.

use sqlparser::ast::{
    CeilFloorKind, DateTimeField, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Spanned, TrimWhereField,
};
use sqlparser::tokenizer::Span;

use super::aggregate::{self, Call};
use super::error::{PlanError, refuse};
use super::lowered::{Clause, Lowered, Lowering, WINDOW, at};
use super::{columns, generator, lambda, literal, value};
use crate::expr::build::{self, BuildError, Typed};

/// Makes a call of a unit and two values.
type Stepping = fn(&str, Typed, Typed) -> Result<Typed, BuildError>;

impl Lowering<'_> {
    pub(super) fn function(&mut self, function: &Function, clause: Clause) -> Result<Lowered, PlanError> {
        let place = function.span();
        let name = match function.name.0.as_slice() {
            [part] => part.as_ident().map(literal::identifier).unwrap_or_default().to_lowercase(),
            _ => {
                let what = format!("the function {} is not known", function.name);
                return Err(refuse(place, what, "write its name alone"));
            }
        };
        if function.over.is_some() {
            let instead = format!("write {name}(…) with GROUP BY");
            return Err(refuse(
                place,
                "window functions (OVER) are not supported, in Spark's streams neither",
                instead,
            ));
        }
        if !function.within_group.is_empty() || function.parameters != FunctionArguments::None {
            return Err(refuse(place, format!("this form of {name} is not supported"), format!("write {name}(…)")));
        }
        let (distinct, arguments) = arguments(function, &name, place)?;
        if let Some(kind) = aggregate::kind(&name) {
            let call = Call { function, name: &name, kind, distinct, arguments: &arguments, place };
            return self.aggregate(&call, clause);
        }
        if matches!(name.as_str(), "grouping" | "grouping_id") {
            return self.grouping(&name, &arguments, place, clause);
        }
        if let Some(instead) = aggregate::unsupported(&name) {
            return Err(refuse(place, format!("the aggregate {name} is not supported"), instead));
        }
        if distinct || function.filter.is_some() || function.null_treatment.is_some() {
            let what = format!("{name} is no aggregate, and takes neither DISTINCT nor FILTER nor IGNORE NULLS");
            return Err(refuse(place, what, format!("write {name}(…)")));
        }
        let arguments = expressions(&arguments, &name, place)?;
        if generator::called(&Expr::Function(function.clone())).is_some() {
            let what = format!("{name} makes several rows of one, and stands in an expression");
            return Err(refuse(place, what, format!("write it as an item of SELECT alone, or LATERAL VIEW {name}(…)")));
        }
        if let Some(function) = lambda::function(&name, &arguments) {
            return self.higher_order(function, &name, &arguments, place, clause);
        }
        if let Some((word, quantifier)) = name.rsplit_once(' ') {
            return self.quantified_like(word, quantifier == "all", &arguments, place, clause);
        }
        if let Some(stepped) = self.steps(&name, &arguments, place, clause) {
            return stepped;
        }
        match (name.as_str(), arguments.as_slice()) {
            ("window" | "session_window", _) => self.window_call(&name, &arguments, place, clause),
            ("window_time", [window]) => {
                let lowered = self.lower(window, clause)?;
                if columns::of(&lowered.typed.expr).iter().any(|column| *column >= WINDOW) {
                    let what = "window_time is not taken of the window that the same SELECT groups by";
                    let instead = "write SELECT window_time(window) FROM (SELECT window, … GROUP BY window(…))";
                    return Err(refuse(place, what, instead));
                }
                called(&name, vec![lowered], place)
            }
            (_, arguments) => match (arguments, build::type_of(&name)) {
                ([operand], Some(to)) => {
                    let operand = self.lower(operand, clause)?;
                    let text = format!("CAST({} AS {to})", operand.text);
                    let typed = build::call(&name, vec![operand.typed]).map_err(at(place))?;
                    Ok(Lowered::new(typed, text))
                }
                _ => self.call(&name, arguments, place, clause),
            },
        }
    }

    /// `timestampadd(unit, …)` and the like: the unit is a word, and no column.
    fn steps(
        &mut self,
        name: &str,
        arguments: &[&Expr],
        place: Span,
        clause: Clause,
    ) -> Option<Result<Lowered, PlanError>> {
        let (called, make): (_, Stepping) = match name {
            "timestampadd" | "dateadd" => ("timestampadd", build::timestamp_add),
            "timestampdiff" | "datediff" => ("timestampdiff", build::timestamp_diff),
            _ => return None,
        };
        let [Expr::Identifier(unit), first, second] = arguments else { return None };
        let unit = literal::identifier(unit);
        let both = self.lower(first, clause).and_then(|first| Ok((first, self.lower(second, clause)?)));
        Some(both.and_then(|(first, second)| {
            let text = format!("{called}({}, {}, {})", unit.to_ascii_uppercase(), first.text, second.text);
            let typed = make(&unit, first.typed, second.typed).map_err(at(place))?;
            Ok(Lowered::new(typed, text))
        }))
    }

    /// A function of values.
    fn call(&mut self, name: &str, arguments: &[&Expr], place: Span, clause: Clause) -> Result<Lowered, PlanError> {
        let arguments = arguments.iter().map(|argument| self.lower(argument, clause)).collect::<Result<Vec<_>, _>>()?;
        called(name, arguments, place)
    }

    /// What has a syntax of its own, and is a function for all that.
    pub(super) fn special(&mut self, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
        let place = expr.span();
        match expr {
            Expr::Extract { field, expr: operand, .. } => {
                let written = self.text.extracted(place).unwrap_or_else(|| field.to_string());
                let field = field.to_string().to_lowercase();
                let operand = self.lower(operand, clause)?;
                let name = format!("extract({written} FROM {})", operand.typed.text);
                Ok(called("date_part", vec![value::string(&field), operand], place)?.named(name))
            }
            Expr::Ceil { expr: operand, field } => self.rounded("ceil", operand, field, place, clause),
            Expr::Floor { expr: operand, field } => self.rounded("floor", operand, field, place, clause),
            Expr::Position { expr: part, r#in: whole } => self.call("locate", &[part, whole], place, clause),
            Expr::Substring { expr: whole, substring_from, substring_for, shorthand, .. } => {
                let name = if *shorthand { "substr" } else { "substring" };
                let bounds = [substring_from, substring_for].into_iter().flatten().map(AsRef::as_ref);
                let arguments: Vec<&Expr> = std::iter::once(whole.as_ref()).chain(bounds).collect();
                self.call(name, &arguments, place, clause)
            }
            Expr::Overlay { expr: whole, overlay_what, overlay_from, overlay_for } => {
                let arguments = [Some(whole), Some(overlay_what), Some(overlay_from), overlay_for.as_ref()];
                let arguments: Vec<&Expr> = arguments.into_iter().flatten().map(AsRef::as_ref).collect();
                self.call("overlay", &arguments, place, clause)
            }
            Expr::Trim { trim_where, trim_what, expr: whole, trim_characters: None } => {
                self.trim(*trim_where, trim_what.as_deref(), whole, place, clause)
            }
            Expr::Trim { .. } => Err(refuse(place, "TRIM takes one argument", "write TRIM(BOTH 'x' FROM column)")),
            Expr::JsonAccess { .. } => {
                Err(refuse(place, "a colon does not take a part of a value", "write column.field"))
            }
            // `struct(a AS q)`
            Expr::Named { expr: operand, name } => {
                let lowered = self.lower(operand, clause)?;
                let (name, text) = (literal::identifier(name), format!("{} AS {:?}", lowered.text, name.value));
                let shown = format!("{} AS {name}", lowered.typed.text);
                let typed = Typed { name, text: shown, ..lowered.typed };
                Ok(Lowered::new(typed, text))
            }
            Expr::Tuple(parts) => self.call("struct", &parts.iter().collect::<Vec<_>>(), place, clause),
            Expr::Array(_) => Err(refuse(place, "brackets make no array", "write array(a, b)")),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                Err(refuse(place, "* stands in COUNT(*) and as an item of SELECT alone", "name the columns"))
            }
            _ => Err(refuse(place, "this expression is not supported", "use operators, CASE, CAST and functions")),
        }
    }

    fn rounded(
        &mut self,
        name: &str,
        operand: &Expr,
        kind: &CeilFloorKind,
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let mut arguments = vec![self.lower(operand, clause)?];
        match kind {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {}
            CeilFloorKind::Scale(scale) => arguments.push(value::value(&scale.value, scale.span)?),
            CeilFloorKind::DateTimeField(_) => {
                let what = format!("{name}(… TO …) is not supported");
                return Err(refuse(place, what, "write date_trunc('HOUR', ts)"));
            }
        }
        called(name, arguments, place)
    }

    fn trim(
        &mut self,
        side: Option<TrimWhereField>,
        what: Option<&Expr>,
        whole: &Expr,
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let whole = self.lower(whole, clause)?;
        let (function, word) = match side {
            Some(TrimWhereField::Leading) => ("ltrim", "LEADING"),
            Some(TrimWhereField::Trailing) => ("rtrim", "TRAILING"),
            Some(TrimWhereField::Both) | None => ("trim", "BOTH"),
        };
        let Some(what) = what else {
            let name = format!("TRIM({word} FROM {})", whole.typed.text);
            let trimmed = called(function, vec![whole], place)?;
            return Ok(if side.is_some() { trimmed.named(name) } else { trimmed });
        };
        let what = self.lower(what, clause)?;
        let name = format!("TRIM({word} {} FROM {})", what.typed.text, whole.typed.text);
        // The one-sided functions take what is cut first, btrim takes it last.
        let trimmed = match function {
            "trim" => called("btrim", vec![whole, what], place)?,
            _ => called(function, vec![what, whole], place)?,
        };
        Ok(trimmed.named(name))
    }
}

fn called(name: &str, arguments: Vec<Lowered>, place: Span) -> Result<Lowered, PlanError> {
    let texts: Vec<&str> = arguments.iter().map(|argument| argument.text.as_str()).collect();
    let text = format!("{name}({})", texts.join(", "));
    let typed = build::call(name, arguments.into_iter().map(|argument| argument.typed).collect()).map_err(at(place))?;
    Ok(Lowered::new(typed, text))
}

/// Whether DISTINCT stands before the arguments, and those.
fn arguments<'f>(function: &'f Function, name: &str, place: Span) -> Result<(bool, Vec<&'f FunctionArg>), PlanError> {
    match &function.args {
        FunctionArguments::None => Ok((false, Vec::new())),
        FunctionArguments::List(list) if list.clauses.is_empty() => {
            let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
            Ok((distinct, list.args.iter().collect()))
        }
        FunctionArguments::List(_) => {
            let what = format!("a clause inside of {name}(…) is not supported");
            Err(refuse(place, what, format!("write {name}(…) FILTER (WHERE …)")))
        }
        FunctionArguments::Subquery(_) => {
            Err(refuse(place, format!("{name} cannot take a query"), format!("write {name}(column)")))
        }
    }
}

/// The arguments as expressions.
pub(super) fn expressions<'f>(
    arguments: &[&'f FunctionArg],
    name: &str,
    place: Span,
) -> Result<Vec<&'f Expr>, PlanError> {
    let expression = |argument: &&'f FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        _ if !build::is_function(name) => Err(at(place)(build::no_function(name))),
        other => Err(refuse(place, format!("{name} cannot take {other}"), format!("write {name}(column)"))),
    };
    arguments.iter().map(expression).collect()
}
