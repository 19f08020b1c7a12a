"""Transactions: commit, abort, offsets in a transaction, fencing, and what is told of them."""
import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import AbortTransactionSpec, TransactionState
from kafka.errors import KafkaError, TransactionalIdNotFoundError

from conftest import send, take, until


def read(consumer, topic, count, isolation="read_committed"):
    return [record.value for record in take(count, consumer(topic, isolation_level=isolation))]


def transactional(producer, name):
    p = producer(transactional_id=name)
    p.init_transactions()
    return p


def test_what_is_committed_is_read_and_what_is_aborted_is_not(topic, producer, consumer, name):
    t = topic()
    p = transactional(producer, name)
    for text, end in ((b"one", p.commit_transaction), (b"two", p.abort_transaction), (b"three", p.commit_transaction)):
        p.begin_transaction()
        p.send(t, text).get(30)
        p.send(t, text).get(30)
        end()
    assert read(consumer, t, 4) == [b"one", b"one", b"three", b"three"]
    assert len(read(consumer, t, 6, "read_uncommitted")) == 6


def test_an_open_transaction_holds_read_committed_back(topic, producer, consumer, name):
    t = topic()
    part = TopicPartition(t, 0)
    p = transactional(producer, name)
    p.begin_transaction()
    p.send(t, b"open").get(30)
    producer().send(t, b"after").get(30)
    assert read(consumer, t, 2, "read_uncommitted") == [b"open", b"after"]
    c = consumer(t, isolation_level="read_committed")
    assert c.poll(timeout_ms=1000) == {}
    assert c.end_offsets([part]) == {part: 0}
    p.commit_transaction()
    assert [record.value for record in take(2, c)] == [b"open", b"after"]


def test_each_record_is_taken_once_with_its_offset(admin, topic, producer, consumer, name):
    source, sink = topic(), topic()
    part = TopicPartition(source, 0)
    send(producer(), source, range(50))
    p = transactional(producer, name)

    def committed():
        return admin.list_group_offsets({name: [part]})[name].get(part, OffsetAndMetadata(-1, "", -1)).offset

    # Each turn is a member that goes on from what is committed; the first one aborts.
    for turn, before in enumerate((0, 0, 20, 40)):
        c = consumer(source, group_id=name, isolation_level="read_committed", max_poll_records=20)
        batch = []
        until(lambda: batch.extend(sum(c.poll(timeout_ms=500).values(), [])) or batch)
        assert batch[0].offset == before
        p.begin_transaction()
        for record in batch:
            p.send(sink, b"%d" % (2 * int(record.value)))
        p.send_offsets_to_transaction({part: OffsetAndMetadata(batch[-1].offset + 1, "", -1)}, c.group_metadata())
        p.flush()
        assert committed() == (before or -1)
        (p.commit_transaction if turn else p.abort_transaction)()
        until(lambda: committed() == (batch[-1].offset + 1 if turn else -1))
        c.close()
    assert read(consumer, sink, 50) == [b"%d" % (2 * n) for n in range(50)]


def test_a_second_producer_fences_the_first(topic, producer, consumer, name):
    t = topic()
    first = transactional(producer, name)
    first.begin_transaction()
    first.send(t, b"of the first").get(30)
    second = transactional(producer, name)
    second.begin_transaction()
    second.send(t, b"of the second")
    second.commit_transaction()
    with pytest.raises(KafkaError, match="(?i)fenced"):
        first.commit_transaction()
    assert read(consumer, t, 1) == [b"of the second"]


def test_transactions_are_told_from_their_start_to_their_end(admin, topic, producer, name):
    t = topic()
    part = TopicPartition(t, 0)
    with pytest.raises(TransactionalIdNotFoundError):
        admin.describe_transactions([name])
    p = transactional(producer, name)
    p.begin_transaction()
    p.send(t, b"v").get(30)
    told = admin.describe_transactions([name])[name]
    assert (told.state, told.topic_partitions) == (TransactionState.ONGOING, {part})

    def listed(**filters):
        return [each.transactional_id for each in sum(admin.list_transactions(**filters).values(), [])]

    assert name in listed(state_filters=["Ongoing"]) and listed(transactional_id_pattern=name + "x?") == [name]
    assert listed(producer_id_filters=[told.producer_id], duration_filter_ms=600000) == []
    active, = admin.describe_producers([part])[part].active_producers
    assert (active.producer_id, active.last_sequence) == (told.producer_id, 0)
    assert active.current_transaction_start_offset == 0
    assert admin.find_hanging_transactions() == []
    p.commit_transaction()
    until(lambda: admin.describe_transactions([name])[name].state == TransactionState.COMPLETE_COMMIT)
    until(lambda: admin.describe_producers([part])[part].active_producers[0].current_transaction_start_offset == -1)


def test_an_admin_aborts_a_transaction(admin, topic, producer, consumer, name):
    t = topic()
    part = TopicPartition(t, 0)
    p = transactional(producer, name)
    p.begin_transaction()
    p.send(t, b"aborted").get(30)
    producer().send(t, b"kept").get(30)
    active, = [each for each in admin.describe_producers([part])[part].active_producers
               if each.current_transaction_start_offset == 0]
    admin.abort_transaction(AbortTransactionSpec(part, active.producer_id, active.producer_epoch))
    assert read(consumer, t, 1) == [b"kept"]
