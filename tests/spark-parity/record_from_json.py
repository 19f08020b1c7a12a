#!/usr/bin/env python3
"""Records what Spark 3.4.0's from_json makes of generated and mutated values.

    record_from_json.py [--seed N] [--values N] [--kept BYTES] OUT_ALL OUT_KEPT

Needs pyspark 3.4.0 and Java 17. OUT_ALL gets every value; OUT_KEPT a selection of about --kept bytes, which stands in
the repository as processor/tests/data/from_json-3.4.0-generated.tsv. processor/tests/spark_generated.rs compares; with
BROOKLET_SPARK_RECORDING=OUT_ALL it compares the other file. A file whose name ends with .gz is written compressed, and
the same from the same values; processor/tests/data/from_json-3.4.0-generated-20000.tsv.gz is OUT_KEPT of
`--seed 2 --kept 2200000`.

A line is the value, then the columns of two schemas, `level` alone and `a, level, b`, tab-separated: base64, or `-` for
NULL.
"""

import argparse
import base64
import gzip
import io
import json
import random
import struct

KEYS = ["level", "a", "b", "x", "", "Level", "le\\u0076el", "é"]
KEY_WEIGHTS = [10, 6, 6, 4, 1, 1, 1, 1]
FRAGMENTS = [
    b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\r\n", b"\t", b"\x00", b"\x0c", b"\x1f", b"\x7f",
    b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity", b"+INF", b"-INF", b"INF", b"tru", b"nul", b"x", b"_",
    b"0", b"-", b"-0", b"+1", b"1.", b".5", b"1e", b"1e+", b"00", b"1.5", b"e5", b"E", b"\\u", b"\\u12", b"\\ud83d",
    b"\\ude00", b"\\'", b"\\x", b"\\/", b"\xff", b"\xc0\xaf", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf5",
    "é".encode(), "日".encode(), "😀".encode(), "\u00a0".encode(), "\ufeff".encode(), b"//", b"/**/", b"#", b'"level":',
    b'"level":"Z"', b',"level":"Y"', b',"b":1', b'],"a":2', b'"a":[1,', b'{"level":',
]


def number(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return str(rng.randrange(-100, 1000))
    if kind == 1:
        return str(rng.randrange(-(10 ** rng.randrange(1, 40)), 10 ** rng.randrange(1, 40)))
    if kind == 2:
        return repr(rng.uniform(-10, 10))
    if kind == 3:  # any double at all
        while True:
            (value,) = struct.unpack("<d", rng.randbytes(8))
            if value == value and abs(value) != float("inf"):
                return repr(value)
    if kind == 4:
        return f"{rng.randrange(-9, 10)}{rng.choice(['e', 'E'])}{rng.choice(['', '+', '-'])}{rng.randrange(0, 420)}"
    if kind == 5:
        return f"{rng.randrange(0, 10**rng.randrange(1, 19))}.{rng.randrange(0, 10**rng.randrange(1, 19))}"
    if kind == 6:  # powers of two and their neighbours
        return repr(2.0 ** rng.randrange(-1074, 1023) * rng.choice([1, 1 + 2**-52, 1 - 2**-53]))
    if kind == 7:
        return rng.choice(["-0", "-0.0", "0.0", "0e9", "1E400", "-1E400", "1e-400", "2E23", "1E23", "8.41E21", "5e-324",
                           "2.2250738585072012e-308", "9007199254740993", "9223372036854775807", "-9223372036854775808",
                           "9223372036854775808", "1.10", "100000.0", "9999999.0", "10000000.0", "0.001", "0.00099"])
    return rng.choice(["NaN", "Infinity", "-Infinity", "+Infinity", "+INF", "-INF"])


def text(rng, quote='"'):
    parts = []
    for _ in range(rng.randrange(0, 8)):
        parts.append(rng.choice([
            "INFO", "a b", "x", "é", "日本", "😀", "\\n", "\\t", "\\\"", "\\'", "\\\\", "\\/", "\\b\\f\\r", "\\u0041",
            "\\u00e9", "\\u0000", "\\u001f", "\\u2028", "\\ud83d\\ude00", "\\uD83D", "\\ude00", "\u007f", "\u0080", "\u2028",
            '"' if quote == "'" else "'", "{", "]", ",", ":", "\ufffd", "\uffff", "\U0010ffff",
        ]))
    return quote + "".join(parts) + quote


def blank(rng):
    return rng.choice(["", "", "", "", "", " ", "\n", "\t ", "\r\n"])


def value(rng, depth):
    kind = rng.randrange(10)
    if kind < 4 or (depth > 4 and kind > 6):
        return text(rng, rng.choice(['"', '"', '"', '"', "'"]))
    if kind < 6:
        return number(rng)
    if kind == 6:
        return rng.choice(["true", "false", "null", "null"])
    if kind == 7:
        return "[" + blank(rng) + (blank(rng) + "," + blank(rng)).join(value(rng, depth + 1) for _ in range(rng.randrange(4))) + "]"
    return obj(rng, depth + 1)


def obj(rng, depth=0):
    members = []
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4])):
        key = rng.choices(KEYS, KEY_WEIGHTS)[0]
        quote = rng.choice(['"'] * 12 + ["'"])
        members.append(f"{blank(rng)}{quote}{key}{quote}{blank(rng)}:{blank(rng)}{value(rng, depth)}{blank(rng)}")
    return "{" + ",".join(members) + "}"


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(data) + 1)
        action = rng.randrange(6)
        if action == 0 and data:
            del data[at:at + rng.choice([1, 1, 2, 5])]
        elif action == 1:
            data[at:at] = rng.choice(FRAGMENTS)
        elif action == 2:
            data[at:at + 1] = rng.choice(FRAGMENTS)
        elif action == 3:
            data[at:at + 1] = bytes([rng.randrange(256)])
        elif action == 4:
            del data[at:]
        else:
            end = min(len(data), at + rng.randrange(1, 12))
            target = rng.randrange(len(data) + 1)
            data[target:target] = data[at:end]
    return bytes(data)


def generate(seed, count):
    rng = random.Random(seed)
    values = []
    for index in range(count):
        data = obj(rng).encode("utf-8", "surrogatepass")
        if index % 3:
            data = mutate(rng, data)
        values.append(data)
    return values


def spark_columns(values):
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.driver.memory", "1g").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    rows = [(index, bytearray(data)) for index, data in enumerate(values)]
    frame = spark.createDataFrame(spark.sparkContext.parallelize(rows, 4), "i INT, v BINARY")
    # The struct as a whole is asked for, so that the optimizer cannot cut the second schema.
    frame = frame.selectExpr(
        "i",
        "from_json(cast(v as string), 'level STRING').level as one",
        "from_json(cast(v as string), 'a STRING, level STRING, b STRING') as three",
    ).selectExpr("i", "base64(cast(one as binary))", "base64(cast(three.a as binary))",
                 "base64(cast(three.level as binary))", "base64(cast(three.b as binary))")
    columns = [None] * len(values)
    for index, *row in frame.collect():
        columns[index] = ["-" if cell is None else cell.replace("\r\n", "") for cell in row]
    spark.stop()
    return columns


def line(data, columns):
    return "\t".join([base64.b64encode(data).decode(), *columns]) + "\n"


def selection(values, columns, bytes_kept):
    """Half of it values that are not standard JSON and yet gave something, half a fair draw."""
    def odd(index):
        if all(cell == "-" for cell in columns[index]):
            return False
        try:
            json.loads(values[index])
            return False
        except (ValueError, RecursionError):
            return True

    short = [index for index in range(len(values)) if len(values[index]) <= 150]
    halves = [[index for index in short if odd(index)], [index for index in short if not odd(index)]]
    for half in halves:
        size = 0
        for index in half:
            row = line(values[index], columns[index])
            size += len(row)
            if size > bytes_kept // 2:
                break
            yield row


def created(path):
    if not path.endswith(".gz"):
        return open(path, "w")
    return io.TextIOWrapper(gzip.GzipFile(path, "wb", 9, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--values", type=int, default=60_000)
    parser.add_argument("--kept", type=int, default=250_000)
    parser.add_argument("out_all")
    parser.add_argument("out_kept")
    arguments = parser.parse_args()
    values = generate(arguments.seed, arguments.values)
    columns = spark_columns(values)
    with created(arguments.out_all) as out:
        out.writelines(line(data, row) for data, row in zip(values, columns))
    with created(arguments.out_kept) as out:
        out.writelines(selection(values, columns, arguments.kept))


if __name__ == "__main__":
    main()
