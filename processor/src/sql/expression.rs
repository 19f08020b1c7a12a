//! Expressions of the syntax tree, one arm each.

use sqlparser::ast::{self, BinaryOperator, CaseWhen, CastKind, Expr, InTarget, Spanned, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::lowered::{Clause, Lowered, Lowering, at};
use super::{condition, interval, operator, value};
use crate::expr::build::{self, Binary, Interval};
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
            Expr::Cast { kind: CastKind::Cast, expr: operand, data_type, format: None } => {
                let to = named_type(data_type, place)?;
                self.cast(operand, to, place, clause)
            }
            Expr::Cast { expr: operand, data_type, .. } => {
                let instead = format!("write CAST({operand} AS {data_type}), which is NULL where it fails");
                Err(refuse(place, "only CAST(… AS TYPE) converts", instead))
            }
            Expr::Function(function) => self.function(function, clause),
            Expr::Interval(_) => {
                let instead = "write timestamp + INTERVAL 5 SECONDS, or a string in window(…)";
                Err(refuse(place, "an interval stands only beside a DATE or a TIMESTAMP and + or -", instead))
            }
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::In { .. } => {
                Err(refuse(place, "a query inside of an expression is not supported", SUBQUERY))
            }
            Expr::Lambda(_) => Err(refuse(place, "a lambda is not supported", "write an expression of the columns")),
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => {
                let what = "ROLLUP, CUBE and GROUPING SETS are not supported";
                Err(refuse(place, what, "run one query for each grouping"))
            }
            Expr::Like { .. } | Expr::ILike { .. } => {
                Err(refuse(place, "LIKE ANY is not supported", "write a LIKE 'x' OR a LIKE 'y'"))
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
        let mut lowered = match interval_of(rest, rest.span())? {
            // INTERVAL 5 SECONDS + ts
            Some(interval) => {
                let Some((place, BinaryOperator::Plus, right)) = spine.pop() else {
                    return Err(refuse(rest.span(), "only + takes an interval on its left", "write ts - INTERVAL …"));
                };
                let operand = self.lower(right, clause)?;
                self.keyed(operator::plus_interval(operand, interval, false).map_err(at(place))?, clause)
            }
            None => self.lower(rest, clause)?,
        };
        while let Some((place, op, right)) = spine.pop() {
            let combined = match (op, interval_of(right, place)?) {
                (BinaryOperator::Plus, Some(interval)) => operator::plus_interval(lowered, interval, false),
                (BinaryOperator::Minus, Some(interval)) => operator::plus_interval(lowered, interval, true),
                _ => {
                    let Some(binary) = operator::binary(op) else {
                        let what = format!("the operator {op} is not supported");
                        return Err(refuse(place, what, "use +, -, *, /, %, DIV, ||, &, |, ^ and comparisons"));
                    };
                    operator::apply(binary, lowered, self.lower(right, clause)?)
                }
            };
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

    pub(super) fn cast(
        &mut self,
        operand: &Expr,
        to: DataType,
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let operand = self.lower(operand, clause)?;
        let text = format!("CAST({} AS {to})", operand.text);
        Ok(Lowered::new(build::cast(operand.typed, to).map_err(at(place))?, text))
    }
}

/// A type in CAST.
fn named_type(data_type: &ast::DataType, place: Span) -> Result<DataType, PlanError> {
    types::parse_type(&data_type.to_string()).map_err(|error| {
        let (what, instead) = error.message.split_once("; ").unwrap_or((&error.message, "write CAST(a AS BIGINT)"));
        refuse(place, what, instead)
    })
}

/// The interval, if the expression is one.
fn interval_of(expr: &Expr, place: Span) -> Result<Option<Interval>, PlanError> {
    match expr {
        Expr::Nested(inner) => interval_of(inner, place),
        Expr::Interval(ast::Interval { value, leading_field: None, .. }) => {
            let text = match value.as_ref() {
                Expr::Value(literal) => match &literal.value {
                    Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.as_str(),
                    _ => "",
                },
                _ => "",
            };
            match interval::parse(text) {
                Some(interval) => Ok(Some(interval)),
                None => Err(refuse(place, "this is no interval", "write INTERVAL 5 SECONDS or INTERVAL '1 day'")),
            }
        }
        Expr::Interval(_) => Err(refuse(place, "this is no interval", "write INTERVAL 5 SECONDS or INTERVAL '1 day'")),
        _ => Ok(None),
    }
}
