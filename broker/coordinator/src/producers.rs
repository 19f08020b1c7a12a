//! Producer ids for idempotent producers (KIP-98): handed out one by one from blocks that are reserved durably.
//!
//! A restart skips what was left of the last block, so an id is never handed out twice; Kafka's controller reserves
//! blocks of the same size (`org.apache.kafka.controller.ProducerIdControlManager`, KIP-730).

use brooklet_model::ProducerId;

use crate::codec::{DecodeError, Reader};

/// Ids in a block.
pub const BLOCK_LEN: i64 = 1000;

/// Key of the one record: its value is the first id that no block holds yet, 8 bytes big-endian.
pub const KEY: &[u8] = b"next-producer-id";

/// Why no id can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// All of them have been handed out.
    #[error("no producer id is left")]
    Exhausted,
}

/// A change of the allocator's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Durable: all ids below this are taken by blocks.
    Reserved(i64),
    /// Volatile: this id was handed out.
    HandedOut(ProducerId),
}

/// What an allocation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// To be persisted (if durable) and replayed, in this order, before the id is told to anyone.
    pub events: Vec<Event>,
    /// The id.
    pub producer_id: ProducerId,
}

/// The allocator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerIds {
    next: i64,
    reserved: i64,
}

impl ProducerIds {
    /// Hands out the next id.
    pub fn allocate(&self) -> Result<Step, AllocateError> {
        let mut events = Vec::new();
        if self.next >= self.reserved {
            events.push(Event::Reserved(self.reserved.checked_add(BLOCK_LEN).ok_or(AllocateError::Exhausted)?));
        }
        let producer_id = ProducerId(self.next);
        events.push(Event::HandedOut(producer_id));
        Ok(Step { events, producer_id })
    }

    /// The only mutator.
    pub fn replay(&mut self, event: &Event) {
        match *event {
            Event::Reserved(end) => {
                // What is left of the block before goes unused: after a restart nobody knows how much of it was.
                self.next = self.next.max(self.reserved);
                self.reserved = end;
            }
            Event::HandedOut(id) => self.next = id.0.saturating_add(1),
        }
    }

    /// The allocator after a restart that found `value` under [`KEY`].
    pub fn restart(value: &[u8]) -> Result<Self, DecodeError> {
        let reserved = Reader(value).i64()?;
        Ok(Self { next: reserved, reserved })
    }
}

impl Event {
    /// Key and value to be persisted, if the event is durable.
    pub fn encode(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match self {
            Self::Reserved(end) => Some((KEY.to_vec(), end.to_be_bytes().to_vec())),
            Self::HandedOut(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn no_id_is_handed_out_twice_whenever_it_restarts(runs in proptest::collection::vec(0usize..2500, 1..6)) {
            let mut seen = BTreeSet::new();
            let mut stored: Option<Vec<u8>> = None;
            for run in runs {
                let mut ids = match &stored {
                    Some(value) => ProducerIds::restart(value).unwrap(),
                    None => ProducerIds::default(),
                };
                for _ in 0..run {
                    let step = ids.allocate().unwrap();
                    for event in &step.events {
                        if let Some((_, value)) = event.encode() {
                            stored = Some(value);
                        }
                        ids.replay(event);
                    }
                    prop_assert!(seen.insert(step.producer_id));
                }
            }
        }
    }
}
