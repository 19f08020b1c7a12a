//! Any bytes as a query's changelog: it is read or refused, and what it tells is told the same when written again.
#![no_main]

use brooklet_processor::replay_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| replay_bytes(input));
