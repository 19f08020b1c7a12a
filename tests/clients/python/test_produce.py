"""Producers: idempotence, codecs, headers, timestamps, sizes, and the errors that a producer is told."""
import time

import pytest
from confluent_kafka import KafkaError, TopicPartition

from conftest import SECONDS_MAX, send, take


def read_all(consumer, topic, count, partition=0):
    consumer.assign([TopicPartition(topic, partition, 0)])
    return take(consumer, count)


def test_an_idempotent_producer_keeps_order_and_count(topic, producer, consumer):
    t = topic()
    values = [str(n).encode() for n in range(20_000)]
    delivered = send(producer(enable_idempotence=True, linger_ms=1, batch_num_messages=500), t, values)
    assert [message.offset() for message in delivered] == list(range(20_000))
    assert [message.value() for message in read_all(consumer("g"), t, 20_000)] == values


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_each_codec_comes_back_as_it_went(topic, producer, consumer, codec):
    t = topic()
    values = [b"%d " % n + b"compressible " * 40 for n in range(3000)]
    send(producer(compression_type=codec, linger_ms=20), t, values)
    assert [message.value() for message in read_all(consumer("g", check_crcs=True), t, 3000)] == values


def test_keys_headers_and_timestamps_are_kept(topic, producer, consumer):
    t = topic()
    headers = [("a", b"1"), ("a", b"2"), ("empty", b""), ("null", None)]
    send(producer(), t, [b"v"], key=b"k", headers=headers, timestamp=1_700_000_000_123)
    send(producer(), t, [None], key=b"gone")
    full, tombstone = read_all(consumer("g"), t, 2)
    assert (full.key(), full.value(), full.headers()) == (b"k", b"v", headers)
    assert full.timestamp() == (1, 1_700_000_000_123)
    assert (tombstone.key(), tombstone.value(), tombstone.headers()) == (b"gone", None, None)


def test_a_key_goes_to_one_partition(topic, producer, consumer):
    t = topic(4)
    p = producer()
    for n in range(40):
        p.produce(t, b"%d" % n, key=b"%d" % (n % 8))
    assert p.flush(SECONDS_MAX) == 0
    c = consumer("g")
    c.assign([TopicPartition(t, partition, 0) for partition in range(4)])
    home = {}
    for message in take(c, 40):
        assert home.setdefault(message.key(), message.partition()) == message.partition()


def test_a_message_above_the_topics_bound_is_refused_and_the_producer_goes_on(topic, producer):
    t = topic(max_message_bytes="10000")
    p = producer(message_max_bytes=10_000_000)
    outcomes = []
    p.produce(t, b"x" * 20_000, on_delivery=lambda error, _: outcomes.append(error))
    assert p.flush(SECONDS_MAX) == 0
    assert outcomes[0].code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert send(p, t, [b"small"])[0].offset() == 0


def test_five_megabytes_fit_where_the_topic_lets_them(topic, producer, consumer):
    t = topic(max_message_bytes="8000000")
    value = bytes(range(256)) * 20_000
    send(producer(message_max_bytes=8_000_000), t, [value])
    message, = read_all(consumer("g", fetch_message_max_bytes=100), t, 1)
    assert message.value() == value


def test_an_unknown_partition_is_an_error(topic, producer):
    t = topic(1)
    p = producer(message_timeout_ms=3000)
    p.list_topics(t, SECONDS_MAX)
    outcomes = []
    try:
        p.produce(t, b"v", partition=7, on_delivery=lambda error, _: outcomes.append(error))
        p.flush(SECONDS_MAX)
    except Exception as error:
        outcomes.append(error.args[0])
    assert outcomes[0].code() in (KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART)


def test_log_append_time_is_the_brokers(topic, producer, consumer):
    t = topic(message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    send(producer(), t, [b"v"], timestamp=1000)
    message, = read_all(consumer("g", check_crcs=True), t, 1)
    kind, at = message.timestamp()
    assert kind == 2 and before <= at <= int(time.time() * 1000)


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_each_acks_delivers(topic, producer, consumer, acks):
    t = topic()
    send(producer(acks=acks), t, [b"v"] * 100)
    assert len(read_all(consumer("g"), t, 100)) == 100
