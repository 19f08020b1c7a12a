use std::collections::BTreeMap;

use brooklet_model::{ProducerId, TopicId};
use proptest::prelude::*;

use super::*;
use crate::aggregate::{AggregateFunction, Aggregates};
use crate::bad::BadCounts;
use crate::state::{EventTime, GroupTable, KeyColumn, SessionTable, State};
use crate::testing::memory;
use crate::types::{DataType, Value};

const TINY: Sizes = Sizes { record_bytes: 16, batch_bytes: 64, snapshot_bytes_min: 0 };

fn base() -> Base {
    Base {
        query: "SELECT".into(),
        state: "GROUPS".into(),
        producer: ProducerId(7),
        next_batch: 0,
        sources: vec![TopicPositions { topic: TopicId::from_u128(1), next: BTreeMap::from([(0, 5), (1, 0)]) }],
        tables: Vec::new(),
        output: OutputPosition::default(),
        dead_letters: OutputPosition::default(),
        totals: Totals::default(),
        watermark: Watermark::default(),
    }
}

fn planned(number: u64, from: i64, to: i64) -> PlannedBatch {
    let output = OutputPosition { topic: TopicId::from_u128(2), sequences: vec![3, 0], bytes: 0 };
    let dead_letters = OutputPosition { topic: TopicId::from_u128(3), sequences: vec![9], bytes: 0 };
    let source = TopicRanges { topic: TopicId::from_u128(1), ranges: vec![Range { partition: 0, from, to }] };
    PlannedBatch { number, sources: vec![source], tables: Vec::new(), output, dead_letters }
}

fn committed(number: u64, records_in: u64) -> Commit {
    let totals =
        Totals { records_in, bad: BadCounts([1, 0, 2]), rows_out: records_in / 2, late_rows: 3, limited: Vec::new() };
    let output = OutputPosition { topic: TopicId::from_u128(2), sequences: vec![4, 1], bytes: 70 };
    let watermark =
        Watermark { now: number as i64 * 1000, before: -1, no_data_due: number % 2 == 1, reached: Vec::new() };
    let dead_letters = OutputPosition { topic: TopicId::from_u128(3), sequences: vec![10], bytes: 0 };
    Commit { number, totals, output, dead_letters, watermark }
}

fn open() -> Gate {
    Gate::new(|_| true)
}

fn shut_after(steps: usize) -> Gate {
    let mut left = steps;
    Gate::new(move |_| left.checked_sub(1).map(|rest| left = rest).is_some())
}

fn counts() -> Stores {
    State::Groups(GroupTable::new(1)).into()
}

fn count(stores: &mut Stores, levels: &[Option<&str>]) {
    stores.begin_batch();
    let State::Groups(groups) = &mut stores.levels[0] else { panic!("no groups") };
    for level in levels {
        groups.count_one([level.map(str::as_bytes)]).unwrap();
    }
}

type Table = BTreeMap<Option<Vec<u8>>, i64>;

fn read_back(log: &PartitionLog) -> (Table, Option<Replayed>) {
    let mut state = counts();
    let replayed = replay(log, &mut state, usize::MAX).unwrap();
    let State::Groups(groups) = &state.levels[0] else { panic!("no groups") };
    let row = |id| (groups.key(id).next().unwrap().map(<[u8]>::to_vec), groups.count(id));
    (groups.ids().map(row).collect(), replayed)
}

fn table(rows: &[(Option<&str>, i64)]) -> Table {
    rows.iter().map(|(key, count)| (key.map(|key| key.as_bytes().to_vec()), *count)).collect()
}

#[test]
fn committed_batches_are_read_back_and_the_planned_one_is_pending() {
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    assert!(identity(&log).unwrap().is_none());
    let mut changelog = Changelog::create(log.clone(), TINY, &base()).unwrap();
    assert_eq!(identity(&log).unwrap(), Some(base()));
    let mut groups = counts();

    changelog.plan(&planned(0, 5, 9)).unwrap();
    count(&mut groups, &[Some("a long level name"), None, Some("b"), None]);
    changelog.commit(&committed(0, 4), &groups, &mut open()).unwrap();
    changelog.plan(&planned(1, 9, 11)).unwrap();
    let before_commit = log.high_watermark();
    count(&mut groups, &[Some("a long level name"), Some("a longer level name"), Some("the longest level name")]);
    changelog.commit(&committed(1, 6), &groups, &mut shut_after(0)).unwrap_err();
    assert!(log.high_watermark() > before_commit, "some changes are there without a commit");

    let (read, replayed) = read_back(&log);
    let replayed = replayed.unwrap();
    assert_eq!(read, table(&[(Some("a long level name"), 1), (None, 2), (Some("b"), 1)]));
    assert_eq!(replayed.pending, Some(planned(1, 9, 11)));
    assert_eq!(replayed.base.next_batch, 1);
    assert_eq!(replayed.base.sources[0].next, BTreeMap::from([(0, 9), (1, 0)]));
    assert_eq!((replayed.base.totals.records_in, &replayed.base.output.sequences), (4, &vec![4, 1]));

    // The next run of the batch finds less than the first did: what that wrote must not show.
    let mut changelog = Changelog::resume(log.clone(), TINY, &replayed);
    let mut groups = counts();
    changelog.plan(&planned(1, 9, 11)).unwrap();
    count(&mut groups, &[Some("c")]);
    changelog.commit(&committed(1, 5), &groups, &mut open()).unwrap();
    let (read, replayed) = read_back(&log);
    assert_eq!(read, table(&[(Some("a long level name"), 1), (None, 2), (Some("b"), 1), (Some("c"), 1)]));
    assert_eq!(replayed.unwrap().pending, None);
}

#[tokio::test]
async fn a_snapshot_stands_for_all_before_it() {
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    let mut changelog = Changelog::create(log.clone(), TINY, &base()).unwrap();
    let mut groups = counts();
    changelog.plan(&planned(0, 5, 9)).unwrap();
    count(&mut groups, &[Some("a level of sixteen bytes"), None, Some("b"), None, Some("one more of sixteen bytes")]);
    changelog.commit(&committed(0, 4), &groups, &mut open()).unwrap();
    assert!(changelog.snapshot_is_due());
    let before = read_back(&log);
    let mut at = before.1.unwrap().base;

    // Cut off in the middle, or before the deletion: the old records still tell all.
    for steps in [0, 1] {
        changelog.snapshot(&at, &groups, &mut shut_after(steps)).await.unwrap_err();
        let (read, replayed) = read_back(&log);
        assert_eq!((&read, &replayed.unwrap().base), (&before.0, &at));
        assert_eq!(log.log_start_offset(), Offset(0));
    }
    changelog.snapshot(&at, &groups, &mut open()).await.unwrap();
    assert!(log.log_start_offset() > Offset(0));
    assert!(!changelog.snapshot_is_due());
    let (read, replayed) = read_back(&log);
    let replayed = replayed.unwrap();
    assert_eq!((&read, &replayed.base, replayed.snapshot), (&before.0, &at, log.log_start_offset()));
    assert_eq!(identity(&log).unwrap().unwrap(), at);

    changelog.plan(&planned(1, 9, 10)).unwrap();
    count(&mut groups, &[Some("b")]);
    changelog.commit(&committed(1, 5), &groups, &mut open()).unwrap();
    at.advance(&planned(1, 9, 10), committed(1, 5));
    let (read, replayed) = read_back(&log);
    assert_eq!(replayed.unwrap().base, at);
    assert_eq!(
        read,
        table(&[
            (Some("a level of sixteen bytes"), 1),
            (None, 2),
            (Some("b"), 2),
            (Some("one more of sixteen bytes"), 1)
        ])
    );
}

fn append(log: &PartitionLog, values: &[Vec<u8>]) {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(NewRecord { timestamp: 0, value: Some(value), ..NewRecord::default() });
    }
    log.append(Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap()).unwrap();
}

fn error_of(values: &[Vec<u8>]) -> String {
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    append(&log, values);
    replay(&log, &mut counts(), usize::MAX).unwrap_err().to_string()
}

#[test]
fn a_malformed_changelog_is_told_with_its_place() {
    let begin = || vec![Entry::SnapshotBegin(base()).encode(), Entry::SnapshotEnd { rows: 0 }.encode()];
    let then = |value: Vec<u8>| error_of(&[begin(), vec![value]].concat());
    let at = "the record at offset 2 of the changelog is malformed: ";
    assert_eq!(then(vec![]), format!("{at}a record is cut short"));
    assert_eq!(then(vec![6, 1]), format!("{at}its format version is 6, and only 1 to 5 are known"));
    assert_eq!(then(vec![1, 99]), format!("{at}no record is of the kind 99"));
    assert_eq!(
        then(Entry::Planned(planned(4, 0, 1)).encode()),
        format!("{at}batch 4 stands where batch 0 must follow")
    );
    assert_eq!(then(Entry::Committed(committed(0, 1)).encode()), format!("{at}batch 0 was not planned"));
    assert_eq!(
        then(Entry::SnapshotRows(Rows::new(0, &[])).encode()),
        format!("{at}rows of a snapshot stand outside of one")
    );
    let planned_and = |entry: Entry<'_>| {
        error_of(
            &[
                begin(),
                vec![Entry::Planned(planned(0, 0, 1)).encode(), entry.encode()],
                vec![Entry::Committed(committed(0, 1)).encode()],
            ]
            .concat(),
        )
    };
    assert!(
        planned_and(Entry::Changes { batch: 0, rows: Rows::new(1, &[0, 1, 1]) })
            .ends_with("it has rows of store 1, which the query has not")
    );
    assert_eq!(then([Entry::SnapshotEnd { rows: 0 }.encode(), vec![0]].concat()), format!("{at}1 bytes are left over"));
    let rows = [Entry::SnapshotBegin(base()).encode(), Entry::SnapshotRows(Rows::new(0, &[0, 1, 1])).encode()];
    let end = Entry::SnapshotEnd { rows: 2 }.encode();
    assert!(error_of(&[rows.to_vec(), vec![end]].concat()).ends_with("a snapshot has 1 rows where its end says 2"));
}

fn output() -> impl Strategy<Value = OutputPosition> {
    (any::<u128>(), prop::collection::vec(0..=i32::MAX, 0..4)).prop_map(|(topic, sequences)| OutputPosition {
        topic: TopicId::from_u128(topic),
        sequences,
        bytes: 5,
    })
}

fn totals() -> impl Strategy<Value = Totals> {
    let limited = prop::collection::vec(any::<u64>(), 0..3);
    (any::<[u64; 6]>(), limited).prop_map(|([records_in, rows_out, late_rows, bad @ ..], limited)| Totals {
        limited,
        records_in,
        bad: BadCounts(bad),
        rows_out,
        late_rows,
    })
}

fn watermark() -> impl Strategy<Value = Watermark> {
    let reached = prop::collection::vec(any::<Option<i64>>(), 0..3);
    (any::<(i64, i64, bool)>(), reached).prop_map(|((now, before, no_data_due), reached)| Watermark {
        now,
        before,
        no_data_due,
        reached,
    })
}

fn entry() -> impl Strategy<Value = Vec<u8>> {
    let range = (0..=i32::MAX, 0..=i64::MAX / 2, 0..=i64::MAX / 2).prop_map(|(partition, from, records)| Range {
        partition,
        from,
        to: from + records,
    });
    let topic = (any::<u128>(), prop::collection::vec(range, 0..4))
        .prop_map(|(topic, ranges)| TopicRanges { topic: TopicId::from_u128(topic), ranges });
    let topics = || prop::collection::vec(topic.clone(), 0..3);
    let planned = (any::<u64>(), [topics(), topics()], [output(), output()]).prop_map(|(number, topics, outputs)| {
        let ([sources, tables], [output, dead_letters]) = (topics, outputs);
        Entry::Planned(PlannedBatch { number, sources, tables, output, dead_letters })
    });
    let commit = (any::<u64>(), totals(), [output(), output()], watermark()).prop_map(
        |(number, totals, [output, dead_letters], watermark)| {
            Entry::Committed(Commit { number, totals, output, dead_letters, watermark })
        },
    );
    let position = (any::<u128>(), prop::collection::btree_map(0..=i32::MAX, any::<i64>(), 0..4))
        .prop_map(|(topic, next)| TopicPositions { topic: TopicId::from_u128(topic), next });
    let positions = || prop::collection::vec(position.clone(), 0..3);
    let topics = [positions(), positions()];
    let outputs = [output(), output()];
    let begin = ([".*", ".*"], any::<i64>(), any::<u64>(), topics, outputs, totals(), watermark()).prop_map(
        |([query, state], id, next_batch, [sources, tables], [output, dead_letters], totals, watermark)| {
            Entry::SnapshotBegin(Base {
                query,
                state,
                producer: ProducerId(id),
                next_batch,
                sources,
                tables,
                output,
                dead_letters,
                totals,
                watermark,
            })
        },
    );
    prop_oneof![planned, commit, begin].prop_map(|entry| {
        let encoded = entry.encode();
        assert_eq!(Entry::decode(&encoded).unwrap(), entry);
        encoded
    })
}

proptest! {
    #[test]
    fn entries_read_back_and_damaged_ones_do_no_harm(bytes in entry(), at: prop::sample::Index, to: u8, cut: prop::sample::Index) {
        let mut damaged = bytes.clone();
        damaged[at.index(bytes.len())] = to;
        let _ = Entry::decode(&damaged);
        prop_assert!(Entry::decode(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_records_are_replayed_or_refused(values in prop::collection::vec((1u8..5, 1u8..7, prop::collection::vec(any::<u8>(), 0..40)), 0..5)) {
        let storage = memory();
        let log = storage.hidden_log("__brooklet_query_a").unwrap();
        append(&log, &[Entry::SnapshotBegin(base()).encode(), Entry::SnapshotEnd { rows: 0 }.encode()]);
        for (format, kind, rest) in values {
            append(&log, &[[vec![format, kind], rest].concat()]);
        }
        let _ = replay(&log, &mut counts(), usize::MAX);
        let _ = identity(&log);
    }
}

fn unhex(lines: &str) -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    lines.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

/// Records of the release that wrote format 1: two committed batches and a planned one.
fn format_1() -> Vec<Vec<u8>> {
    unhex(include_str!("format_1.hex"))
}

/// Records of the release that wrote format 2: a committed batch of a query with windows.
fn format_2() -> Vec<Vec<u8>> {
    unhex(include_str!("format_2.hex"))
}

/// Records of the release that wrote format 3: a committed batch of a query with windows.
fn format_3() -> Vec<Vec<u8>> {
    unhex(include_str!("format_3.hex"))
}

/// Records of the release that wrote format 4: a committed batch of a query with windows.
fn format_4() -> Vec<Vec<u8>> {
    unhex(include_str!("format_4.hex"))
}

/// As formats 1 and 2 have it.
fn old_base() -> Base {
    Base { state: String::new(), ..base() }
}

#[test]
fn changelogs_of_formats_2_to_4_are_read() {
    let totals = Totals { records_in: 1, bad: BadCounts([1, 0, 0]), rows_out: 0, late_rows: 3, limited: Vec::new() };
    let commit_2 = Commit { totals, dead_letters: OutputPosition::default(), ..committed(0, 1) };
    let commit_4 = Commit { totals: Totals { limited: vec![0], ..committed(0, 1).totals }, ..committed(0, 1) };
    let formats =
        [(format_2(), old_base(), commit_2), (format_3(), base(), committed(0, 1)), (format_4(), base(), commit_4)];
    for (records, base, commit) in formats {
        let storage = memory();
        let log = storage.hidden_log("__brooklet_query_a").unwrap();
        append(&log, &records);
        let mut state = replay_bytes::example(1);
        let mut again = replay_bytes::stores(1);
        let replayed = replay(&log, &mut again, usize::MAX).unwrap().unwrap();
        let mut expected = base;
        expected.advance(&planned(0, 1, 2), commit);
        assert_eq!((replayed.base, again.len()), (expected, state.len()));
        let text = |state: &State| {
            let mut bytes = Vec::new();
            state.rows().for_each(|row| state.put_whole(row, &mut bytes));
            bytes
        };
        state.begin_batch();
        assert_eq!(text(&again.levels[0]), text(&state));
    }
}

#[tokio::test]
async fn a_changed_query_takes_the_state_from_its_own_snapshot_on() {
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    let mut changelog = Changelog::create(log.clone(), TINY, &base()).unwrap();
    let mut state = counts();
    count(&mut state, &[Some("INFO")]);
    changelog.plan(&planned(0, 0, 1)).unwrap();
    changelog.commit(&committed(0, 1), &state, &mut open()).unwrap();
    changelog.plan(&planned(1, 1, 2)).unwrap();
    let mut changed = Base { query: "SELECT other".into(), producer: ProducerId(8), ..base() };
    changed.advance(&planned(0, 0, 1), committed(0, 1));
    // The process may end before what stands in front of the snapshot is deleted.
    let stopped = changelog.snapshot(&changed, &state, &mut Gate::new(|step| step != Step::Snapshot)).await;
    assert!(matches!(stopped, Err(ChangelogError::Stopped(_))));
    let (read, replayed) = read_back(&log);
    let replayed = replayed.unwrap();
    assert_eq!((read, replayed.base, replayed.pending), (table(&[(Some("INFO"), 1)]), changed, None));
}

const LONG: &str = "a level name of more than one hundred and twenty-eight bytes, whose length takes two bytes in the \
                    changelog, and which is not a short key";

#[tokio::test]
async fn a_changelog_of_format_1_is_read_and_gone_on_with() {
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    append(&log, &format_1());
    assert_eq!(identity(&log).unwrap(), Some(old_base()));
    let expected = |a| table(&[(Some("INFO"), a), (None, 2), (Some(""), 1), (Some(LONG), 1)]);
    let (read, replayed) = read_back(&log);
    let replayed = replayed.unwrap();
    assert_eq!(read, expected(200));
    let pending = PlannedBatch { dead_letters: OutputPosition::default(), ..planned(2, 409, 411) };
    assert_eq!(replayed.pending, Some(pending));
    assert_eq!(replayed.base.sources[0].next, BTreeMap::from([(0, 409), (1, 0)]));
    assert_eq!(
        replayed.base.totals,
        Totals { records_in: 204, bad: BadCounts([1, 0, 0]), rows_out: 0, late_rows: 0, limited: Vec::new() }
    );
    assert_eq!(replayed.base.watermark, Watermark::default());

    let mut state = counts();
    replay(&log, &mut state, usize::MAX).unwrap();
    let mut changelog = Changelog::resume(log.clone(), TINY, &replayed);
    let mut at = replayed.base.clone();
    changelog.plan(&planned(2, 409, 411)).unwrap();
    count(&mut state, &[Some("INFO")]);
    changelog.commit(&committed(2, 206), &state, &mut open()).unwrap();
    at.advance(&planned(2, 409, 411), committed(2, 206));
    for _ in 0..2 {
        let (read, replayed) = read_back(&log);
        assert_eq!(read, expected(201));
        assert_eq!(replayed.unwrap().base, at);
        changelog.snapshot(&at, &state, &mut open()).await.unwrap();
    }

    // It holds counts of texts, and is of no use to any other query.
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    append(&log, &format_1());
    let error = replay(&log, &mut State::None.into(), usize::MAX).unwrap_err().to_string();
    assert!(error.contains("the query has no state"), "{error}");
}

#[test]
fn a_state_that_is_too_large_is_not_read() {
    let storage = memory();
    let log = storage.hidden_log("__brooklet_query_a").unwrap();
    append(&log, &format_1());
    let error = replay(&log, &mut counts(), 1000).unwrap_err();
    assert!(matches!(error, ChangelogError::StateTooLarge(1000)), "{error}");
}

/// A window and a text, counted, and the sessions of a text.
fn windows_and_sessions() -> [State; 2] {
    let aggregates = || Aggregates::new([(AggregateFunction::CountAll, &DataType::Null)]);
    let text = KeyColumn::Value(DataType::String);
    let keys = vec![KeyColumn::Window { size_micros: 10 }, text.clone()];
    let groups = GroupTable::with_aggregates(keys, aggregates(), Some(EventTime::WindowEnd(0)));
    [State::Groups(groups), State::Sessions(SessionTable::new(vec![text], 1, aggregates()))]
}

#[test]
fn what_was_evicted_does_not_come_back() {
    for number in [0, 1] {
        let storage = memory();
        let log = storage.hidden_log("__brooklet_query_a").unwrap();
        let mut changelog = Changelog::create(log.clone(), TINY, &base()).unwrap();
        let state_of = |number: usize| Stores::from(windows_and_sessions().into_iter().nth(number).unwrap());
        let mut stores = state_of(number);
        for batch in 0..6 {
            let time = batch as i64 * 10;
            changelog.plan(&planned(batch, time, time)).unwrap();
            stores.begin_batch();
            let state = &mut stores.levels[0];
            for level in ["INFO", "a level of sixteen bytes"] {
                let level = Value::String(level.as_bytes().into());
                match state {
                    State::Groups(groups) => {
                        groups.begin_key();
                        groups.push_window(time);
                        groups.push_key(&level);
                        groups.count_key().unwrap();
                    }
                    State::Sessions(sessions) => {
                        sessions.begin_key();
                        sessions.push_key(&level);
                        let id = sessions.add(time, time + 5).unwrap().unwrap();
                        sessions.update(id, 0, &[]);
                    }
                    State::None => unreachable!(),
                }
            }
            state.end_input();
            match state {
                State::Groups(groups) => assert!(groups.evict(time - 20).len() < 3),
                State::Sessions(sessions) => assert!(sessions.evict(time - 25).len() < 3),
                State::None => unreachable!(),
            }
            changelog.commit(&committed(batch, 0), &stores, &mut open()).unwrap();
            let mut read = state_of(number);
            let replayed = replay(&log, &mut read, usize::MAX).unwrap().unwrap();
            assert_eq!(replayed.base.watermark, committed(batch, 0).watermark);
            assert_eq!(read.len(), stores.len());
            assert_eq!(read.len() as u64, 2 * (batch + 1).min(3), "{batch}");
        }
    }
}

/// A changelog with one batch, as input of [`replay_bytes`].
fn seed(kind: u8, values: &[Vec<u8>]) -> Vec<u8> {
    let lengths = values.iter().map(|value| (value.len() as u16).to_be_bytes());
    let records = lengths.zip(values).flat_map(|(len, value)| [len.to_vec(), value.clone()].concat());
    [kind].into_iter().chain(records).collect()
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let batch = |kind: u8| {
        let stores = replay_bytes::examples(kind);
        let mut changes = Vec::new();
        for (store, state) in (0..).zip(stores.all()) {
            let mut rows = Vec::new();
            state.changes().for_each(|row| state.put_change(row, &mut rows));
            changes.push(Entry::Changes { batch: 0, rows: Rows::new(store, &rows) }.encode());
        }
        let before = [Entry::SnapshotBegin(base()), Entry::SnapshotEnd { rows: 0 }, Entry::Planned(planned(0, 1, 2))];
        let mut values: Vec<Vec<u8>> = before.iter().map(Entry::encode).collect();
        values.extend(changes);
        values.push(Entry::Committed(committed(0, 1)).encode());
        seed(kind, &values)
    };
    let kinds = [
        (0, "counts"),
        (1, "windows"),
        (2, "sessions"),
        (3, "global"),
        (4, "two_stores"),
        (5, "no_state"),
        (6, "collections"),
    ];
    let batches = kinds.map(|(kind, name)| (name, batch(kind)));
    batches
        .into_iter()
        .chain([
            ("format_1", seed(0, &format_1())),
            ("format_2", seed(1, &format_2())),
            ("format_3", seed(1, &format_3())),
            ("format_4", seed(1, &format_4())),
        ])
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn damaged_changelogs_of_all_kinds_do_no_harm(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let seeds = seeds();
        let mut bytes = seeds[which.index(seeds.len())].1.clone();
        for (at, to) in changes {
            // Mostly where the rows are.
            let at = bytes.len() - 1 - at.index(bytes.len() * 2 / 3);
            bytes[at] = to;
        }
        super::replay_bytes(&bytes);
    }
}

/// What the fuzzer found: more reasons than are known, each with more records than can be counted.
#[test]
fn bad_records_beyond_all_counting_do_no_harm() {
    super::replay_bytes(include_bytes!("../../../fuzz/seeds/changelog/too_many_bad_records"));
}

/// Whoever changes the format makes them anew with `BROOKLET_WRITE_SEEDS=1`.
#[test]
fn the_fuzzers_seeds_are_of_the_format_that_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/changelog");
    for (name, bytes) in seeds() {
        let path = folder.join(name);
        if std::env::var_os("BROOKLET_WRITE_SEEDS").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{}", path.display());
    }
}
