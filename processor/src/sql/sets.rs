//! ROLLUP, CUBE and GROUPING SETS: each record makes a row for each set of keys, in which the other keys are NULL
//! (`ResolveGroupingAnalytics` and `Expand` in Spark).

use sqlparser::ast::{Expr, FunctionArg, GroupByWithModifier, Spanned};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::function::expressions;
use super::group::key;
use super::items::Item;
use super::lowered::{Clause, GENERATED, KEYS, Key, Lowered, Lowering, at};
use super::text::Text;
use crate::expr;
use crate::expr::build;
use crate::plan::Generator;
use crate::types::{DataType, Value};

/// The most sets that a query may have.
const SETS_MAX: usize = 256;
/// The key that tells sets apart.
const GROUPING_ID: &str = "spark_grouping_id";

/// Keys, and of which of them each set is made.
pub(super) struct Sets {
    keys: Vec<Lowered>,
    sets: Vec<Vec<usize>>,
    place: Span,
}

/// `None` if GROUP BY names keys alone.
pub(super) fn of(
    lowering: &mut Lowering<'_>,
    exprs: Option<&[Expr]>,
    modifiers: &[GroupByWithModifier],
    items: &[Item<'_>],
    text: &Text,
) -> Result<Option<Sets>, PlanError> {
    let exprs = exprs.unwrap_or_default();
    let is_set = |expr: &Expr| matches!(expr, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
    if modifiers.is_empty() && !exprs.iter().any(is_set) {
        return Ok(None);
    }
    let place = text.keyword(Keyword::GROUP);
    let mut sets = Sets { keys: Vec::new(), sets: vec![Vec::new()], place };
    match modifiers {
        [] => {
            for expr in exprs {
                let more = match expr {
                    Expr::Rollup(parts) => rollup(&sets.parts(lowering, parts, items)?),
                    Expr::Cube(parts) => cube(&sets.parts(lowering, parts, items)?, place)?,
                    Expr::GroupingSets(parts) => sets.parts(lowering, parts, items)?,
                    plain => vec![sets.part(lowering, std::slice::from_ref(plain), items)?],
                };
                sets.multiply(&more)?;
            }
        }
        [modifier] => {
            let singles: Vec<Vec<Expr>> = exprs.iter().map(|expr| vec![expr.clone()]).collect();
            let parts = sets.parts(lowering, &singles, items)?;
            let more = match modifier {
                GroupByWithModifier::Rollup => rollup(&parts),
                GroupByWithModifier::Cube => cube(&parts, place)?,
                GroupByWithModifier::GroupingSets(Expr::GroupingSets(listed)) => sets.parts(lowering, listed, items)?,
                _ => return Err(refuse(place, "TOTALS is not supported", "write GROUP BY ROLLUP(column)")),
            };
            sets.multiply(&more)?;
        }
        _ => return Err(refuse(place, "GROUP BY ends with one of ROLLUP and CUBE", "write GROUP BY CUBE(column)")),
    }
    Ok(Some(sets))
}

impl Sets {
    fn parts(
        &mut self,
        lowering: &mut Lowering<'_>,
        parts: &[Vec<Expr>],
        items: &[Item<'_>],
    ) -> Result<Vec<Vec<usize>>, PlanError> {
        parts.iter().map(|part| self.part(lowering, part, items)).collect()
    }

    /// The numbers of keys, each of which is kept once.
    fn part(
        &mut self,
        lowering: &mut Lowering<'_>,
        part: &[Expr],
        items: &[Item<'_>],
    ) -> Result<Vec<usize>, PlanError> {
        let mut numbers = Vec::with_capacity(part.len());
        for expr in part {
            let lowered = key(lowering, expr, items)?;
            if matches!(lowered.typed.data_type, DataType::Map(..)) {
                return Err(refuse(expr.span(), "a MAP cannot be grouped by", "group by a part of it: map['key']"));
            }
            let known = self.keys.iter().position(|known| known.text == lowered.text);
            numbers.push(known.unwrap_or(self.keys.len()));
            if known.is_none() {
                self.keys.push(lowered);
            }
        }
        Ok(numbers)
    }

    /// Each set so far with each of these.
    fn multiply(&mut self, more: &[Vec<usize>]) -> Result<(), PlanError> {
        if self.sets.len().saturating_mul(more.len()) > SETS_MAX {
            let what = format!("GROUP BY makes more than {SETS_MAX} sets of keys");
            return Err(refuse(self.place, what, "name the sets that you need: GROUPING SETS ((a, b), (a))"));
        }
        let joined = |set: &Vec<usize>| more.iter().map(|more| [set.as_slice(), more].concat()).collect::<Vec<_>>();
        self.sets = self.sets.iter().flat_map(joined).collect();
        Ok(())
    }
}

fn rollup(parts: &[Vec<usize>]) -> Vec<Vec<usize>> {
    (0..=parts.len()).rev().map(|count| parts.iter().take(count).flatten().copied().collect()).collect()
}

fn cube(parts: &[Vec<usize>], place: Span) -> Result<Vec<Vec<usize>>, PlanError> {
    let Some(count) = u32::try_from(parts.len()).ok().and_then(|count| 1_usize.checked_shl(count)) else {
        return Err(refuse(place, "CUBE has too many columns", "write GROUPING SETS"));
    };
    if count > SETS_MAX {
        return Err(refuse(place, "CUBE has too many columns", "write GROUPING SETS"));
    }
    let set = |chosen: usize| {
        let parts = parts.iter().enumerate().filter(|(number, _)| chosen >> number & 1 == 0);
        parts.flat_map(|(_, part)| part).copied().collect()
    };
    Ok((0..count).map(set).collect())
}

/// Makes the keys, and the rows that have them.
pub(super) fn keys(lowering: &mut Lowering<'_>, sets: Sets) -> Result<(), PlanError> {
    let Sets { keys, sets, place } = sets;
    if lowering.window.is_some() {
        let what = "a window stands beside ROLLUP, CUBE or GROUPING SETS";
        return Err(refuse(place, what, "run one query for each grouping"));
    }
    let mut rows = Vec::with_capacity(sets.len());
    let mut ids = Vec::with_capacity(sets.len());
    for set in &sets {
        let mut id = 0_i64;
        let mut row = Vec::with_capacity(keys.len() + 1);
        for (number, key) in keys.iter().enumerate() {
            let is_kept = set.contains(&number);
            id = id << 1 | i64::from(!is_kept);
            row.push(if is_kept { key.typed.expr.clone() } else { expr::Expr::Literal(Value::Null) });
        }
        if ids.contains(&id) {
            return Err(refuse(place, "two of the sets have the same keys", "leave one of them out"));
        }
        ids.push(id);
        row.push(expr::Expr::Literal(Value::BigInt(id)));
        rows.push(row);
    }
    let texts: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
    let text = format!("grouping_sets({}; {sets:?})", texts.join(", "));
    let mut columns: Vec<(Option<String>, DataType)> =
        keys.iter().map(|key| (None, key.typed.data_type.clone())).collect();
    columns.push((None, DataType::BigInt));
    let numbers = lowering.add_generator(Generator::Rows(rows), text, None, columns, true);
    for (number, key) in numbers.clone().zip(keys) {
        let mut typed = key.typed;
        typed.expr = expr::Expr::Column(GENERATED + number);
        lowering.keys.push(Key { typed, text: key.text });
    }
    let id = build::column(GENERATED + numbers.end - 1, DataType::BigInt, GROUPING_ID.to_owned());
    lowering.keys.push(Key { typed: id, text: GROUPING_ID.to_owned() });
    Ok(())
}

impl Lowering<'_> {
    /// `grouping(key)`: 1 in the rows of sets without that key; `grouping_id()`: all of them as bits, the last key's lowest.
    pub(super) fn grouping(
        &mut self,
        name: &str,
        arguments: &[&FunctionArg],
        place: Span,
        clause: Clause,
    ) -> Result<Lowered, PlanError> {
        let Some(number) = self.keys.iter().position(|key| key.text == GROUPING_ID).filter(|_| clause.is_over_groups())
        else {
            let what = format!("{name} tells of the keys of ROLLUP, CUBE or GROUPING SETS, and there are none");
            return Err(refuse(place, what, "write GROUP BY ROLLUP(column)"));
        };
        let id = build::column(KEYS + number, DataType::BigInt, GROUPING_ID.to_owned());
        let arguments = expressions(arguments, name, place)?;
        let mut keys = Vec::with_capacity(arguments.len());
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        for argument in &arguments {
            let lowered = self.lower(argument, clause)?;
            keys.push(self.keys.iter().take(number).position(|key| key.text == lowered.text));
            names.push(lowered.typed.text);
            texts.push(lowered.text);
        }
        let shown = format!("{name}({})", names.join(", "));
        let text = format!("{name}({})", texts.join(", "));
        let typed = match keys.as_slice() {
            [Some(key)] if name == "grouping" => {
                let places = i32::try_from(number - 1 - key).unwrap_or(i32::MAX);
                let literal = |number: i32| build::literal(Value::Int(number), DataType::Int, number.to_string());
                let shifted = build::call("shiftright", vec![id, literal(places)]).map_err(at(place))?;
                let bit = build::binary(build::Binary::BitAnd, shifted, literal(1)).map_err(at(place))?;
                build::cast(bit, DataType::TinyInt).map_err(at(place))?
            }
            keys if name == "grouping_id" && (keys.is_empty() || keys.iter().copied().eq((0..number).map(Some))) => id,
            _ => {
                let all: Vec<&str> = self.keys.iter().take(number).map(|key| key.typed.text.as_str()).collect();
                let what = if name == "grouping" {
                    format!("{shown} is not about one key: the keys are {}", all.join(", "))
                } else {
                    format!("{shown} is not about the keys in their order: {}", all.join(", "))
                };
                return Err(refuse(place, what, "write grouping(key), or grouping_id()"));
            }
        };
        Ok(Lowered::new(typed, text).named(shown))
    }
}
