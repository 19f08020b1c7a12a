//! A result row as the key and the value of a record.

use crate::groups::{GroupId, GroupTable};
use crate::plan::{OutputValue, Plan};

/// Writes rows as JSON objects. The key holds the group's columns (those of SELECT first, by their names there, then
/// those that are only grouped by), so that it tells every group from every other; the value holds the columns of
/// SELECT in their order. NULL is written as such, and a global count has the key `{}`.
pub(super) struct JsonRows<'p> {
    plan: &'p Plan,
    key: Vec<(&'p str, usize)>,
}

impl<'p> JsonRows<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let selected = plan.output.iter().filter_map(|column| match column.value {
            OutputValue::Key(number) => Some((column.name.as_str(), number)),
            OutputValue::Count => None,
        });
        let mut key: Vec<(&str, usize)> = Vec::with_capacity(plan.key_count);
        for (name, number) in selected {
            if !key.iter().any(|(_, known)| *known == number) {
                key.push((name, number));
            }
        }
        for (number, name) in plan.source.columns.iter().take(plan.key_count).enumerate() {
            if !key.iter().any(|(_, known)| *known == number) {
                key.push((name, number));
            }
        }
        Self { plan, key }
    }

    /// Replaces what is in `key` and `value` by the group's row.
    pub(super) fn write(&self, groups: &GroupTable, id: GroupId, key: &mut Vec<u8>, value: &mut Vec<u8>) {
        let columns: Vec<Option<&[u8]>> = groups.key(id).collect();
        let column = |number: usize| columns.get(number).copied().flatten();
        key.clear();
        key.push(b'{');
        for (index, (name, number)) in self.key.iter().enumerate() {
            put_name(key, index, name);
            put_text(key, column(*number));
        }
        key.push(b'}');
        value.clear();
        value.push(b'{');
        for (index, output) in self.plan.output.iter().enumerate() {
            put_name(value, index, &output.name);
            match output.value {
                OutputValue::Key(number) => put_text(value, column(number)),
                OutputValue::Count => value.extend_from_slice(groups.count(id).to_string().as_bytes()),
            }
        }
        value.push(b'}');
    }
}

fn put_name(out: &mut Vec<u8>, index: usize, name: &str) {
    if index > 0 {
        out.push(b',');
    }
    put_text(out, Some(name.as_bytes()));
    out.push(b':');
}

fn put_text(out: &mut Vec<u8>, text: Option<&[u8]>) {
    let Some(text) = text else {
        out.extend_from_slice(b"null");
        return;
    };
    // Writing a string into memory cannot fail; were it to, the JSON would be `null`.
    let before = out.len();
    if serde_json::to_writer(&mut *out, &String::from_utf8_lossy(text)).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(sql: &str, key: &[Option<&[u8]>]) -> (String, String) {
        let plan = crate::plan(sql).unwrap();
        let mut groups = GroupTable::new(plan.key_count);
        let id = groups.count_one(key.iter().copied()).unwrap();
        let (mut key, mut value) = (Vec::new(), Vec::new());
        JsonRows::new(&plan).write(&groups, id, &mut key, &mut value);
        (String::from_utf8(key).unwrap(), String::from_utf8(value).unwrap())
    }

    #[test]
    fn rows_are_json_in_the_order_of_select() {
        let sql = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";
        assert_eq!(
            rows(sql, &[Some(b"a\"\n")]),
            (r#"{"level":"a\"\n"}"#.into(), r#"{"level":"a\"\n","count":1}"#.into())
        );
        assert_eq!(rows(sql, &[None]), (r#"{"level":null}"#.into(), r#"{"level":null,"count":1}"#.into()));
        let sql = "SELECT COUNT(*) n, b AS x FROM logs GROUP BY a, b";
        assert_eq!(rows(sql, &[Some(b"A"), None]), (r#"{"x":null,"a":"A"}"#.into(), r#"{"n":1,"x":null}"#.into()));
        assert_eq!(rows("SELECT COUNT(*) n FROM logs", &[]), ("{}".into(), r#"{"n":1}"#.into()));
    }
}
