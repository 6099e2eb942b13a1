"""evalplus: its ``untrusted_check`` on recorded inputs, called from a pool of processes, as its own command does."""

import re
from concurrent.futures import ProcessPoolExecutor

from common import main, values
from evalplus.eval import untrusted_check


def judge_all(items, jobs):
    if jobs == 1:
        return [_run(item) for item in items]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(_run, items))


def _run(item):
    inputs, expected = values(item)
    seconds = [item["timeout"]] + [0.0] * (len(inputs) - 1)
    status, _ = untrusted_check(
        "humaneval",
        f"{item['prelude']}\n{item['program']}",
        inputs,
        item["entry_point"],
        expected,
        1e-6 if re.search(r"\d\.\d", repr(expected)) else 0,
        seconds,
        fast_check=True,
        min_time_limit=item["timeout"],
        gt_time_limit_factor=1.0,
    )
    return status == "pass"


if __name__ == "__main__":
    main(judge_all)
