//! Functions by their names: a table for each family.

mod arrays;
mod collections;
mod conditional;
mod formats;
mod maps;
mod math;
mod regex;
mod text;
mod time;

use super::coerce::Takes;
use super::{BuildError, Built, Typed};
use crate::expr::Expr;
use crate::expr::functions::Function;
use crate::types::{DataType, Value};

type One = for<'a> fn(Value<'a>) -> Value<'a>;
type Two = for<'a> fn(Value<'a>, Value<'a>) -> Value<'a>;
type Three = for<'a> fn(Value<'a>, Value<'a>, Value<'a>) -> Value<'a>;

/// A function, as it stands in a family's table.
pub(super) struct Entry {
    /// In lower case.
    name: &'static str,
    /// In the name of a column.
    shown: &'static str,
    make: Make,
}

enum Make {
    One(Takes, DataType, One),
    Two([Takes; 2], DataType, Two),
    Three([Takes; 3], DataType, Three),
    /// From so many arguments to so many.
    Custom(usize, usize, fn(Call) -> Built),
}

const ANY_NUMBER: usize = usize::MAX;

const fn one(name: &'static str, takes: Takes, gives: DataType, function: One) -> Entry {
    Entry { name, shown: name, make: Make::One(takes, gives, function) }
}

const fn two(name: &'static str, takes: [Takes; 2], gives: DataType, function: Two) -> Entry {
    Entry { name, shown: name, make: Make::Two(takes, gives, function) }
}

const fn three(name: &'static str, takes: [Takes; 3], gives: DataType, function: Three) -> Entry {
    Entry { name, shown: name, make: Make::Three(takes, gives, function) }
}

const fn custom(name: &'static str, least: usize, most: usize, make: fn(Call) -> Built) -> Entry {
    Entry { name, shown: name, make: Make::Custom(least, most, make) }
}

impl Entry {
    const fn shown(mut self, shown: &'static str) -> Self {
        self.shown = shown;
        self
    }
}

/// A call whose number of arguments was checked.
pub(super) struct Call {
    shown: &'static str,
    arguments: Vec<Typed>,
}

impl Call {
    /// The name of the column.
    fn text(&self) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(|argument| argument.text.as_str()).collect();
        format!("{}({})", self.shown, arguments.join(", "))
    }

    /// Adds what stands in for an argument that was left out; names show it.
    fn or_default(mut self, arguments: usize, value: Value<'static>, data_type: DataType, name: &str) -> Self {
        if self.arguments.len() < arguments {
            self.arguments.push(super::literal(value, data_type, name.to_owned()));
        }
        self
    }

    /// The arguments as the types that the parameters take; the last of these is for all that follow.
    fn converted(&self, takes: &[Takes]) -> Result<Vec<Typed>, BuildError> {
        let takes = takes.iter().chain(takes.last().into_iter().cycle());
        self.arguments.iter().zip(takes).map(|(argument, takes)| self.convert(argument.clone(), *takes)).collect()
    }

    fn convert(&self, argument: Typed, takes: Takes) -> Built {
        match takes.accept(&argument.data_type) {
            Some(accepted) => Ok(argument.converted(&accepted)),
            None => Err(BuildError::operand(&self.text(), &argument, takes.name())),
        }
    }

    fn strict(self, takes: &[Takes], gives: DataType, function: Function) -> Built {
        let arguments = self.converted(takes)?;
        Ok(self.over(arguments, gives, function))
    }

    fn over(&self, arguments: Vec<Typed>, gives: DataType, function: Function) -> Typed {
        let arguments = arguments.into_iter().map(Typed::into_expr).collect();
        Typed::new(function.over(arguments), gives, self.text())
    }

    fn named(&self, expr: Expr, gives: DataType) -> Typed {
        Typed::new(expr, gives, self.text())
    }

    /// The arguments as an array, if there are so many.
    fn take<const N: usize>(self) -> Result<[Typed; N], BuildError> {
        let shown = self.shown;
        <[Typed; N]>::try_from(self.arguments)
            .map_err(|arguments| BuildError::new(format!("{shown} does not take {}", arguments.len()), String::new()))
    }

    /// An error about this call.
    fn error(&self, what: &str, instead: impl Into<String>) -> BuildError {
        BuildError::new(format!("{}: {what}", self.text()), instead)
    }
}

/// A scalar function by its name, any case. Aggregates, window and session_window are the caller's.
pub(crate) fn call(name: &str, arguments: Vec<Typed>) -> Built {
    let lower = name.to_ascii_lowercase();
    if let Some(error) = refused(&lower) {
        return Err(error);
    }
    if let ([operand], Some(to)) = (arguments.as_slice(), type_of(&lower)) {
        return cast_call(operand.clone(), &to);
    }
    let Some(entry) = entries().find(|entry| entry.name == lower) else { return Err(no_function(name)) };
    let (least, most) = match entry.make {
        Make::One(..) => (1, 1),
        Make::Two(..) => (2, 2),
        Make::Three(..) => (3, 3),
        Make::Custom(least, most, _) => (least, most),
    };
    if !(least..=most).contains(&arguments.len()) {
        return Err(wrong_number(&lower, least, most, arguments.len()));
    }
    let call = Call { shown: entry.shown, arguments };
    match &entry.make {
        Make::One(takes, gives, function) => call.strict(&[*takes], gives.clone(), Function::One(*function)),
        Make::Two(takes, gives, function) => call.strict(takes, gives.clone(), Function::Two(*function)),
        Make::Three(takes, gives, function) => call.strict(takes, gives.clone(), Function::Three(*function)),
        Make::Custom(_, _, make) => make(call),
    }
}

/// The type that is a function too: `int(a)` is `CAST(a AS INT)`.
pub(crate) fn type_of(name: &str) -> Option<DataType> {
    Some(match name {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::TinyInt,
        "smallint" => DataType::SmallInt,
        "int" => DataType::Int,
        "bigint" => DataType::BigInt,
        "float" => DataType::Float,
        "double" => DataType::Double,
        "decimal" => DataType::Decimal { precision: 10, scale: 0 },
        "string" => DataType::String,
        "binary" => DataType::Binary,
        "date" => DataType::Date,
        "timestamp" => DataType::Timestamp,
        _ => return None,
    })
}

/// A cast that, unlike CAST, no name shows.
fn cast_call(operand: Typed, to: &DataType) -> Built {
    let text = operand.text.clone();
    let typed = super::cast(operand, to.clone())?;
    Ok(Typed::new(typed.expr, typed.data_type, text))
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        text::TABLE,
        regex::TABLE,
        time::TABLE,
        conditional::TABLE,
        math::TABLE,
        collections::TABLE,
        arrays::TABLE,
        maps::TABLE,
    ]
    .into_iter()
    .flatten()
}

fn wrong_number(name: &str, least: usize, most: usize, given: usize) -> BuildError {
    let wanted = match (least, most) {
        (least, most) if least == most => least.to_string(),
        (least, ANY_NUMBER) => format!("at least {least}"),
        (least, most) => format!("{least} to {most}"),
    };
    let plural = if wanted == "1" || wanted == "at least 1" { "" } else { "s" };
    BuildError::new(
        format!("{name} takes {wanted} argument{plural}, and has {given}"),
        format!("give {name} {wanted} argument{plural}"),
    )
}

/// Functions of Spark that give another result each time, or that depend on when they run.
fn refused(name: &str) -> Option<BuildError> {
    let (why, instead) = match name {
        "rand"
        | "random"
        | "randn"
        | "uuid"
        | "shuffle"
        | "monotonically_increasing_id"
        | "spark_partition_id"
        | "input_file_name" => (
            "gives another result each time, and a batch that runs again must give the same rows",
            "a column of the record, as offset or hash(value)",
        ),
        "now" | "current_timestamp" | "current_date" | "curdate" | "localtimestamp" | "current_timezone" => (
            "depends on when it runs, and a batch that runs again must give the same rows",
            "the record's own time, as the column timestamp",
        ),
        "current_user" | "user" | "current_catalog" | "current_database" | "current_schema" | "version" => {
            ("tells of Spark's session, and there is none", "a text between quotes")
        }
        "json_tuple" => ("makes several columns of one", "get_json_object(text, '$.name') for each"),
        _ => return None,
    };
    Some(BuildError::new(format!("{name} {why}"), instead))
}

/// What is a function to those who write SQL, and stands in no table here.
const ELSEWHERE: &str = "count count_if sum try_sum min max avg mean try_avg bool_and every bool_or any some first \
     first_value any_value last last_value min_by max_by bit_and bit_or bit_xor collect_list array_agg collect_set \
     approx_count_distinct mode median percentile percentile_approx approx_percentile variance var_samp var_pop stddev \
     std stddev_samp stddev_pop skewness kurtosis corr covar_pop covar_samp regr_count regr_avgx regr_avgy regr_sxx \
     regr_syy regr_sxy regr_r2 regr_slope regr_intercept grouping grouping_id window session_window explode \
     explode_outer posexplode posexplode_outer inline inline_outer stack transform filter exists forall aggregate reduce \
     zip_with map_filter transform_keys transform_values map_zip_with boolean tinyint smallint int bigint float double \
     decimal string binary date timestamp";

/// All that the README lists.
fn names() -> impl Iterator<Item = &'static str> {
    let here = entries().map(|entry| entry.name).filter(|name| *name != "~");
    here.chain(ELSEWHERE.split_whitespace())
}

/// Whether there is a function of this name, in whatever case.
pub(crate) fn is_function(name: &str) -> bool {
    names().any(|known| known.eq_ignore_ascii_case(name))
}

/// The error of a name that no function has.
pub(crate) fn no_function(name: &str) -> BuildError {
    let instead = crate::nearest::advice(name, names(), "another of the README's list");
    BuildError::new(format!("there is no function {name}"), instead)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const README: &str = include_str!("../../../../README.md");

    #[test]
    fn the_readme_lists_the_functions() {
        let list = README.split_once("<summary>All functions</summary>").unwrap().1.split_once("</details>").unwrap().0;
        let listed: BTreeSet<&str> = list.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).collect();
        let known: BTreeSet<&str> = names().collect();
        assert_eq!(listed.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new(), "listed, and not there");
        assert_eq!(known.difference(&listed).collect::<Vec<_>>(), Vec::<&&str>::new(), "there, and not listed");
    }
}
