"""Producers and consumer groups: codecs, two members and a rebalance, commits, seek."""
import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from conftest import take, until


async def send(producer, topic, numbers):
    await asyncio.gather(*[await producer.send(topic, b"%d" % n, key=b"%d" % n) for n in numbers])


def numbers(records):
    return sorted(int(record.value) for record in records)


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_each_codec_comes_back_as_it_went(topic, producer, consumer, codec):
    t = await topic()
    p = await producer(compression_type=codec, linger_ms=10)
    headers = [("trace", b"x1"), ("trace", b"x2")]
    await p.send_and_wait(t, b"first", key=b"k", headers=headers, timestamp_ms=1234567)
    await p.send_and_wait(t, None, key=b"gone")
    await send(p, t, range(1000))
    first, gone, *rest = await take(1002, await consumer(t))
    assert (first.key, first.value, list(first.headers), first.timestamp) == (b"k", b"first", headers, 1234567)
    assert (gone.key, gone.value) == (b"gone", None)
    assert [record.value for record in rest] == [b"%d" % n for n in range(1000)]


@pytest.mark.parametrize("config", [{"acks": 0}, {"acks": 1}, {"acks": "all"}, {"enable_idempotence": True}])
async def test_acknowledgements_and_idempotence(topic, producer, consumer, config):
    t = await topic()
    await send(await producer(**config), t, range(500))
    assert numbers(await take(500, await consumer(t))) == list(range(500))


@pytest.mark.parametrize("assignor", [RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor])
async def test_two_members_share_and_the_first_takes_back(topic, producer, consumer, name, assignor):
    t = await topic(4)
    p = await producer()
    config = {"group_id": name, "partition_assignment_strategy": [assignor], "enable_auto_commit": True}
    seen = []
    first = await consumer(t, **config)
    await send(p, t, range(100))
    await until(lambda: len(seen) == 100, first, into=seen)
    joining = asyncio.create_task(consumer(t, **config))
    await until(joining.done, first, into=seen)
    second = joining.result()
    await until(lambda: len(first.assignment()) == len(second.assignment()) == 2, first, second, into=seen)
    await send(p, t, range(100, 200))
    await until(lambda: len(seen) >= 200, first, second, into=seen)
    await second.stop()
    await until(lambda: len(first.assignment()) == 4, first, into=seen)
    await send(p, t, range(200, 300))
    await until(lambda: len(seen) >= 300, first, into=seen)
    assert numbers(seen) == list(range(300))


async def test_a_second_run_goes_on_where_the_first_stopped(topic, producer, consumer, name):
    t = await topic(3)
    p = await producer()
    await send(p, t, range(100))
    first = await consumer(t, group_id=name)
    await take(100, first)
    await first.commit()
    await first.stop()
    await send(p, t, [100])
    assert numbers(await take(1, await consumer(t, group_id=name))) == [100]


async def test_committed_offsets_keep_their_metadata(admin, topic, consumer, name):
    t = await topic()
    part = TopicPartition(t, 0)
    c = await consumer(t, group_id=name)
    await c.commit({part: (7, "what I was doing")})
    assert await c.committed(part) == 7
    assert (await admin.list_consumer_group_offsets(name))[part] == (7, "what I was doing")


async def test_seek_back_and_forth_and_out_of_range(topic, producer, consumer):
    t = await topic()
    part = TopicPartition(t, 0)
    await send(await producer(), t, range(10))
    c = await consumer()
    c.assign([part])
    for offset, expected in ((7, [7, 8, 9]), (2, list(range(2, 10))), (500, list(range(10)))):
        c.seek(part, offset)
        assert numbers(await take(len(expected), c)) == expected
    await c.seek_to_end(part)
    assert await c.position(part) == 10
