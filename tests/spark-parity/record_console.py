#!/usr/bin/env python3
"""Records how Spark 3.4.0 shows generated tables, and to which shuffle partition it sends generated keys.

    record_console.py [--seed N] [--tables N] [--keys N] OUT

Needs pyspark 3.4.0 and Java 17. OUT stands in the repository as processor/tests/data/console-3.4.0-generated.json;
processor/tests/spark_console.rs compares.
"""

import argparse
import json
import random

CHARACTERS = (["INFO", "a", "Z", "0", " ", "é", "ß", "日", "本", "한", "Ａ", "￦", "！", "ｱ", "😀", "\U0010ffff", "\u0301", "\u1100",
               "\u115f", "\u1160", "\ua4cf", "\ua4d0", "\ufe30", "\ufe6f", "\uff60", "\uff61", "\\", "|", "\x7f", "\x00"]
              + list("\n\r\t\f\b\v\a\x1b"))


def text(rng):
    if rng.randrange(8) == 0:
        return None
    return "".join(rng.choice(CHARACTERS) for _ in range(rng.choice([0, 1, 2, 5, 8, 16, 17, 18, 19, 20, 21, 22, 40])))


def tables(rng, count):
    for _ in range(count):
        texts = rng.randrange(0, 4)
        names = rng.sample(["level", "a", "日本", "a_very_long_name_of_a_column", "x y", "tab\there", "count(1)"], texts)
        size = rng.choice([0, 1, 2, 5, 19, 20, 21, 30])
        yield names, [[*(text(rng) for _ in names), rng.randrange(10 ** rng.randrange(1, 19))] for _ in range(size)]


def keys(rng, count):
    for _ in range(count):
        yield [text(rng) for _ in range(rng.choice([1, 1, 2, 3]))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", type=int, default=32)
    parser.add_argument("--keys", type=int, default=400)
    parser.add_argument("out")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)

    from pyspark.sql import SparkSession
    from pyspark.sql.types import LongType, StringType, StructField, StructType

    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.driver.memory", "1g").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    shown = []
    for names, rows in tables(rng, arguments.tables):
        schema = StructType([StructField(name, StringType()) for name in names] + [StructField("count", LongType())])
        frame = spark.createDataFrame(rows, schema)
        cells = [[None if cell is None else str(cell) for cell in row] for row in rows]
        shown.append({"columns": [*names, "count"], "rows": cells, "shown": frame._jdf.showString(20, 20, False)})
    hashed = []
    for width in (1, 2, 3):
        batch = [key for key in keys(rng, arguments.keys) if len(key) == width]
        names = [f"k{index}" for index in range(width)]
        frame = spark.createDataFrame(batch, StructType([StructField(name, StringType()) for name in names]))
        partitions = frame.selectExpr(f"pmod(hash({', '.join(names)}), 200)").collect()
        hashed += [{"key": key, "partition": partition} for key, (partition,) in zip(batch, partitions)]
    spark.stop()
    with open(arguments.out, "w") as out:
        json.dump({"spark": "3.4.0", "tables": shown, "keys": hashed}, out, ensure_ascii=True, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
