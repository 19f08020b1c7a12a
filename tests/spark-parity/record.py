#!/usr/bin/env python3
"""Records what Spark 3.4.0 Structured Streaming answers to the queries of corpus/: tests/spark-parity/record.py

  --only NAME       that case, or that file of cases, again (may be repeated); the other recordings stay
  --out DIR         where the recordings go (default: recorded/ beside this file)
  --bootstrap H:P   the broker to go through, any that speaks Kafka's protocol; without it a brooklet of its own, in memory
  --binary FILE     that brooklet instead of one built for it
  --jobs N          cases at a time, of one Spark (default 2)
  --list            the cases, and end

Needs Java 17, Maven and Python 3.11. PySpark, the Kafka connector and a producer are installed below CLIENTS_HOME, as
for tests/clients. Exits 1, after all is recorded, if a case came out otherwise than the corpus expects: refused though
it should run, run though it should be refused, or with a step's records cut into other batches. README.md has the format.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLIENTS_HOME = pathlib.Path(os.environ.get("CLIENTS_HOME", pathlib.Path.home() / ".cache" / "brooklet-clients"))
HOME = CLIENTS_HOME / "spark"
FIRST_TIMESTAMP = 1704067200000  # 2024-01-01 00:00:00 UTC
KAFKA_COLUMNS = ["key", "value", "topic", "partition", "offset", "timestamp", "timestampType", "headers"]
TABLE_FIELDS = {"schema", "columns", "watermark", "topic"}
CASE_FIELDS = TABLE_FIELDS | {"name", "shows", "sql", "mode", "tables", "steps", "refused", "conf", "records_per_batch"}
ATTEMPTS_MAX = 6  # of a case whose topics were read in the middle of a step


def install():
    """The same environment as tests/clients/spark makes, and the producer that tests/clients/python uses."""
    mark, python = CLIENTS_HOME / ".spark-3.4.0", HOME / "venv" / "bin" / "python"
    if not mark.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", HOME / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "-q", "install", "pyspark==3.4.0"], check=True)
        subprocess.run(["mvn", "-q", "-B", "-f", ROOT / "tests/clients/spark/pom.xml", "dependency:copy-dependencies",
                        "-DincludeScope=runtime", f"-DoutputDirectory={HOME / 'jars'}"], check=True)
        mark.touch()
    if subprocess.run([python, "-c", "import confluent_kafka"], stderr=subprocess.DEVNULL).returncode:
        wanted = next(line for line in (ROOT / "tests/clients/python/requirements.txt").read_text().split()
                      if line.startswith("confluent-kafka"))
        subprocess.run([python, "-m", "pip", "-q", "install", wanted], check=True)
    return python


class Broker:
    def __init__(self, binary):
        if binary is None:
            subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "brooklet"], cwd=ROOT, check=True)
            binary = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "brooklet"
        self.work = tempfile.TemporaryDirectory(prefix="brooklet-parity-")
        log = pathlib.Path(self.work.name) / "log"
        with log.open("w") as out:
            self.process = subprocess.Popen([binary.resolve(), "serve", "--listen", "127.0.0.1:0", "--storage", "memory"],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in log.read_text().splitlines():
                if line.startswith("listening="):
                    self.bootstrap = line.removeprefix("listening=").strip()
                    return
            time.sleep(0.05)
        self.process.kill()
        raise RuntimeError("brooklet did not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def load(names):
    """{file: [case]}, checked, and the set of names to record."""
    files, seen = {}, set()
    for path in sorted((HERE / "corpus").glob("*.json")):
        files[path.name] = json.loads(path.read_text())
        for case in files[path.name]:
            name = case["name"]
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), f"{path.name}: {name!r} is no kebab-case"
            assert name not in seen, f"{name} is there twice"
            assert not set(case) - CASE_FIELDS, f"{name}: unknown fields {set(case) - CASE_FIELDS}"
            assert "tables" not in case or not set(case) & TABLE_FIELDS, f"{name}: tables have fields of their own"
            for table in tables(case).values():
                assert not set(table) - TABLE_FIELDS, f"{name}: unknown fields {set(table) - TABLE_FIELDS}"
                assert ("schema" in table) != ("columns" in table), f"{name}: either schema or columns"
            assert case.get("refused") in (None, "start", "run"), f"{name}: refused at start or run"
            seen.add(name)
    if not names:
        return files, seen
    unknown = [name for name in names if name not in seen and f"{name.removesuffix('.json')}.json" not in files]
    assert not unknown, f"no such case or file: {', '.join(unknown)}"
    return files, {case["name"] for file, cases in files.items() for case in cases
                   if case["name"] in names or file in names or file.removesuffix(".json") in names}


def tables(case):
    """{name: what is said of it}; of a case with one table the case says it."""
    if "tables" in case:
        return case["tables"]
    return {case.get("topic", "logs"): {field: case[field] for field in TABLE_FIELDS - {"topic"} if field in case}}


def topics(case):
    """The topics, in the order of their tables."""
    return list(dict.fromkeys(table.get("topic", name) for name, table in tables(case).items()))


def by_topic(case, records):
    """{topic: records} of a step."""
    return records if isinstance(records, dict) else {topics(case)[0]: records}


def first_line(error):
    """The first line of Spark's message, without the numbers that Spark gives out anew in each run."""
    message = str(getattr(error, "desc", None) or error).strip()
    message = re.sub(r"^Query \[id = [^]]*\] terminated with exception: ", "", message.splitlines()[0])
    return re.sub(r"#\d+L?", "#n", message).strip()


def root_cause(error):
    """(class, message) of the innermost Java exception, so that neither tasks nor stages are named."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if cause is None:
        return None, first_line(error)
    while cause.getCause() is not None and cause.getClass().getSimpleName() != "SparkUpgradeException":
        cause = cause.getCause()
    name = cause.getClass().getSimpleName()
    return name, re.sub(r"#\d+L?", "#n", (cause.getMessage() or "").strip().split("\n")[0].strip())


class Recorder:
    def __init__(self, bootstrap):
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient
        from pyspark.sql import SparkSession

        self.work = tempfile.TemporaryDirectory(prefix="spark-parity-")
        os.environ.update(TZ="UTC", SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_DIRS=self.work.name)
        time.tzset()
        self.bootstrap = bootstrap
        self.run = f"{os.getpid()}-{time.time_ns() // 1_000_000}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        # One batch a step: nothing is sent before flush, so a query that runs never sees half a step.
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5000, "batch.num.messages": 100_000})
        self.spark = (
            SparkSession.builder.master("local[2]").appName("spark-parity")
            .config("spark.driver.memory", "1500m").config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.jars", ",".join(str(jar) for jar in sorted((HOME / "jars").glob("*.jar"))))
            .config("spark.sql.session.timeZone", "UTC").config("spark.sql.ansi.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2").config("spark.sql.streaming.numRecentProgressUpdates", "1000")
            # Every query is planned and compiled once and runs for a moment: what a JVM does for long runs is in the way.
            .config("spark.driver.extraJavaOptions",
                    "-Duser.timezone=UTC -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
                    "-Djdk.lang.Process.launchMechanism=VFORK").getOrCreate())
        self.spark.sparkContext.setLogLevel("OFF")
        assert self.spark.version == "3.4.0", self.spark.version
        self.remarks = []
        self.producing = threading.Lock()  # a flush sends what others have begun, too
        self.local = threading.local()
        self.started, self.done = time.monotonic(), 0

    def session(self):
        """One a thread: tables and settings are a session's own."""
        if not hasattr(self.local, "session"):
            self.local.session = self.spark.newSession()
        return self.local.session

    def remark(self, case, text):
        self.remarks.append(f"{case['name']}: {text}")
        print(f"  !! {self.remarks[-1]}", flush=True)

    def produce(self, batches):
        """Of each topic all of its records in one batch; so many of its were produced before."""
        failures = []

        def delivered(error, _):
            if error is not None:
                failures.append(str(error))

        numbered = ((topic, *each) for topic, records, before in batches for each in enumerate(records, before))
        with self.producing:
            for topic, number, record in numbered:
                record = {"value": record} if isinstance(record, str) else record
                assert not set(record) - {"value", "key", "timestamp", "headers"}, record
                assert record.get("timestamp", 1) > 0, "the producer takes 0 for now"
                self.producer.produce(topic, value=record.get("value"), key=record.get("key"), on_delivery=delivered,
                                      timestamp=record.get("timestamp", FIRST_TIMESTAMP + number),
                                      headers=[(name, None if value is None else value.encode())
                                               for name, value in record.get("headers", [])])
            left = self.producer.flush(20)
            assert left == 0 and not failures, f"{left} records were not acknowledged, of others: {failures}"

    def table(self, case, table, topic):
        """The table as brooklet has it: the JSON columns, and those of the source that no JSON column hides."""
        from pyspark.sql.functions import col, expr, from_json

        source = (self.session().readStream.format("kafka").option("kafka.bootstrap.servers", self.bootstrap)
                  .option("subscribe", topic).option("startingOffsets", "earliest").option("includeHeaders", "true"))
        if "records_per_batch" in case:
            source = source.option("maxOffsetsPerTrigger", case["records_per_batch"])
        schema = table.get("schema") or ", ".join(f"`{name}` STRING" for name in table["columns"])
        rows = source.load().withColumn("__json", from_json(col("value").cast("string"), schema))
        # Each case has a topic of its own, and the query is to see the name that it asks for.
        rows = rows.withColumn("topic", expr("substring_index(topic, '.', -1)"))
        named = {name.lower() for name, _ in columns(rows.select("__json.*"))}
        rows = rows.select("__json.*", *(name for name in KAFKA_COLUMNS if name.lower() not in named))
        if "watermark" in table:
            rows = rows.withWatermark(*table["watermark"])
        return rows

    def record_or_remark(self, case):
        try:
            return self.record(case)
        except Exception as error:  # whatever it is, the other cases go on, and the run ends with 1
            self.remark(case, f"not recorded: {type(error).__name__}: {error}")
            return None

    def record(self, case):
        for attempt in range(ATTEMPTS_MAX):
            recording, cut = self.attempt(case, attempt)
            # Records of several topics cannot be produced at once, but mostly come between two looks at them.
            if not cut or len(topics(case)) == 1:
                break
        for text in cut:
            self.remark(case, text)
        if recording.get("when") != case.get("refused"):
            self.remark(case, f"expected {case.get('refused') or 'to run'}, but: {recording.get('refused', 'it runs')}")
        self.done += 1
        print(f"{self.done:>4} {time.monotonic() - self.started:>6.0f} s  {case['name']}", flush=True)
        return recording

    def attempt(self, case, attempt):
        """A recording, and which of its steps were cut."""
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException

        recording = {"name": case["name"]}
        named = {topic: f"{self.run}-{attempt}-{case['name']}.{topic}" for topic in topics(case)}
        spark, conf = self.session(), case.get("conf", {})
        for topic in named.values():
            self.create(topic)
        for name, value in conf.items():
            spark.conf.set(name, value)
        run = None
        try:
            for name, table in tables(case).items():
                self.table(case, table, named[table.get("topic", name)]).createOrReplaceTempView(name)
            result = spark.sql(case["sql"])
            run = Run(self, case, named, result, f"{attempt}-{case['name']}")
            run.steps()
        except (PySparkException, Py4JJavaError) as error:
            if run is not None and run.query is not None:
                kind, message = run.error or root_cause(error)
                recording.update(refused=f"{kind}: {message}", when="run", step=run.step)
            else:
                recording.update(refused=first_line(error), when="start")
        finally:
            if run is not None:
                run.stop()
            for name in conf:
                spark.conf.unset(name)
            for name in tables(case):
                spark.catalog.dropTempView(name)
        if recording.get("when") != "start":
            recording["columns"] = columns(result)
            recording["batches"] = run.finished_batches()
        if any(self.first_offset(topic) != 0 for topic in named.values()):
            self.remark(case, "the broker removed records")
        return recording, run.cut if run is not None else []

    def first_offset(self, topic):
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        (found,) = self.admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.earliest()}).values()
        return found.result(20).offset

    def create(self, topic):
        from confluent_kafka.admin import NewTopic

        # The records say that they are of 2024: they are to stay nevertheless.
        kept = {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}
        for future in self.admin.create_topics([NewTopic(topic, 1, 1, config=kept)]).values():
            future.result(20)


class Run:
    """One case: its query, from the first step to the last."""

    def __init__(self, recorder, case, named, result, checkpoint):
        self.recorder, self.case, self.named, self.result = recorder, case, named, result
        self.checkpoint = f"{recorder.work.name}/{checkpoint}"
        self.query, self.error = None, None
        self.step, self.produced = 0, dict.fromkeys(named, 0)
        self.batches, self.progress, self.cut = [], {}, []

    def steps(self):
        for self.step, records in enumerate(self.case["steps"] or [[]]):
            if records == "restart" or isinstance(records, dict) and "restart" in records:
                self.stop()
                records = [] if records == "restart" else records["restart"]
            records = by_topic(self.case, records)
            self.recorder.produce([(self.named[topic], each, self.produced[topic]) for topic, each in records.items()])
            for topic, each in records.items():
                self.produced[topic] += len(each)
            if self.query is None:
                self.query = (self.result.writeStream.foreachBatch(self.keep).outputMode(self.case.get("mode", "update"))
                              .option("checkpointLocation", self.checkpoint).start())
            self.query.processAllAvailable()
            for each in self.query.recentProgress:
                if "addBatch" in each["durationMs"]:
                    self.progress.setdefault(each["batchId"], each)
            self.check_batches([len(each) for each in records.values()])

    def stop(self):
        if self.query is not None:
            self.query.stop()
            self.query = None

    def check_batches(self, produced):
        """How many records it read says little, none for WHERE false, but in how many batches tells if a step was cut."""
        read = [self.progress[batch["batch"]]["numInputRows"] for batch in self.batches if batch["step"] == self.step]
        most = max(produced, default=0)
        if sum(map(bool, read)) > -(-most // self.case.get("records_per_batch", most or 1)):
            self.cut.append(f"step {self.step} of {sum(produced)} records was read as {read}")

    def keep(self, frame, batch):
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException
        from pyspark.sql.functions import col, struct, to_json

        fields = columns(frame)
        names = [f"_{index}" for index in range(len(fields))]  # two columns may have one name
        whole = struct(*(col(name).alias(called) for name, (called, _) in zip(names, fields)))
        cells = [col(name) if kind == "binary" else col(name).cast("string") for name, (_, kind) in zip(names, fields)]
        try:
            rows = frame.toDF(*names).select(*cells, to_json(whole, {"ignoreNullFields": "false"})).collect()
        except (PySparkException, Py4JJavaError) as error:
            self.error = root_cause(error)  # the stream would only tell that this function failed
            raise
        self.batches.append({"batch": batch, "step": self.step, "rows": [[shown(cell) for cell in row[:-1]] for row in rows],
                             "json": [row[-1] for row in rows]})

    def finished_batches(self):
        for batch in self.batches:
            about = self.progress.get(batch["batch"], {})
            batch["watermark"] = about.get("eventTime", {}).get("watermark")
            batch["dropped"] = sum(each["numRowsDroppedByWatermark"] for each in about.get("stateOperators", []))
        return self.batches


def columns(frame):
    """Names and types; PySpark's own schema has no intervals of months."""
    return [[field.name(), field.dataType().simpleString()] for field in frame._jdf.schema().fields()]


def shown(cell):
    """BINARY as the console shows it; the rest is text by now."""
    if isinstance(cell, (bytes, bytearray)):
        return "[" + " ".join(f"{byte:02X}" for byte in cell) + "]"
    return cell


def written(recordings):
    """One batch a line, so that a change shows where it is."""
    def compact(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    parts = []
    for recording in recordings:
        batches = recording.pop("batches", None)
        head = compact(recording)
        if batches is not None:
            head = head[:-1] + ',"batches":[' + ",".join("\n  " + compact(batch) for batch in batches) + "]}"
            recording["batches"] = batches
        parts.append(head)
    return "[\n" + ",\n".join(parts) + "\n]\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "recorded")
    parser.add_argument("--bootstrap")
    parser.add_argument("--binary", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    files, wanted = load(options.only)
    if options.list:
        for file, cases in files.items():
            for case in cases:
                print(f"{file:<26} {case['name']}")
        print(f"{sum(map(len, files.values()))} cases")
        return 0
    if pathlib.Path(sys.prefix) != HOME / "venv":
        python = install()
        os.execv(python, [str(python), __file__, *sys.argv[1:]])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the broker is stopped
    broker = None if options.bootstrap else Broker(options.binary)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        recorder = Recorder(options.bootstrap or broker.bootstrap)
        with ThreadPoolExecutor(options.jobs) as pool:
            futures = {case["name"]: pool.submit(recorder.record_or_remark, case)
                       for cases in files.values() for case in cases if case["name"] in wanted}
            for file, cases in files.items():
                out = options.out / file
                kept = {each["name"]: each for each in json.loads(out.read_text())} if options.only and out.exists() else {}
                if any(case["name"] in wanted for case in cases):
                    kept.update((case["name"], futures[case["name"]].result()) for case in cases if case["name"] in wanted)
                    kept = {name: recording for name, recording in kept.items() if recording}
                    out.write_text(written([kept[case["name"]] for case in cases if case["name"] in kept]))
        recorder.spark.stop()
    finally:
        if broker:
            broker.stop()
    print(f"{recorder.done} cases recorded in {time.monotonic() - recorder.started:.0f} s, {len(recorder.remarks)} not as expected")
    print("\n".join(recorder.remarks))
    return 1 if recorder.remarks else 0


if __name__ == "__main__":
    sys.exit(main())
