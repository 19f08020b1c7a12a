#!/usr/bin/env python3
"""Records what Spark 3.4.0's from_json makes of values for columns of every type.

    record_typed_json.py [--seed N] [--values N] [--kept BYTES] OUT_ALL OUT_KEPT

Needs pyspark 3.4.0 and Java 17. OUT_ALL gets every value; OUT_KEPT a selection of about --kept bytes, which stands in
the repository as processor/tests/data/typed_json-3.4.0.tsv. processor/src/json/typed_tests.rs compares; with
BROOKLET_SPARK_TYPED_RECORDING=OUT_ALL it compares the other file.

A line `# DDL` gives the schema of the lines after it. Those are, tab-separated: flags, the value in base64, the columns;
or `*` and in base64 the text that every column has in the value, in the order of the schema.
Flags: `b` if Spark would put the value into _corrupt_record, `u` if the query would fail with SparkUpgradeException
(the columns are then those of timeParserPolicy=CORRECTED), else `-`. A column is `~` for NULL, T or F, an integer, the
16 hexadecimal digits of a double's bits, a decimal's unscaled integer, days or microseconds since 1970; s and the
hexadecimal bytes of a string, x and those of a binary; [a,b] an array, (a,b) a struct, {k:v} a map.
"""

import argparse
import base64
import json
import random
import re
import struct

from record_from_json import blank, mutate, number, text
from typed_json_cases import BINARIES, MATRIX, SCALARS, SCHEMAS, TOKENS


def parse(ddl):
    """The columns of a DDL text: (name, type), a type being a name or a tuple."""
    def split(text):
        parts, depth, start = [], 0, 0
        for index, char in enumerate(text):
            depth += (char in "<(") - (char in ">)")
            if char == "," and depth == 0:
                parts.append(text[start:index].strip())
                start = index + 1
        return parts + [text[start:].strip()]

    def typed(text):
        kind, _, rest = text.partition("<")
        inner = rest[:-1]
        if kind == "ARRAY":
            return ("ARRAY", typed(inner))
        if kind == "MAP":
            return ("MAP", typed(split(inner)[1]))
        if kind == "STRUCT":
            return ("STRUCT", [(name, typed(kind)) for name, kind in (part.split(":", 1) for part in split(inner))])
        return text

    columns = []
    for part in split(ddl):
        name, kind = part[1:].split("` ", 1) if part.startswith("`") else part.split(" ", 1)
        columns.append((name, typed(kind)))
    return columns


def token_for(rng, kind, depth=0):
    """A token for a type, mostly one that converts."""
    if rng.random() < 0.12:
        return rng.choice(TOKENS + ["null"] * 40)
    if isinstance(kind, tuple):
        if depth > 4:
            return "null"
        count = rng.choice([0, 1, 1, 2, 2, 3])
        if kind[0] == "ARRAY":
            return "[" + ",".join(blank(rng) + token_for(rng, kind[1], depth + 1) for _ in range(count)) + "]"
        if kind[0] == "MAP":
            names = [(rng.choice(["a", "b", "x", "k", "", "é", "\\u0061"]), kind[1]) for _ in range(count)]
        else:
            names = [rng.choice(kind[1] + [("z", "STRING")]) for _ in range(count)]
        return "{" + ",".join(member(rng, name, inner, depth + 1) for name, inner in names) + "}"
    if kind == "BOOLEAN":
        return rng.choice(["true", "false"])
    if kind in ("INT", "BIGINT"):
        return str(rng.randrange(-(10 ** rng.randrange(1, 20)), 10 ** rng.randrange(1, 12)))
    if kind == "DOUBLE":
        return number(rng)
    if kind.startswith("DECIMAL"):
        plain = f"{rng.randrange(-(10 ** rng.randrange(1, 12)), 10 ** rng.randrange(1, 12))}.{rng.randrange(10 ** rng.randrange(1, 25))}"
        return rng.choice([plain, f'"{plain}"', number(rng), str(rng.randrange(1000))])
    if kind == "BINARY":
        return '"' + rng.choice(BINARIES + [base64.b64encode(rng.randbytes(rng.randrange(9))).decode() for _ in range(40)]) + '"'
    if kind in ("DATE", "TIMESTAMP"):
        date = f"{rng.randrange(1, 2500):04d}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 31):02d}"
        time = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
        full = date + rng.choice("T ") + time + rng.choice(["", ".5", ".123456"]) + rng.choice(["", "Z", "+02:00"])
        return rng.choice([f'"{date}"', f'"{full}"', f'"{full}"', str(rng.randrange(10**10))])
    return text(rng) if kind == "STRING" else rng.choice(TOKENS)


def member(rng, name, kind, depth=0):
    quote = rng.choice(['"'] * 12 + ["'"])
    if name and not rng.randrange(20):
        name = rng.choice([f"\\u{ord(name[0]):04x}{name[1:]}", name.swapcase(), name + " "])
    return f"{blank(rng)}{quote}{name}{quote}{blank(rng)}:{blank(rng)}{token_for(rng, kind, depth)}{blank(rng)}"


def random_type(rng, depth=0):
    kind = rng.randrange(6 if depth < 3 else 3)
    if kind < 3:
        return rng.choice(SCALARS)
    inner = random_type(rng, depth + 1)
    if kind == 3:
        return f"ARRAY<{inner}>"
    if kind == 4:
        return f"MAP<STRING,{inner}>"
    return f"STRUCT<a:{inner},b:{random_type(rng, depth + 1)}>"


def in_every_column(token):
    return ("{" + ",".join(f'"{name}":{token}' for name, _ in parse(MATRIX)) + "}").encode()


def generate(seed, count):
    """Pairs of a schema and a value, and how many of the first are kept in any case."""
    rng = random.Random(seed)
    pairs = [(MATRIX, in_every_column(token)) for token in TOKENS]
    for text_ in BINARIES:
        for quote in "\"'":
            pairs.append((SCHEMAS[0], f'{{"b":1,"a":{quote}{text_}{quote},"b":2}}'.encode()))
            pairs.append(("a ARRAY<BINARY>, b INT", f'{{"b":1,"a":["YQ==",{quote}{text_}{quote},"YQ=="],"b":2}}'.encode()))
    # A column of every type in the middle, and between two that convert, what is wrong at each place.
    for kind in SCALARS + ["ARRAY<INT>", "MAP<STRING,INT>", "STRUCT<x:INT,y:STRING>"]:
        good = token_for(random.Random(5), parse("a " + kind)[0][1])
        good = {"ARRAY<INT>": "[1,2]", "MAP<STRING,INT>": '{"k":1}', "STRUCT<x:INT,y:STRING>": '{"x":1,"y":"2"}'}.get(kind, good)
        for bad in ["tru", '"\\x"', "1 2", "{", "[1", '{"x":tru}', '["\\x"]', "01", ""]:
            for order in ("{before},{good}", "{good},{before}", "{before},{good},{good}", "{good},{before},{good}"):
                for name in ("a", "u"):
                    row = order.format(before=f'"{name}":{bad}', good=f'"a":{good},"c":3')
                    pairs.append((f"a {kind}, c INT", ("{" + row + "}").encode()))
    certain = len(pairs)
    schemas = SCHEMAS + [f"a {random_type(rng)}, b {random_type(rng)}, c INT" for _ in range(25)]
    for index in range(count):
        ddl = rng.choice(schemas)
        columns = parse(ddl)
        names = [rng.choice(columns + [("z", "STRING")]) for _ in range(rng.choice([1, 2, 2, 3, 3, 4]))]
        data = ("{" + ",".join(member(rng, name, kind) for name, kind in names) + "}").encode("utf-8", "surrogatepass")
        data = mutate(rng, data) if index % 5 > 1 else data
        # Java would compute that power of ten, for hours.
        if not re.search(rb"[eE][+-]?[0-9]{6}", data):
            pairs.append((ddl, data))
    return pairs, certain


def transport(kind, value, depth=0):
    """A SQL expression that brings a value to Python without loss."""
    if kind == "DATE":
        return f"cast({value} as string)"
    if kind == "TIMESTAMP":
        return f"unix_micros({value})"
    if kind == "STRING":
        return f"cast({value} as binary)"
    if not isinstance(kind, tuple):
        return value
    name = f"v{depth}"
    if kind[0] == "ARRAY":
        return f"transform({value}, {name} -> {transport(kind[1], name, depth + 1)})"
    if kind[0] == "MAP":
        inner = transport(kind[1], f"{name}.value", depth + 1)
        return f"transform(map_entries({value}), {name} -> struct(cast({name}.key as binary) as k, {inner} as v))"
    fields = ",".join(f"'f{index}', {transport(inner, f'{value}.`{field}`', depth)}" for index, (field, inner) in enumerate(kind[1]))
    return f"if({value} is null, null, named_struct({fields}))"


def days(date):
    """Days since 1970 of a proleptic Gregorian date of any year."""
    sign = -1 if date.startswith("-") else 1
    year, month, day = (int(part) for part in date.lstrip("+-").split("-"))
    year = sign * year - (month <= 2)
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def unscaled(decimal):
    sign, digits, _ = decimal.as_tuple()
    return (-1 if sign else 1) * int("".join(map(str, digits)))


def shown(kind, value):
    if value is None:
        return "~"
    if isinstance(kind, tuple):
        if kind[0] == "ARRAY":
            return "[" + ",".join(shown(kind[1], element) for element in value) + "]"
        if kind[0] == "MAP":
            return "{" + ",".join(f"{'~' if key is None else key.hex()}:{shown(kind[1], inner)}" for key, inner in value) + "}"
        return "(" + ",".join(shown(inner, element) for (_, inner), element in zip(kind[1], value)) + ")"
    if kind == "BOOLEAN":
        return "T" if value else "F"
    if kind == "DOUBLE":
        return "7ff8000000000000" if value != value else struct.pack(">d", value).hex()
    if kind == "DATE":
        return str(days(value))
    if kind.startswith("DECIMAL"):
        return str(unscaled(value))
    if kind in ("STRING", "BINARY"):
        return ("s" if kind == "STRING" else "x") + bytes(value).hex()
    return str(value)


def upgrade_fails(spark, ddl):
    """Whether Spark, for a value, asks for a decision on old times: a test that runs in the JVM, value by value."""
    from pyspark.errors.exceptions.captured import SparkUpgradeException

    jvm = spark._jvm
    expressions = jvm.org.apache.spark.sql.catalyst.expressions
    schema = jvm.org.apache.spark.sql.types.StructType.fromDDL(ddl)
    string = jvm.org.apache.spark.sql.types.DataTypes.StringType
    options = jvm.PythonUtils.toScalaMap({})
    zone = jvm.scala.Option.apply("UTC")

    def fails(data):
        literal = expressions.Literal(jvm.org.apache.spark.unsafe.types.UTF8String.fromBytes(data), string)
        try:
            expressions.JsonToStructs(schema, options, literal, zone).eval(None)
        except SparkUpgradeException:
            return True
        return False

    return fails


def record(pairs):
    """The flags and columns of each pair."""
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "1g").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    by_schema = {}
    for index, (ddl, data) in enumerate(pairs):
        by_schema.setdefault(ddl, []).append((index, bytearray(data)))
    answers = [None] * len(pairs)
    for ddl, rows in by_schema.items():
        spark.conf.set("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        columns = parse(ddl)
        cells = [f"{transport(kind, f'j.`{name}`')} as c{index}" for index, (name, kind) in enumerate(columns)]
        frame = spark.createDataFrame(spark.sparkContext.parallelize(rows, 1), "i INT, v BINARY")
        frame = frame.selectExpr("i", f"from_json(cast(v as string), '{ddl}, _corrupt_record STRING') as j").selectExpr(
            "i", "j._corrupt_record is not null as bad", *cells)
        for index, bad, *values in frame.collect():
            answers[index] = ["b" if bad else "-", [shown(kind, value) for (_, kind), value in zip(columns, values)]]
        spark.conf.set("spark.sql.legacy.timeParserPolicy", "EXCEPTION")
        if "DATE" in ddl or "TIMESTAMP" in ddl:
            fails = upgrade_fails(spark, ddl)
            for index, data in rows:
                if answers[index][0] == "b" and fails(bytes(data)):
                    answers[index][0] = "bu"
    spark.stop()
    return answers


def write(path, pairs, answers, chosen):
    by_schema = {}
    for index in chosen:
        by_schema.setdefault(pairs[index][0], []).append(index)
    with open(path, "w") as out:
        for ddl, indexes in by_schema.items():
            out.write(f"# {ddl}\n")
            for index in indexes:
                out.write(line(pairs[index][1], answers[index]))


SHORT = {in_every_column(token): token.encode() for token in TOKENS}


def line(data, answer):
    star, data = ("*", SHORT[data]) if data in SHORT else ("", data)
    return "\t".join([answer[0], star + base64.b64encode(data).decode().rstrip("="), *answer[1]]) + "\n"


def selection(pairs, answers, certain, bytes_kept):
    """What was meant to be kept, then short ones: half that are not standard JSON and yet gave something."""
    def odd(index):
        if all(cell == "~" for cell in answers[index][1]):
            return False
        try:
            json.loads(pairs[index][1])
            return False
        except (ValueError, RecursionError):
            return True

    chosen = list(range(certain))
    short = [index for index in range(certain, len(pairs)) if len(pairs[index][1]) <= 90]
    left = bytes_kept - sum(len(line(pairs[index][1], answers[index])) for index in chosen)
    for half in ([index for index in short if odd(index)], [index for index in short if not odd(index)]):
        size = 0
        for index in half:
            size += len(line(pairs[index][1], answers[index]))
            if size > left // 2:
                break
            chosen.append(index)
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--values", type=int, default=24_000)
    parser.add_argument("--kept", type=int, default=330_000)
    parser.add_argument("out_all")
    parser.add_argument("out_kept")
    arguments = parser.parse_args()
    pairs, certain = generate(arguments.seed, arguments.values)
    answers = record(pairs)
    write(arguments.out_all, pairs, answers, range(len(pairs)))
    write(arguments.out_kept, pairs, answers, selection(pairs, answers, certain, arguments.kept))


if __name__ == "__main__":
    main()
