//! Consumer groups of any broker, with what their members say of themselves.

use std::time::Duration;

use anyhow::Context as _;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::client::answer;

/// What the members of the groups whose id begins with `prefix` have put into their subscription as user data: the
/// group's id, and the bytes of each member that has some.
///
/// # Errors
/// No broker answers within `timeout`.
pub fn members_user_data(
    bootstrap_server: &str,
    prefix: &str,
    properties: &[(String, String)],
    timeout: Duration,
) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap_server).set("client.id", "brooklet-status");
    for (key, value) in properties {
        config.set(key, value);
    }
    let consumer: BaseConsumer = config.create().context("these settings do not make a Kafka client")?;
    let groups = answer(bootstrap_server, timeout, |left| consumer.fetch_group_list(None, left))?;
    let mut found = Vec::new();
    for group in groups.groups().iter().filter(|group| group.name().starts_with(prefix)) {
        for member in group.members() {
            if let Some(data) = member.metadata().and_then(user_data) {
                found.push((group.name().to_owned(), data.to_vec()));
            }
        }
    }
    Ok(found)
}

/// The user data of a `ConsumerProtocolSubscription`: version, topics, and then it.
fn user_data(metadata: &[u8]) -> Option<&[u8]> {
    let (_version, rest) = metadata.split_first_chunk::<2>()?;
    let (topics, mut rest) = rest.split_first_chunk::<4>()?;
    for _ in 0..i32::from_be_bytes(*topics) {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::try_from(i16::from_be_bytes(*length)).ok()?..)?;
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(i32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_stands_behind_the_topics() {
        let bytes = [&[0, 0, 0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c', 0, 0, 0, 3][..], b"own"].concat();
        assert_eq!(user_data(&bytes), Some(&b"own"[..]));
        for cut in 0..bytes.len() {
            assert_eq!(user_data(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(user_data(&[0, 0, 0, 0, 0, 0, 255, 255, 255, 255]), None);
    }
}
