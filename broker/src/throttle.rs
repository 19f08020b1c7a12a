//! Client quotas at work: how many bytes each client has produced and fetched, and how long its connection is to be
//! silent once that is too much (`ClientQuotaManager`, KIP-13, KIP-219).

mod limits;
mod rate;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cluster::quotas::Quotas;
use limits::{Limits, Share};
use rate::{FORGOTTEN_MS, Rate, SAMPLE_MS, SAMPLES};

/// Clients whose rates are known at once; they are forgotten when they are idle, or too many. 400 bytes each.
const RATES_MAX: usize = 20_000;

/// The quotas that are enforced.
pub(crate) struct Throttles {
    pub(crate) produce: Throttle,
    pub(crate) fetch: Throttle,
}

impl Throttles {
    pub(crate) fn new() -> Self {
        Self { produce: Throttle::new("producer_byte_rate"), fetch: Throttle::new("consumer_byte_rate") }
    }

    /// From now on these hold; what was counted stays so.
    pub(crate) fn set(&self, quotas: &Quotas) {
        for throttle in [&self.produce, &self.fetch] {
            throttle.set(quotas);
        }
    }
}

/// A quota of bytes a second, and how much each client has used.
pub(crate) struct Throttle {
    key: &'static str,
    /// Whether anybody has a quota: what is asked where nobody has.
    any: AtomicBool,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    limits: Limits,
    /// Ids of clients are as long as their clients like: a hash stands for each.
    rates: HashMap<u64, Rate>,
    hasher: RandomState,
    /// When the idle ones were last forgotten.
    swept: i64,
}

impl Throttle {
    fn new(key: &'static str) -> Self {
        Self { key, any: AtomicBool::new(false), started: Instant::now(), state: Mutex::default() }
    }

    fn set(&self, quotas: &Quotas) {
        let limits = Limits::new(quotas, self.key);
        let mut state = self.state.lock();
        let any = !limits.is_empty();
        if !any {
            state.rates = HashMap::new();
        }
        state.limits = limits;
        self.any.store(any, Ordering::Release);
    }

    /// Whether anybody has a quota.
    pub(crate) fn is_on(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Counts what a client has sent; how many milliseconds it is to be silent for that, mostly 0.
    pub(crate) fn record(&self, client: &str, bytes: usize) -> i32 {
        self.counted(client, bytes, false)
    }

    /// Counts what a client is to be sent, but takes it back where it is too much: then it is not sent, and the client is
    /// to be silent for so many milliseconds.
    pub(crate) fn record_or_refuse(&self, client: &str, bytes: usize) -> i32 {
        self.counted(client, bytes, true)
    }

    /// The most bytes that a client may be sent at once; whatever is above it is always too much.
    pub(crate) fn bytes_max(&self, client: &str) -> Option<usize> {
        if !self.is_on() {
            return None;
        }
        let (_, bound) = self.state.lock().limits.of(client)?;
        // A fraction of a byte is none, and what is more than there can be is all.
        Some((bound * ((SAMPLES - 1) * SAMPLE_MS / 1000) as f64) as usize)
    }

    fn counted(&self, client: &str, bytes: usize, refuse: bool) -> i32 {
        if !self.is_on() {
            return 0;
        }
        let now = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let mut state = self.state.lock();
        let Some((share, bound)) = state.limits.of(client) else { return 0 };
        let rate = state.rate(share, client, now);
        rate.record(bytes as f64, now);
        let throttle_ms = rate.throttle_ms(bound, now);
        if refuse && throttle_ms > 0 {
            rate.record(-(bytes as f64), now);
        }
        throttle_ms
    }
}

impl State {
    fn rate(&mut self, share: Share, client: &str, now: i64) -> &mut Rate {
        let key = match share {
            Share::User => self.hasher.hash_one(0u8),
            Share::UserClient => self.hasher.hash_one((1u8, client)),
            Share::Client => self.hasher.hash_one((2u8, client)),
        };
        if !self.rates.contains_key(&key) {
            self.make_room(now);
        }
        self.rates.entry(key).or_default()
    }

    /// Forgets who has been idle, and of too many whoever was silent longest.
    fn make_room(&mut self, now: i64) {
        if self.rates.len() >= RATES_MAX || now - self.swept >= FORGOTTEN_MS {
            self.swept = now;
            self.rates.retain(|_, rate| now - rate.last_event() < FORGOTTEN_MS);
            self.rates.shrink_to(self.rates.len() * 2);
        }
        if self.rates.len() >= RATES_MAX {
            let silent = self.rates.iter().min_by_key(|(_, rate)| rate.last_event()).map(|(key, _)| *key);
            silent.and_then(|key| self.rates.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn quotas(client: Option<&str>, key: &str, bound: f64) -> Quotas {
        let entity = [("client-id".to_owned(), client.map(str::to_owned))].into();
        Quotas::of([(entity, [(key.to_owned(), bound)].into())])
    }

    fn with(client: Option<&str>, bound: f64) -> Throttles {
        let throttles = Throttles::new();
        throttles.set(&quotas(client, "consumer_byte_rate", bound));
        throttles
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_no_quota_is_never_throttled_and_not_remembered() {
        let throttles = with(Some("slow"), 100.0);
        assert_eq!(throttles.fetch.record("fast", 1 << 30), 0);
        assert_eq!(throttles.fetch.bytes_max("fast"), None);
        assert_eq!(throttles.produce.record("slow", 1 << 30), 0);
        assert!(throttles.fetch.state.lock().rates.is_empty());
        assert!(throttles.fetch.record("slow", 2000) > 0);
        assert_eq!(throttles.fetch.bytes_max("slow"), Some(1000));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_does_not_count() {
        let throttle = with(None, 100.0).fetch;
        assert_eq!(throttle.record_or_refuse("a", 600), 0);
        assert!(throttle.record_or_refuse("a", 600) > 0);
        assert_eq!(throttle.record_or_refuse("a", 400), 0);
        // Each client has its own share of a client's default.
        assert_eq!(throttle.record_or_refuse("b", 1000), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_quota_holds_at_once_for_what_was_counted() {
        let throttles = with(Some("a"), 1000.0);
        assert_eq!(throttles.fetch.record("a", 5000), 0);
        throttles.set(&quotas(Some("a"), "consumer_byte_rate", 100.0));
        assert!(throttles.fetch.record("a", 1) > 0);
        throttles.set(&Quotas::default());
        assert_eq!(throttles.fetch.record("a", 1 << 30), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn rates_are_bounded_and_the_idle_are_forgotten() {
        let throttle = with(None, 100.0).fetch;
        for number in 0..RATES_MAX {
            throttle.record(&number.to_string(), 2000);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(throttle.record("0", 1) > 0);
        for number in 0..5 {
            throttle.record(&format!("more {number}"), 2000);
        }
        assert_eq!(throttle.state.lock().rates.len(), RATES_MAX);
        // Who was heard of last is still known.
        assert!(throttle.record("0", 1) > 0);
        tokio::time::advance(Duration::from_secs(30)).await;
        throttle.record("new", 1);
        assert_eq!(throttle.state.lock().rates.len(), 1);
    }
}
