"""Counts log records by level with Spark Structured Streaming: python counts.py HOST:PORT TOTAL

Reads the topic `logs` from its start, prints each update on the console, and ends when TOTAL records were read, with
a line of JSON for each batch: its number, records and seconds.
"""
import json
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json

bootstrap, total = sys.argv[1], int(sys.argv[2])
spark = SparkSession.builder.appName("level counts").getOrCreate()
records = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", bootstrap)
    .option("subscribe", "logs")
    .option("startingOffsets", "earliest")
    .load()
)
lines = records.select(from_json(col("value").cast("string"), "level STRING, message STRING").alias("line"))
counts = lines.select("line.*").groupBy("level").count()
query = counts.writeStream.outputMode("update").format("console").option("numRows", 1000).start()

read = {}
deadline = time.monotonic() + 600
while query.isActive and sum(read.values()) < total:
    assert time.monotonic() < deadline, f"{sum(read.values())} of {total} records were read"
    time.sleep(0.1)
    read.update((each["batchId"], each["numInputRows"]) for each in query.recentProgress)
if query.exception() is not None:
    raise query.exception()
for each in query.recentProgress:
    seconds = each["durationMs"].get("triggerExecution", 0) / 1000
    print(json.dumps({"batch": each["batchId"], "records": each["numInputRows"], "seconds": seconds}))
query.stop()
