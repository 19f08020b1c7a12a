//! Joining the accumulators of two groups that turn out to be one: sessions that a later row bridges.

use super::Aggregates;
use super::heap::Heap;
use super::slot::{
    EMPTY, Kind, LOST_DECIMAL, NO_DECIMAL, NULL, Place, Slot, Whole, set, set_wide, sum_precision, wide, word,
};
use super::update::{add, add_double, join_bits, joined, plus, plus_checked};
use crate::types::{Value, order};

impl Aggregates {
    /// Adds to `into` what was added to `from`, as if it had come later. `from` is empty afterwards.
    pub(crate) fn merge(&mut self, into: &mut [u64], from: &mut [u64]) {
        let Self { slots, heap, .. } = self;
        for Slot { place, kind } in slots.iter() {
            merge_slot(into, from, *place, kind, heap);
        }
        self.release(from);
    }
}

fn merge_slot(into: &mut [u64], from: &mut [u64], place: Place, kind: &Kind, heap: &mut Heap) {
    match kind {
        Kind::CountAll | Kind::Count | Kind::CountIf => add(into, place, 0, word(from, place, 0)),
        Kind::CountDistinct { .. } | Kind::Set { .. } => {
            // Its members are new to `into`, whatever the changelog has of `from`.
            if let Some(members) = heap.take_set(word(from, place, 0)) {
                let mut set_word = word(into, place, 0);
                for member in members.members(0) {
                    set_word = heap.add_to_set(set_word, member);
                }
                set(into, place, 0, set_word);
            }
            set(from, place, 0, 0);
        }
        Kind::SumBigInt => {
            add(into, place, 0, word(from, place, 0));
            set(into, place, 1, word(into, place, 1) | word(from, place, 1));
        }
        Kind::SumChecked { whole } => merge_checked(into, from, place, *whole),
        Kind::AvgInterval { whole } => {
            merge_checked(into, from, place, *whole);
            add(into, place, 2, word(from, place, 2));
        }
        Kind::SumDouble => {
            add_double(into, place, f64::from_bits(word(from, place, 0)));
            set(into, place, 1, word(into, place, 1) | word(from, place, 1));
        }
        Kind::AvgDouble => {
            add_double(into, place, f64::from_bits(word(from, place, 0)));
            add(into, place, 1, word(from, place, 1));
        }
        Kind::SumDecimal { precision, .. } => merge_decimal(into, from, place, *precision),
        Kind::AvgDecimal { precision, .. } => {
            merge_decimal(into, from, place, sum_precision(*precision));
            add(into, place, 2, word(from, place, 2));
        }
        Kind::Extreme { greatest, form } => {
            let beyond = match (form.get(from, place, heap), form.get(into, place, heap)) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(new), Some(known)) if *greatest => order(&new, &known).is_gt(),
                (Some(new), Some(known)) => order(&new, &known).is_lt(),
            };
            if beyond {
                form.swap(into, from, place);
            }
        }
        Kind::Bool { all } => set(into, place, 0, joined(word(into, place, 0), word(from, place, 0), *all)),
        Kind::Kept { last, form, .. } => {
            let state = |row: &[u64]| word(row, place, form.state_at());
            if state(from) != EMPTY && (*last || state(into) == EMPTY) {
                form.swap(into, from, place);
            }
        }
        Kind::Bits { operator, form } => {
            if let Some(value) = form.get(from, place, heap).map(Value::into_owned) {
                join_bits(into, place, *operator, form, &value, heap);
            }
        }
        Kind::Moment(moment) => moment.merge(into, from, place),
        Kind::PairMoment(moment) => moment.merge(into, from, place),
        Kind::By { greatest, value, by } => {
            let by_place = value.after(place);
            let new = by.get(from, by_place, heap);
            if new.is_some_and(|new| by.gives_way(into, by_place, &new, *greatest, heap)) {
                value.swap(into, from, place);
                by.swap(into, from, by_place);
            }
        }
        Kind::List { .. } => {
            if let Some(list) = heap.take_list(word(from, place, 0)) {
                let list = heap.add_to_list(word(into, place, 0), list.from(0));
                set(into, place, 0, list);
            }
            set(from, place, 0, 0);
        }
        Kind::Bag { .. } => {
            if let Some(more) = heap.take_bag(word(from, place, 0)) {
                let bag = heap.change_bag(word(into, place, 0), |bag, hasher| {
                    more.entries().for_each(|(member, count)| bag.add(hasher, member, count));
                });
                set(into, place, 0, bag);
            }
            set(from, place, 0, 0);
        }
        Kind::Registers { .. } => {
            let more = heap.get_bytes(word(from, place, 0)).to_vec();
            if !more.is_empty() {
                let (registers_word, registers) = heap.bytes_mut(word(into, place, 0), more.len());
                registers.iter_mut().zip(&more).for_each(|(register, more)| *register = (*register).max(*more));
                set(into, place, 0, registers_word);
            }
        }
    }
}

fn merge_checked(into: &mut [u64], from: &[u64], place: Place, whole: Whole) {
    match word(from, place, 1) {
        EMPTY => {}
        NULL => set(into, place, 1, NULL),
        _ => plus_checked(into, place, whole, word(from, place, 0) as i64),
    }
}

fn merge_decimal(into: &mut [u64], from: &[u64], place: Place, precision: u8) {
    let sum = match (wide(into, place), wide(from, place)) {
        (sum, NO_DECIMAL) => sum,
        (_, LOST_DECIMAL) => LOST_DECIMAL,
        (sum, value) => plus(sum, value, precision),
    };
    set_wide(into, place, sum);
}
