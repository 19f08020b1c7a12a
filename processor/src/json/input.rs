//! A record's bytes, and what has been seen of them.

use super::stops::{Run, marks, plain_run};

/// A record's bytes, with the stops of the 64 of them that were looked at last: most of a record's strings then cost a
/// shift, where looking at each anew would make each wait for the one before.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    block: usize,
    stops: u64,
    high: u64,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, block: 0, stops: 0, high: 0 }
    }

    /// The run of plain characters that begins at `from` and ends at a double quote, if at a quote.
    #[inline(always)]
    pub(super) fn plain_run(&mut self, from: usize) -> Run {
        match self.run_in_block(from) {
            Some(run) => run,
            None => self.run_beyond(from),
        }
    }

    #[inline(always)]
    fn run_in_block(&self, from: usize) -> Option<Run> {
        let offset = from.wrapping_sub(self.block);
        if offset >= 64 {
            return None;
        }
        let stops = self.stops >> offset;
        if stops == 0 {
            return None;
        }
        let length = stops.trailing_zeros();
        let high = self.high >> offset & ((1 << length) - 1);
        Some(Run { end: from + length as usize, non_ascii: high != 0 })
    }

    /// Looks at the blocks from `from` on. The last one ends where the bytes do, so it may begin before `from`.
    #[inline]
    fn run_beyond(&mut self, from: usize) -> Run {
        let mut at = from;
        let mut non_ascii = false;
        while let Some(block) = self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            self.look_at(at, block);
            if let Some(run) = self.run_in_block(at) {
                return Run { non_ascii: run.non_ascii || non_ascii, ..run };
            }
            non_ascii |= self.high != 0;
            at += 64;
        }
        if at < self.bytes.len()
            && let Some(block) = self.bytes.last_chunk()
        {
            self.look_at(self.bytes.len() - 64, block);
            let run = self.run_in_block(at).unwrap_or_else(|| {
                let high = self.high >> (at - self.block);
                Run { end: self.bytes.len(), non_ascii: high != 0 }
            });
            return Run { non_ascii: run.non_ascii || non_ascii, ..run };
        }
        let run = plain_run(self.bytes, at, b'"');
        Run { non_ascii: run.non_ascii || non_ascii, ..run }
    }

    #[inline(always)]
    fn look_at(&mut self, at: usize, block: &[u8; 64]) {
        (self.stops, self.high) = marks(block);
        self.block = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::stops::tests::text_like;
    use super::*;

    proptest! {
        #[test]
        fn what_was_seen_before_does_not_change_a_run(
            bytes in text_like(), places in prop::collection::vec(0usize..210, 1..20),
        ) {
            let mut input = Input::new(&bytes);
            for from in places {
                prop_assert_eq!(input.plain_run(from), plain_run(&bytes, from, b'"'));
            }
        }
    }
}
