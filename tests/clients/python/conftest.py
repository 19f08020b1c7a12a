"""What the tests share: where the broker is, fresh names, and consumers that end."""
import itertools
import os
import time

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = os.environ["BOOTSTRAP"]
SECONDS_MAX = 30
names = itertools.count()


@pytest.fixture
def name():
    """A name that no other test, and no other run on the same broker, has used."""
    return f"py-{os.getpid()}-{next(names)}"


@pytest.fixture
def admin():
    return AdminClient({"bootstrap.servers": BOOTSTRAP})


@pytest.fixture
def topic(admin, name):
    """Makes a topic of so many partitions."""

    def make(partitions=1, **config):
        own = f"{name}-{next(names)}"
        new = NewTopic(own, num_partitions=partitions, replication_factor=1, config=dotted(config))
        admin.create_topics([new])[own].result(SECONDS_MAX)
        return own

    return make


@pytest.fixture
def producer():
    def make(**config):
        return Producer({"bootstrap.servers": BOOTSTRAP, **dotted(config)})

    return make


@pytest.fixture
def consumer():
    made = []

    def make(group, **config):
        settings = {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6000,
        }
        made.append(Consumer({**settings, **dotted(config)}))
        return made[-1]

    yield make
    for each in made:
        each.close()


def dotted(config):
    return {key.replace("_", "."): value for key, value in config.items()}


def send(producer, topic, values, **fields):
    """Produces all and returns the delivered messages; an error is raised."""
    delivered = []

    def done(error, message):
        delivered.append(error or message)

    for value in values:
        producer.produce(topic, value, on_delivery=done, **fields)
    assert producer.flush(SECONDS_MAX) == 0, "not everything was delivered"
    for outcome in delivered:
        if isinstance(outcome, KafkaError):
            raise AssertionError(f"not delivered: {outcome}")
    return delivered


def take(consumer, count, seconds_max=SECONDS_MAX):
    """Polls until so many messages have come."""
    messages = []
    deadline = time.monotonic() + seconds_max
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} of {count} messages came"
        message = consumer.poll(0.1)
        if message is None:
            continue
        assert message.error() is None, message.error()
        messages.append(message)
    return messages


def until(condition, *consumers, into=None, seconds_max=SECONDS_MAX):
    """Polls the consumers in turn until the condition holds; what they were given (added to `into`)."""
    messages = [] if into is None else into
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        for consumer in consumers:
            message = consumer.poll(0.05)
            if message is not None and message.error() is None:
                messages.append(message)
    return messages
