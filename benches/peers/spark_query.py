"""A streaming query of Spark over records that are in a topic: spark_query.py BOOTSTRAP TOPIC COLUMNS SQL RECORDS

Reads the topic from its start as the table `logs`, in update mode, and ends when RECORDS records were read. The last
line it prints is the seconds that its batches took together.
"""
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json

bootstrap, topic, columns, sql, total = sys.argv[1:5] + [int(sys.argv[5])]
spark = SparkSession.builder.appName("query").config("spark.sql.session.timeZone", "UTC").getOrCreate()
records = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", bootstrap)
    .option("subscribe", topic)
    .option("startingOffsets", "earliest")
    .load()
)
lines = records.select(from_json(col("value").cast("string"), columns).alias("line"))
lines.select("line.*").createOrReplaceTempView("logs")
query = spark.sql(sql).writeStream.outputMode("update").format("console").start()

read = {}
deadline = time.monotonic() + 600
while query.isActive and sum(read.values()) < total:
    assert time.monotonic() < deadline, f"{sum(read.values())} of {total} records were read"
    time.sleep(0.1)
    read.update((each["batchId"], each["numInputRows"]) for each in query.recentProgress)
if query.exception() is not None:
    raise query.exception()
seconds = sum(each["durationMs"].get("triggerExecution", 0) / 1000 for each in query.recentProgress)
query.stop()
print(seconds)
