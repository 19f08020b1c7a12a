#!/usr/bin/env python3
"""Records what Spark 3.4.0 makes of the expressions in functions.txt, over the rows of ROWS.

    record_functions.py [--expressions FILE] OUT

Needs pyspark 3.4.0 and Java 17. OUT stands in the repository as processor/tests/data/functions-3.4.0.jsonl; a line is
[expression, column name, type, [value of each row as text, or null]] or [expression, error class]. A value is what
CAST(… AS STRING) gives, of a BINARY its hex digits.
"""

import argparse
import json
import pathlib
import sys

from pyspark.sql import SparkSession

# The same rows stand in processor/src/expr/recorded_tests/rows.rs.
ROWS = """
SELECT s, u, a, CAST(b AS BIGINT) b, CAST(d AS DOUBLE) d, CAST(e AS DECIMAL(10,2)) e, CAST(f AS DECIMAL(38,18)) f, p,
  CAST(dt AS DATE) dt, CAST(t AS TIMESTAMP) t, arr, words, m, st, CAST(s AS BINARY) bin FROM VALUES
('Hello World', '12', 1, 10, 1.5D, '12.34', '1.000000000000000001', true, '2024-02-29', '2024-02-29 12:34:56.789012',
 array(3, 1, NULL, 2), array('b', 'a'), map('k', 1, 'z', 2), named_struct('x', 1, 'y', 'in')),
('', ' -7 ', -3, -9223372036854775808, -2.5D, '-0.05', '-99999999999999999999.5', false, '1969-12-31',
 '1969-12-31 23:59:59.5', array(), array(), map(), named_struct('x', NULL, 'y', '')),
('naïve日本 x', '1.9', 2147483647, 9223372036854775807, double('NaN'), '99999999.99', '0', true, '2000-01-01',
 '2000-01-01 00:00:00', array(1, 1), array('x', NULL, 'x'), map('a', NULL), named_struct('x', 7, 'y', NULL)),
('a,b,c', 'abc', 0, 0, -0.0D, '0', '5.5', NULL, '2023-12-31', '2023-12-31 23:00:00.000001', array(NULL), array('a,b', ''),
 map('k', 5), named_struct('x', 0, 'y', 'q')),
(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
('2024-03-10 05:06:07', '1e3', -2147483648, 1709211296, 1e300D, '2.50', '2.5', false, '0001-01-01',
 '9999-12-31 23:59:59.999999', array(5, 4), array('http://u:p@h.com/p?q=1#f'), map('', 0), named_struct('x', -1, 'y', 'z'))
AS r(s, u, a, b, d, e, f, p, dt, t, arr, words, m, st)
"""


def record(spark, expression):
    try:
        frame = spark.sql(f"SELECT {expression} FROM r")
        # Not frame.schema: PySpark has no intervals of months.
        (field,) = frame._jdf.schema().fields()
        kind = field.dataType().simpleString()
        show = "hex(v)" if kind == "binary" else "CAST(v AS STRING)"
        rows = frame.toDF("v").selectExpr(show).collect()
        return [expression, field.name(), kind, [row[0] for row in rows]]
    except Exception as error:  # Spark's refusals have many classes
        message = getattr(error, "desc", None) or str(error)
        first = message.strip().split("\n")[0]
        if first.startswith("An error occurred"):
            first = message.strip().split("\n")[1].lstrip(": ")
        return [expression, first[:200]]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--expressions", default=pathlib.Path(__file__).with_name("functions.txt"))
    arguments.add_argument("out")
    arguments = arguments.parse_args()
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    spark.sql(ROWS).createOrReplaceTempView("r")
    lines = pathlib.Path(arguments.expressions).read_text().splitlines()
    expressions = [line for line in lines if line.strip() and not line.startswith("#")]
    with open(arguments.out, "w") as out:
        for expression in expressions:
            out.write(json.dumps(record(spark, expression), ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{len(expressions)} expressions", file=sys.stderr)


main()
