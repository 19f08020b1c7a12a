//! WHERE over STRING columns, with SQL's three-valued logic: `None` is "unknown", and only `Some(true)` passes.

use std::cmp::Ordering;
use std::fmt;

use crate::like::LikePattern;

/// A condition; columns are numbers into the scanned columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    /// TRUE, FALSE or NULL.
    Constant(Option<bool>),
    /// `left op right`, by bytes, as Spark compares strings.
    Compare { left: usize, op: Comparison, right: Operand },
    /// `column IS NULL`
    IsNull(usize),
    /// `column IN (values)`; `null` says that NULL stood in the list.
    In { column: usize, values: Vec<String>, null: bool },
    /// `column LIKE pattern`
    Like { column: usize, pattern: LikePattern },
    /// Unknown stays unknown.
    Not(Box<Predicate>),
    /// False if one is false, else unknown if one is.
    And(Vec<Predicate>),
    /// True if one is true, else unknown if one is.
    Or(Vec<Predicate>),
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Column(usize),
    Literal(String),
}

/// A comparison's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

impl Comparison {
    /// The operator with its sides swapped.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Eq | Self::NotEq => self,
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
        }
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::NotEq => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::LtEq => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::GtEq => ordering.is_ge(),
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::NotEq => "<>",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        }
    }
}

impl Predicate {
    /// Whether a row passes, whose columns `column` tells by their numbers.
    pub(crate) fn evaluate<'r>(&self, column: &impl Fn(usize) -> Option<&'r [u8]>) -> Option<bool> {
        match self {
            Self::Constant(value) => *value,
            Self::Compare { left, op, right } => {
                let left = column(*left)?;
                Some(op.holds(match right {
                    Operand::Column(index) => left.cmp(column(*index)?),
                    Operand::Literal(text) => left.cmp(text.as_bytes()),
                }))
            }
            Self::IsNull(index) => Some(column(*index).is_none()),
            Self::In { column: index, values, null } => {
                let value = column(*index)?;
                match values.iter().any(|one| one.as_bytes() == value) {
                    true => Some(true),
                    false if *null => None,
                    false => Some(false),
                }
            }
            Self::Like { column: index, pattern } => Some(pattern.matches(column(*index)?)),
            Self::Not(inner) => inner.evaluate(column).map(|value| !value),
            Self::And(parts) => fold(parts, column, false),
            Self::Or(parts) => fold(parts, column, true),
        }
    }

    /// The same condition over columns that have other numbers.
    pub(crate) fn renumbered(self, moved: &dyn Fn(usize) -> usize) -> Self {
        let all = |parts: Vec<Self>| parts.into_iter().map(|part| part.renumbered(moved)).collect();
        match self {
            Self::Constant(value) => Self::Constant(value),
            Self::Compare { left, op, right } => {
                let right = match right {
                    Operand::Column(column) => Operand::Column(moved(column)),
                    literal => literal,
                };
                Self::Compare { left: moved(left), op, right }
            }
            Self::IsNull(column) => Self::IsNull(moved(column)),
            Self::In { column, values, null } => Self::In { column: moved(column), values, null },
            Self::Like { column, pattern } => Self::Like { column: moved(column), pattern },
            Self::Not(inner) => Self::Not(Box::new(inner.renumbered(moved))),
            Self::And(parts) => Self::And(all(parts)),
            Self::Or(parts) => Self::Or(all(parts)),
        }
    }

    /// Writes the normal form, with the columns' names.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>, columns: &[String]) -> fmt::Result {
        let name = |index: &usize| columns.get(*index).map_or("?", String::as_str);
        match self {
            Self::Constant(None) => f.write_str("NULL"),
            Self::Constant(Some(value)) => write!(f, "{value}"),
            Self::Compare { left, op, right: Operand::Column(right) } => {
                write!(f, "{:?} {} {:?}", name(left), op.symbol(), name(right))
            }
            Self::Compare { left, op, right: Operand::Literal(text) } => {
                write!(f, "{:?} {} '{}'", name(left), op.symbol(), text.escape_debug())
            }
            Self::IsNull(index) => write!(f, "{:?} IS NULL", name(index)),
            Self::In { column, values, null } => {
                write!(f, "{:?} IN ({values:?}{})", name(column), if *null { ", NULL" } else { "" })
            }
            Self::Like { column, pattern } => write!(f, "{:?} LIKE {pattern:?}", name(column)),
            Self::Not(inner) => {
                f.write_str("NOT (")?;
                inner.write(f, columns)?;
                f.write_str(")")
            }
            Self::And(parts) | Self::Or(parts) => {
                let word = if matches!(self, Self::And(_)) { " AND " } else { " OR " };
                for (index, part) in parts.iter().enumerate() {
                    f.write_str(if index == 0 { "(" } else { word })?;
                    part.write(f, columns)?;
                }
                f.write_str(")")
            }
        }
    }
}

/// AND (`deciding` is false) and OR (`deciding` is true).
fn fold<'r>(parts: &[Predicate], column: &impl Fn(usize) -> Option<&'r [u8]>, deciding: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part.evaluate(column) {
            Some(value) if value == deciding => return Some(deciding),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!deciding)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row<'r>(columns: &[Option<&'r [u8]>]) -> impl Fn(usize) -> Option<&'r [u8]> {
        let columns = columns.to_vec();
        move |index| columns.get(index).copied().flatten()
    }

    #[test]
    fn and_or_not_follow_the_truth_table() {
        let truth = [Some(true), Some(false), None];
        let constant = Predicate::Constant;
        for a in truth {
            assert_eq!(Predicate::Not(Box::new(constant(a))).evaluate(&row(&[])), a.map(|a| !a));
            for b in truth {
                let and = match (a, b) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                };
                let or = match (a, b) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                };
                assert_eq!(Predicate::And(vec![constant(a), constant(b)]).evaluate(&row(&[])), and);
                assert_eq!(Predicate::Or(vec![constant(a), constant(b)]).evaluate(&row(&[])), or);
            }
        }
    }

    #[test]
    fn a_null_compares_as_unknown_and_strings_by_bytes() {
        let compare = |op, text: &str| Predicate::Compare { left: 0, op, right: Operand::Literal(text.into()) };
        assert_eq!(compare(Comparison::NotEq, "a").evaluate(&row(&[None])), None);
        assert_eq!(compare(Comparison::Lt, "a").evaluate(&row(&[Some(b"B")])), Some(true));
        assert_eq!(compare(Comparison::Gt, "a").evaluate(&row(&[Some("日".as_bytes())])), Some(true));
        let within = |null| Predicate::In { column: 0, values: vec!["a".into()], null };
        assert_eq!(within(true).evaluate(&row(&[Some(b"b")])), None);
        assert_eq!(within(false).evaluate(&row(&[Some(b"b")])), Some(false));
        assert_eq!(within(true).evaluate(&row(&[Some(b"a")])), Some(true));
        assert_eq!(Predicate::IsNull(0).evaluate(&row(&[None])), Some(true));
    }
}
