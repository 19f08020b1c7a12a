//! The items of SELECT: expressions with their aliases, and what `*` stands for.

use sqlparser::ast::{
    Expr, ObjectName, SelectItem, SelectItemQualifiedWildcardKind, Spanned, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Span;

use super::error::{PlanError, refuse};
use super::literal::identifier;
use super::lowered::{Clause, GENERATED, Lowered, Lowering, Reach};
use super::{generator, kafka};
use crate::plan::{Generator, Stage};
use crate::types::DataType;

/// An item, `*` taken apart.
pub(super) struct Item<'q> {
    pub(super) place: Span,
    pub(super) alias: Option<String>,
    pub(super) source: ItemSource<'q>,
}

pub(super) enum ItemSource<'q> {
    Expr(&'q Expr),
    /// A chain of names, that `*` stood for.
    Names(Vec<String>),
    /// A column by its number.
    Column(usize),
}

impl<'q> Item<'q> {
    /// The items of SELECT, of which `*` can be several.
    pub(super) fn all(lowering: &mut Lowering<'_>, items: &'q [SelectItem]) -> Result<Vec<Self>, PlanError> {
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }
                    if generator::called(expr).is_some() =>
                {
                    let alias = match item {
                        SelectItem::ExprWithAlias { alias, .. } => vec![identifier(alias)],
                        _ => Vec::new(),
                    };
                    all.extend(Self::generated(lowering, expr, alias)?);
                }
                SelectItem::ExprWithAliases { expr, aliases } if generator::called(expr).is_some() => {
                    all.extend(Self::generated(lowering, expr, aliases.iter().map(identifier).collect())?);
                }
                SelectItem::UnnamedExpr(expr) => {
                    all.push(Self { place: expr.span(), alias: None, source: ItemSource::Expr(expr) });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let alias = Some(identifier(alias));
                    all.push(Self { place: expr.span(), alias, source: ItemSource::Expr(expr) });
                }
                SelectItem::ExprWithAliases { expr, .. } => {
                    return Err(refuse(expr.span(), "an item has one alias", "write expression AS name"));
                }
                SelectItem::Wildcard(options) => {
                    plain(options, item.span())?;
                    all.extend(star(lowering, item.span())?);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    plain(options, item.span())?;
                    all.extend(qualified_star(lowering, name, item.span())?);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
                    return Err(refuse(item.span(), "* takes the parts of a column alone", "name the parts"));
                }
            }
        }
        Ok(all)
    }

    /// The columns that a generator makes.
    fn generated(lowering: &mut Lowering<'_>, expr: &Expr, aliases: Vec<String>) -> Result<Vec<Self>, PlanError> {
        let place = expr.span();
        let makes_rows = |stage: &Stage| match stage {
            Stage::Generate(generator) => !matches!(generator, Generator::Windows { .. }),
            _ => false,
        };
        if lowering.makers.iter().any(|(_, maker)| makes_rows(maker)) {
            let what = "SELECT makes several rows of one once, and after LATERAL VIEW not at all";
            return Err(refuse(place, what, "write LATERAL VIEW for each of them"));
        }
        let numbers = lowering.generate(expr, None, aliases, true, false)?;
        Ok(numbers.map(|number| Self::numbered(GENERATED + number, place)).collect())
    }

    pub(super) fn numbered(column: usize, place: Span) -> Self {
        Self { place, alias: None, source: ItemSource::Column(column) }
    }

    fn of_names(names: Vec<String>, place: Span) -> Self {
        Self { place, alias: None, source: ItemSource::Names(names) }
    }

    pub(super) fn lower(&self, lowering: &mut Lowering<'_>, clause: Clause) -> Result<Lowered, PlanError> {
        match &self.source {
            ItemSource::Expr(expr) => lowering.lower(expr, clause),
            ItemSource::Names(names) => lowering.path(names, Vec::new(), self.place, clause),
            ItemSource::Column(column) => Ok(lowering.numbered(*column, self.place, clause)),
        }
    }

    /// Whether GROUP BY means this item by its alias.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.alias.as_ref().is_some_and(|alias| alias.to_lowercase() == name.to_lowercase())
    }
}

/// Refuses what other systems let follow a star.
fn plain(options: &WildcardAdditionalOptions, place: Span) -> Result<(), PlanError> {
    let clean = options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none();
    if clean {
        return Ok(());
    }
    Err(refuse(place, "* takes nothing after it", "name the columns"))
}

/// All declared columns, and the Kafka columns that none of them hides.
fn star<'q>(lowering: &Lowering<'_>, place: Span) -> Result<Vec<Item<'q>>, PlanError> {
    let generated = lowering.generated.iter().enumerate();
    let generated = generated.filter(|(_, generated)| generated.name.is_some() && generated.reach.is_plain());
    let generated = generated.map(|(number, _)| Item::numbered(GENERATED + number, place));
    if let Some(columns) = lowering.scope.query_columns() {
        return Ok((0..columns).map(|column| Item::numbered(column, place)).chain(generated).collect());
    }
    let Some(table) = lowering.scope.table() else {
        let instead = "name the columns, or declare them: CREATE TABLE topic (column TYPE, …); SELECT * FROM topic";
        return Err(refuse(place, "* is not known, for the topic has no schema", instead));
    };
    let declared = table.columns.iter().map(|column| column.name.clone());
    let kafka = kafka::COLUMNS.iter().filter(|(name, _)| table.column(name).is_none());
    let names = declared.chain(kafka.map(|(name, _)| (*name).to_owned()));
    Ok(names.map(|name| Item::of_names(vec![name], place)).chain(generated).collect())
}

/// The declared columns of a joined table that is called so.
fn joined_star<'q>(lowering: &Lowering<'_>, names: &[String], place: Span) -> Vec<Item<'q>> {
    let [name] = names else { return Vec::new() };
    let is_called = |qualifier: &Option<String>| qualifier.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(name));
    let columns = lowering.generated.iter().enumerate();
    let columns = columns.filter(|(_, column)| column.reach == Reach::Joined && is_called(&column.qualifier));
    columns.map(|(number, _)| Item::numbered(GENERATED + number, place)).collect()
}

/// `topic.*`, `table.*`, `kafka.*`, or the fields of a declared struct.
fn qualified_star<'q>(lowering: &mut Lowering<'_>, name: &ObjectName, place: Span) -> Result<Vec<Item<'q>>, PlanError> {
    let names: Vec<String> = name.0.iter().filter_map(|part| part.as_ident().map(identifier)).collect();
    if lowering.scope.is_qualifier(&names) {
        return star(lowering, place);
    }
    let of_joined = joined_star(lowering, &names, place);
    if !of_joined.is_empty() {
        return Ok(of_joined);
    }
    let declared = |name: &str| lowering.scope.declares(name) == Some(true);
    if let [only] = names.as_slice()
        && only.eq_ignore_ascii_case("kafka")
        && lowering.scope.query_columns().is_none()
        && !declared(only)
    {
        let names = |(column, _): (&str, _)| Item::of_names(vec!["kafka".to_owned(), column.to_owned()], place);
        return Ok(kafka::COLUMNS.into_iter().map(names).collect());
    }
    let written = names.join(".");
    if lowering.scope.table().is_none() && lowering.scope.query_columns().is_none() {
        let what = format!("{written}.* is not known, for the topic has no schema");
        return Err(refuse(place, what, format!("name the fields: {written}.field")));
    }
    let column = lowering.path(&names, Vec::new(), place, Clause::GroupBy)?;
    match &column.typed.data_type {
        DataType::Struct(fields) => {
            let field = |field: &crate::types::Field| {
                Item::of_names(names.iter().cloned().chain([field.name.clone()]).collect(), place)
            };
            Ok(fields.iter().map(field).collect())
        }
        _ => Err(refuse(place, format!("{written} is no STRUCT, and has no fields"), "name the column alone")),
    }
}
