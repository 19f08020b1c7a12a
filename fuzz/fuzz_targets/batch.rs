//! Any bytes as a run of record batches: header, checks, codecs, records and headers. A wrong checksum does not end
//! the walk, or the fuzzer would have to guess CRC32C to see what lies behind.
#![no_main]

use brooklet_model::{Offset, split_batches};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const UNFOLDED_BYTES_MAX: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let mut scratch = Vec::new();
    for batch in split_batches(Bytes::copy_from_slice(input)) {
        let Ok(batch) = batch else { return };
        let _ = batch.verify_checksum();
        let counts = batch.verify_counts();
        let _ = batch.stored_prefix(Offset(7), batch.header.leader_epoch);
        let Ok(records) = batch.records(&mut scratch, UNFOLDED_BYTES_MAX) else { continue };
        let mut read = 0;
        for record in records.flatten() {
            read += 1;
            for header in record.headers.iter().flatten() {
                std::hint::black_box(header);
            }
        }
        assert!(read <= batch.header.record_count.max(0), "more records than the header says");
        assert!(scratch.len() <= UNFOLDED_BYTES_MAX + 1, "unfolded past the bound");
        if counts.is_ok() {
            std::hint::black_box(batch.with_log_append_time(1).verify_checksum().expect("a fresh checksum fits"));
        }
    }
});
