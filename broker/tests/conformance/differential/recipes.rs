//! What may be asked, and how often.

mod groups;
mod settings;
mod topics;
mod transactions;

use fastrand::Rng;

pub(super) use topics::{begin, inspect};

use super::generate::Generator;

pub(super) type Recipe = fn(&mut Generator<'_>);

/// A recipe and how often it is taken in comparison with the others.
const RECIPES: &[(u32, Recipe)] = &[
    (14, topics::produce),
    (4, topics::produce_idempotent),
    (8, topics::fetch),
    (6, topics::list_offsets),
    (4, topics::delete_records),
    (2, topics::create),
    (1, topics::delete),
    (2, topics::create_partitions),
    (3, topics::leader_epochs),
    (2, topics::metadata),
    (2, topics::describe_partitions),
    (1, topics::log_dirs),
    (2, topics::replicas),
    (8, groups::join),
    (4, groups::join_two),
    (6, groups::heartbeat),
    (4, groups::sync),
    (3, groups::leave),
    (8, groups::commit),
    (6, groups::fetch_offsets),
    (3, groups::delete_offsets),
    (3, groups::describe),
    (2, groups::list),
    (1, groups::delete),
    (2, groups::find_coordinator),
    (8, transactions::init),
    (8, transactions::whole),
    (5, transactions::add_partitions),
    (4, transactions::produce),
    (4, transactions::add_offsets),
    (4, transactions::commit_offsets),
    (4, transactions::end),
    (2, transactions::markers),
    (3, transactions::describe),
    (3, transactions::list),
    (3, transactions::producers),
    (5, settings::alter_incremental),
    (4, settings::alter),
    (4, settings::describe),
    (2, settings::brokers),
    (2, settings::list),
    (3, settings::quotas),
    (2, settings::describe_quotas),
    (2, settings::scram),
    (1, settings::describe_scram),
    (1, settings::acls),
    (1, settings::tokens),
    (1, settings::cluster),
    (1, settings::sasl),
];

pub(super) fn any(rng: &mut Rng) -> Recipe {
    let all: u32 = RECIPES.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.u32(..all);
    for (weight, recipe) in RECIPES {
        if at < *weight {
            return *recipe;
        }
        at -= weight;
    }
    unreachable!("the weights were added up")
}
