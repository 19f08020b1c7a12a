"""Transactions: commit, abort, offsets in a transaction, fencing, and what read_committed is given."""
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

from conftest import take, until

pytestmark = pytest.mark.usefixtures("transactions")


@pytest.fixture
def transactions(needs):
    needs(24, "AddPartitionsToTxn")


async def read(consumer, topic, count, isolation="read_committed"):
    return [record.value for record in await take(count, await consumer(topic, isolation_level=isolation))]


async def until_equal(call, expected):
    async def equal():
        return await call() == expected

    await until(equal)


async def test_what_is_committed_is_read_and_what_is_aborted_is_not(topic, producer, consumer, name):
    t = await topic()
    p = await producer(transactional_id=name)
    for text, end in ((b"one", p.commit_transaction), (b"two", p.abort_transaction), (b"three", p.commit_transaction)):
        await p.begin_transaction()
        await p.send_and_wait(t, text)
        await p.send_and_wait(t, text)
        await end()
    assert await read(consumer, t, 4) == [b"one", b"one", b"three", b"three"]
    assert len(await read(consumer, t, 6, "read_uncommitted")) == 6


async def test_an_open_transaction_holds_read_committed_back(topic, producer, consumer, name):
    t = await topic()
    part = TopicPartition(t, 0)
    p = await producer(transactional_id=name)
    await p.begin_transaction()
    await p.send_and_wait(t, b"open")
    await (await producer()).send_and_wait(t, b"after")
    assert await read(consumer, t, 2, "read_uncommitted") == [b"open", b"after"]
    c = await consumer(t, isolation_level="read_committed")
    assert await c.getmany(timeout_ms=1000) == {}
    assert c.last_stable_offset(part) == 0 and c.highwater(part) == 2
    await p.commit_transaction()
    assert [record.value for record in await take(2, c)] == [b"open", b"after"]


async def test_each_record_is_taken_once_with_its_offset(admin, topic, producer, consumer, name):
    source, sink = await topic(), await topic()
    plain = await producer()
    for n in range(50):
        await plain.send_and_wait(source, b"%d" % n)
    p = await producer(transactional_id=name)
    part = TopicPartition(source, 0)

    async def committed():
        offsets = await admin.list_consumer_group_offsets(name, partitions=[part])
        return offsets[part].offset

    # Each turn is a member that goes on from what is committed; the first one aborts.
    for turn, before in enumerate((0, 0, 20, 40)):
        c = await consumer(source, group_id=name, isolation_level="read_committed", max_poll_records=20)
        batch, = (await c.getmany(timeout_ms=20000)).values()
        assert batch[0].offset == before
        await p.begin_transaction()
        for record in batch:
            await p.send_and_wait(sink, b"%d" % (2 * int(record.value)))
        await p.send_offsets_to_transaction({part: batch[-1].offset + 1}, name)
        assert await committed() == (before or -1)
        await (p.commit_transaction() if turn else p.abort_transaction())
        await until_equal(committed, batch[-1].offset + 1 if turn else -1)
        await c.stop()
    assert await read(consumer, sink, 50) == [b"%d" % (2 * n) for n in range(50)]


async def test_a_second_producer_fences_the_first(topic, producer, consumer, name):
    t = await topic()
    first = await producer(transactional_id=name)
    await first.begin_transaction()
    await first.send_and_wait(t, b"of the first")
    second = await producer(transactional_id=name)
    await second.begin_transaction()
    await second.send_and_wait(t, b"of the second")
    await second.commit_transaction()
    with pytest.raises(ProducerFenced):
        await first.commit_transaction()
    assert await read(consumer, t, 1) == [b"of the second"]
