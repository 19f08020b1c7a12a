//! The latest values of tables.
//!
//! A small value stands under its key after a zero byte. A large one stands in the tree `pieces` under a number, and
//! its key has a one, that number and its length. For sled writes a page of up to 17 values at once, and puts one that
//! is near a quarter of its segments into a file of its own, which it never syncs.

use super::{SledIndex, heard, remove_prefix};
use crate::StorageError;
use crate::keys;
use crate::table::TableCheckpoint;

const PIECE_BYTES: usize = 768;
const INLINE: u8 = 0;
const IN_PIECES: u8 = 1;

impl SledIndex {
    /// The offset up to which the log's records are in its table.
    pub(crate) fn table_applied(&self, log: u32) -> i64 {
        let value = heard(self.applied.get(keys::log(log))).flatten();
        value.and_then(|value| keys::parse_numbers(&value)).map_or(0, |[applied]| applied)
    }

    /// Brings the table up to the checkpoint.
    pub(crate) fn store_table(&self, log: u32, checkpoint: &TableCheckpoint) -> bool {
        heard(self.try_store_table(log, checkpoint)).is_some()
    }

    fn try_store_table(&self, log: u32, checkpoint: &TableCheckpoint) -> sled::Result<()> {
        for (key, value) in checkpoint.values.iter() {
            let table_key = [keys::log(log).as_slice(), key].concat();
            let old = match value {
                None => self.tables.remove(table_key)?,
                Some(value) => {
                    let stored = self.store_value(log, value)?;
                    self.tables.insert(table_key, stored)?
                }
            };
            if let Some([id, _]) = old.as_deref().and_then(in_pieces) {
                for piece in self.pieces.scan_prefix(keys::log_and(log, id)).keys() {
                    self.pieces.remove(piece?)?;
                }
            }
        }
        self.applied.insert(keys::log(log), keys::numbers([checkpoint.applied]))?;
        Ok(())
    }

    /// What stands under the key of `value`.
    fn store_value(&self, log: u32, value: &[u8]) -> sled::Result<Vec<u8>> {
        if value.len() <= PIECE_BYTES {
            return Ok([&[INLINE], value].concat());
        }
        let id = self.db.generate_id()? as i64;
        for (number, piece) in value.chunks(PIECE_BYTES).enumerate() {
            self.pieces.insert(keys::log_and_two(log, id, number as u64), piece)?;
        }
        Ok([[IN_PIECES].as_slice(), &keys::numbers([id, value.len() as i64])].concat())
    }

    /// Calls `f` with each key and value of the table, in the order of the keys.
    pub(crate) fn for_each_in_table(&self, log: u32, f: &mut dyn FnMut(&[u8], Vec<u8>)) -> Result<(), StorageError> {
        let damaged = || StorageError::Damaged("a value of a table is not whole; delete the folder `sled`".into());
        for item in self.tables.scan_prefix(keys::log(log)) {
            let (key, stored) = item?;
            let key = key.get(4..).unwrap_or_default();
            let value = match (stored.split_first(), in_pieces(&stored)) {
                (Some((&INLINE, value)), _) => value.to_vec(),
                (_, Some([id, len])) => {
                    let mut value = Vec::new();
                    for piece in self.pieces.scan_prefix(keys::log_and(log, id)).values() {
                        value.extend_from_slice(&piece?);
                    }
                    Some(value).filter(|value| value.len() as i64 == len).ok_or_else(damaged)?
                }
                _ => return Err(damaged()),
            };
            f(key, value);
        }
        Ok(())
    }

    /// Forgets the table of a log.
    pub(crate) fn forget_table(&self, log: u32) {
        heard(self.applied.remove(keys::log(log)));
        heard(remove_prefix(&self.tables, log));
        heard(remove_prefix(&self.pieces, log));
    }
}

/// Number and length of a value in pieces.
fn in_pieces(stored: &[u8]) -> Option<[i64; 2]> {
    match stored.split_first() {
        Some((&IN_PIECES, rest)) => keys::parse_numbers(rest),
        _ => None,
    }
}
