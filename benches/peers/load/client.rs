//! A producer and a consumer of one partition, as thin over librdkafka as they can be.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use rdkafka::bindings as rd;

const ERROR_TEXT_LEN: usize = 512;

/// Records acknowledged, and records given up: what the delivery reports of all producers here add up to.
pub static DELIVERED: AtomicU64 = AtomicU64::new(0);
pub static FAILED: AtomicU64 = AtomicU64::new(0);

/// Records and bytes that `consume_callback` has handed over.
pub static CONSUMED: AtomicU64 = AtomicU64::new(0);
pub static CONSUMED_BYTES: AtomicU64 = AtomicU64::new(0);

/// A client and its handle on a topic; lives as long as the process.
pub struct Client {
    handle: *mut rd::rd_kafka_t,
    topic: *mut rd::rd_kafka_topic_t,
}

impl Client {
    /// A producer; with `reports`, every record's outcome is counted (which costs a queue entry each).
    pub fn producer(topic: &str, config: &[(&str, String)], reports: bool) -> Result<Self> {
        Self::new(rd::rd_kafka_type_t::RD_KAFKA_PRODUCER, topic, config, reports)
    }

    pub fn consumer(topic: &str, config: &[(&str, String)]) -> Result<Self> {
        Self::new(rd::rd_kafka_type_t::RD_KAFKA_CONSUMER, topic, config, false)
    }

    fn new(kind: rd::rd_kafka_type_t, topic: &str, config: &[(&str, String)], reports: bool) -> Result<Self> {
        let mut error = [0 as c_char; ERROR_TEXT_LEN];
        // SAFETY: the configuration is owned by us until `rd_kafka_new` takes it; all strings outlive their calls.
        unsafe {
            let settings = rd::rd_kafka_conf_new();
            for (name, value) in config {
                let (name, value) = (CString::new(*name)?, CString::new(value.as_str())?);
                let result =
                    rd::rd_kafka_conf_set(settings, name.as_ptr(), value.as_ptr(), error.as_mut_ptr(), ERROR_TEXT_LEN);
                if result != rd::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
                    bail!("{}", CStr::from_ptr(error.as_ptr()).to_string_lossy());
                }
            }
            if reports {
                rd::rd_kafka_conf_set_dr_msg_cb(settings, Some(on_delivery));
            }
            let handle = rd::rd_kafka_new(kind, settings, error.as_mut_ptr(), ERROR_TEXT_LEN);
            if handle.is_null() {
                bail!("{}", CStr::from_ptr(error.as_ptr()).to_string_lossy());
            }
            let name = CString::new(topic)?;
            let topic = rd::rd_kafka_topic_new(handle, name.as_ptr(), ptr::null_mut());
            Ok(Self { handle, topic })
        }
    }

    /// Queues a record for partition 0 and waits while the queue is full. The payload is not copied.
    pub fn send(&self, payload: &'static [u8]) -> Result<()> {
        self.send_keyed(&[], payload)
    }

    /// As [`Client::send`], with a key, which is copied; an empty one is none.
    pub fn send_keyed(&self, key: &[u8], payload: &'static [u8]) -> Result<()> {
        let key_start = if key.is_empty() { ptr::null() } else { key.as_ptr().cast::<c_void>() };
        // SAFETY: the payload is never freed, and librdkafka only reads it (flags without COPY and FREE).
        let result = unsafe {
            rd::rd_kafka_produce(
                self.topic,
                0,
                rd::RD_KAFKA_MSG_F_BLOCK,
                payload.as_ptr().cast_mut().cast::<c_void>(),
                payload.len(),
                key_start,
                key.len(),
                ptr::null_mut(),
            )
        };
        if result != 0 { bail!("the record was not queued") } else { Ok(()) }
    }

    /// Waits until nothing is queued or in flight.
    pub fn flush(&self) -> Result<()> {
        // SAFETY: the handle is live.
        let error = unsafe { rd::rd_kafka_flush(self.handle, 120_000) };
        if error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { bail!("flush: {error:?}") }
    }

    /// Serves delivery reports until `count` records have been delivered in all.
    pub fn until_delivered(&self, count: u64) -> Result<()> {
        while DELIVERED.load(Ordering::Relaxed) < count {
            if FAILED.load(Ordering::Relaxed) > 0 {
                bail!("a record was not delivered");
            }
            // SAFETY: the handle is live.
            unsafe { rd::rd_kafka_poll(self.handle, 1000) };
        }
        Ok(())
    }

    /// Registers the transactional id.
    pub fn init_transactions(&self) -> Result<()> {
        // SAFETY: the handle is live.
        check(unsafe { rd::rd_kafka_init_transactions(self.handle, 60_000) })
    }

    pub fn begin_transaction(&self) -> Result<()> {
        // SAFETY: the handle is live.
        check(unsafe { rd::rd_kafka_begin_transaction(self.handle) })
    }

    /// Flushes and commits.
    pub fn commit_transaction(&self) -> Result<()> {
        // SAFETY: the handle is live.
        check(unsafe { rd::rd_kafka_commit_transaction(self.handle, 60_000) })
    }

    /// Aborts what is flushed already.
    pub fn abort_transaction(&self) -> Result<()> {
        // SAFETY: the handle is live.
        check(unsafe { rd::rd_kafka_abort_transaction(self.handle, 60_000) })
    }

    /// First and next offset of partition 0.
    pub fn watermarks(&self) -> Result<(i64, i64)> {
        let (mut low, mut high) = (0, 0);
        // SAFETY: the handles are live and the pointers are of this frame.
        let error = unsafe {
            let name = rd::rd_kafka_topic_name(self.topic);
            rd::rd_kafka_query_watermark_offsets(self.handle, name, 0, &raw mut low, &raw mut high, 30_000)
        };
        if error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            Ok((low, high))
        } else {
            bail!("watermarks: {error:?}")
        }
    }

    /// Starts to fetch partition 0 from an offset.
    pub fn start(&self, offset: i64) -> Result<()> {
        // SAFETY: the handle is live.
        let result = unsafe { rd::rd_kafka_consume_start(self.topic, 0, offset) };
        if result != 0 { bail!("the fetch did not start") } else { Ok(()) }
    }

    /// Serves what was fetched until `count` records have been consumed in all.
    pub fn until_consumed(&self, count: u64) {
        while CONSUMED.load(Ordering::Relaxed) < count {
            // SAFETY: the handle is live and the callback is a plain function.
            unsafe { rd::rd_kafka_consume_callback(self.topic, 0, 1000, Some(on_message), ptr::null_mut()) };
        }
    }
}

/// An error of a transaction, which is given away.
fn check(error: *mut rd::rd_kafka_error_t) -> Result<()> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the error is live until it is destroyed.
    let text = unsafe {
        let text = CStr::from_ptr(rd::rd_kafka_error_string(error)).to_string_lossy().into_owned();
        rd::rd_kafka_error_destroy(error);
        text
    };
    bail!("{text}")
}

unsafe extern "C" fn on_delivery(_: *mut rd::rd_kafka_t, message: *const rd::rd_kafka_message_t, _: *mut c_void) {
    // SAFETY: librdkafka hands over a live message.
    let error = unsafe { (*message).err };
    let outcome = if error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR { &DELIVERED } else { &FAILED };
    outcome.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn on_message(message: *mut rd::rd_kafka_message_t, _: *mut c_void) {
    // SAFETY: librdkafka hands over a live message.
    let (error, len) = unsafe { ((*message).err, (*message).len) };
    if error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        CONSUMED_BYTES.fetch_add(len as u64, Ordering::Relaxed);
        CONSUMED.fetch_add(1, Ordering::Relaxed);
    }
}
