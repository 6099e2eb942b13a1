"""What every contender's script shares: ``python CONTENDER.py WORK JOBS COUNT``, and a line of JSON as its answer."""

import json
import sys
import time


def values(item):
    """Return inputs and expected values, which stand as Python text where JSON would change them."""
    pair = item["inputs"], item["expected"]
    return [eval(part) if isinstance(part, str) else part for part in pair]


def whole(item):
    """Return program and tests as one text that raises if the program is wrong."""
    if "stdin" in item:
        return item["program"]
    return f"{item['prelude']}\n{item['program']}\n{item['tests']}\ncheck({item['entry_point']})\n"


def main(judge_all):
    """Time ``judge_all(items, jobs)``, which returns one bool per item; with a count of 0 only the start is paid."""
    path, jobs, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path) as lines:
        items = [json.loads(line) for line in lines]
    items = [items[n % len(items)] for n in range(count)]
    started = time.perf_counter()
    passed = judge_all(items, jobs)
    seconds = getattr(judge_all, "seconds", None) or time.perf_counter() - started
    right = sum(bool(got) == item["passes"] for got, item in zip(passed, items, strict=True))
    print(json.dumps({"right": right, "wall": seconds}))
