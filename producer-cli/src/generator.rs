use std::fmt::Write as _;
use std::io;

use fastrand::Rng;

use crate::source::{RecordSource, Sourced};

/// The shortest record that can be asked for: room for everything but the message.
pub const LOG_RECORD_BYTES_MIN: usize = 64;

/// A level and how many of a thousand records have it: what a healthy web service logs.
const LEVELS: [(&str, u32); 5] = [("INFO", 650), ("DEBUG", 190), ("WARN", 105), ("ERROR", 50), ("FATAL", 5)];

/// Service and message; `{}` is a number that differs from record to record.
const INFO: &[(&str, &str)] = &[
    ("auth", "User logged in"),
    ("auth", "User {} logged out"),
    ("auth", "Password of user {} changed"),
    ("shop", "Order {} placed"),
    ("shop", "Basket {} opened"),
    ("web", "GET /items/{} 200"),
    ("web", "POST /orders 201 in {} ms"),
    ("mail", "Receipt for order {} sent"),
    ("jobs", "Nightly report {} written"),
];
const DEBUG: &[(&str, &str)] = &[
    ("web", "Session {} found in the cache"),
    ("shop", "Price list {} read again"),
    ("jobs", "Worker {} has nothing to do"),
    ("auth", "Token {} is good for another hour"),
];
const WARN: &[(&str, &str)] = &[
    ("shop", "Only {} left in stock"),
    ("web", "Slow answer: {} ms"),
    ("auth", "Third wrong password for user {}"),
    ("mail", "Mail server is busy, attempt {}"),
];
const ERROR: &[(&str, &str)] = &[
    ("shop", "Payment for order {} was refused"),
    ("web", "GET /items/{} 500"),
    ("jobs", "Import stopped at line {}"),
    ("mail", "Receipt for order {} came back"),
];
const FATAL: &[(&str, &str)] =
    &[("jobs", "No space left on volume {}"), ("web", "Out of file descriptors, {} connections open")];

/// What records are filled up with where a size is asked for: words, so that they compress as text does.
const WORDS: [&str; 16] = [
    "request", "while", "handler", "retry", "after", "queue", "region", "north", "timeout", "client", "cache", "from",
    "shard", "version", "ready", "trace",
];
/// Bytes of words made once; records take their filling from anywhere in them, at the speed of a copy.
const FILLING_BYTES: usize = 64 << 10;

/// Log records as JSON, `{"level": "INFO", "message": "User logged in", "service": "auth"}`, without end.
///
/// One seed gives one sequence of records.
pub struct LogGenerator {
    rng: Rng,
    size: Option<usize>,
    left: u64,
    record: String,
    filling: String,
}

impl LogGenerator {
    /// `count` records; with a `size` (at least [`LOG_RECORD_BYTES_MIN`]) each has exactly so many bytes.
    pub fn new(count: u64, size: Option<usize>, seed: u64) -> Self {
        let size = size.map(|it| it.max(LOG_RECORD_BYTES_MIN));
        let mut rng = Rng::with_seed(seed);
        let filling = if size.is_some() { filling(&mut rng) } else { String::new() };
        Self { rng, size, left: count, record: String::new(), filling }
    }

    fn write_record(&mut self) {
        let level = self.level();
        let messages = match level {
            "INFO" => INFO,
            "DEBUG" => DEBUG,
            "WARN" => WARN,
            "ERROR" => ERROR,
            _ => FATAL,
        };
        let (service, message) = self.rng.choice(messages).copied().unwrap_or(("web", ""));
        self.record.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.record, "{{\"level\": \"{level}\", \"message\": \"");
        match message.split_once("{}") {
            Some((before, after)) => {
                let _ = write!(self.record, "{before}{}{after}", self.rng.u32(1..100_000));
            }
            None => self.record.push_str(message),
        }
        if let Some(size) = self.size {
            self.fill_to(size - TAIL_BYTES - service.len());
        }
        let _ = write!(self.record, "\", \"service\": \"{service}\"}}");
    }

    /// Cuts or fills the message so that the record so far has `end` bytes; all of it is ASCII.
    fn fill_to(&mut self, end: usize) {
        self.record.truncate(end);
        while self.record.len() < end && !self.filling.is_empty() {
            let from = self.rng.usize(..self.filling.len());
            let to = self.filling.len().min(from + end - self.record.len());
            self.record.push_str(self.filling.get(from..to).unwrap_or_default());
        }
    }

    fn level(&mut self) -> &'static str {
        let mut at = self.rng.u32(0..1000);
        for (level, weight) in LEVELS {
            if at < weight {
                return level;
            }
            at -= weight;
        }
        "INFO"
    }
}

fn filling(rng: &mut Rng) -> String {
    let mut text = String::with_capacity(FILLING_BYTES + 16);
    while text.len() < FILLING_BYTES {
        text.push(' ');
        text.push_str(rng.choice(WORDS).unwrap_or("trace"));
    }
    text
}

/// Bytes of a record after its message, without the service's name.
const TAIL_BYTES: usize = "\", \"service\": \"\"}".len();

impl RecordSource for LogGenerator {
    fn next(&mut self) -> io::Result<Sourced<'_>> {
        if self.left == 0 {
            return Ok(Sourced::End);
        }
        self.left -= 1;
        self.write_record();
        Ok(Sourced::Record { key: None, value: self.record.as_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn all(count: u64, size: Option<usize>, seed: u64) -> Vec<String> {
        let mut generator = LogGenerator::new(count, size, seed);
        let mut records = Vec::new();
        while let Sourced::Record { key: None, value } = generator.next().unwrap() {
            records.push(String::from_utf8(value.to_vec()).unwrap());
        }
        records
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        assert_eq!(all(100, None, 7), all(100, None, 7));
        assert_ne!(all(100, None, 7), all(100, None, 8));
        assert_eq!(all(100, None, 7)[..50], all(50, None, 7));
    }

    #[test]
    fn records_are_log_lines_in_json_and_their_levels_are_weighted() {
        let mut levels = BTreeMap::new();
        for record in all(20_000, None, 1) {
            let json: serde_json::Value = serde_json::from_str(&record).unwrap();
            assert!(json["message"].as_str().is_some_and(|it| !it.is_empty()), "{record}");
            assert!(json["service"].is_string());
            *levels.entry(json["level"].as_str().unwrap().to_owned()).or_insert(0u32) += 1;
        }
        assert_eq!(levels.keys().collect::<Vec<_>>(), ["DEBUG", "ERROR", "FATAL", "INFO", "WARN"]);
        for (level, weight) in LEVELS {
            let expected = weight * 20;
            assert!(levels[level].abs_diff(expected) < expected / 4 + 30, "{level}: {}", levels[level]);
        }
    }

    #[test]
    fn a_size_is_met_to_the_byte() {
        for size in [LOG_RECORD_BYTES_MIN, 65, 80, 100, 1000, 4097] {
            for record in all(300, Some(size), 3) {
                assert_eq!(record.len(), size, "{record}");
                let json: serde_json::Value = serde_json::from_str(&record).unwrap();
                assert!(LEVELS.iter().any(|(level, _)| json["level"] == *level));
            }
        }
    }
}
