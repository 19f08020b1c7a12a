"""Transactions: commits and aborts, what readers see, fencing, offsets within a transaction."""
import pytest
from confluent_kafka import KafkaException, TopicPartition

from conftest import SECONDS_MAX, send, take


def transactional(producer, name):
    made = producer(transactional_id=name, transaction_timeout_ms=60000)
    made.init_transactions(SECONDS_MAX)
    return made


def read(consumer, name, topic, count, isolation):
    reader = consumer(f"{name}-{isolation}", isolation_level=isolation)
    reader.assign([TopicPartition(topic, 0, 0)])
    return [message.value() for message in take(reader, count)]


def test_committed_records_are_read_and_aborted_ones_are_not(topic, producer, consumer, name):
    t = topic(1)
    p = transactional(producer, name)
    for number, commit in enumerate([True, False, True, False]):
        p.begin_transaction()
        send(p, t, [b"%d-%d" % (number, n) for n in range(50)])
        p.commit_transaction(SECONDS_MAX) if commit else p.abort_transaction(SECONDS_MAX)
    send(producer(), t, [b"last"])
    values = read(consumer, name, t, 101, "read_committed")
    assert {value.split(b"-")[0] for value in values} == {b"0", b"2", b"last"}
    assert len(read(consumer, name, t, 201, "read_uncommitted")) == 201


def test_an_open_transaction_holds_readers_back(topic, producer, consumer, name):
    t = topic(1)
    p = transactional(producer, name)
    send(producer(), t, [b"before"])
    p.begin_transaction()
    send(p, t, [b"open"])
    send(producer(), t, [b"after"])
    reader = consumer(name, isolation_level="read_committed")
    reader.assign([TopicPartition(t, 0, 0)])
    assert take(reader, 1)[0].value() == b"before"
    assert reader.get_watermark_offsets(TopicPartition(t, 0), SECONDS_MAX)[1] == 1
    p.commit_transaction(SECONDS_MAX)
    assert [message.value() for message in take(reader, 2)] == [b"open", b"after"]


def test_a_second_producer_fences_the_first(topic, producer, name):
    t = topic(1)
    first = transactional(producer, name)
    first.begin_transaction()
    send(first, t, [b"lost"])
    transactional(producer, name)
    with pytest.raises(KafkaException) as raised:
        first.commit_transaction(SECONDS_MAX)
    assert raised.value.args[0].fatal()


def test_consume_transform_produce_counts_each_record_once(topic, producer, consumer, name):
    source, sink = topic(1), topic(1)
    send(producer(), source, [b"%d" % n for n in range(200)])
    p = transactional(producer, name)
    for attempt in range(8):
        c = consumer(name, isolation_level="read_committed")
        c.subscribe([source])
        messages = c.consume(40, 10) if attempt else take(c, 40)
        p.begin_transaction()
        send(p, sink, [b"<%s>" % message.value() for message in messages])
        position = [TopicPartition(source, 0, messages[-1].offset() + 1)] if messages else []
        p.send_offsets_to_transaction(position, c.consumer_group_metadata(), SECONDS_MAX)
        # Every second one fails, and is done again.
        p.abort_transaction(SECONDS_MAX) if attempt % 2 else p.commit_transaction(SECONDS_MAX)
        c.close()
        committed = consumer(name).committed([TopicPartition(source, 0)], SECONDS_MAX)[0].offset
        if committed == 200:
            break
    count = committed
    values = read(consumer, f"{name}-sink", sink, count, "read_committed")
    assert values == [b"<%d>" % n for n in range(count)]
