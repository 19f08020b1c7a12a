//! Which column or field a member of an object is for.

use super::text::decodes_to;
use crate::short::ShortKey;
use crate::types::{DataType, Field};

/// A column that is read from the root object's member of its name.
#[derive(Debug)]
pub(super) struct Column {
    name: Box<[u8]>,
    short: Option<ShortKey>,
    pub(super) data_type: DataType,
}

impl Column {
    pub(super) fn new(name: &str, data_type: DataType) -> Self {
        let name = name.as_bytes();
        Self { name: name.into(), short: ShortKey::of(name), data_type }
    }

    #[inline(always)]
    fn is(&self, name: &[u8]) -> bool {
        self.name.len() == name.len()
            && if self.short.is_some() { self.short == ShortKey::of(name) } else { *self.name == *name }
    }
}

/// The columns to read, by name.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Many, and no two of one name: members then mostly come in one order, and looking at the next first is worth it.
    in_order: bool,
}

/// From how many columns on the next one is looked at before all.
const MANY_COLUMNS: usize = 4;

impl Columns {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        let mut names: Vec<_> = columns.iter().map(|column| &column.name).collect();
        names.sort_unstable();
        let in_order = names.len() >= MANY_COLUMNS && names.is_sorted_by(|one, next| one < next);
        Self { columns, in_order }
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&Column> {
        self.columns.get(index)
    }

    /// The column that is named by what stands between the quotes of a member's name; `next` may be it.
    #[inline(always)]
    pub(super) fn find(&self, name: &[u8], ascii_plain: bool, next: usize) -> Option<usize> {
        if !ascii_plain {
            return self.columns.iter().position(|column| decodes_to(name, &column.name));
        }
        if self.in_order && self.columns.get(next).is_some_and(|column| column.is(name)) {
            return Some(next);
        }
        self.columns.iter().position(|column| column.is(name))
    }
}

/// The same for a struct's field: of several with one name the last, as in Spark's `StructType.nameToIndex`.
pub(super) fn find_field(fields: &[Field], name: &[u8], ascii_plain: bool) -> Option<usize> {
    fields.iter().rposition(|field| {
        let expected = field.name.as_bytes();
        if ascii_plain { expected == name } else { decodes_to(name, expected) }
    })
}
