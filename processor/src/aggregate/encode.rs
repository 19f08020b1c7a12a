//! Accumulators as bytes of a changelog. The format is stable.

use super::Aggregates;
use super::heap::Heap;
use super::list;
use super::slot::{EMPTY, FULL, Kind, LOST_DECIMAL, NO_DECIMAL, NULL, Place, Slot, set, set_wide, wide, word};
use crate::codec::{Malformed, Reader, put_bytes, put_i128, put_signed, put_u64};

impl Aggregates {
    /// Remembers that all of the row is in the changelog: the next [change](Self::encode_change) is what comes now.
    pub(crate) fn mark(&mut self, row: &mut [u64]) {
        let Self { slots, heap, .. } = self;
        if !heap.has_marks() {
            return;
        }
        for Slot { place, kind } in slots.iter() {
            let first = word(row, *place, 0);
            match kind {
                Kind::CountDistinct { .. } | Kind::Set { .. } => {
                    set(row, *place, 1, heap.get_set(first).map_or(0, |set| set.len()) as u64);
                }
                Kind::List { .. } => set(row, *place, 1, heap.get_list(first).map_or(0, |list| list.len()) as u64),
                Kind::Bag { .. } if first != 0 => {
                    heap.change_bag(first, |bag, _| bag.mark());
                }
                _ => {}
            }
        }
    }

    /// Remembers that nothing of the row is in the changelog under its new name.
    pub(crate) fn unmark(&mut self, row: &mut [u64]) {
        let Self { slots, heap, .. } = self;
        for Slot { place, kind } in slots.iter() {
            match kind {
                Kind::CountDistinct { .. } | Kind::Set { .. } | Kind::List { .. } => set(row, *place, 1, 0),
                Kind::Bag { .. } if word(row, *place, 0) != 0 => {
                    heap.change_bag(word(row, *place, 0), |bag, _| bag.unmark());
                }
                _ => {}
            }
        }
    }

    /// Appends what [`Self::decode`] makes an empty row like this one from.
    pub(crate) fn encode(&self, row: &[u64], out: &mut Vec<u8>) {
        for slot in &self.slots {
            self.encode_slot(row, slot, false, out);
        }
    }

    /// Appends what [`Self::decode`] makes the row as it was when it was [marked](Self::mark) like this one from.
    pub(crate) fn encode_change(&self, row: &[u64], out: &mut Vec<u8>) {
        for slot in &self.slots {
            self.encode_slot(row, slot, true, out);
        }
    }

    fn encode_slot(&self, row: &[u64], Slot { place, kind }: &Slot, change: bool, out: &mut Vec<u8>) {
        let place = *place;
        let first = word(row, place, 0);
        match kind {
            Kind::CountAll | Kind::Count | Kind::CountIf => put_u64(out, first),
            Kind::CountDistinct { .. } | Kind::Set { .. } => {
                let Some(set) = self.heap.get_set(first) else {
                    put_u64(out, 0);
                    return;
                };
                let from = if change { (word(row, place, 1) as usize).min(set.len()) } else { 0 };
                put_u64(out, (set.len() - from) as u64);
                set.members(from).for_each(|member| put_bytes(out, member));
            }
            Kind::SumBigInt | Kind::SumChecked { .. } => {
                put_u64(out, word(row, place, 1));
                if word(row, place, 1) != EMPTY {
                    put_signed(out, first as i64);
                }
            }
            Kind::AvgInterval { .. } => {
                [1, 2].iter().for_each(|number| put_u64(out, word(row, place, *number)));
                put_signed(out, first as i64);
            }
            Kind::List { .. } => {
                let from = if change { word(row, place, 1) as usize } else { 0 };
                put_bytes(out, self.heap.get_list(first).map_or(&[], |list| list.from(from)));
            }
            Kind::Bag { .. } => match self.heap.get_bag(first) {
                None => put_u64(out, 0),
                Some(bag) if change => put_counts(bag.changes(), bag.changes().len(), out),
                Some(bag) => put_counts(bag.entries(), bag.len(), out),
            },
            Kind::Registers { .. } => put_bytes(out, self.heap.get_bytes(first)),
            Kind::Moment(moment) => put_words(row, place, moment.words(), out),
            Kind::PairMoment(moment) => put_words(row, place, moment.words(), out),
            Kind::By { value, by, .. } => {
                for (form, place) in [(value, place), (by, value.after(place))] {
                    let state = word(row, place, form.state_at());
                    put_u64(out, state);
                    if state == FULL {
                        form.encode(row, place, &self.heap, out);
                    }
                }
            }
            Kind::SumDouble | Kind::AvgDouble => {
                put_u64(out, word(row, place, 1));
                if word(row, place, 1) != EMPTY {
                    out.extend_from_slice(&first.to_be_bytes());
                }
            }
            Kind::SumDecimal { .. } => encode_sum(wide(row, place), out),
            Kind::AvgDecimal { .. } => {
                put_u64(out, word(row, place, 2));
                if word(row, place, 2) != 0 {
                    encode_sum(wide(row, place), out);
                }
            }
            Kind::Bool { .. } => put_u64(out, first),
            Kind::Extreme { form, .. } | Kind::Kept { form, .. } | Kind::Bits { form, .. } => {
                let state = word(row, place, form.state_at());
                put_u64(out, state);
                if state == FULL {
                    form.encode(row, place, &self.heap, out);
                }
            }
        }
    }

    /// Takes a row's accumulators off the front of `reader`; members of sets are added to those that are there.
    pub(crate) fn decode(&mut self, row: &mut [u64], reader: &mut Reader<'_>) -> Result<(), Malformed> {
        let Self { slots, heap, .. } = self;
        for Slot { place, kind } in slots.iter() {
            decode_slot(row, *place, kind, heap, reader)?;
        }
        self.mark(row);
        Ok(())
    }
}

fn decode_slot(
    row: &mut [u64],
    place: Place,
    kind: &Kind,
    heap: &mut Heap,
    reader: &mut Reader<'_>,
) -> Result<(), Malformed> {
    match kind {
        Kind::CountAll | Kind::Count | Kind::CountIf => set(row, place, 0, reader.u64()?),
        Kind::CountDistinct { .. } | Kind::Set { .. } => {
            for _ in 0..reader.count(1)? {
                let set_word = heap.add_to_set(word(row, place, 0), reader.bytes()?);
                set(row, place, 0, set_word);
            }
        }
        Kind::SumBigInt => {
            let state = take_state(reader, FULL)?;
            set(row, place, 1, state);
            set(row, place, 0, if state == EMPTY { 0 } else { reader.signed()? as u64 });
        }
        Kind::SumChecked { .. } => {
            let state = take_state(reader, NULL)?;
            set(row, place, 1, state);
            set(row, place, 0, if state == EMPTY { 0 } else { reader.signed()? as u64 });
        }
        Kind::AvgInterval { .. } => {
            let state = take_state(reader, NULL)?;
            set(row, place, 1, state);
            set(row, place, 2, reader.u64()?);
            set(row, place, 0, reader.signed()? as u64);
        }
        Kind::List { element } => {
            let encoded = reader.bytes()?;
            list::array(encoded, element).ok_or_else(|| Malformed::new("a list is not of its type"))?;
            if !encoded.is_empty() {
                let list = heap.add_to_list(word(row, place, 0), encoded);
                set(row, place, 0, list);
            }
        }
        Kind::Bag { .. } => {
            for _ in 0..reader.count(2)? {
                let (member, count) = (reader.bytes()?, reader.u64()?);
                let bag = heap.change_bag(word(row, place, 0), |bag, hasher| bag.put(hasher, member, count));
                set(row, place, 0, bag);
            }
        }
        Kind::Registers { bits } => {
            let known = reader.bytes()?;
            if !known.is_empty() && known.len() != 1 << bits {
                return Err(Malformed::new("a sketch has another number of registers"));
            }
            if !known.is_empty() {
                let registers = heap.put_bytes(word(row, place, 0), known);
                set(row, place, 0, registers);
            }
        }
        Kind::Moment(moment) => take_words(row, place, moment.words(), reader)?,
        Kind::PairMoment(moment) => take_words(row, place, moment.words(), reader)?,
        Kind::By { value, by, .. } => {
            for (form, place) in [(value, place), (by, value.after(place))] {
                let state = take_state(reader, NULL)?;
                form.decode(row, place, state, heap, reader)?;
            }
        }
        Kind::SumDouble | Kind::AvgDouble => {
            let count = if *kind == Kind::AvgDouble { reader.u64()? } else { take_state(reader, FULL)? };
            set(row, place, 1, count);
            set(row, place, 0, if count == EMPTY { 0 } else { u64::from_be_bytes(reader.array()?) });
        }
        Kind::SumDecimal { .. } => set_wide(row, place, decode_sum(reader)?),
        Kind::AvgDecimal { .. } => {
            let count = reader.u64()?;
            set(row, place, 2, count);
            set_wide(row, place, if count == 0 { 0 } else { decode_sum(reader)? });
        }
        Kind::Bool { .. } => set(row, place, 0, take_state(reader, NULL)?),
        Kind::Extreme { form, .. } | Kind::Bits { form, .. } => {
            let state = take_state(reader, FULL)?;
            form.decode(row, place, state, heap, reader)?;
        }
        Kind::Kept { form, .. } => {
            let state = take_state(reader, NULL)?;
            form.decode(row, place, state, heap, reader)?;
        }
    }
    Ok(())
}

fn take_state(reader: &mut Reader<'_>, max: u64) -> Result<u64, Malformed> {
    let state = reader.u64()?;
    if state > max { Err(Malformed::new(format!("an aggregate has the state {state}"))) } else { Ok(state) }
}

fn put_counts<'b>(entries: impl Iterator<Item = (&'b [u8], u64)>, len: usize, out: &mut Vec<u8>) {
    put_u64(out, len as u64);
    for (member, count) in entries {
        put_bytes(out, member);
        put_u64(out, count);
    }
}

fn put_words(row: &[u64], place: Place, words: usize, out: &mut Vec<u8>) {
    (0..words).for_each(|number| out.extend_from_slice(&word(row, place, number).to_be_bytes()));
}

fn take_words(row: &mut [u64], place: Place, words: usize, reader: &mut Reader<'_>) -> Result<(), Malformed> {
    for number in 0..words {
        set(row, place, number, u64::from_be_bytes(reader.array()?));
    }
    Ok(())
}

const SUM_OF_NONE: u8 = 0;
const SUM_LOST: u8 = 1;
const SUM: u8 = 2;

fn encode_sum(sum: i128, out: &mut Vec<u8>) {
    match sum {
        NO_DECIMAL => out.push(SUM_OF_NONE),
        LOST_DECIMAL => out.push(SUM_LOST),
        sum => {
            out.push(SUM);
            put_i128(out, sum);
        }
    }
}

fn decode_sum(reader: &mut Reader<'_>) -> Result<i128, Malformed> {
    match reader.u8()? {
        SUM_OF_NONE => Ok(NO_DECIMAL),
        SUM_LOST => Ok(LOST_DECIMAL),
        SUM => match reader.i128()? {
            NO_DECIMAL | LOST_DECIMAL => Err(Malformed::new("a sum is out of range")),
            sum => Ok(sum),
        },
        state => Err(Malformed::new(format!("a sum has the state {state}"))),
    }
}
