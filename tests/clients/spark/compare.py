"""Compares the last count of each level on two consoles: python compare.py OURS SPARKS TOTAL"""
import sys


def last_counts(path):
    """Reads the tables that Spark's console sink prints: `|level|count|`, the last value of a level wins."""
    counts = {}
    for line in open(path, encoding="utf-8"):
        cells = [cell.strip() for cell in line.strip().split("|")]
        if len(cells) == 4 and cells[2].isdigit():
            counts[cells[1]] = int(cells[2])
    return counts


ours, sparks, total = last_counts(sys.argv[1]), last_counts(sys.argv[2]), int(sys.argv[3])
print("ours:  ", ours)
print("Spark's:", sparks)
assert sum(sparks.values()) == total, f"Spark counted {sum(sparks.values())} of {total}"
assert ours == sparks, "the counts differ"
