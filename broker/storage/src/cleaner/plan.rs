//! Which part of a log is to be compacted, and when (`kafka.log.LogCleanerManager`).

use brooklet_model::Timestamp;

use crate::LogConfig;
use crate::partition::Segment;

/// What a compacted log looks like.
pub(crate) struct View<'a> {
    /// All segments, the active one last.
    pub(crate) segments: &'a [Segment],
    pub(crate) log_start: i64,
    pub(crate) log_end: i64,
    /// Not to be cleaned from here on, for it may yet be taken back.
    pub(crate) stable: i64,
    /// Compacted up to here.
    pub(crate) cleaned_to: i64,
}

/// A part of a log that may be compacted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    /// What is before it was compacted before.
    pub(crate) first_dirty: i64,
    /// Where it ends; the base of a segment.
    pub(crate) end: i64,
    /// Share of it in all that is before its end.
    pub(crate) dirty_ratio: f64,
    /// Whether it is worth it by the topic's settings.
    pub(crate) is_due: bool,
}

impl View<'_> {
    /// The part that may be compacted; `None` if there is none.
    pub(crate) fn part(&self, config: &LogConfig, now: Timestamp) -> Option<Part> {
        let active = self.segments.last()?.base;
        let first_dirty = match self.cleaned_to {
            to if to < self.log_start || to > self.log_end => self.log_start,
            to => to,
        };
        let dirty_from = self.floor(first_dirty);
        let closed = self.segments.len() - 1;
        let dirty = self.segments.get(dirty_from..closed).unwrap_or_default();
        let lag = config.min_compaction_lag_ms;
        let too_young = |segment: &&Segment| lag > 0 && segment.max_timestamp > now.saturating_sub(lag);
        let young = dirty.iter().find(too_young).map(|segment| segment.base);
        let limit = self.stable.min(active).min(young.unwrap_or(i64::MAX)).max(first_dirty);
        // Whole segments only.
        let end = self.segments.get(self.floor(limit)).map_or(active, |segment| segment.base).min(active);

        let size = |segments: &[Segment]| segments.iter().map(|segment| segment.size).sum::<u64>();
        let before = |offset: i64| self.segments.partition_point(|segment| segment.base < offset);
        let cleanable = self.segments.get(self.floor(first_dirty.min(end))..before(end)).map_or(0, size);
        let clean = self.segments.get(..before(first_dirty)).map_or(0, size);
        if cleanable == 0 || end <= first_dirty {
            return None;
        }
        let dirty_ratio = cleanable as f64 / (clean + cleanable) as f64;
        let oldest = dirty.iter().map(|segment| segment.first_timestamp).filter(|timestamp| *timestamp > 0).min();
        let is_overdue = oldest.is_some_and(|oldest| oldest < now.saturating_sub(config.max_compaction_lag_ms));
        let is_due = is_overdue || dirty_ratio > config.min_cleanable_dirty_ratio;
        Some(Part { first_dirty, end, dirty_ratio, is_due })
    }

    /// Where the segment is that holds `offset`; the first if none does.
    fn floor(&self, offset: i64) -> usize {
        self.segments.partition_point(|segment| segment.base <= offset).saturating_sub(1)
    }
}

/// Runs of segments that each become one: as many as fit into a segment. All of `segments` is compacted, and followed
/// by a segment that begins at `end`.
pub(crate) fn groups(segments: &[Segment], end: i64, segment_bytes: u64) -> Vec<&[Segment]> {
    let mut groups = Vec::new();
    let mut rest = segments;
    while let Some(first) = rest.first() {
        let mut bytes = first.size;
        let mut count = 1;
        while let Some(next) = rest.get(count) {
            let last_offset = rest.get(count + 1).map_or(end, |after| after.base) - 1;
            bytes += next.size;
            // Kafka's tools know offsets in a segment by 32 bits.
            if bytes > segment_bytes || last_offset - first.base > i64::from(i32::MAX) {
                break;
            }
            count += 1;
        }
        let (group, after) = rest.split_at(count);
        groups.push(group);
        rest = after;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(base: i64, size: u64, first_timestamp: i64, max_timestamp: i64) -> Segment {
        Segment { base, size, bytes_before: 0, first_timestamp, max_timestamp, max_timestamp_offset: base, created: 0 }
    }

    fn config() -> LogConfig {
        LogConfig::default()
    }

    const NOW: i64 = 10_000;

    fn part(cleaned_to: i64, stable: i64, config: &LogConfig) -> Option<Part> {
        let segments =
            [segment(0, 100, 10, 50), segment(10, 100, 60, 90), segment(20, 100, 100, 150), segment(30, 7, 160, 170)];
        View { segments: &segments, log_start: 0, log_end: 35, stable, cleaned_to }.part(config, NOW)
    }

    #[test]
    fn what_is_closed_and_stable_may_be_compacted() {
        let all = part(0, 35, &config()).unwrap();
        assert_eq!((all.first_dirty, all.end, all.dirty_ratio, all.is_due), (0, 30, 1.0, true));
        let rest = part(20, 35, &config()).unwrap();
        assert_eq!((rest.first_dirty, rest.end, rest.is_due), (20, 30, false));
        assert!(rest.dirty_ratio > 0.33 && rest.dirty_ratio < 0.34);
        assert_eq!(part(0, 25, &config()).unwrap().end, 20);
        assert_eq!(part(30, 35, &config()), None);
        assert_eq!(part(0, 9, &config()), None);
        // A point that cannot be is none.
        assert_eq!(part(99, 35, &config()).unwrap().first_dirty, 0);
    }

    #[test]
    fn the_young_stay_and_the_old_must_go() {
        let young = LogConfig { min_compaction_lag_ms: NOW - 120, ..config() };
        assert_eq!(part(0, 35, &young).unwrap().end, 20);
        let old = LogConfig { max_compaction_lag_ms: NOW - 120, min_cleanable_dirty_ratio: 1.0, ..config() };
        assert!(part(20, 35, &old).unwrap().is_due);
        let not_yet = LogConfig { max_compaction_lag_ms: NOW - 100, min_cleanable_dirty_ratio: 1.0, ..config() };
        assert!(!part(20, 35, &not_yet).unwrap().is_due);
        assert!(!part(0, 35, &LogConfig { min_cleanable_dirty_ratio: 1.0, ..config() }).unwrap().is_due);
    }

    #[test]
    fn segments_become_one_while_they_fit() {
        let segments =
            [segment(0, 60, 0, 0), segment(5, 40, 0, 0), segment(9, 1, 0, 0), segment(i64::from(i32::MAX), 1, 0, 0)];
        let bases = |end, bytes| -> Vec<Vec<i64>> {
            let groups = groups(&segments, end, bytes);
            groups.iter().map(|group| group.iter().map(|segment| segment.base).collect()).collect()
        };
        assert_eq!(bases(1 << 31, 100), [vec![0, 5], vec![9, i64::from(i32::MAX)]]);
        assert_eq!(bases((1 << 31) + 1, 1000), [vec![0, 5, 9], vec![i64::from(i32::MAX)]]);
        assert_eq!(bases(1 << 31, 1), [vec![0], vec![5], vec![9], vec![i64::from(i32::MAX)]]);
    }
}
