"""What looking for copies costs: seconds and megabytes a second over a corpus, beside a search with sets.

The corpus is this Python's own standard library, read as often as it takes to be ``--megabytes`` long; what is looked
for are the solutions of the katas. The peer is the plain way: the set of all runs of ten tokens of the programs, and
each run of the corpus looked up in it; it finds whether a run of ten is there, while ours finds the longest one.
Seconds are those of the process's own processor time. Both must agree on which programs share a run of ten.
"""

from __future__ import annotations

import argparse
import re
import sysconfig
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from regreen.benchmarks import load
from regreen.formats.corpus import read_corpus
from regreen.studies.copied import SharedLines, SharedRuns, code_lines, telling

_TOKEN = re.compile(r"\w+|[^\w\s]")
_RUN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--peer-megabytes", type=int, default=10, help="the peer is timed on so many")
    parser.add_argument("--benchmark", default="katas:train")
    options = parser.parse_args()
    solutions = [problem.solution or "" for problem in islice(load(options.benchmark).problems(), 1000)]
    programs = ["\n".join(code_lines(solution)) for solution in solutions]
    texts = _texts(options.megabytes)
    size = sum(map(len, texts)) / 1e6
    part = _texts(options.peer_megabytes)
    seconds, _ = _timed(lambda: _ours(programs, texts))
    few, ours = _timed(lambda: _ours(programs, part))
    peer, sets = _timed(lambda: _sets(programs, part))
    assert [length >= _RUN for length, _ in ours] == sets, "both find the same programs"
    print(f"{len(programs)} programs, {size:.0f} MB of source, processor seconds")
    print(f"lines and longest runs: {seconds:6.1f} s, {size / seconds:5.1f} MB a second")
    print(f"a set of runs of {_RUN}:   {peer / few:6.2f} times as long, on {sum(map(len, part)) / 1e6:.0f} MB")


def _texts(megabytes: int) -> list[str]:
    library = [text for _, text in read_corpus(Path(sysconfig.get_path("stdlib")))]
    texts, size = [], 0
    for text in cycle(library):
        texts.append(text)
        size += len(text)
        if size >= megabytes * 1_000_000:
            return texts
    return texts


def _ours(programs: Sequence[str], texts: Sequence[str]) -> list[tuple[int, str | None]]:
    runs = SharedRuns(programs, shortest=_RUN)
    lines = SharedLines([telling(program.split("\n")) for program in programs])
    for text in texts:
        found = code_lines(text)
        lines.read("", found)
        runs.read("", "\n".join(found))
    return runs.longest()


def _sets(programs: Sequence[str], texts: Sequence[str]) -> list[bool]:
    wanted = {gram for program in programs for gram in _grams(program)}
    found: set[tuple[str, ...]] = set()
    for text in texts:
        found |= wanted.intersection(_grams("\n".join(code_lines(text))))
    return [not found.isdisjoint(_grams(program)) for program in programs]


def _grams(text: str) -> zip[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    return zip(*(tokens[at:] for at in range(_RUN)), strict=False)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


if __name__ == "__main__":
    main()
