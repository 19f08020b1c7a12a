"""Compares counts with the expected ones: python counts.py console|topic FILE EXPECTED.json"""
import json
import sys

kind, path, expected = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3], encoding="utf-8"))
counts = {}
for line in open(path, encoding="utf-8"):
    if kind == "console":
        cells = [cell.strip() for cell in line.strip().split("|")]
        if len(cells) == 4 and cells[2].isdigit():
            counts[cells[1]] = int(cells[2])
    else:
        key, value = map(json.loads, line.rstrip("\n").split("\t"))
        assert key == {"level": value["level"]}, f"key {key} of value {value}"
        counts[value["level"]] = value["count"]
assert counts == expected, f"expected {expected}, got {counts}"
