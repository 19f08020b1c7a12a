"""Producers and consumer groups: codecs, members that come and go, commits, seek."""
import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import MemberToRemove
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import CommitFailedError, MessageSizeTooLargeError

from conftest import send, take, until


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_each_codec_comes_back_as_it_went(topic, producer, consumer, codec):
    t = topic()
    p = producer(compression_type=codec, linger_ms=10)
    headers = [("trace", b"x1"), ("trace", b"x2")]
    sent = p.send(t, b"first", key=b"k", headers=headers, timestamp_ms=1234567).get(30)
    assert (sent.topic, sent.partition, sent.offset, sent.timestamp) == (t, 0, 0, 1234567)
    p.send(t, None, key=b"gone").get(30)
    send(p, t, range(1000))
    first, gone, *rest = take(1002, consumer(t))
    assert (first.key, first.value, list(first.headers), first.timestamp) == (b"k", b"first", headers, 1234567)
    assert (gone.key, gone.value) == (b"gone", None)
    assert [record.value for record in rest] == [b"%d" % n for n in range(1000)]


@pytest.mark.parametrize("config", [{"acks": 0, "enable_idempotence": False}, {"acks": 1, "enable_idempotence": False},
                                    {"acks": "all", "enable_idempotence": False}, {"enable_idempotence": True}])
def test_acknowledgements_and_idempotence(topic, producer, consumer, config):
    t = topic()
    send(producer(**config), t, range(500))
    assert sorted(int(record.value) for record in take(500, consumer(t))) == list(range(500))


def test_a_topic_is_made_by_the_first_record(producer, consumer, name):
    producer().send(name, b"v").get(30)
    assert take(1, consumer(name))[0].value == b"v"


def test_what_is_too_large_is_refused_by_the_broker(topic, producer):
    t = topic(max_message_bytes="1000")
    with pytest.raises(MessageSizeTooLargeError):
        producer().send(t, b"x" * 2000).get(30)
    assert producer().send(t, b"x" * 500).get(30).offset == 0


@pytest.mark.parametrize("assignor", [RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor,
                                      CooperativeStickyAssignor])
def test_members_share_and_the_second_takes_over(admin, topic, producer, member, name, assignor):
    t = topic(4)
    p = producer()
    config = {"group_id": name, "partition_assignment_strategy": [assignor]}

    def shares():
        told = admin.describe_groups([name])[name]
        assigned = [each["member_assignment"] or {"assigned_partitions": []} for each in told["members"]]
        parts = [part for each in assigned for part in each["assigned_partitions"]]
        return told["group_state"], sorted(len(part["partitions"]) for part in parts)

    first = member(t, **config)
    send(p, t, range(100))
    until(lambda: sorted(first.seen) == list(range(100)))
    second = member(t, **config)
    until(lambda: shares() == ("Stable", [2, 2]))
    send(p, t, range(100, 200))
    until(lambda: set(first.seen + second.seen) == set(range(200)))
    first.leave()
    until(lambda: shares() == ("Stable", [4]))
    send(p, t, range(200, 300))
    until(lambda: set(first.seen + second.seen) == set(range(300)))
    assert not set(first.seen) & set(range(200, 300))


def test_a_second_run_goes_on_where_the_first_stopped(topic, producer, consumer, name):
    t = topic(3)
    p = producer()
    send(p, t, range(100))
    first = consumer(t, group_id=name)
    take(100, first)
    first.commit()
    first.close()
    send(p, t, [100])
    assert [record.value for record in take(1, consumer(t, group_id=name))] == [b"100"]


def test_a_static_member_comes_back_to_its_partitions(admin, topic, consumer, member, name):
    t = topic(4)
    stays = member(t, group_id=name, group_instance_id="stays")
    goes = member(t, group_id=name, group_instance_id="goes")

    def described():
        told = admin.describe_groups([name])[name]
        return told["group_state"], {each["group_instance_id"]: (each["member_id"], each["member_assignment"])
                                     for each in told["members"]}

    until(lambda: described()[0] == "Stable" and len(described()[1]) == 2)
    before = described()[1]
    goes.leave()
    member(t, group_id=name, group_instance_id="goes")
    until(lambda: described()[0] == "Stable" and described()[1]["goes"][0] != before["goes"][0])
    after = described()[1]
    assert after["stays"] == before["stays"] and after["goes"][1] == before["goes"][1]
    assert stays.failed is None


def test_committed_offsets_keep_their_metadata(topic, consumer, name):
    t = topic()
    part = TopicPartition(t, 0)
    c = consumer(group_id=name)
    c.assign([part])
    c.commit({part: OffsetAndMetadata(7, "what I was doing", -1)})
    assert c.committed(part) == 7
    assert c.committed(part, metadata=True).metadata == "what I was doing"


def test_a_member_that_was_removed_cannot_commit(admin, topic, consumer, name):
    t = topic()
    c = consumer(t, group_id=name, heartbeat_interval_ms=3000)
    until(lambda: c.poll(timeout_ms=500) == {} and c.assignment())
    member_id = admin.describe_groups([name])[name]["members"][0]["member_id"]
    admin.remove_group_members(name, [MemberToRemove(member_id=member_id, reason="a test")])
    with pytest.raises(CommitFailedError):
        c.commit({TopicPartition(t, 0): OffsetAndMetadata(1, "", -1)})


def test_seek_by_offset_by_time_and_out_of_range(topic, producer, consumer):
    t = topic()
    part = TopicPartition(t, 0)
    p = producer()
    for n in range(10):
        p.send(t, b"%d" % n, timestamp_ms=1000 * (n + 1)).get(30)
    c = consumer()
    c.assign([part])
    for offset, expected in ((7, [7, 8, 9]), (2, list(range(2, 10))), (500, list(range(10)))):
        c.seek(part, offset)
        assert [int(record.value) for record in take(len(expected), c)] == expected
    assert (c.beginning_offsets([part]), c.end_offsets([part])) == ({part: 0}, {part: 10})
    found = c.offsets_for_times({part: 4500})[part]
    assert (found.offset, found.timestamp) == (4, 5000)
    assert c.offsets_for_times({part: 99999})[part] is None
    c.seek_to_end(part)
    assert c.position(part) == 10 and c.highwater(part) == 10
