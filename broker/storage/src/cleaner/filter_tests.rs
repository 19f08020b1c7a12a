//! What passes make of transactions and of the last batch of a producer.

use std::collections::HashMap;

use brooklet_model::{
    Batch, BatchBuilder, Compression, NewRecord, Offset, ProducerEpoch, ProducerId, TimestampType, split_batches,
};

use super::filter::{Filter, Rules, marker_of};
use super::offset_map::OffsetMap;
use super::transactions::{AbortedFinder, Transactions};
use crate::producers::LastRecord;

const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_RETENTION_MS: i64 = 100;

fn batch(offset: i64, producer: i64, attributes: i16, key: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new().producer(ProducerId(producer), ProducerEpoch(0), offset as i32);
    builder.push(NewRecord { timestamp: 1, key: Some(key), value: Some(b"v"), headers: &[] });
    let mut batch = Batch::parse(&builder.finish(Compression::None).unwrap()).unwrap();
    batch.header.attributes = attributes;
    batch.header.base_offset = Offset(offset);
    batch.with_max_timestamp(TimestampType::CreateTime, 1)
}

fn data(offset: i64, producer: i64, key: u8) -> Batch {
    batch(offset, producer, TRANSACTIONAL, &[key])
}

fn marker(offset: i64, producer: i64, commits: bool) -> Batch {
    batch(offset, producer, TRANSACTIONAL | CONTROL, &[0, 0, 0, u8::from(commits)])
}

/// One pass over the whole log, which goes on after it.
fn pass(log: &[Batch], now: i64, producers: &HashMap<i64, LastRecord>) -> Vec<Batch> {
    let mut finder = AbortedFinder::default();
    for batch in log {
        match batch.header.is_control() {
            true => finder.meet_marker(&batch.header, marker_of(batch, &mut Vec::new())),
            false => finder.meet_batch(&batch.header),
        }
    }
    let aborted = finder.found();
    let mut map = OffsetMap::new(100, usize::MAX);
    let mut transactions = Transactions::new(aborted.iter().copied());
    for batch in log {
        if batch.header.is_control() {
            transactions.meet_marker(&batch.header, marker_of(batch, &mut Vec::new()));
        } else if !transactions.meet_batch(&batch.header) {
            for record in batch.records(&mut Vec::new(), 1000).unwrap() {
                let record = record.unwrap();
                assert!(map.put(record.key.unwrap(), record.offset.0));
            }
        }
        map.advance(batch.header.last_offset().0);
    }
    let rules = Rules { map: &map, now, delete_retention_ms: DELETE_RETENTION_MS, end: 1000, producers };
    let mut filter = Filter::new(rules, Transactions::new(aborted));
    let mut out = Vec::new();
    for batch in log {
        let begin = out.len();
        let header = filter.apply(batch, &mut out).unwrap();
        assert_eq!(header.map_or(0, |header| header.size), out.len() - begin);
    }
    let batches: Vec<Batch> = split_batches(out.into()).map(Result::unwrap).collect();
    batches.iter().for_each(|batch| batch.verify_checksum().unwrap());
    batches
}

/// Offset, records, delete horizon.
fn facts(log: &[Batch]) -> Vec<(i64, i32, Option<i64>)> {
    log.iter()
        .map(|batch| (batch.header.base_offset.0, batch.header.record_count, batch.header.delete_horizon()))
        .collect()
}

#[test]
fn aborted_records_go_and_their_marker_follows() {
    let nobody = HashMap::new();
    // Two transactions at once; the one that is aborted has a record of a key that the other has not.
    let log = [data(0, 1, b'a'), data(1, 2, b'a'), data(2, 2, b'b'), marker(3, 2, false), marker(4, 1, true)];
    let first = pass(&log, 0, &nobody);
    assert_eq!(facts(&first), [(0, 1, None), (3, 1, None), (4, 1, None)]);
    let second = pass(&first, 10, &nobody);
    assert_eq!(facts(&second), [(0, 1, None), (3, 1, Some(110)), (4, 1, None)]);
    assert_eq!(marker_of(&second[1], &mut Vec::new()), marker_of(&log[3], &mut Vec::new()));
    assert_eq!(facts(&pass(&second, 109, &nobody)), facts(&second));
    assert_eq!(facts(&pass(&second, 110, &nobody)), [(0, 1, None), (4, 1, None)]);
}

#[test]
fn a_commits_marker_outlives_its_records() {
    let nobody = HashMap::new();
    let log = [data(0, 1, b'a'), marker(1, 1, true), data(2, 3, b'a'), marker(3, 3, true)];
    let first = pass(&log, 0, &nobody);
    assert_eq!(facts(&first), [(1, 1, None), (2, 1, None), (3, 1, None)]);
    let second = pass(&first, 0, &nobody);
    assert_eq!(facts(&second), [(1, 1, Some(100)), (2, 1, None), (3, 1, None)]);
    assert_eq!(facts(&pass(&second, 100, &nobody)), [(2, 1, None), (3, 1, None)]);
}

#[test]
fn a_producers_last_batch_stays_without_its_records() {
    let last = |offset| LastRecord { data_offset: Some(offset), epoch: 0 };
    let producers = HashMap::from([(1, last(0)), (2, last(4)), (3, LastRecord { data_offset: None, epoch: 0 })]);
    // Of the first producer a newer record of another has the key; the second's was aborted; of the third only its
    // marker says that it was there.
    let log = [
        batch(0, 1, 0, b"a"),
        batch(1, 9, 0, b"a"),
        marker(3, 3, true),
        data(4, 2, b'b'),
        marker(5, 2, false),
        batch(6, 9, 0, b"c"),
    ];
    let first = pass(&log, 0, &producers);
    assert_eq!(
        facts(&first),
        [(0, 0, None), (1, 1, None), (3, 1, Some(100)), (4, 0, None), (5, 1, None), (6, 1, None)]
    );
    let (emptied, original) = (&first[0].header, &log[0].header);
    assert_eq!(
        (emptied.producer_id, emptied.producer_epoch, emptied.last_sequence(), emptied.last_offset()),
        (original.producer_id, original.producer_epoch, original.last_sequence(), original.last_offset())
    );
    // The marker is emptied, and stays as long as nothing else says what the producer's epoch was.
    let later = pass(&first, 100, &producers);
    assert_eq!(facts(&later)[2], (3, 0, None));
    assert_eq!(facts(&pass(&later, 1000, &producers))[2], (3, 0, None));
    assert_eq!(facts(&pass(&later, 1000, &HashMap::new())).first(), Some(&(1, 1, None)));
}
