//! Accumulators as bytes of a changelog. The format is stable.

use super::Aggregates;
use super::heap::Heap;
use super::slot::{EMPTY, FULL, Form, Kind, LOST_DECIMAL, NO_DECIMAL, NULL, Place, Slot, set, set_wide, wide, word};
use crate::codec::{Malformed, Reader, put_bytes, put_i128, put_signed, put_u64};
use crate::types::{DataType, Decimal, decode_value};

impl Aggregates {
    /// Remembers that all of the row is in the changelog: the next [change](Self::encode_change) is what comes now.
    pub(crate) fn mark(&self, row: &mut [u64]) {
        if self.heap.has_sets() {
            self.for_each_set(|place| {
                let members = self.heap.get_set(word(row, place, 0)).map_or(0, |set| set.len());
                set(row, place, 1, members as u64);
            });
        }
    }

    /// Remembers that nothing of the row is in the changelog under its new name.
    pub(crate) fn unmark(&self, row: &mut [u64]) {
        self.for_each_set(|place| set(row, place, 1, 0));
    }

    fn for_each_set(&self, mut each: impl FnMut(Place)) {
        let sets = self.slots.iter().filter(|slot| matches!(slot.kind, Kind::CountDistinct { .. }));
        sets.for_each(|slot| each(slot.place));
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
            Kind::CountDistinct { .. } => {
                let Some(set) = self.heap.get_set(first) else {
                    put_u64(out, 0);
                    return;
                };
                let from = if change { (word(row, place, 1) as usize).min(set.len()) } else { 0 };
                put_u64(out, (set.len() - from) as u64);
                set.members(from).for_each(|member| put_bytes(out, member));
            }
            Kind::SumBigInt => {
                put_u64(out, word(row, place, 1));
                if word(row, place, 1) != EMPTY {
                    put_signed(out, first as i64);
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
            Kind::Extreme { form, .. } | Kind::Kept { form, .. } => {
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
        Kind::CountDistinct { .. } => {
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
        Kind::Extreme { form, .. } => {
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

impl Form {
    fn encode(&self, row: &[u64], place: Place, heap: &Heap, out: &mut Vec<u8>) {
        let first = word(row, place, 0);
        match self {
            Self::Double => out.extend_from_slice(&first.to_be_bytes()),
            Self::Decimal { .. } => put_i128(out, wide(row, place)),
            Self::String | Self::Binary => put_bytes(out, heap.get_bytes(first)),
            Self::Encoded(_) => out.extend_from_slice(heap.get_bytes(first)),
            Self::Boolean
            | Self::TinyInt
            | Self::SmallInt
            | Self::Int
            | Self::Date
            | Self::BigInt
            | Self::Timestamp
            | Self::Float => put_signed(out, first as i64),
        }
    }

    fn decode(
        &self,
        row: &mut [u64],
        place: Place,
        state: u64,
        heap: &mut Heap,
        reader: &mut Reader<'_>,
    ) -> Result<(), Malformed> {
        set(row, place, self.state_at(), state);
        if state != FULL {
            return Ok(());
        }
        let wrong = || Malformed::new("a value is not of its type");
        let known = word(row, place, 0);
        let first = match self {
            Self::Double => u64::from_be_bytes(reader.array()?),
            Self::Decimal { precision, scale } => {
                let value = Decimal::new(reader.i128()?, *precision, *scale).ok_or_else(wrong)?;
                set_wide(row, place, value.unscaled);
                return Ok(());
            }
            Self::String | Self::Binary => heap.put_bytes(known, reader.bytes()?),
            Self::Encoded(data_type) => heap.put_bytes(known, take_encoded(reader, data_type).ok_or_else(wrong)?),
            Self::Boolean => reader.signed().and_then(|value| u64::try_from(value).map_err(|_| wrong()))?.min(1),
            Self::TinyInt => i8::try_from(reader.signed()?).map_err(|_| wrong())? as i64 as u64,
            Self::SmallInt => i16::try_from(reader.signed()?).map_err(|_| wrong())? as i64 as u64,
            Self::Float => u32::try_from(reader.signed()?).map_err(|_| wrong())?.into(),
            Self::Int | Self::Date => i32::try_from(reader.signed()?).map_err(|_| wrong())? as i64 as u64,
            Self::BigInt | Self::Timestamp => reader.signed()? as u64,
        };
        set(row, place, 0, first);
        Ok(())
    }
}

/// The bytes of a value of this type.
fn take_encoded<'a>(reader: &mut Reader<'a>, data_type: &DataType) -> Option<&'a [u8]> {
    let before = reader.rest();
    let mut after = before;
    decode_value(data_type, &mut after)?;
    reader.take(before.len() - after.len()).ok()
}
