"""What the Connect suite checks, in order; each check goes on from the one before."""
import signal
import sys
import threading
import time
import traceback

from worker import TOPICS, WORK, Worker, eventually, tool, BOOTSTRAP

TOPIC = "connect-lines"
RUNNING = ("RUNNING", "RUNNING")
SOURCE, OTHER, SINK = WORK / "in.txt", WORK / "other.txt", WORK / "out.txt"
one, two = Worker("one"), Worker("two")
written = []


def source(path):
    return {"connector.class": "FileStreamSource", "tasks.max": 1, "file": str(path), "topic": TOPIC,
            "exactly.once.support": "required"}


def sink(path):
    return {"connector.class": "FileStreamSink", "tasks.max": 1, "file": str(path), "topics": TOPIC}


def append(path, count):
    """Appends that many lines; they are expected in the topic."""
    lines = [f"line {len(written) + n} of {path.name}" for n in range(count)]
    with open(path, "a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
    written.extend(lines)


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def compare(got, expected, what):
    """True, or how the lines differ."""
    if got == expected:
        return True
    at = next((n for n, pair in enumerate(zip(got, expected)) if pair[0] != pair[1]), min(len(got), len(expected)))
    return f"{what}: {len(got)} lines for {len(expected)}; from {at} on {got[at:at + 3]} for {expected[at:at + 3]}"


def committed():
    return tool("Committed", BOOTSTRAP, TOPIC).splitlines()


def arrived():
    """The lines that were written are in the sink's file and in the topic: all, in order, once."""
    eventually("the sink", lambda: compare(lines_of(SINK), written, "the sink's file"))
    difference = compare(committed(), written, "the topic")
    assert difference is True, difference


def a_worker_starts():
    one.start()
    described = tool("kafka.admin.ConfigCommand", "--bootstrap-server", BOOTSTRAP, "--describe",
                     "--entity-type", "topics")
    for topic in TOPICS:
        part = described.split(f"configs for topic {topic} are:")[1].split("Dynamic configs")[0]
        assert "cleanup.policy=compact " in part, part
    plugins = {plugin["class"].rpartition(".")[2] for plugin in one.rest("GET", "/connector-plugins")}
    assert {"FileStreamSourceConnector", "FileStreamSinkConnector"} <= plugins, plugins


def file_to_topic_to_file():
    append(SOURCE, 3000)
    one.rest("PUT", "/connectors/lines/config", source(SOURCE))
    one.rest("PUT", "/connectors/sink/config", sink(SINK))
    one.until("lines", *RUNNING)
    one.until("sink", *RUNNING)
    arrived()
    append(SOURCE, 10)
    arrived()


def paused_and_resumed():
    one.rest("PUT", "/connectors/lines/pause")
    one.until("lines", "PAUSED", "PAUSED")
    held = [f"held {n}" for n in range(50)]
    with open(SOURCE, "a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in held))
    # What another connector reads meanwhile comes first.
    append(OTHER, 50)
    one.rest("PUT", "/connectors/other/config", source(OTHER))
    arrived()
    one.rest("PUT", "/connectors/lines/resume")
    written.extend(held)
    arrived()


def restarted():
    for connector in ("lines", "sink"):
        one.rest("POST", f"/connectors/{connector}/restart?includeTasks=true")
        append(SOURCE, 500)
        one.until(connector, *RUNNING)
    arrived()


def offsets_told():
    eventually("the source's offset", lambda: position("lines") == SOURCE.stat().st_size or position("lines"))
    sunk = one.rest("GET", "/connectors/sink/offsets")["offsets"]
    assert [it["partition"] for it in sunk] == [{"kafka_topic": TOPIC, "kafka_partition": 0}], sunk


def position(connector):
    offset, = one.rest("GET", f"/connectors/{connector}/offsets")["offsets"]
    return offset["offset"]["position"]


def worker_stopped_and_started():
    append(SOURCE, 1000)
    one.end(signal.SIGTERM)
    append(SOURCE, 1000)
    one.start()
    arrived()


def worker_killed_and_started():
    enough = threading.Event()

    def write():
        while not enough.wait(0.02):
            append(SOURCE, 100)

    writer = threading.Thread(target=write)
    before = len(lines_of(SINK))
    writer.start()
    eventually("lines arrive", lambda: len(lines_of(SINK)) > before + 1000)
    one.end(signal.SIGKILL)
    enough.set()
    writer.join()
    one.start()
    arrived_repeated()


def arrived_repeated():
    """As `arrived`; but a sink that was killed writes again, in order, what it had written after its last offset."""
    eventually("the sink", lambda: compare(list(dict.fromkeys(lines_of(SINK))), written, "the sink's file"))
    difference = compare(committed(), written, "the topic")
    assert difference is True, difference
    SINK.write_text("".join(line + "\n" for line in written), encoding="utf-8")


def moved_to_another_worker():
    two.start()
    connectors = ("lines", "other", "sink")

    def running_on(*workers):
        """On all of these and no other, connectors and tasks both."""
        kinds = zip(*map(two.parts, connectors))
        wanted = {(worker.address, "RUNNING") for worker in workers}
        return all(set(kind) == wanted for kind in kinds) or [two.parts(it) for it in connectors]
    eventually("both workers run connectors and tasks", lambda: running_on(one, two))
    append(SOURCE, 500)
    one.end(signal.SIGKILL)
    append(SOURCE, 500)
    eventually("the other has it all", lambda: running_on(two))
    arrived_repeated()


def read_again():
    """Stopped, with its offsets deleted, a source reads its file again, and a sink the topic."""
    for connector in ("sink", "lines"):
        two.rest("PUT", f"/connectors/{connector}/stop")
        two.until(connector, "STOPPED")
        two.rest("DELETE", f"/connectors/{connector}/offsets")
        assert two.rest("GET", f"/connectors/{connector}/offsets")["offsets"] == []
    SINK.unlink()
    written.extend(lines_of(SOURCE))
    for connector in ("lines", "sink"):
        two.rest("PUT", f"/connectors/{connector}/resume")
    arrived()


def sent_back():
    """A sink's offset set by hand, within the first transaction: it goes on from there."""
    two.rest("PUT", "/connectors/sink/stop")
    two.until("sink", "STOPPED")
    partition = {"kafka_topic": TOPIC, "kafka_partition": 0}
    offsets = [{"partition": partition, "offset": {"kafka_offset": 10}}]
    two.rest("PATCH", "/connectors/sink/offsets", {"offsets": offsets})
    SINK.unlink()
    two.rest("PUT", "/connectors/sink/resume")
    eventually("the sink", lambda: compare(lines_of(SINK), written[10:], "the sink's file"))


def deleted():
    for connector in ("lines", "other", "sink"):
        two.rest("DELETE", f"/connectors/{connector}")
    eventually("none is left", lambda: two.rest("GET", "/connectors") == [])
    two.end(signal.SIGTERM)


CHECKS = {
    "a worker starts; its topics are compacted": a_worker_starts,
    "lines go from a file to a topic to a file": file_to_topic_to_file,
    "paused, a source waits; resumed, it goes on": paused_and_resumed,
    "restarted by REST, source and sink go on": restarted,
    "offsets are told": offsets_told,
    "a worker that was stopped goes on where it was": worker_stopped_and_started,
    "a worker that was killed goes on where it was": worker_killed_and_started,
    "another worker takes the work of one that was killed": moved_to_another_worker,
    "with its offsets deleted, a connector begins anew": read_again,
    "with its offset set, a sink goes on from there": sent_back,
    "connectors are deleted": deleted,
}


def main():
    for number, (name, check) in enumerate(CHECKS.items()):
        started = time.monotonic()
        try:
            check()
        except Exception:
            traceback.print_exc(file=sys.stdout)
            for worker in (one, two):
                if worker.log.exists():
                    print("".join(worker.log.read_text(errors="replace").splitlines(True)[-25:]))
            print(f"FAIL  {name}")
            print(f"{number} passed, 1 failed, {len(CHECKS) - number - 1} not reached")
            return 1
        print(f"ok    {name} ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"{len(CHECKS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    try:
        code = main()
    finally:
        for worker in (one, two):
            if worker.process and worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
    sys.exit(code)
