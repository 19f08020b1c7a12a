//! Expressions of the syntax tree, one arm each.

use sqlparser::ast::{self, BinaryOperator, CaseWhen, CastKind, Expr, InTarget, Spanned, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::lowered::{Clause, Lowered, Lowering, at};
use super::{condition, interval, literal, operator, value};
use crate::expr::build::{self, Binary};
use crate::types::{self, DataType};

const SUBQUERY: &str = "run the inner query by itself, into a topic, and read that";

impl Lowering<'_> {
    pub(super) fn expression(&mut self, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
        let place = expr.span();
        match expr {
            Expr::Nested(inner) => self.lower(inner, clause),
            Expr::Identifier(ident) => self.chain(std::slice::from_ref(ident), clause),
            Expr::CompoundIdentifier(parts) => self.chain(parts, clause),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(expr, root, access_chain, clause),
            Expr::Value(literal) => value::value(&literal.value, literal.span),
            Expr::TypedString(typed) => value::typed_string(typed),
            Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } => self.junction(expr, clause),
            Expr::BinaryOp { .. } => self.operators(expr, clause),
            Expr::UnaryOp { op, expr: operand } => self.unary(*op, operand, place, clause),
            Expr::IsNull(operand) | Expr::IsUnknown(operand) => Ok(condition::is_null(self.lower(operand, clause)?)),
            Expr::IsNotNull(operand) | Expr::IsNotUnknown(operand) => {
                Ok(condition::is_not_null(self.lower(operand, clause)?))
            }
            Expr::IsTrue(operand) => self.is(operand, true, false, clause),
            Expr::IsNotTrue(operand) => self.is(operand, true, true, clause),
            Expr::IsFalse(operand) => self.is(operand, false, false, clause),
            Expr::IsNotFalse(operand) => self.is(operand, false, true, clause),
            Expr::IsDistinctFrom(left, right) => {
                let equal = self.null_safe_equal(left, right, clause)?;
                condition::not(equal).map_err(at(place))
            }
            Expr::IsNotDistinctFrom(left, right) => self.null_safe_equal(left, right, clause),
            Expr::In { expr: operand, target: InTarget::List(list), negated, .. } => {
                let operand = self.lower(operand, clause)?;
                let list = list.iter().map(|item| self.lower(item, clause)).collect::<Result<Vec<_>, _>>()?;
                let within = condition::in_list(operand, list).map_err(at(place))?;
                condition::negated(within, *negated).map_err(at(place))
            }
            Expr::Between { expr: operand, negated, low, high } => {
                let (operand, low, high) =
                    (self.lower(operand, clause)?, self.lower(low, clause)?, self.lower(high, clause)?);
                let between = condition::between(operand, low, high).map_err(at(place))?;
                condition::negated(between, *negated).map_err(at(place))
            }
            Expr::Like { negated, any: false, expr: operand, pattern, escape_char } => {
                self.like(operand, pattern, escape_char.as_deref(), *negated, false, clause)
            }
            Expr::ILike { negated, any: false, expr: operand, pattern, escape_char } => {
                self.like(operand, pattern, escape_char.as_deref(), *negated, true, clause)
            }
            Expr::RLike { negated, expr: operand, pattern, .. } => {
                let (operand, pattern) = (self.lower(operand, clause)?, self.lower(pattern, clause)?);
                let rlike = condition::rlike(operand, pattern).map_err(at(place))?;
                condition::negated(rlike, *negated).map_err(at(place))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), place, clause)
            }
            Expr::Cast { kind: CastKind::Cast, expr: operand, data_type, format: None, .. } => {
                let to = named_type(data_type, place)?;
                let operand = self.lower(operand, clause)?;
                let text = format!("CAST({} AS {to})", operand.text);
                Ok(Lowered::new(build::cast(operand.typed, to).map_err(at(place))?, text))
            }
            Expr::Cast { kind: CastKind::TryCast, expr: operand, data_type, format: None, .. } => {
                let to = named_type(data_type, place)?;
                let operand = self.lower(operand, clause)?;
                let text = format!("TRY_CAST({} AS {to})", operand.text);
                Ok(Lowered::new(build::try_cast(operand.typed, to).map_err(at(place))?, text))
            }
            Expr::Cast { expr: operand, data_type, .. } => {
                let instead = format!("write CAST({operand} AS {data_type}), which is NULL where it fails");
                Err(refuse(place, "only CAST(… AS TYPE) converts", instead))
            }
            Expr::Function(function) => self.function(function, clause),
            Expr::Interval(interval) => interval_literal(interval, place),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::In { .. } => {
                Err(refuse(place, "a query inside of an expression is not supported", SUBQUERY))
            }
            Expr::Lambda(_) => Err(refuse(place, "a lambda is not supported", "write an expression of the columns")),
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => {
                let what = "ROLLUP, CUBE and GROUPING SETS are not supported";
                Err(refuse(place, what, "run one query for each grouping"))
            }
            Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                Err(refuse(place, "a comparison with ANY or ALL is not supported", "write column IN ('a', 'b')"))
            }
            other => self.special(other, clause),
        }
    }

    /// `a + b - c`: the tree leans to the left, and is walked without a recursion for each operator.
    fn operators(&mut self, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
        let mut spine = Vec::new();
        let mut rest = expr;
        while let Expr::BinaryOp { left, op, right } = rest
            && !matches!(op, BinaryOperator::And | BinaryOperator::Or)
        {
            spine.push((rest.span(), op, right.as_ref()));
            rest = left;
        }
        let mut lowered = self.lower(rest, clause)?;
        while let Some((place, op, right)) = spine.pop() {
            let Some(binary) = operator::binary(op) else {
                let what = format!("the operator {op} is not supported");
                return Err(refuse(place, what, "use +, -, *, /, %, DIV, ||, &, |, ^ and comparisons"));
            };
            let right = self.lower(right, clause)?;
            let combined = operator::apply(binary, lowered, right);
            lowered = self.keyed(combined.map_err(at(place))?, clause);
        }
        Ok(lowered)
    }

    /// The parts of `a AND b AND c` (a tree that leans left), without a recursion for each.
    fn junction(&mut self, expr: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
        let Expr::BinaryOp { op: wanted, .. } = expr else { return self.operators(expr, clause) };
        let mut parts = Vec::new();
        let mut rest = expr;
        while let Expr::BinaryOp { left, op, right } = rest
            && op == wanted
        {
            parts.push(right.as_ref());
            rest = left;
        }
        parts.push(rest);
        let op = if *wanted == BinaryOperator::And { Binary::And } else { Binary::Or };
        let mut lowered = Vec::with_capacity(parts.len());
        for part in parts.into_iter().rev() {
            lowered.push((self.lower(part, clause)?, part.span()));
        }
        condition::junction(op, lowered)
    }

    fn unary(&mut self, op: UnaryOperator, operand: &Expr, place: Span, clause: Clause) -> Result<Lowered, PlanError> {
        // A sign before a number belongs to it: -2147483648 is an INT.
        if op == UnaryOperator::Minus
            && let Expr::Value(literal) = operand
            && let Value::Number(digits, long) = &literal.value
        {
            let suffix = if *long { "L" } else { "" };
            return value::number(&format!("-{digits}{suffix}"), place);
        }
        let operand = self.lower(operand, clause)?;
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => condition::not(operand),
            UnaryOperator::Minus => operator::minus(operand),
            UnaryOperator::Plus => operator::plus(operand),
            UnaryOperator::BitwiseNot => operator::bitwise_not(operand),
            _ => return Err(refuse(place, format!("the operator {op} is not supported"), "use -, + and NOT")),
        }
        .map_err(at(place))
    }

    fn is(&mut self, operand: &Expr, truth: bool, negated: bool, clause: Clause) -> Result<Lowered, PlanError> {
        let place = operand.span();
        let truth = value::value(&Value::Boolean(truth), place)?;
        let equal = operator::apply(Binary::NullSafeEq, self.lower(operand, clause)?, truth).map_err(at(place))?;
        condition::negated(equal, negated).map_err(at(place))
    }

    fn null_safe_equal(&mut self, left: &Expr, right: &Expr, clause: Clause) -> Result<Lowered, PlanError> {
        let place = left.span();
        let (left, right) = (self.lower(left, clause)?, self.lower(right, clause)?);
        operator::apply(Binary::NullSafeEq, left, right).map_err(at(place))
    }

    fn like(
        &mut self,
        operand: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        negated: bool,
        case_insensitive: bool,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let place = pattern.span();
        let escape = escape.map(|escape| self.escape(escape, clause)).transpose()?;
        let (operand, pattern) = (self.lower(operand, clause)?, self.lower(pattern, clause)?);
        let like = condition::like(operand, pattern, escape, case_insensitive).map_err(at(place))?;
        condition::negated(like, negated).map_err(at(place))
    }

    /// `LIKE ANY (…)` and the like, as the dialect hands it over: the operand and its patterns.
    pub(super) fn quantified_like(
        &mut self,
        word: &str,
        all: bool,
        arguments: &[&Expr],
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let [operand, patterns @ ..] = arguments else {
            return Err(refuse(place, "LIKE has no patterns", "write a LIKE ANY ('x%', '%y')"));
        };
        let (negated, any_case) = (word.starts_with("not "), word.ends_with("ilike"));
        let operand = self.lower(operand, clause)?;
        let mut likes = Vec::with_capacity(patterns.len());
        let mut is_constant = true;
        for pattern in patterns {
            let pattern = self.lower(pattern, clause)?;
            is_constant &=
                super::columns::is_constant(&pattern.typed.expr) && pattern.typed.data_type == DataType::String;
            let like = condition::like(operand.clone(), pattern, None, any_case).map_err(at(place))?;
            likes.push((condition::negated(like, negated).map_err(at(place))?, place));
        }
        let joined = condition::junction(if all { Binary::And } else { Binary::Or }, likes)?;
        if !is_constant {
            return Ok(joined);
        }
        let name = format!("{}like{}", if negated { "not" } else { "" }, if all { "all" } else { "any" });
        let operand = if any_case { format!("lower({})", operand.typed.text) } else { operand.typed.text };
        Ok(joined.named(format!("{name}({operand})")))
    }

    fn escape(&mut self, escape: &Expr, clause: Clause) -> Result<char, PlanError> {
        let lowered = self.lower(escape, clause)?;
        let mut signs = lowered.typed.name.chars();
        match (signs.next(), signs.next(), lowered.typed.data_type) {
            (Some(sign), None, DataType::String) => Ok(sign),
            _ => Err(refuse(escape.span(), "ESCAPE takes one character", "write LIKE '10!%' ESCAPE '!'")),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let operand = operand.map(|operand| self.lower(operand, clause)).transpose()?;
        let mut text = "CASE".to_owned();
        let mut branches = Vec::with_capacity(conditions.len());
        for CaseWhen { condition, result } in conditions {
            let mut when = self.lower(condition, clause)?;
            if let Some(operand) = &operand {
                when = operator::apply(Binary::Eq, operand.clone(), when).map_err(at(condition.span()))?;
            }
            let then = self.lower(result, clause)?;
            text.push_str(&format!(" WHEN {} THEN {}", when.text, then.closed()));
            branches.push((when.typed, then.typed));
        }
        let otherwise = otherwise.map(|otherwise| self.lower(otherwise, clause)).transpose()?;
        if let Some(otherwise) = &otherwise {
            text.push_str(&format!(" ELSE {}", otherwise.closed()));
        }
        text.push_str(" END");
        let typed = build::case(branches, otherwise.map(|otherwise| otherwise.typed)).map_err(at(place))?;
        Ok(Lowered::new(typed, text))
    }
}

/// A type in CAST.
fn named_type(data_type: &ast::DataType, place: Span) -> Result<DataType, PlanError> {
    // As `rewrite` has quoted it.
    let text = match data_type {
        ast::DataType::Custom(name, _) => {
            name.0.iter().filter_map(|part| part.as_ident()).map(literal::identifier).collect()
        }
        other => other.to_string(),
    };
    types::parse_type(&text).map_err(|error| {
        let (what, instead) = error.message.split_once("; ").unwrap_or((&error.message, "write CAST(a AS BIGINT)"));
        refuse(place, what, instead)
    })
}

/// `INTERVAL …`, as the dialect has read it.
fn interval_literal(written: &ast::Interval, place: Span) -> Result<Lowered, PlanError> {
    let text = match written.value.as_ref() {
        Expr::Value(literal) => match &literal.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.as_str(),
            _ => "",
        },
        _ => "",
    };
    let unit = |field: &Option<ast::DateTimeField>| field.as_ref().and_then(interval::unit_of);
    let (Some(parsed), Some(from), Some(to)) =
        (interval::parse(text), unit(&written.leading_field), unit(&written.last_field))
    else {
        return Err(refuse(place, "this is no interval", "write INTERVAL 5 SECONDS or INTERVAL '1 day'"));
    };
    match interval::literal(parsed, from, to) {
        Some(typed) => Ok(Lowered::new(typed, format!("INTERVAL '{}'", interval::to_text(parsed)))),
        None => {
            let what = "this interval mixes months with days, or is too long";
            Err(refuse(place, what, "add two intervals: ts + INTERVAL 1 MONTH + INTERVAL 1 DAY"))
        }
    }
}
