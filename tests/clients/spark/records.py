"""Writes log records for both to count: plain ones, and what JSON and its readers disagree on."""
import json
import random

random.seed(20)
LEVELS = ["INFO"] * 12 + ["DEBUG"] * 5 + ["WARN"] * 2 + ["ERROR"]
ODD = [
    "not json", "{}", "[]", "null", '"text"', '{"level":null}', '{"level":7}', '{"level":1.50}', '{"level":true}',
    '{"level":{"a":1}}', '{"level":[1, 2]}', '{"level":"INFO"', '{"level":"INFO"} trailing', '{"level":"IN\\u0046O"}',
    '{"message":"no level"}', '{"level":"a","level":"b"}', ' {"level" : "spaced" } ', '{"LEVEL":"upper"}',
    '{"level":"naïve ✓"}', "{'level':'single quotes'}", '{"level":"WARN","message":{"deep":[1,{"x":null}]}}',
]
for number in range(20_000):
    if number % 40 == 0:
        print(random.choice(ODD))
    else:
        print(json.dumps({"level": random.choice(LEVELS), "message": f"request {number} took {number % 977} ms"}))
