"""The plain way: a fresh ``python -I -S`` for each program, its exit status or output taken as the verdict."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from common import main, whole


def judge_all(items, jobs):
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda pair: _run(folder, *pair), enumerate(items)))


def _run(folder, number, item):
    path = os.path.join(folder, f"{number}.py")
    with open(path, "w") as file:
        file.write(whole(item))
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", path],
            input=item.get("stdin", ""),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=item["timeout"],
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and done.stdout == item.get("stdout", "")


if __name__ == "__main__":
    main(judge_all)
