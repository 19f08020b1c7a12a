"""A Connect worker as a process, and what is asked of it by REST."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

BOOTSTRAP = os.environ["BOOTSTRAP"]
WORK = pathlib.Path(os.environ["WORK"])
JAVA = sys.argv[1:]
PATIENCE_S = 90
TOPICS = ["connect-configs", "connect-offsets", "connect-status"]
SETTINGS = {
    "bootstrap.servers": BOOTSTRAP,
    "group.id": "connect",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "plugin.discovery": "service_load",
    "config.storage.topic": TOPICS[0],
    "offset.storage.topic": TOPICS[1],
    "status.storage.topic": TOPICS[2],
    "config.storage.replication.factor": 1,
    "offset.storage.replication.factor": 1,
    "status.storage.replication.factor": 1,
    "offset.flush.interval.ms": 500,
    "exactly.once.source.support": "enabled",
    "consumer.isolation.level": "read_committed",
    # The shortest that a broker allows: a worker that was killed, and the consumer of its sink, are missed this long.
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1000,
    "consumer.session.timeout.ms": 6000,
    "consumer.heartbeat.interval.ms": 1000,
    "scheduled.rebalance.max.delay.ms": 0,
}


class Refused(AssertionError):
    """A worker's answer that is an error."""


def eventually(what, holds):
    """Until it holds; what it said last is shown when it never does."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            got = holds()
        except (Refused, urllib.error.URLError, ConnectionError, TimeoutError) as error:
            got = error
        if got is True:
            return
        if time.monotonic() > until:
            raise AssertionError(f"{what}: {got}")
        time.sleep(0.1)


def tool(*command):
    """What one of Kafka's tools, or of the suite's, prints."""
    done = subprocess.run([*JAVA, *command], capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stderr}")
    return done.stdout


class Worker:
    """One worker of the cluster."""

    def __init__(self, name):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = WORK / f"{name}.log"
        self.settings = WORK / f"{name}.properties"
        settings = {**SETTINGS, "listeners": f"http://{self.address}", "client.id": name}
        self.settings.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            command = [*JAVA, "org.apache.kafka.connect.cli.ConnectDistributed", str(self.settings)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually("the worker answers", lambda: isinstance(self.rest("GET", "/connectors"), list))
        return self

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE_S)
        expected = -signal.SIGKILL if how == signal.SIGKILL else 128 + signal.SIGTERM
        assert code == expected, f"the worker ended with {code}"

    def rest(self, method, path, body=None):
        """The answer; while the cluster rebalances, it is asked again."""
        until = time.monotonic() + PATIENCE_S
        while True:
            request = urllib.request.Request(f"http://{self.address}{path}", method=method,
                                             data=None if body is None else json.dumps(body).encode(),
                                             headers={"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                said = error.read().decode()
                if error.code != 409 or time.monotonic() > until:
                    raise Refused(f"{method} {path}: {error.code} {said}") from error
            time.sleep(0.1)

    def parts(self, connector):
        """(worker, state) of a connector and of its tasks."""
        status = self.rest("GET", f"/connectors/{connector}/status")
        return [(part["worker_id"], part["state"]) for part in (status["connector"], *status["tasks"])]

    def until(self, connector, *states):
        def holds():
            got = [state for _, state in self.parts(connector)]
            return got == list(states) or got
        eventually(f"{connector} is {states}", holds)
