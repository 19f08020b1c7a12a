//! The classic group protocol, rule by rule.

#![allow(clippy::unwrap_used)] // Helpers of tests.

mod harness;

use std::sync::Arc;

use brooklet_coordinator::groups::{
    Command, Commit, GroupConfig, GroupError, Join, Joined, LeaveMember, Left, Protocol, State, TimerChange,
};
use brooklet_model::TopicPartition;
use harness::{Harness, commit, join, protocols, sync};

fn harness() -> Harness {
    Harness::new(GroupConfig::default())
}

fn state(harness: &Harness) -> State {
    harness.live.describe("g").map_or(State::Dead, |group| group.state)
}

/// A stable group of one dynamic member.
fn stable(harness: &mut Harness) -> Joined {
    let (member_id, request) = harness.join_dynamic("g");
    let joined = harness.joined(request);
    let request = harness.sync(&joined, &[(&member_id, b"all")]);
    assert_eq!(harness.synced(request).unwrap().assignment, &b"all"[..]);
    joined
}

/// A stable group of two dynamic members, the leader first.
fn stable_pair(harness: &mut Harness) -> (Joined, Joined) {
    let first = stable(harness);
    let (second_id, second) = harness.join_dynamic("g");
    assert_eq!(harness.heartbeat(&first), Err(GroupError::RebalanceInProgress));
    let again = harness.join(Join { member_id: first.member_id.clone(), ..join("g") });
    let (first, second) = (harness.joined(again), harness.joined(second));
    let waiting = harness.sync(&second, &[]);
    let leading = harness.sync(&first, &[(&first.member_id, b"a"), (&second_id, b"b")]);
    assert_eq!(harness.synced(leading).unwrap().assignment, &b"a"[..]);
    assert_eq!(harness.synced(waiting).unwrap().assignment, &b"b"[..]);
    (first, second)
}

#[test]
fn one_member_is_the_leader_at_once() {
    let mut harness = harness();
    let (member_id, request) = harness.join_dynamic("g");
    assert!(member_id.starts_with("c-"));
    let joined = harness.joined(request);
    assert_eq!((joined.generation, &joined.leader, joined.protocol.as_deref()), (1, &member_id, Some("range")));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(state(&harness), State::CompletingRebalance);
    harness.sync(&joined, &[(&member_id, b"all")]);
    assert_eq!(state(&harness), State::Stable);
    assert_eq!(harness.heartbeat(&joined), Ok(()));
}

#[test]
fn a_second_member_makes_the_first_join_again() {
    let mut harness = harness();
    let (first, second) = stable_pair(&mut harness);
    assert_eq!((first.generation, second.generation), (2, 2));
    assert_eq!((&first.leader, &second.leader), (&first.member_id, &first.member_id));
    assert_eq!((first.members.len(), second.members.len()), (2, 0));
    assert_eq!(state(&harness), State::Stable);
}

#[test]
fn a_silent_member_is_dropped_and_the_others_rebalance() {
    let mut harness = harness();
    let (first, second) = stable_pair(&mut harness);
    harness.pass(6_000);
    assert_eq!(harness.heartbeat(&first), Ok(()));
    harness.pass(6_000);
    assert_eq!(harness.heartbeat(&first), Err(GroupError::RebalanceInProgress));
    assert_eq!(harness.heartbeat(&second), Err(GroupError::UnknownMemberId));
    let again = harness.join(Join { member_id: first.member_id.clone(), ..join("g") });
    assert_eq!(harness.joined(again).generation, 3);
}

#[test]
fn a_member_that_does_not_join_again_is_left_behind() {
    let mut harness = harness();
    let (first, second) = stable_pair(&mut harness);
    let again = harness.join(Join { member_id: first.member_id.clone(), ..join("g") });
    for _ in 0..12 {
        harness.pass(5_000);
        let _ = harness.heartbeat(&second);
    }
    let joined = harness.joined(again);
    assert_eq!((joined.generation, joined.members.len()), (3, 1));
    assert_eq!(harness.heartbeat(&second), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_member_that_never_syncs_is_dropped() {
    let mut harness = harness();
    let (first, second) = stable_pair(&mut harness);
    let again = [&first, &second].map(|member| harness.join(Join { member_id: member.member_id.clone(), ..join("g") }));
    let [first, second] = again.map(|request| harness.joined(request));
    harness.sync(&first, &[]);
    for _ in 0..12 {
        harness.pass(5_000);
        let _ = harness.heartbeat(&first);
        let _ = harness.heartbeat(&second);
    }
    assert_eq!(state(&harness), State::PreparingRebalance);
    assert_eq!(harness.heartbeat(&second), Err(GroupError::UnknownMemberId));
    assert_eq!(harness.heartbeat(&first), Err(GroupError::RebalanceInProgress));
}

#[test]
fn an_id_that_never_comes_back_does_not_hold_up_the_group() {
    let mut harness = harness();
    let first = stable(&mut harness);
    let lost = harness.join(Join { member_id_required: true, ..join("g") });
    assert_eq!(harness.refused(lost).error, GroupError::MemberIdRequired);
    let again = harness.join(Join { member_id: first.member_id.clone(), ..join("g") });
    assert!(!harness.replies.contains_key(&again));
    harness.pass(10_000);
    assert_eq!(harness.joined(again).generation, 2);
}

#[test]
fn the_protocol_with_most_votes_that_all_know_is_chosen() {
    let mut harness = Harness::new(GroupConfig { initial_rebalance_delay_ms: 3000, ..GroupConfig::default() });
    let wishes: [&[&str]; 3] = [&["a", "b", "c"], &["b", "a"], &["c", "b", "a"]];
    let requests = wishes.map(|names| harness.join(Join { protocols: protocols(names), ..join("g") }));
    harness.pass(6_000);
    let chosen = requests.map(|request| harness.joined(request).protocol);
    assert_eq!(chosen, ["b"; 3].map(|name| Some(name.into())));
    let stranger = Join { protocols: protocols(&["d"]), ..join("g") };
    assert_eq!(harness.run(Command::Join(stranger)).1, Err(GroupError::InconsistentGroupProtocol));
    let stranger = Join { protocol_type: "connect".into(), ..join("g") };
    assert_eq!(harness.run(Command::Join(stranger)).1, Err(GroupError::InconsistentGroupProtocol));
}

#[test]
fn a_join_that_makes_no_sense_is_refused() {
    let mut harness = harness();
    let cases = [
        (Join { session_timeout_ms: 5_999, ..join("g") }, GroupError::InvalidSessionTimeout),
        (Join { session_timeout_ms: 1_800_001, ..join("g") }, GroupError::InvalidSessionTimeout),
        (join(""), GroupError::InvalidGroupId),
        (Join { protocols: vec![], ..join("g") }, GroupError::InconsistentGroupProtocol),
        (Join { protocol_type: "".into(), ..join("g") }, GroupError::InconsistentGroupProtocol),
        (Join { member_id: "x".into(), ..join("g") }, GroupError::UnknownMemberId),
    ];
    for (join, error) in cases {
        assert_eq!(harness.run(Command::Join(join)).1, Err(error));
    }
    assert_eq!(harness.live.list().count(), 0);
}

#[test]
fn a_full_group_takes_no_more() {
    let mut harness = Harness::new(GroupConfig { max_size: 1, ..GroupConfig::default() });
    stable(&mut harness);
    let request = harness.join(join("g"));
    let refused = harness.refused(request);
    assert_eq!((refused.error, &*refused.member_id), (GroupError::GroupMaxSizeReached, ""));
}

#[test]
fn the_leader_joining_again_makes_a_rebalance_and_a_follower_does_not() {
    let mut harness = harness();
    let (first, second) = stable_pair(&mut harness);
    let request = harness.join(Join { member_id: second.member_id.clone(), ..join("g") });
    let told = harness.joined(request);
    assert_eq!((told.generation, told.members.len()), (2, 0));
    assert_eq!(state(&harness), State::Stable);
    harness.join(Join { member_id: first.member_id.clone(), ..join("g") });
    assert_eq!(state(&harness), State::PreparingRebalance);
}

#[test]
fn a_follower_with_other_metadata_makes_a_rebalance() {
    let mut harness = harness();
    let (_, second) = stable_pair(&mut harness);
    let changed = vec![Protocol { name: "range".into(), metadata: "new".into() }];
    harness.join(Join { member_id: second.member_id.clone(), protocols: changed, ..join("g") });
    assert_eq!(state(&harness), State::PreparingRebalance);
}

#[test]
fn a_generation_and_a_member_are_checked() {
    let mut harness = harness();
    let joined = stable(&mut harness);
    assert_eq!(harness.heartbeat(&Joined { generation: 7, ..joined.clone() }), Err(GroupError::IllegalGeneration));
    assert_eq!(
        harness.heartbeat(&Joined { member_id: "x".into(), ..joined.clone() }),
        Err(GroupError::UnknownMemberId)
    );
    let wrong = sync(&Joined { generation: 7, ..joined.clone() }, &[]);
    assert_eq!(harness.run(Command::Sync(wrong)).1, Err(GroupError::IllegalGeneration));
    let mut wrong = sync(&joined, &[]);
    wrong.protocol = Some("sticky".into());
    assert_eq!(harness.run(Command::Sync(wrong)).1, Err(GroupError::InconsistentGroupProtocol));
}

#[test]
fn the_last_member_leaves_an_empty_group() {
    let mut harness = harness();
    let joined = stable(&mut harness);
    let left = harness.leave(&[("x", None), (&joined.member_id, None)]);
    let expected = [("x", Err(GroupError::UnknownMemberId)), (&*joined.member_id, Ok(()))];
    let expected =
        expected.map(|(id, result)| Left { member: LeaveMember { member_id: id.into(), instance: None }, result });
    assert_eq!(left, expected);
    assert_eq!(state(&harness), State::Empty);
    assert_eq!(harness.restarted().describe("g").unwrap().protocol_type, "consumer".into());
}

#[test]
fn ids_that_never_come_back_are_bounded() {
    let mut harness = Harness::new(GroupConfig { max_size: 2, ..GroupConfig::default() });
    let ask = || Join { member_id_required: true, ..join("g") };
    let errors = [(); 3].map(|()| {
        let request = harness.join(ask());
        harness.refused(request).error
    });
    let required = GroupError::MemberIdRequired;
    assert_eq!(errors, [required, required, GroupError::GroupMaxSizeReached]);
    harness.pass(10_000);
    let request = harness.join(ask());
    assert_eq!(harness.refused(request).error, required);
}

fn static_join(instance: &str) -> Join {
    Join { instance: Some(instance.into()), ..join("g") }
}

/// A stable group of one static member `i`.
fn stable_static(harness: &mut Harness) -> Joined {
    let request = harness.join(static_join("i"));
    let joined = harness.joined(request);
    let mut request = sync(&joined, &[(&joined.member_id, b"all")]);
    request.instance = Some("i".into());
    let (request, _) = harness.run(Command::Sync(request));
    harness.synced(request).unwrap();
    joined
}

#[test]
fn a_static_member_that_restarts_keeps_its_part_without_a_rebalance() {
    let mut harness = harness();
    let old = stable_static(&mut harness);
    assert!(old.member_id.starts_with("i-"));
    let request = harness.join(static_join("i"));
    let new = harness.joined(request);
    assert_ne!(new.member_id, old.member_id);
    assert_eq!((new.generation, new.skip_assignment, &new.leader), (1, true, &new.member_id));
    assert_eq!(new.members.len(), 1);
    assert_eq!(state(&harness), State::Stable);
    let (request, _) = harness.run(Command::Sync(sync(&new, &[])));
    assert_eq!(harness.synced(request).unwrap().assignment, &b"all"[..]);
    // The old one is fenced, after a restart too.
    for _ in 0..2 {
        let mut stale = sync(&old, &[]);
        stale.instance = Some("i".into());
        assert_eq!(harness.run(Command::Sync(stale)).1, Err(GroupError::FencedInstanceId));
        harness.restart();
    }
}

#[test]
fn an_older_static_leader_is_told_of_its_old_self_as_the_leader() {
    let mut harness = harness();
    let old = stable_static(&mut harness);
    let request = harness.join(Join { can_skip_assignment: false, ..static_join("i") });
    let new = harness.joined(request);
    assert_eq!((&new.leader, new.members.len(), new.skip_assignment), (&old.member_id, 0, false));
}

#[test]
fn a_static_member_is_removed_by_its_instance() {
    let mut harness = harness();
    stable_static(&mut harness);
    let left = harness.leave(&[("", Some("j")), ("wrong", Some("i")), ("", Some("i"))]);
    let results: Vec<_> = left.into_iter().map(|left| left.result).collect();
    assert_eq!(results, [Err(GroupError::UnknownMemberId), Err(GroupError::FencedInstanceId), Ok(())]);
    assert_eq!(state(&harness), State::Empty);
}

#[test]
fn a_parked_request_of_a_replaced_static_member_is_fenced() {
    let mut harness = harness();
    let joined = stable(&mut harness);
    let parked = harness.join(static_join("i"));
    let fresh = harness.join(static_join("i"));
    assert_eq!(harness.refused(parked).error, GroupError::FencedInstanceId);
    harness.join(Join { member_id: joined.member_id, ..join("g") });
    assert_eq!(harness.joined(fresh).generation, 2);
}

#[test]
fn a_rebalance_sends_back_who_waits_for_an_assignment() {
    let mut harness = harness();
    let (first, second) = stable_pair(&mut harness);
    let again = [&first, &second].map(|member| harness.join(Join { member_id: member.member_id.clone(), ..join("g") }));
    let [_, second] = again.map(|request| harness.joined(request));
    let waiting = harness.sync(&second, &[]);
    harness.join(join("g"));
    assert_eq!(harness.synced(waiting), Err(GroupError::RebalanceInProgress));
}

#[test]
fn after_a_restart_members_go_on_in_their_generation() {
    let mut harness = harness();
    let joined = stable(&mut harness);
    harness.restart();
    assert_eq!(harness.heartbeat(&joined), Ok(()));
    harness.pass(10_000);
    assert_eq!(state(&harness), State::Empty);
}

fn committed(harness: &Harness) -> Option<i64> {
    harness.live.committed("g", &TopicPartition::new("t", 0)).map(|offset| offset.offset)
}

#[test]
fn anyone_commits_for_an_empty_group_and_members_alone_for_a_full_one() {
    let mut harness = harness();
    assert_eq!(harness.commit(commit("g", 5)), Ok(vec![Ok(())]));
    assert_eq!(committed(&harness), Some(5));
    let joined = stable(&mut harness);
    assert_eq!(harness.commit(commit("g", 6)), Err(GroupError::UnknownMemberId));
    let member = Commit { member_id: joined.member_id.clone(), generation: joined.generation, ..commit("g", 7) };
    assert_eq!(harness.commit(member.clone()), Ok(vec![Ok(())]));
    assert_eq!(harness.commit(Commit { generation: 9, ..member.clone() }), Err(GroupError::IllegalGeneration));
    assert_eq!(harness.commit(Commit { member_id: "x".into(), ..member.clone() }), Err(GroupError::UnknownMemberId));
    let elsewhere = Commit { group: "nobody".into(), ..member };
    assert_eq!(harness.commit(elsewhere.clone()), Err(GroupError::GroupIdNotFound));
    let older = Commit { names_missing_group: false, ..elsewhere };
    assert_eq!(harness.commit(older), Err(GroupError::IllegalGeneration));
    assert_eq!(committed(&harness), Some(7));
}

#[test]
fn a_commit_between_join_and_sync_is_sent_back() {
    let mut harness = harness();
    let (_, request) = harness.join_dynamic("g");
    let joined = harness.joined(request);
    let early = Commit { member_id: joined.member_id.clone(), generation: joined.generation, ..commit("g", 1) };
    assert_eq!(harness.commit(early), Err(GroupError::RebalanceInProgress));
}

#[test]
fn metadata_is_kept_and_bounded() {
    let mut harness = harness();
    let mut long = commit("g", 1);
    long.partitions[0].metadata = "é".repeat(4096).into();
    assert_eq!(harness.commit(long.clone()), Ok(vec![Ok(())]));
    assert_eq!(
        harness.live.committed("g", &TopicPartition::new("t", 0)).unwrap().metadata,
        long.partitions[0].metadata
    );
    long.partitions[0].metadata = "x".repeat(4097).into();
    assert_eq!(harness.commit(long), Ok(vec![Err(GroupError::OffsetMetadataTooLarge)]));
}

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Arms what the shell arms when it starts.
fn with_housekeeping() -> Harness {
    let mut harness = harness();
    for change in harness.live.timers_after_restart() {
        if let TimerChange::Arm { key, after_ms } = change {
            harness.timers.arm(key, harness.now + after_ms);
        }
    }
    harness
}

#[test]
fn offsets_outlive_an_empty_group_by_a_week() {
    let mut harness = with_housekeeping();
    let joined = stable(&mut harness);
    let member = Commit { member_id: joined.member_id.clone(), generation: joined.generation, ..commit("g", 7) };
    harness.commit(member).unwrap();
    harness.leave(&[(&joined.member_id, None)]);
    harness.pass(7 * DAY - 1);
    assert_eq!(committed(&harness), Some(7));
    harness.pass(DAY);
    assert_eq!(committed(&harness), None);
    assert_eq!(harness.live.list().count(), 0);
    assert_eq!(harness.kept(), 0);
}

#[test]
fn offsets_in_use_do_not_expire() {
    let mut harness = with_housekeeping();
    let joined = stable(&mut harness);
    let mut member = Commit { member_id: joined.member_id.clone(), generation: joined.generation, ..commit("g", 7) };
    harness.commit(member.clone()).unwrap();
    member.partitions[0].partition = TopicPartition::new("unsubscribed", 0);
    harness.commit(member).unwrap();
    for _ in 0..(8 * DAY / 9_000) {
        harness.pass(9_000);
        harness.heartbeat(&joined).unwrap();
    }
    let left: Vec<&str> = harness.live.all_committed("g").map(|(partition, _)| &*partition.topic).collect();
    assert_eq!(left, ["t"]);
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut harness = harness();
    harness.commit(commit("g", 5)).unwrap();
    harness.run(Command::TopicDeleted { topic: "t".into() }).1.unwrap();
    assert_eq!(committed(&harness), None);
    assert_eq!(harness.kept(), 0);
}

#[test]
fn a_group_with_members_is_not_deleted() {
    let mut harness = harness();
    let group: Arc<str> = "g".into();
    let joined = stable(&mut harness);
    let delete = Command::DeleteGroup { group };
    assert_eq!(harness.run(delete.clone()).1, Err(GroupError::NonEmptyGroup));
    harness.leave(&[(&joined.member_id, None)]);
    harness.commit(commit("g", 5)).unwrap();
    assert_eq!(harness.run(delete.clone()).1, Ok(()));
    assert_eq!(harness.kept(), 0);
    assert_eq!(harness.run(delete).1, Err(GroupError::GroupIdNotFound));
}
