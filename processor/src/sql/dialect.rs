//! The lexical rules of Spark SQL that sqlparser asks for.

use sqlparser::dialect::Dialect;

/// Spark SQL: backquoted identifiers, strings in single or double quotes with backslash escapes, `!` as NOT.
#[derive(Debug)]
pub(super) struct Spark;

impl Dialect for Spark {
    fn is_delimited_identifier_start(&self, sign: char) -> bool {
        sign == '`'
    }

    fn is_identifier_start(&self, sign: char) -> bool {
        sign.is_ascii_alphabetic() || sign == '_'
    }

    fn is_identifier_part(&self, sign: char) -> bool {
        sign.is_ascii_alphanumeric() || sign == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_string_literal_column_alias(&self, _explicit: bool) -> bool {
        false
    }

    fn supports_string_literal_table_alias(&self, _explicit: bool) -> bool {
        false
    }

    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }
}
