//! The settings of a topic in Apache Kafka 4.2, in the order in which they are checked: name, type, default, rule, the
//! broker's setting that it goes by where it is not set, what it is for.

use super::config::{Definition, Kind, Rule};

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    rule: Rule,
    synonym: &'static str,
    doc: &'static str,
) -> Definition {
    let synonym = if synonym.is_empty() { None } else { Some(synonym) };
    Definition { name, kind, default, rule, synonym, doc }
}

const I64_MAX: &str = "9223372036854775807";
const CODECS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];

#[rustfmt::skip]
pub(crate) const TABLE: &[Definition] = &[
    setting("segment.bytes", Kind::Int, "1073741824", Rule::AtLeast(1 << 20), "log.segment.bytes",
        "Size at which a segment file is closed and the next one begun. Retention works on whole segments."),
    setting("segment.ms", Kind::Long, "604800000", Rule::AtLeast(1), "log.roll.ms",
        "Age at which a segment file is closed although it is not full."),
    setting("segment.jitter.ms", Kind::Long, "0", Rule::AtLeast(0), "log.roll.jitter.ms",
        "Largest random time taken off segment.ms. Has no effect here."),
    setting("segment.index.bytes", Kind::Int, "10485760", Rule::AtLeast(4), "log.index.size.max.bytes",
        "Size of a segment's index file. Has no effect here: the index is no file."),
    setting("flush.messages", Kind::Long, I64_MAX, Rule::AtLeast(1), "log.flush.interval.messages",
        "Records after which the log is synced. Has no effect here: --fsync says when."),
    setting("flush.ms", Kind::Long, I64_MAX, Rule::AtLeast(0), "log.flush.interval.ms",
        "Time after which the log is synced. Has no effect here: --fsync says when."),
    setting("retention.bytes", Kind::Long, "-1", Rule::Any, "log.retention.bytes",
        "Size of a partition above which its oldest segments are deleted; -1 is without limit."),
    setting("retention.ms", Kind::Long, "604800000", Rule::AtLeast(-1), "log.retention.ms",
        "Age of a segment's newest record at which the segment is deleted; -1 keeps it for ever."),
    setting("max.message.bytes", Kind::Int, "1048588", Rule::AtLeast(0), "message.max.bytes",
        "Largest record batch that is accepted, as it arrives."),
    setting("index.interval.bytes", Kind::Int, "4096", Rule::AtLeast(0), "log.index.interval.bytes",
        "Bytes of log between two entries of the offset index. Has no effect here."),
    setting("delete.retention.ms", Kind::Long, "86400000", Rule::AtLeast(0), "log.cleaner.delete.retention.ms",
        "How long a tombstone outlives the compaction that met it first."),
    setting("min.compaction.lag.ms", Kind::Long, "0", Rule::AtLeast(0), "log.cleaner.min.compaction.lag.ms",
        "Age below which a record is not compacted."),
    setting("max.compaction.lag.ms", Kind::Long, I64_MAX, Rule::AtLeast(1), "log.cleaner.max.compaction.lag.ms",
        "Age above which a record must be compacted."),
    setting("file.delete.delay.ms", Kind::Long, "60000", Rule::AtLeast(0), "log.segment.delete.delay.ms",
        "Time between taking a segment out of the log and deleting its file. Has no effect here: files go at once."),
    setting("min.cleanable.dirty.ratio", Kind::Double, "0.5", Rule::Ratio, "log.cleaner.min.cleanable.ratio",
        "Share of the log that must be uncompacted before it is compacted."),
    setting("cleanup.policy", Kind::List, "delete", Rule::OneOf(&["compact", "delete"]), "log.cleanup.policy",
        "delete drops old segments by age and size, compact keeps the newest record of each key; both may be named."),
    setting("unclean.leader.election.enable", Kind::Boolean, "false", Rule::Any, "unclean.leader.election.enable",
        "Whether a replica that lags may become the leader. Has no effect on one node."),
    setting("min.insync.replicas", Kind::Int, "1", Rule::AtLeast(1), "min.insync.replicas",
        "Replicas that must have a record before acks=all is answered; never more than there are, here one."),
    setting("compression.type", Kind::Text, "producer", Rule::OneOf(CODECS), "compression.type",
        "Codec in which batches are stored; producer stores them as they come."),
    setting("compression.gzip.level", Kind::Int, "-1", Rule::BetweenOr(1, 9, -1), "compression.gzip.level",
        "Level where compression.type is gzip."),
    setting("compression.lz4.level", Kind::Int, "9", Rule::Between(1, 17), "compression.lz4.level",
        "Level where compression.type is lz4. Has no effect here: there is one level."),
    setting("compression.zstd.level", Kind::Int, "3", Rule::Between(-131_072, 22), "compression.zstd.level",
        "Level where compression.type is zstd."),
    setting("preallocate", Kind::Boolean, "false", Rule::Any, "log.preallocate",
        "Whether a segment's file gets its full size at once. Has no effect here."),
    setting("message.timestamp.type", Kind::Text, "CreateTime", Rule::OneOf(&["CreateTime", "LogAppendTime"]),
        "log.message.timestamp.type", "Whose time a record carries: the producer's, or the broker's at the append."),
    setting("message.timestamp.before.max.ms", Kind::Long, I64_MAX, Rule::AtLeast(0),
        "log.message.timestamp.before.max.ms", "How far a record's time may lie behind the broker's."),
    setting("message.timestamp.after.max.ms", Kind::Long, "3600000", Rule::AtLeast(0),
        "log.message.timestamp.after.max.ms", "How far a record's time may lie ahead of the broker's."),
    setting("leader.replication.throttled.replicas", Kind::List, "", Rule::Replicas, "",
        "Replicas whose replication the leader throttles. Has no effect on one node."),
    setting("follower.replication.throttled.replicas", Kind::List, "", Rule::Replicas, "",
        "Replicas whose replication the follower throttles. Has no effect on one node."),
    setting("remote.storage.enable", Kind::Boolean, "false", Rule::Any, "",
        "Tiered storage, which there is none of here."),
    setting("local.retention.ms", Kind::Long, "-2", Rule::AtLeast(-2), "log.local.retention.ms",
        "Local age limit under tiered storage, which there is none of here; -2 is retention.ms."),
    setting("local.retention.bytes", Kind::Long, "-2", Rule::AtLeast(-2), "log.local.retention.bytes",
        "Local size limit under tiered storage, which there is none of here; -2 is retention.bytes."),
    setting("remote.log.copy.disable", Kind::Boolean, "false", Rule::Any, "",
        "Stops copying to tiered storage, which there is none of here."),
    setting("remote.log.delete.on.disable", Kind::Boolean, "false", Rule::Any, "",
        "Deletes what tiered storage holds once it is switched off; there is none here."),
];
