"""Topics, configurations, offsets and groups through the admin client, and the codes of what cannot be."""
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError

from conftest import BOOTSTRAP, codes, take, until

TOPIC_ALREADY_EXISTS, INVALID_TOPIC, INVALID_PARTITIONS, INVALID_FACTOR, INVALID_CONFIG = 36, 17, 37, 38, 40
UNKNOWN_TOPIC = 3


async def test_a_topic_is_created_widened_and_deleted(admin, topic):
    t = await topic(3)
    assert t in await admin.list_topics()
    await admin.create_partitions({t: NewPartitions(5)})

    async def widened():
        return len((await admin.describe_topics([t]))[0]["partitions"]) == 5

    await until(widened)
    with pytest.raises(InvalidPartitionsError):
        await admin.create_partitions({t: NewPartitions(2)})
    assert codes(await admin.delete_topics([t])) == [0]

    async def gone():
        return t not in await admin.list_topics()

    await until(gone)
    assert codes(await admin.delete_topics([t])) == [UNKNOWN_TOPIC]


async def test_what_cannot_be_created_has_kafkas_code(admin, topic, name):
    async def refused(new):
        return codes(await admin.create_topics([new]))

    assert await refused(NewTopic(await topic(), 1, 1)) == [TOPIC_ALREADY_EXISTS]
    assert await refused(NewTopic("no/good", 1, 1)) == [INVALID_TOPIC]
    assert await refused(NewTopic(name, 0, 1)) == [INVALID_PARTITIONS]
    assert await refused(NewTopic(name, 1, 7)) == [INVALID_FACTOR]
    assert await refused(NewTopic(name, 1, 1, topic_configs={"retention.ms": "soon"})) == [INVALID_CONFIG]
    assert codes(await admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)) == [0]
    assert name not in await admin.list_topics()


async def test_settings_are_told_and_replaced(admin, topic):
    t = await topic(cleanup_policy="compact")

    async def settings():
        answer, = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, t)])
        (code, _, _, _, entries), = answer.resources
        assert code == 0
        return {entry[0]: entry[1] for entry in entries}

    assert (await settings())["cleanup.policy"] == "compact"
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, t, configs={"retention.ms": "12345"})])

    async def altered():
        return (await settings())["retention.ms"] == "12345"

    await until(altered)
    # AlterConfigs replaces all: what is not named is the default again.
    assert (await settings())["cleanup.policy"] == "delete"


async def test_offsets_ends_by_time_and_after_records_were_deleted(admin, topic, producer, consumer):
    t = await topic()
    p = await producer()
    for at in (1000, 3000, 5000):
        await p.send_and_wait(t, b"v", timestamp_ms=at)
    c, part = await consumer(), TopicPartition(t, 0)
    assert (await c.beginning_offsets([part]), await c.end_offsets([part])) == ({part: 0}, {part: 3})
    assert (await c.offsets_for_times({part: 2000}))[part] == (1, 3000)
    assert (await c.offsets_for_times({part: 6000}))[part] is None
    assert await admin.delete_records({part: RecordsToDelete(before_offset=2)}) == {part: 2}
    assert await c.beginning_offsets([part]) == {part: 2}


async def test_a_group_is_listed_and_described_with_its_offsets(admin, topic, producer, consumer, name):
    t = await topic(2)
    p = await producer()
    for n in range(10):
        await p.send_and_wait(t, b"v", partition=n % 2)
    c = await consumer(t, group_id=name, client_id="the-client")
    await take(10, c)
    await c.commit()
    offsets = await admin.list_consumer_group_offsets(name)
    assert {part.partition: each.offset for part, each in offsets.items()} == {0: 5, 1: 5}
    assert (name, "consumer") in {group[:2] for group in await admin.list_consumer_groups()}
    answer, = await admin.describe_consumer_groups([name])
    (error, group, state, protocol_type, protocol, members, *_), = answer.groups
    assert (error, group, state, protocol_type) == (0, name, "Stable", "consumer")
    assert protocol and len(members) == 1


async def test_the_cluster_describes_itself(admin):
    cluster = await admin.describe_cluster()
    broker, = cluster["brokers"]
    assert f"{broker['host']}:{broker['port']}" == BOOTSTRAP
    assert cluster["controller_id"] == broker["node_id"] and len(cluster["cluster_id"]) == 22


async def test_records_for_a_partition_that_is_not_there(topic, producer):
    t = await topic()
    with pytest.raises(AssertionError, match="Unrecognized partition"):
        await (await producer()).send(t, b"v", partition=7)
