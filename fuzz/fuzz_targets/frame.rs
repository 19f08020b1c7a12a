//! Any bytes as a request: what the guard lets through to the protocol crate decodes to no more memory than the guard
//! promises. An allocator that counts is the judge.
#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use brooklet_broker::guard::{DECODED_BYTES_MAX, check, parse_header};
use bytes::Bytes;
use kafka_protocol::messages::{ApiKey, RequestKind};
use libfuzzer_sys::fuzz_target;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands every call on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(LIVE.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fuzz_target!(|input: &[u8]| {
    let mut frame = Bytes::copy_from_slice(input);
    let Ok(header) = parse_header(&mut frame) else { return };
    if check(header.api_key, header.api_version, &frame).is_err() {
        return;
    }
    let Ok(key) = ApiKey::try_from(header.api_key) else { return };
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let mut body = frame.clone();
    let _ = std::hint::black_box(RequestKind::decode(key, &mut body, header.api_version));
    let taken = PEAK.load(Relaxed).saturating_sub(before);
    assert!(taken <= DECODED_BYTES_MAX + 2 * input.len(), "{taken} bytes for a frame of {}", input.len());
});
