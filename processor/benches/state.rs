//! Groups by the million: records a second, bytes a group, and how long a restart takes. `STATE_GROUPS=10000000 cargo bench
//! --bench state` is the size that is promised; a run takes each figure once, for its state is what costs.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Instant;

use brooklet_processor::Aggregated;

fn main() {
    let groups: u64 = std::env::var("STATE_GROUPS").ok().and_then(|groups| groups.parse().ok()).unwrap_or(1_000_000);
    println!("{groups} groups with keys of 12 bytes, each touched twice, in no order");
    for (name, make) in [("COUNT(*)", Aggregated::counts as fn() -> Aggregated), ("three", Aggregated::three)] {
        let mut state = make();
        let first = rate(&mut state, groups);
        state.begin_batch();
        let again = rate(&mut state, groups);
        assert_eq!(state.groups() as u64, groups);
        let bytes = state.bytes() as f64 / groups as f64;
        let snapshot = state.snapshot();
        drop(state);
        let started = Instant::now();
        let mut restored = make();
        assert!(restored.restore(&snapshot) && restored.groups() as u64 == groups);
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{name:9} {:5.2} M new groups/s, {:5.2} M known groups/s, {bytes:5.1} bytes a group in memory and {:4.1} in a \
             snapshot, which is read in {seconds:5.2} s",
            first / 1e6,
            again / 1e6,
            snapshot.len() as f64 / groups as f64
        );
    }
}

/// Records a second.
fn rate(state: &mut Aggregated, groups: u64) -> f64 {
    let started = Instant::now();
    let mut key = *b"key-00000000";
    // An odd factor visits every number of a power of two; those past the end are passed over.
    let all = groups.next_power_of_two();
    for number in 0..all {
        let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & (all - 1);
        if mixed >= groups {
            continue;
        }
        for digit in key[4..].iter_mut().rev() {
            *digit = b'0' + (mixed % 10) as u8;
            mixed /= 10;
        }
        state.add(&key, number as i64).unwrap();
    }
    groups as f64 / started.elapsed().as_secs_f64()
}
