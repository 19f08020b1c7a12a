"""The two contenders: how each is started, stopped, and looked at from outside (/proc)."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
METADATA_V1_OF_NO_TOPIC = struct.pack(">ihhih5si", 2 + 2 + 4 + 2 + 5 + 4, 3, 1, 7, 5, b"bench", 0)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch_kafka(home):
    """The folder of its jars, from Maven Central unless they are there."""
    jars = home / "kafka-4.2.0"
    if not (jars / ".complete").exists():
        print("fetching Apache Kafka 4.2.0", file=sys.stderr, flush=True)
        subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies",
                        f"-DoutputDirectory={jars}"], check=True)
        (jars / ".complete").touch()
    return jars


class Broker:
    """A broker process on a port of its own."""

    name = "?"

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def start(self, stdout=None):
        """Seconds from exec to the first answer to a Metadata request."""
        command = self.command()
        with open(self.folder / "log", "ab") as log:
            started = time.perf_counter()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log)
        while time.perf_counter() - started < 180:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {(self.folder / 'log').read_text()[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                    connection.sendall(METADATA_V1_OF_NO_TOPIC)
                    if connection.recv(4):
                        return time.perf_counter() - started
            except OSError:
                time.sleep(0.0005)
        raise RuntimeError(f"{self.name} did not answer within three minutes")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def clear(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_mib(self):
        return self.status(self.process.pid, "VmRSS") / 1024

    def wakeups(self):
        """Voluntary context switches of all threads so far."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(self.status(f"{self.process.pid}/task/{task.name}", "voluntary_ctxt_switches") for task in tasks.iterdir())

    @staticmethod
    def status(path, name):
        for line in pathlib.Path(f"/proc/{path}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        return 0


class Brooklet(Broker):
    name = "brooklet"

    def __init__(self, folder, binary, *extra):
        super().__init__(folder)
        self.binary, self.extra = binary, extra

    def command(self):
        return [str(self.binary), "serve", "--listen", self.bootstrap, "--data-dir", str(self.data), *self.extra]


class Kafka(Broker):
    name = "Kafka 4.2"

    def __init__(self, folder, jars, template=HERE / "kafka.properties", heap="1g"):
        super().__init__(folder)
        self.jars, self.template, self.heap = jars, template, heap
        self.properties = folder / "server.properties"

    def java(self, *args):
        return ["java", *args[:-1], "-cp", f"{self.jars}/*", *args[-1]]

    def command(self):
        if not (self.data / "meta.properties").exists():
            self.format()
        return self.java(f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+UseG1GC", ["kafka.Kafka", str(self.properties)])

    def format(self):
        text = self.template.read_text()
        for mark, value in {"@PORT@": self.port, "@CONTROLLER@": free_port(), "@DATA@": self.data}.items():
            text = text.replace(mark, str(value))
        self.properties.write_text(text)
        storage = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQACAAAAAAAAAAA", "-c", str(self.properties)]
        subprocess.run(self.java(storage), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
