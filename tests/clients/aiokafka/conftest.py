"""What the tests share: where the broker is, fresh names, clients that end with their test."""
import asyncio
import contextlib
import itertools
import os
import socket
import struct
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

BOOTSTRAP = os.environ["BOOTSTRAP"]
SECONDS_MAX = 30
names = itertools.count()


@pytest.fixture
def name():
    """A name that no other test, and no other run on the same broker, has used."""
    return f"aio-{os.getpid()}-{next(names)}"


@pytest.fixture
async def started():
    """Starts a client, and stops it when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(client):
            stack.push_async_callback(client.stop if hasattr(client, "stop") else client.close)
            await client.start()
            return client

        yield start


@pytest.fixture
async def admin(started):
    return await started(AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP))


@pytest.fixture
def topic(admin, name):
    """Makes a topic of so many partitions that the broker tells of."""

    async def make(partitions=1, **config):
        own = f"{name}-{next(names)}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        answer = await admin.create_topics([NewTopic(own, partitions, 1, topic_configs=settings)])
        assert codes(answer) == [0]

        async def known():
            described, = await admin.describe_topics([own])
            return described["error_code"] == 0 and len(described["partitions"]) == partitions

        await until(known)
        return own

    return make


@pytest.fixture
def producer(started):
    async def make(**config):
        return await started(AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, **config))

    return make


@pytest.fixture
def consumer(started):
    async def make(*topics, **config):
        settings = {
            "auto_offset_reset": "earliest",
            "enable_auto_commit": False,
            "session_timeout_ms": 10000,
            "heartbeat_interval_ms": 300,
            "metadata_max_age_ms": 1000,
            "fetch_max_wait_ms": 200,
        }
        return await started(AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, **{**settings, **config}))

    return make


def codes(answer):
    """The error codes of an answer about topics."""
    return [error[1] for error in getattr(answer, "topic_errors", None) or answer.topic_error_codes]


async def take(count, *consumers):
    """Reads from the consumers in turn until so many records have come."""
    records = []
    await until(lambda: len(records) >= count, *consumers, into=records)
    return records


async def until(condition, *consumers, into=None):
    """Reads from the consumers in turn until the condition holds."""
    deadline = time.monotonic() + SECONDS_MAX
    while not await value(condition()):
        assert time.monotonic() < deadline, "the condition did not come to hold"
        for each in consumers:
            for records in (await each.getmany(timeout_ms=50)).values():
                into.extend(records)
        await asyncio.sleep(0 if consumers else 0.02)


async def value(either):
    return await either if asyncio.iscoroutine(either) else either


@pytest.fixture
def needs():
    """Skips the test where the broker does not advertise an API."""

    def check(key, api):
        if key not in advertised():
            pytest.skip(f"the broker does not advertise {api} ({key})")

    return check


def advertised():
    """The keys of the APIs that the broker advertises, by an ApiVersions request of version 0."""
    host, port = BOOTSTRAP.split(":")
    with socket.create_connection((host, int(port)), SECONDS_MAX) as link, link.makefile("rb") as answers:
        link.sendall(struct.pack(">ihhih", 10, 18, 0, 0, -1))
        size, = struct.unpack(">i", answers.read(4))
        _, error, count = struct.unpack_from(">ihi", answer := answers.read(size))
        assert error == 0
        return {struct.unpack_from(">h", answer, 10 + 6 * n)[0] for n in range(count)}
