"""What the tests share: where the broker is, fresh names, clients that end with their test."""
import contextlib
import itertools
import os
import threading
import time

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError,
                          RebalanceInProgressError)

BOOTSTRAP = os.environ["BOOTSTRAP"]
SECONDS_MAX = 30
names = itertools.count()


@pytest.fixture(scope="session")
def admin():
    """One admin client for all; a broker that has just started makes its coordinators' topics when first asked."""
    with contextlib.closing(KafkaAdminClient(bootstrap_servers=BOOTSTRAP)) as client:
        until(lambda: there(client))
        yield client


def there(client):
    try:
        client.describe_groups(["nobody"])
    except (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError):
        return False
    return True


@pytest.fixture
def name():
    """A name that no other test, and no other run on the same broker, has used."""
    return f"kpy-{os.getpid()}-{next(names)}"


@pytest.fixture
def topic(admin, name):
    """Makes a topic of so many partitions that the broker leads."""

    def make(partitions=1, **config):
        own = f"{name}-{next(names)}"
        configs = {key.replace("_", "."): value for key, value in config.items()}
        admin.create_topics({own: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}},
                            wait_for_metadata=True)
        admin.list_partition_offsets({TopicPartition(own, p): OffsetSpec.LATEST for p in range(partitions)})
        return own

    return make


@pytest.fixture
def closed():
    """Closes a client when the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda client: stack.enter_context(contextlib.closing(client))


@pytest.fixture
def producer(closed):
    return lambda **config: closed(KafkaProducer(bootstrap_servers=BOOTSTRAP, **config))


@pytest.fixture
def consumer(closed):
    def make(*topics, **config):
        settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "session_timeout_ms": 10000,
                    "heartbeat_interval_ms": 300, "metadata_max_age_ms": 1000, "fetch_max_wait_ms": 200}
        return closed(KafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, **{**settings, **config}))

    return make


class Member:
    """A consumer of a group with a thread of its own, which commits what it was given before it gives anything up."""

    def __init__(self, consumer):
        self.consumer, self.seen, self.failed = consumer, [], None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                for records in self.consumer.poll(timeout_ms=200).values():
                    self.seen.extend(int(record.value) for record in records)
                # A cooperative member goes on reading while partitions move, and commits once they have.
                with contextlib.suppress(RebalanceInProgressError):
                    self.consumer.commit()
        except Exception as error:
            self.failed = error
        finally:
            self.consumer.close()

    def leave(self):
        self.stopping.set()
        self.thread.join(SECONDS_MAX)
        assert not self.thread.is_alive() and self.failed is None, self.failed


@pytest.fixture
def member(consumer):
    """Members that leave with their test."""
    members = []

    def make(*topics, **config):
        members.append(Member(consumer(*topics, **config)))
        return members[-1]

    yield make
    for each in members:
        each.leave()


def take(count, *consumers):
    """Reads from the consumers in turn until so many records have come."""
    found = []
    deadline = time.monotonic() + SECONDS_MAX
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} records came"
        for each in consumers:
            for records in each.poll(timeout_ms=200).values():
                found.extend(records)
    return found


def until(condition):
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.02)


def send(producer, topic, numbers):
    """Sends the numbers, each one its own key, and waits for all acknowledgements."""
    for sent in [producer.send(topic, b"%d" % n, key=b"%d" % n) for n in numbers]:
        sent.get(SECONDS_MAX)
