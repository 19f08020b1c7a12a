"""Consumer groups: assignment, commits, leaving, cooperative rebalances, static members."""
import pytest
from confluent_kafka import TopicPartition

from conftest import SECONDS_MAX, send, take, until


def partitions(consumer):
    return {each.partition for each in consumer.assignment()}


def test_a_member_reads_all_and_a_second_run_goes_on(topic, producer, consumer, name):
    t = topic(3)
    send(producer(), t, [b"%d" % n for n in range(300)])
    c = consumer(name)
    c.subscribe([t])
    assert len({message.value() for message in take(c, 300)}) == 300
    c.commit(asynchronous=False)
    c.close()
    send(producer(), t, [b"later"])
    again = consumer(name)
    again.subscribe([t])
    assert take(again, 1)[0].value() == b"later"


def test_committed_offsets_and_metadata_are_kept(topic, consumer, name):
    t = topic(2)
    c = consumer(name)
    c.commit(offsets=[TopicPartition(t, 0, 7, "what I was doing")], asynchronous=False)
    zero, one = c.committed([TopicPartition(t, 0), TopicPartition(t, 1)], SECONDS_MAX)
    assert (zero.offset, zero.metadata) == (7, "what I was doing")
    assert one.offset == -1001


@pytest.mark.parametrize("strategy", ["range", "roundrobin", "cooperative-sticky"])
def test_two_members_share_and_the_first_takes_back(topic, consumer, name, strategy):
    t = topic(4)
    first = consumer(name, partition_assignment_strategy=strategy)
    first.subscribe([t])
    until(lambda: partitions(first) == {0, 1, 2, 3}, first)
    second = consumer(name, partition_assignment_strategy=strategy)
    second.subscribe([t])
    until(lambda: len(partitions(first)) == len(partitions(second)) == 2, first, second)
    assert partitions(first) | partitions(second) == {0, 1, 2, 3}
    second.close()
    until(lambda: partitions(first) == {0, 1, 2, 3}, first)


def test_no_message_is_lost_or_doubled_while_members_come_and_go(topic, producer, consumer, name):
    t = topic(6)
    config = {"partition_assignment_strategy": "cooperative-sticky"}
    first = consumer(name, **config)
    first.subscribe([t])
    send(producer(), t, [b"%d" % n for n in range(200)])
    seen = take(first, 200)
    first.commit(asynchronous=False)
    second = consumer(name, **config)
    second.subscribe([t])
    until(lambda: len(partitions(first)) == len(partitions(second)) == 3, first, second, into=seen)
    send(producer(), t, [b"%d" % n for n in range(200, 400)])
    until(lambda: len(seen) >= 400, first, second, into=seen)
    assert sorted(int(message.value()) for message in seen) == list(range(400))


def test_a_static_member_comes_back_without_a_rebalance(topic, consumer, name):
    t = topic(4)
    rebalances = []
    config = {"session_timeout_ms": 30000}
    stays = consumer(name, group_instance_id="stays", **config)
    stays.subscribe([t], on_assign=lambda c, parts: rebalances.append(parts))
    goes = consumer(name, group_instance_id="goes", **config)
    goes.subscribe([t])
    until(lambda: len(partitions(stays)) == len(partitions(goes)) == 2, stays, goes)
    kept, before = partitions(goes), len(rebalances)
    goes.close()
    back = consumer(name, group_instance_id="goes", **config)
    back.subscribe([t])
    until(lambda: partitions(back) == kept, stays, back)
    assert len(rebalances) == before


def test_the_group_is_listed_and_described_and_deleted(topic, producer, consumer, admin, name):
    t = topic(1)
    send(producer(client_id="p"), t, [b"v"])
    c = consumer(name, client_id="the-client")
    c.subscribe([t])
    take(c, 1)
    c.commit(asynchronous=False)
    assert name in {group.group_id for group in admin.list_consumer_groups().result(SECONDS_MAX).valid}
    described = admin.describe_consumer_groups([name])[name].result(SECONDS_MAX)
    member, = described.members
    assert (described.state.name, member.client_id) == ("STABLE", "the-client")
    assert [(part.topic, part.partition) for part in member.assignment.topic_partitions] == [(t, 0)]
    c.close()


def test_a_position_out_of_range_follows_the_reset_rule(topic, producer, consumer, name):
    t = topic(1)
    send(producer(), t, [b"a", b"b"])
    c = consumer(name, auto_offset_reset="earliest")
    c.assign([TopicPartition(t, 0, 500)])
    assert take(c, 1)[0].value() == b"a"
