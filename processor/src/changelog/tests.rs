use std::collections::BTreeMap;

use brooklet_model::{ProducerId, TopicId};
use proptest::prelude::*;

use super::*;
use crate::testing::memory;

const TINY: Sizes = Sizes { record_bytes: 16, batch_bytes: 64, snapshot_bytes_min: 0 };

fn base() -> Base {
    Base {
        query: "SELECT".into(),
        producer: ProducerId(7),
        next_batch: 0,
        topic: TopicId::from_u128(1),
        positions: BTreeMap::from([(0, 5), (1, 0)]),
        output: OutputPosition::default(),
        totals: Totals::default(),
    }
}

fn planned(number: u64, from: i64, to: i64) -> PlannedBatch {
    let output = OutputPosition { topic: TopicId::from_u128(2), sequences: vec![3, 0] };
    PlannedBatch { number, topic: TopicId::from_u128(1), ranges: vec![Range { partition: 0, from, to }], output }
}

fn committed(number: u64, records_in: u64) -> Commit {
    let totals = Totals { records_in, bad_records: 1 };
    Commit { number, totals, output: OutputPosition { topic: TopicId::from_u128(2), sequences: vec![4, 1] } }
}

fn open() -> Gate {
    Gate::new(|_| true)
}

fn shut_after(steps: usize) -> Gate {
    let mut left = steps;
    Gate::new(move |_| left.checked_sub(1).map(|rest| left = rest).is_some())
}

fn count(groups: &mut GroupTable, levels: &[Option<&str>]) {
    groups.begin_batch();
    for level in levels {
        groups.count_one([level.map(str::as_bytes)]).unwrap();
    }
}

type Table = BTreeMap<Option<Vec<u8>>, i64>;

fn read_back(log: &PartitionLog) -> (Table, Option<Replayed>) {
    let mut table = Table::new();
    let replayed = replay(log, 1, &mut |key, count| {
        table.insert(key[0].map(<[u8]>::to_vec), count);
        Ok(())
    });
    (table, replayed.unwrap())
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
    let mut groups = GroupTable::new(1);

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
    assert_eq!(replayed.base.positions, BTreeMap::from([(0, 9), (1, 0)]));
    assert_eq!((replayed.base.totals.records_in, &replayed.base.output.sequences), (4, &vec![4, 1]));

    // The next run of the batch finds less than the first did: what that wrote must not show.
    let mut changelog = Changelog::resume(log.clone(), TINY, &replayed);
    let mut groups = GroupTable::new(1);
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
    let mut groups = GroupTable::new(1);
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
    replay(&log, 1, &mut |_, _| Ok(())).unwrap_err().to_string()
}

#[test]
fn a_malformed_changelog_is_told_with_its_place() {
    let begin = || vec![Entry::SnapshotBegin(base()).encode(), Entry::SnapshotEnd { groups: 0 }.encode()];
    let then = |value: Vec<u8>| error_of(&[begin(), vec![value]].concat());
    let at = "the record at offset 2 of the changelog is malformed: ";
    assert_eq!(then(vec![]), format!("{at}a record is cut short"));
    assert_eq!(then(vec![2, 1]), format!("{at}its format version is 2, and only 1 is known"));
    assert_eq!(then(vec![1, 99]), format!("{at}no record is of the kind 99"));
    assert_eq!(
        then(Entry::Planned(planned(4, 0, 1)).encode()),
        format!("{at}batch 4 stands where batch 0 must follow")
    );
    assert_eq!(then(Entry::Committed(committed(0, 1)).encode()), format!("{at}batch 0 was not planned"));
    assert_eq!(then(Entry::SnapshotRows(&[]).encode()), format!("{at}rows of a snapshot stand outside of one"));
    assert_eq!(
        then([Entry::SnapshotEnd { groups: 0 }.encode(), vec![0]].concat()),
        format!("{at}1 bytes are left over")
    );
    let rows = [Entry::SnapshotBegin(base()).encode(), Entry::SnapshotRows(&[0, 1]).encode()];
    let end = Entry::SnapshotEnd { groups: 2 }.encode();
    assert!(error_of(&[rows.to_vec(), vec![end]].concat()).ends_with("a snapshot has 1 groups where its end says 2"));
}

fn output() -> impl Strategy<Value = OutputPosition> {
    (any::<u128>(), prop::collection::vec(0..=i32::MAX, 0..4))
        .prop_map(|(topic, sequences)| OutputPosition { topic: TopicId::from_u128(topic), sequences })
}

fn entry() -> impl Strategy<Value = Vec<u8>> {
    let range = (0..=i32::MAX, 0..=i64::MAX / 2, 0..=i64::MAX / 2).prop_map(|(partition, from, records)| Range {
        partition,
        from,
        to: from + records,
    });
    let ranges = prop::collection::vec(range, 0..4);
    let planned = (any::<u64>(), any::<u128>(), ranges, output()).prop_map(|(number, topic, ranges, output)| {
        Entry::Planned(PlannedBatch { number, topic: TopicId::from_u128(topic), ranges, output })
    });
    let commit =
        (any::<u64>(), any::<u64>(), any::<u64>(), output()).prop_map(|(number, records_in, bad_records, output)| {
            Entry::Committed(Commit { number, totals: Totals { records_in, bad_records }, output })
        });
    let positions = prop::collection::btree_map(0..=i32::MAX, any::<i64>(), 0..4);
    let begin =
        (".*", any::<i64>(), any::<u64>(), positions, output()).prop_map(|(query, id, next, positions, output)| {
            Entry::SnapshotBegin(Base {
                query,
                producer: ProducerId(id),
                next_batch: next,
                positions,
                output,
                ..base()
            })
        });
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
    fn any_records_are_replayed_or_refused(values in prop::collection::vec((1u8..7, prop::collection::vec(any::<u8>(), 0..40)), 0..5)) {
        let storage = memory();
        let log = storage.hidden_log("__brooklet_query_a").unwrap();
        append(&log, &[Entry::SnapshotBegin(base()).encode(), Entry::SnapshotEnd { groups: 0 }.encode()]);
        for (kind, rest) in values {
            append(&log, &[[vec![1, kind], rest].concat()]);
        }
        let _ = replay(&log, 1, &mut |_, _| Ok(()));
        let _ = identity(&log);
    }
}
