//! Joining the accumulators of two groups that turn out to be one: sessions that a later row bridges.

use super::Aggregates;
use super::heap::Heap;
use super::slot::{EMPTY, Form, Kind, LOST_DECIMAL, NO_DECIMAL, Place, Slot, set, set_wide, sum_precision, wide, word};
use super::update::{add, add_double, joined, plus};
use crate::types::order;

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
        Kind::CountDistinct { .. } => {
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
                swap(into, from, place, form);
            }
        }
        Kind::Bool { all } => set(into, place, 0, joined(word(into, place, 0), word(from, place, 0), *all)),
        Kind::Kept { last, form, .. } => {
            let state = |row: &[u64]| word(row, place, form.state_at());
            if state(from) != EMPTY && (*last || state(into) == EMPTY) {
                swap(into, from, place, form);
            }
        }
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

fn swap(into: &mut [u64], from: &mut [u64], place: Place, form: &Form) {
    for number in 0..=form.state_at() {
        let (a, b) = (word(into, place, number), word(from, place, number));
        set(into, place, number, b);
        set(from, place, number, a);
    }
}
