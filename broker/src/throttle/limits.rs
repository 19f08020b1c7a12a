//! Which quota a client has: of those that fit it the most special one (`ClientQuotaManager.DefaultQuotaCallback`).

use std::collections::HashMap;

use crate::cluster::quotas::{CLIENT_ID, Entity, Quotas, USER};
use crate::shared::ANONYMOUS;

/// Who shares a quota: a rate is kept for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// All clients of the user.
    User,
    /// One client of the user.
    UserClient,
    /// The clients of that id, whoever uses them.
    Client,
}

/// Quotas of one key as they are for the one user that there is; bounds in units a second.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Of the user by name, of the default user, of no user in particular: in the order in which they count.
    levels: [Level; 3],
}

#[derive(Debug, Default)]
struct Level {
    clients: HashMap<String, f64>,
    default_client: Option<f64>,
    /// Of the user whatever the client.
    alone: Option<f64>,
}

impl Limits {
    /// The quotas that have a value under `key`.
    pub(super) fn new(quotas: &Quotas, key: &str) -> Self {
        let mut limits = Self::default();
        for (entity, values) in quotas.all() {
            if let (Some(level), Some(bound)) = (limits.level(entity), values.get(key)) {
                match entity.get(CLIENT_ID) {
                    None => level.alone = Some(*bound),
                    Some(None) => level.default_client = Some(*bound),
                    Some(Some(client)) => drop(level.clients.insert(client.clone(), *bound)),
                }
            }
        }
        limits
    }

    fn level(&mut self, entity: &Entity) -> Option<&mut Level> {
        let [named, default, nobody] = &mut self.levels;
        match entity.get(USER) {
            Some(Some(user)) => (user == ANONYMOUS).then_some(named),
            Some(None) => Some(default),
            None => entity.contains_key(CLIENT_ID).then_some(nobody),
        }
    }

    /// Nobody has a quota.
    pub(super) fn is_empty(&self) -> bool {
        self.levels.iter().all(|it| it.clients.is_empty() && it.default_client.is_none() && it.alone.is_none())
    }

    /// The bound that holds for a client, and with whom it shares it. A client without an id is the user alone.
    pub(super) fn of(&self, client: &str) -> Option<(Share, f64)> {
        let [_, _, nobody] = &self.levels;
        self.levels.iter().find_map(|level| {
            let share = if std::ptr::eq(level, nobody) { Share::Client } else { Share::UserClient };
            let special = level.clients.get(client).copied().or(level.default_client).filter(|_| !client.is_empty());
            special.map(|bound| (share, bound)).or(level.alone.map(|bound| (Share::User, bound)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kinds and names.
    type Level = &'static [(&'static str, Option<&'static str>)];

    /// Every level as Kafka documents their order, and who shares its bound.
    const LEVELS: [(Level, Share); 8] = [
        (&[(USER, Some(ANONYMOUS)), (CLIENT_ID, Some("c"))], Share::UserClient),
        (&[(USER, Some(ANONYMOUS)), (CLIENT_ID, None)], Share::UserClient),
        (&[(USER, Some(ANONYMOUS))], Share::User),
        (&[(USER, None), (CLIENT_ID, Some("c"))], Share::UserClient),
        (&[(USER, None), (CLIENT_ID, None)], Share::UserClient),
        (&[(USER, None)], Share::User),
        (&[(CLIENT_ID, Some("c"))], Share::Client),
        (&[(CLIENT_ID, None)], Share::Client),
    ];

    fn entity(level: &[(&str, Option<&str>)]) -> Entity {
        level.iter().map(|(kind, name)| ((*kind).to_owned(), name.map(str::to_owned))).collect()
    }

    /// The quotas of these levels; the bound is the level's number, from 1.
    fn limits(levels: &[usize]) -> Limits {
        let each = |level: &usize| (entity(LEVELS[*level].0), [("rate".to_owned(), *level as f64 + 1.0)].into());
        Limits::new(&Quotas::of(levels.iter().map(each)), "rate")
    }

    #[test]
    fn the_most_special_quota_counts() {
        for (first, (_, share)) in LEVELS.iter().enumerate() {
            let limits = limits(&(first..8).collect::<Vec<_>>());
            assert_eq!(limits.of("c"), Some((*share, first as f64 + 1.0)));
        }
        // Another client has the defaults alone.
        let found = |levels: &[usize]| limits(levels).of("d").map(|(_, bound)| bound);
        assert_eq!(found(&[0, 1, 2, 3, 4, 5, 6, 7]), Some(2.0));
        assert_eq!(found(&[0, 3, 4, 5, 6, 7]), Some(5.0));
        assert_eq!(found(&[0, 3, 6, 7]), Some(8.0));
        assert_eq!(found(&[0, 3, 6]), None);
    }

    #[test]
    fn a_client_without_an_id_has_the_quotas_of_its_user_alone() {
        assert_eq!(limits(&[0, 1, 2, 3, 4, 5, 6, 7]).of(""), Some((Share::User, 3.0)));
        assert_eq!(limits(&[0, 1, 3, 4, 5, 6, 7]).of(""), Some((Share::User, 6.0)));
        assert_eq!(limits(&[0, 1, 3, 4, 6, 7]).of(""), None);
    }

    #[test]
    fn quotas_of_others_of_addresses_and_of_other_keys_are_none() {
        let rate = |entity: Entity| Limits::new(&Quotas::of([(entity, [("rate".to_owned(), 1.0)].into())]), "rate");
        assert!(rate(entity(&[(USER, Some("ann"))])).is_empty());
        assert!(rate(entity(&[("ip", Some("127.0.0.1"))])).is_empty());
        assert!(!rate(entity(&[(USER, None)])).is_empty());
        let other = Quotas::of([(entity(&[(USER, None)]), [("other".to_owned(), 1.0)].into())]);
        assert!(Limits::new(&other, "rate").is_empty());
    }
}
