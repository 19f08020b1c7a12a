"""Topics, configurations, offsets and the cluster, and the error codes of what cannot be."""
import time

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import ConfigResource, NewTopic, OffsetSpec, ResourceType

from conftest import SECONDS_MAX, send, take


def refused(future):
    with pytest.raises(KafkaException) as caught:
        future.result(SECONDS_MAX)
    return caught.value.args[0].code()


def test_a_topic_is_usable_at_once_and_gone_after_deletion(admin, producer, name):
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(SECONDS_MAX)
    send(producer(), name, [b"v"], partition=2)
    assert len(admin.list_topics(name, SECONDS_MAX).topics[name].partitions) == 3
    admin.delete_topics([name])[name].result(SECONDS_MAX)
    deadline = time.monotonic() + SECONDS_MAX
    while name in admin.list_topics(timeout=SECONDS_MAX).topics:
        assert time.monotonic() < deadline


def test_a_topic_made_again_is_empty_and_has_another_id(admin, producer, consumer, name):
    def make():
        admin.create_topics([NewTopic(name, 1, 1)])[name].result(SECONDS_MAX)
        return admin.describe_topics(TopicCollection([name]))[name].result(SECONDS_MAX).topic_id

    first = make()
    send(producer(), name, [b"old"])
    admin.delete_topics([name])[name].result(SECONDS_MAX)
    deadline = time.monotonic() + SECONDS_MAX
    while name in admin.list_topics(timeout=SECONDS_MAX).topics:
        assert time.monotonic() < deadline
    assert str(make()) != str(first)
    delivered, = send(producer(), name, [b"new"])
    assert delivered.offset() == 0


def test_what_cannot_be_created_has_kafkas_code(admin, topic, name):
    there = topic()
    assert refused(admin.create_topics([NewTopic(there, 1, 1)])[there]) == KafkaError.TOPIC_ALREADY_EXISTS
    assert refused(admin.create_topics([NewTopic("no/good", 1, 1)])["no/good"]) == KafkaError.TOPIC_EXCEPTION
    assert refused(admin.create_topics([NewTopic(name, 0, 1)])[name]) == KafkaError.INVALID_PARTITIONS
    bad = NewTopic(name, 1, 1, config={"retention.ms": "soon"})
    assert refused(admin.create_topics([bad])[name]) == KafkaError.INVALID_CONFIG
    assert name not in admin.list_topics(timeout=SECONDS_MAX).topics


def test_validate_only_creates_nothing(admin, name):
    admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)[name].result(SECONDS_MAX)
    assert name not in admin.list_topics(timeout=SECONDS_MAX).topics


def test_deleting_what_is_not_there(admin, name):
    assert refused(admin.delete_topics([name])[name]) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_configurations_are_told(admin, topic):
    t = topic(retention_ms="12345", cleanup_policy="compact")
    resource = ConfigResource(ResourceType.TOPIC, t)
    entries = admin.describe_configs([resource])[resource].result(SECONDS_MAX)
    assert entries["retention.ms"].value == "12345" and not entries["retention.ms"].is_default
    assert entries["cleanup.policy"].value == "compact"
    assert entries["max.message.bytes"].value == "1048588" and entries["max.message.bytes"].is_default


def test_the_brokers_configuration_is_told(admin):
    broker, = admin.list_topics(timeout=SECONDS_MAX).brokers
    resource = ConfigResource(ResourceType.BROKER, str(broker))
    entries = admin.describe_configs([resource])[resource].result(SECONDS_MAX)
    assert entries["num.partitions"].value.isdigit()


def test_configurations_of_an_unknown_topic(admin, name):
    resource = ConfigResource(ResourceType.TOPIC, name)
    assert refused(admin.describe_configs([resource])[resource]) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_offsets_earliest_latest_by_time_and_of_the_largest_time(admin, topic, producer):
    t = topic(2)
    p = producer()
    for at in (1000, 5000, 3000):
        send(p, t, [b"v"], partition=0, timestamp=at)

    def offset(spec, partition=0):
        part = TopicPartition(t, partition)
        found = admin.list_offsets({part: spec})[part].result(SECONDS_MAX)
        return found.offset, found.timestamp

    assert offset(OffsetSpec.earliest())[0] == 0
    assert offset(OffsetSpec.latest())[0] == 3
    assert offset(OffsetSpec.for_timestamp(1001)) == (1, 5000)
    assert offset(OffsetSpec.for_timestamp(6000)) == (-1, -1)
    assert offset(OffsetSpec.max_timestamp()) == (1, 5000)
    assert offset(OffsetSpec.latest(), 1)[0] == 0


def test_watermarks_and_offsets_for_times_of_a_consumer(topic, producer, consumer):
    t = topic()
    send(producer(), t, [b"v"] * 10, timestamp=2000)
    c = consumer("g")
    assert c.get_watermark_offsets(TopicPartition(t, 0), SECONDS_MAX) == (0, 10)
    found, = c.offsets_for_times([TopicPartition(t, 0, 1500)], SECONDS_MAX)
    assert found.offset == 0


def test_the_cluster_describes_itself(admin):
    cluster = admin.describe_cluster().result(SECONDS_MAX)
    assert len(cluster.nodes) == 1 and len(cluster.cluster_id) == 22
    assert cluster.controller.id == cluster.nodes[0].id
    assert admin.list_topics(timeout=SECONDS_MAX).cluster_id == cluster.cluster_id


def test_offsets_of_a_group_are_read_through_the_admin(admin, topic, producer, consumer, name):
    t = topic()
    send(producer(), t, [b"v"] * 5)
    c = consumer(name)
    c.subscribe([t])
    take(c, 5)
    c.commit(asynchronous=False)
    c.close()
    request = [ConsumerGroupTopicPartitions(name, [TopicPartition(t, 0)])]
    part, = admin.list_consumer_group_offsets(request)[name].result(SECONDS_MAX).topic_partitions
    assert part.offset == 5
