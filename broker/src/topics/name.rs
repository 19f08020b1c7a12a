//! Which names a topic may have (`org.apache.kafka.common.internals.Topic`).

/// Names that start so are brooklet's own logs; clients neither see nor make them.
const RESERVED_PREFIX: &str = "__brooklet_";
/// Topics that the broker keeps its own records in, by Kafka's names; clients read but do not make them.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];
/// Kafka's own log of metadata.
const CLUSTER_METADATA: &str = "__cluster_metadata";
/// Longest name: with the partition's number it still is a file name.
const LEN_MAX: usize = 249;

/// Checks that `name` may be a topic's; the error says what is wrong in Kafka's words.
pub(crate) fn validate(name: &str) -> Result<(), String> {
    let wrong = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.chars().count() > LEN_MAX {
        format!("the length of '{name}' is longer than the max allowed length {LEN_MAX}")
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {wrong}"))
}

/// Whether only the broker itself makes topics of that name.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED_PREFIX) || name == CLUSTER_METADATA || INTERNAL.contains(&name)
}

/// Whether two different names are the same where '.' and '_' cannot be told apart, as in the names of metrics.
pub(crate) fn collide(one: &str, other: &str) -> bool {
    let same = |(a, b): (u8, u8)| a == b || (matches!(a, b'.' | b'_') && matches!(b, b'.' | b'_'));
    one != other && one.len() == other.len() && one.bytes().zip(other.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        for name in ["a", "a.b", "_x-9", "__consumer_offsets", &"x".repeat(249)] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
        for name in ["", ".", "..", "a b", "é", "a/b", &"x".repeat(250)] {
            assert!(validate(name).unwrap_err().starts_with("Topic name is invalid: "), "{name}");
        }
        let message = "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, \
                       '.', '_' and '-'";
        assert_eq!(validate("a b"), Err(message.to_owned()));
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert!(collide("a.b", "a_b"));
        assert!(collide("a._b", "a_.b"));
        assert!(!collide("a.b", "a.b"));
        assert!(!collide("a.b", "a-b"));
        assert!(!collide("a.b", "a.bc"));
    }

    #[test]
    fn the_brokers_own_names_are_reserved() {
        assert!(is_reserved("__brooklet_catalogue"));
        assert!(is_reserved("__consumer_offsets"));
        assert!(!is_reserved("__mine"));
    }
}
