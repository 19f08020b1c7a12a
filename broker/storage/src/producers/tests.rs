//! Against the rule in words.

use brooklet_model::LeaderEpoch;
use proptest::prelude::*;

use super::*;

fn header(producer: i64, epoch: i16, base_sequence: i32, records: i32, offset: i64) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(offset),
        size: 100,
        leader_epoch: LeaderEpoch(0),
        crc: 0,
        attributes: 0,
        last_offset_delta: records - 1,
        base_timestamp: 0,
        max_timestamp: offset * 10,
        producer_id: ProducerId(producer),
        producer_epoch: ProducerEpoch(epoch),
        base_sequence,
        record_count: records,
    }
}

/// The rule in words, over all that was ever accepted.
fn expected(history: &[BatchHeader], new: &BatchHeader) -> Result<Sequenced, SequenceError> {
    let own: Vec<_> = history.iter().filter(|old| old.producer_id == new.producer_id).collect();
    let Some(last) = own.last() else { return Ok(Sequenced::Next) };
    if new.producer_epoch < last.producer_epoch {
        return Err(SequenceError::Epoch { current: last.producer_epoch.0 });
    }
    if new.producer_epoch > last.producer_epoch {
        let begins = new.base_sequence == 0;
        return if begins { Ok(Sequenced::Next) } else { Err(SequenceError::OutOfOrder { last: None }) };
    }
    let of_epoch: Vec<_> = own.iter().filter(|old| old.producer_epoch == new.producer_epoch).collect();
    let remembered = &of_epoch[of_epoch.len().saturating_sub(5)..];
    let sequences = |batch: &BatchHeader| (batch.base_sequence, batch.last_sequence());
    if let Some(old) = remembered.iter().find(|old| sequences(old) == sequences(new)) {
        let (base_offset, last_offset) = (old.base_offset.0, old.last_offset().0);
        return Ok(Sequenced::Duplicate { base_offset, last_offset, timestamp: old.max_timestamp });
    }
    match last.last_sequence().checked_add(1).unwrap_or(0) == new.base_sequence {
        true => Ok(Sequenced::Next),
        false => Err(SequenceError::OutOfOrder { last: Some(last.last_sequence()) }),
    }
}

/// Producer, epoch, how far from the sequence that would be next, records, and whether all is stored and restored.
fn steps() -> impl Strategy<Value = Vec<(i64, i16, i32, i32, bool)>> {
    proptest::collection::vec((0..2i64, 0..3i16, -7..3i32, 1..4i32, any::<bool>()), 1..80)
}

proptest! {
    #[test]
    fn a_batch_is_taken_once_and_in_order(steps in steps(), first in prop_oneof![Just(0), Just(i32::MAX - 8)]) {
        let mut producers = Producers::default();
        let mut stored: HashMap<i64, Vec<u8>> = HashMap::new();
        let mut history: Vec<BatchHeader> = Vec::new();
        let mut offset = 0;
        for (producer, epoch, away, records, restart) in steps {
            let last = history.iter().rfind(|old| old.producer_id.0 == producer);
            let next = match last {
                None => first,
                Some(last) if last.producer_epoch.0 < epoch => 0,
                Some(last) => last.last_sequence().checked_add(1).unwrap_or(0),
            };
            // Mostly the right one; below it, a batch that was there or never was.
            let sequence = if away >= 0 { next } else { (i64::from(next) + i64::from(away)).rem_euclid(1 << 31) as i32 };
            let new = header(producer, epoch, sequence, records, offset);
            let verdict = producers.check(&new);
            prop_assert_eq!(&verdict, &expected(&history, &new));
            if verdict == Ok(Sequenced::Next) {
                producers.remember(&new, at(offset), 0);
                history.push(new);
                offset += i64::from(records);
            }
            if restart {
                stored.extend(producers.take_changes().into_iter().map(|(id, bytes)| (id, bytes.unwrap())));
                producers = Producers::default();
                for (id, bytes) in &stored {
                    producers.restore(*id, bytes).unwrap();
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_restored_without_panic(bytes: Vec<u8>) {
        let _ = Producers::default().restore(1, &bytes);
    }
}

fn at(offset: i64) -> Point {
    Point { offset, segment: 0, position: 0 }
}

#[test]
fn the_silent_are_forgotten_unless_a_query_writes_under_them() {
    let mut producers = Producers::default();
    producers.remember(&header(1, 0, 0, 1, 0), at(0), 100);
    producers.remember(&header(2, 0, 0, 1, 1), at(1), 200);
    producers.remember(&header(ProducerId::QUERIES.0, 0, 0, 1, 1), at(1), 100);
    producers.take_changes();
    producers.expire(200);
    assert_eq!(producers.take_changes(), [(1, None)]);
    assert!(producers.get(ProducerId::QUERIES).is_some());
    assert!(producers.get(ProducerId(1)).is_none());
    assert!(producers.get(ProducerId(2)).is_some());
}
