//! A coordinator with a virtual clock and a log that is compacted now and then, as the shell has them.
#![allow(dead_code, clippy::expect_used)] // Each test binary uses its part, and all of it is test code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brooklet_coordinator::groups::{
    Command, Commit, CommitPartition, Context, Event, GroupConfig, GroupCoordinator, GroupError, Heartbeat, Join,
    JoinRefused, Joined, Leave, LeaveMember, Left, Protocol, Reply, RequestId, Sync, Synced, TimerKey,
};
use brooklet_coordinator::{Record, Timers};
use brooklet_model::{ProducerId, TopicPartition};
use bytes::Bytes;
use uuid::Uuid;

/// What stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Record { producer_id: Option<ProducerId>, key: Vec<u8>, value: Option<Vec<u8>> },
    End { producer_id: ProducerId, commit: bool },
}

pub(crate) struct Harness {
    pub(crate) live: GroupCoordinator,
    /// Folds the durable events alone.
    pub(crate) durable: GroupCoordinator,
    pub(crate) config: GroupConfig,
    pub(crate) log: Vec<Entry>,
    pub(crate) timers: Timers<TimerKey>,
    pub(crate) now: u64,
    pub(crate) next_request: u64,
    pub(crate) open: BTreeSet<RequestId>,
    pub(crate) replies: BTreeMap<RequestId, Reply>,
}

impl Harness {
    pub(crate) fn new(config: GroupConfig) -> Self {
        Self {
            live: GroupCoordinator::new(config.clone()),
            durable: GroupCoordinator::new(config.clone()),
            config,
            log: Vec::new(),
            timers: Timers::default(),
            now: 1_000_000,
            next_request: 0,
            open: BTreeSet::new(),
            replies: BTreeMap::new(),
        }
    }

    /// Does a command as the shell does; the request's reply may come now or later.
    pub(crate) fn run(&mut self, command: Command) -> (RequestId, Result<(), GroupError>) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let silent =
            matches!(command, Command::TimerFired(_) | Command::TopicDeleted { .. } | Command::EndTransaction { .. });
        let context = Context { now: self.now as i64, fresh_id: Uuid::from_u128(request.0.into()), request };
        let step = match self.live.handle(&context, command) {
            Ok(step) => step,
            Err(error) => return (request, Err(error)),
        };
        if !silent {
            self.open.insert(request);
        }
        for event in &step.events {
            self.persist(event);
            self.live.replay(event);
        }
        for (request, reply) in step.replies {
            assert!(self.open.remove(&request), "{request:?} is answered twice, or was never asked");
            self.replies.insert(request, reply);
        }
        for change in step.timers {
            self.timers.apply(change, self.now);
        }
        (request, Ok(()))
    }

    fn persist(&mut self, event: &Event) {
        let entry = |producer_id, record: &Record| {
            let (key, value) = record.encode();
            Entry::Record { producer_id, key, value }
        };
        self.log.push(match event {
            Event::Volatile { .. } => return,
            Event::Durable(record) => entry(None, record),
            Event::Transactional { producer_id, record } => entry(Some(*producer_id), record),
            Event::TransactionEnded { producer_id, commit } => {
                Entry::End { producer_id: *producer_id, commit: *commit }
            }
        });
        self.durable.replay(event);
    }

    /// Whether the transaction of a record was committed; `None` while it is open.
    fn outcome(&self, at: usize, producer_id: Option<ProducerId>) -> Option<bool> {
        let Some(owner) = producer_id else { return Some(true) };
        self.log.iter().skip(at).find_map(|entry| match entry {
            Entry::End { producer_id, commit } if *producer_id == owner => Some(*commit),
            _ => None,
        })
    }

    /// Removes what compaction may: before the first record of an open transaction, what was aborted and what a later
    /// record of the key outdates.
    pub(crate) fn compact(&mut self) {
        let outcomes: Vec<_> = (self.log.iter().enumerate())
            .map(|(at, entry)| match entry {
                Entry::Record { producer_id, key, .. } => (Some(key), self.outcome(at, *producer_id)),
                Entry::End { .. } => (None, Some(true)),
            })
            .collect();
        let stable = outcomes.iter().position(|(_, outcome)| outcome.is_none()).unwrap_or(outcomes.len());
        let keep: Vec<bool> = (outcomes.iter().enumerate())
            .map(|(at, (key, outcome))| {
                let later =
                    || outcomes[at + 1..stable].iter().any(|later| key.is_some() && later == &(*key, Some(true)));
                at >= stable || *outcome == Some(true) && !later()
            })
            .collect();
        let mut keep = keep.into_iter();
        self.log.retain(|_| keep.next().expect("one for each"));
    }

    /// How many values compaction leaves.
    pub(crate) fn kept(&mut self) -> usize {
        self.compact();
        self.log.iter().filter(|entry| matches!(entry, Entry::Record { value: Some(_), .. })).count()
    }

    /// Lets time pass, firing what is due at its time.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(at) = self.timers.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let key = self.timers.pop_due(at).expect("a timer is due");
            self.run(Command::TimerFired(key)).1.expect("a timer is not refused");
        }
        self.now = end;
    }

    /// What a restart makes of the log.
    pub(crate) fn restarted(&self) -> GroupCoordinator {
        let mut restarted = GroupCoordinator::new(self.config.clone());
        for entry in &self.log {
            restarted.replay(&match entry {
                Entry::End { producer_id, commit } => {
                    Event::TransactionEnded { producer_id: *producer_id, commit: *commit }
                }
                Entry::Record { producer_id, key, value } => {
                    let decoded = Record::decode(key, value.as_deref());
                    let record = decoded.expect("our own record").expect("of a known kind");
                    match *producer_id {
                        None => Event::Durable(record),
                        Some(producer_id) => Event::Transactional { producer_id, record },
                    }
                }
            });
        }
        restarted
    }

    /// Restarts: whatever was parked is lost with its connection.
    pub(crate) fn restart(&mut self) {
        self.live = self.restarted();
        self.open.clear();
        self.timers.clear();
        for change in self.live.timers_after_restart() {
            self.timers.apply(change, self.now);
        }
    }

    pub(crate) fn join(&mut self, join: Join) -> RequestId {
        let (request, result) = self.run(Command::Join(join));
        result.expect("the join is not refused");
        request
    }

    pub(crate) fn joined(&mut self, request: RequestId) -> Joined {
        match self.replies.remove(&request) {
            Some(Reply::Join(Ok(joined))) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    pub(crate) fn refused(&mut self, request: RequestId) -> JoinRefused {
        match self.replies.remove(&request) {
            Some(Reply::Join(Err(refused))) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Joins as a dynamic client of version 4 and later does.
    pub(crate) fn join_dynamic(&mut self, group: &str) -> (Arc<str>, RequestId) {
        let first = self.join(Join { member_id_required: true, ..join(group) });
        let refused = self.refused(first);
        assert_eq!(refused.error, GroupError::MemberIdRequired);
        let member_id = refused.member_id;
        let second = self.join(Join { member_id: member_id.clone(), ..join(group) });
        (member_id, second)
    }

    pub(crate) fn sync(&mut self, joined: &Joined, assignments: &[(&Arc<str>, &'static [u8])]) -> RequestId {
        let (request, result) = self.run(Command::Sync(sync(joined, assignments)));
        result.expect("the sync is not refused");
        request
    }

    pub(crate) fn synced(&mut self, request: RequestId) -> Result<Synced, GroupError> {
        match self.replies.remove(&request) {
            Some(Reply::Sync(result)) => result,
            other => panic!("not synced: {other:?}"),
        }
    }

    pub(crate) fn heartbeat(&mut self, joined: &Joined) -> Result<(), GroupError> {
        let heartbeat = Heartbeat {
            group: "g".into(),
            member_id: joined.member_id.clone(),
            instance: None,
            generation: joined.generation,
        };
        let (request, result) = self.run(Command::Heartbeat(heartbeat));
        result?;
        match self.replies.remove(&request) {
            Some(Reply::Done(result)) => result,
            other => panic!("not a heartbeat's reply: {other:?}"),
        }
    }

    pub(crate) fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<Left> {
        let members = members
            .iter()
            .map(|(id, instance)| LeaveMember { member_id: (*id).into(), instance: instance.map(Into::into) });
        let (request, result) = self.run(Command::Leave(Leave { group: "g".into(), members: members.collect() }));
        result.expect("the leave is not refused");
        match self.replies.remove(&request) {
            Some(Reply::Leave(left)) => left,
            other => panic!("not left: {other:?}"),
        }
    }

    pub(crate) fn commit(&mut self, commit: Commit) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        let (request, result) = self.run(Command::Commit(commit));
        result?;
        match self.replies.remove(&request) {
            Some(Reply::Partitions(results)) => Ok(results),
            other => panic!("not committed: {other:?}"),
        }
    }
}

/// A subscription to topic `t`, as consumers write it.
pub(crate) fn subscription() -> Bytes {
    Bytes::from_static(b"\0\x01\0\0\0\x01\0\x01t\xff\xff\xff\xff\0\0\0\0")
}

pub(crate) fn protocols(names: &[&str]) -> Vec<Protocol> {
    names.iter().map(|name| Protocol { name: (*name).into(), metadata: subscription() }).collect()
}

pub(crate) fn join(group: &str) -> Join {
    Join {
        group: group.into(),
        member_id: "".into(),
        instance: None,
        client_id: "c".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: protocols(&["range", "roundrobin"]),
        member_id_required: false,
        can_skip_assignment: true,
    }
}

pub(crate) fn sync(joined: &Joined, assignments: &[(&Arc<str>, &'static [u8])]) -> Sync {
    Sync {
        group: "g".into(),
        member_id: joined.member_id.clone(),
        instance: None,
        generation: joined.generation,
        protocol_type: None,
        protocol: None,
        assignments: assignments.iter().map(|(id, part)| ((*id).clone(), Bytes::from_static(part))).collect(),
    }
}

pub(crate) fn commit(group: &str, offset: i64) -> Commit {
    Commit {
        group: group.into(),
        member_id: "".into(),
        instance: None,
        generation: -1,
        retention_ms: None,
        names_missing_group: true,
        partitions: vec![CommitPartition {
            partition: TopicPartition::new("t", 0),
            offset,
            leader_epoch: 0,
            metadata: "m".into(),
        }],
    }
}
