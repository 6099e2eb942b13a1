"""Where does online training on many machines break first? A simulation of drawing, judging and learning.

Run it: ``python benches/scale.py`` (a minute; nothing is needed but Python).

Generators draw rounds of programs with the newest weights that were handed out; a program goes to a queue of judges as
soon as its text ends, and from there to a buffer; the learner takes the oldest programs, steps, and hands out weights.
Whoever finds the buffer full waits. Lengths of texts are log-normal, a share of programs runs into the time limit.

What is measured is this package's: CPU seconds of a verdict (``benches/judge.py``), bytes of a run directory. What is
assumed of GPUs stands in ``GPU`` and ``Model``: nothing of it was measured here. The simulated hours are cheap, and say
which queue grows; they are no forecast of a cluster's throughput.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from statistics import fmean

FLOPS, MFU = 990e12, 0.4  # of a GPU in bfloat16, and the share of it that training uses
BANDWIDTH, READ = 3.35e12, 0.5  # bytes a second of its memory, and the share that decoding uses
WIRE = 25e9  # bytes a second, to hand weights to other machines
MEMORY = 80e9  # bytes of a GPU
HOURS = 2.0


@dataclass(frozen=True)
class Model:
    """A model: weights, and GPUs that hold one copy for writing."""

    name: str
    weights: float
    gpus: int


@dataclass(frozen=True)
class Setting:
    """A cluster and a training on it. Seconds, bytes, tokens."""

    model: Model = Model("7B", 7e9, 1)
    gpus: int = 64
    learning: int = 24  # of the GPUs; the others write
    rows: int = 256  # texts that a copy writes side by side
    length: float = 300.0  # tokens of a text, the median
    spread: float = 0.8  # of its logarithm
    longest: int = 2048
    batch: int = 1024  # programs that a step learns from
    buffer: int = 4096  # programs that wait to be learned from, at most
    cores: int = 64  # that judge
    verdict: float = 0.005  # CPU seconds of a program that ends, compiled, called and compared
    stuck: float = 0.02  # share of programs that run into the limit
    limit: float = 3.0

    @property
    def copies(self) -> int:
        """How many copies of the model write."""
        return (self.gpus - self.learning) // self.model.gpus

    @property
    def pass_seconds(self) -> float:
        """The time in which every row of a copy gets one token: its weights are read once, in bfloat16."""
        return 2 * self.model.weights / (BANDWIDTH * READ * self.model.gpus)

    def step_seconds(self, tokens: float) -> float:
        """The time of a step on so many tokens: forward and backward, and handing out weights."""
        return 6 * self.model.weights * tokens / (FLOPS * MFU * self.learning) + 2 * self.model.weights / WIRE


@dataclass
class Found:
    """What came of a simulation."""

    steps: int = 0
    programs: int = 0
    learner: float = 0.0  # shares of the time in which each works
    writers: float = 0.0
    judges: float = 0.0
    waiting: float = 0.0  # seconds from the end of a text to its verdict, mean
    queue: int = 0  # programs that waited for a judge, at most
    staleness: list[int] = field(default_factory=list)  # steps since the weights that wrote a program


def simulate(setting: Setting, *, seconds: float = 3600 * HOURS, seed: int = 0) -> Found:
    """Return what happens in so many seconds."""
    return _Cluster(setting, Random(seed)).run(seconds)


class _Cluster:
    """Events in the order of their time: ``(time, number, kind, what)``."""

    def __init__(self, setting: Setting, random: Random) -> None:
        self._s, self._random, self._found = setting, random, Found()
        self._events: list[tuple[float, int, str, object]] = []
        self._count = self._version = self._flying = 0
        self._free = setting.cores
        self._queue: deque[tuple[float, int, float]] = deque()
        self._buffer: deque[tuple[int, float]] = deque()
        self._idle: deque[int] = deque()  # copies that found the buffer full
        self._learning = False
        self._waits: list[float] = []

    def run(self, seconds: float) -> Found:
        for copy in range(self._s.copies):
            self._at(0.0, "write", copy)
        while self._events:
            now, _, kind, what = heapq.heappop(self._events)
            if now > seconds:
                break
            getattr(self, f"_{kind}")(now, what)
        found = self._found
        found.learner /= seconds
        found.writers /= seconds * max(1, self._s.copies)
        found.judges /= seconds * self._s.cores
        found.waiting = fmean(self._waits) if self._waits else 0.0
        return found

    def _at(self, time: float, kind: str, what: object) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, self._count, kind, what))

    def _write(self, now: float, copy: object) -> None:
        """Begin a round, or wait while more programs are on their way than the buffer holds."""
        if self._flying + self._s.rows > self._s.buffer:
            self._idle.append(copy)  # type: ignore[arg-type]
            return
        lengths = sorted(self._lengths())
        self._flying += len(lengths)
        for length in lengths:
            self._at(now + length * self._s.pass_seconds, "written", (self._version, length))
        took = lengths[-1] * self._s.pass_seconds  # a round lasts as long as its longest text
        self._found.writers += took
        self._at(now + took, "write", copy)

    def _lengths(self) -> Iterator[float]:
        for _ in range(self._s.rows):
            drawn = self._s.length * math.exp(self._random.gauss(0.0, self._s.spread))
            yield min(self._s.longest, max(8.0, drawn))

    def _written(self, now: float, what: object) -> None:
        version, length = what  # type: ignore[misc]
        self._queue.append((now, version, length))
        self._found.queue = max(self._found.queue, len(self._queue))
        self._judge(now)

    def _judge(self, now: float) -> None:
        while self._free and self._queue:
            since, version, length = self._queue.popleft()
            self._free -= 1
            took = self._s.limit if self._random.random() < self._s.stuck else self._s.verdict
            self._found.judges += took
            self._waits.append(now + took - since)
            self._at(now + took, "judged", (version, length))

    def _judged(self, now: float, what: object) -> None:
        self._free += 1
        self._buffer.append(what)  # type: ignore[arg-type]
        self._judge(now)
        self._learn(now)

    def _learn(self, now: float) -> None:
        if self._learning or len(self._buffer) < self._s.batch:
            return
        taken = [self._buffer.popleft() for _ in range(self._s.batch)]
        self._found.staleness += [self._version - version for version, _ in taken]
        took = self._s.step_seconds(sum(length for _, length in taken))
        self._learning = True
        self._found.learner += took
        self._found.programs += len(taken)
        self._at(now + took, "learned", len(taken))

    def _learned(self, now: float, taken: object) -> None:
        self._version += 1
        self._found.steps += 1
        self._learning = False
        self._flying -= taken  # type: ignore[operator]
        for _ in range(len(self._idle)):
            self._write(now, self._idle.popleft())
        self._learn(now)


SMALL, LARGE = Model("7B", 7e9, 1), Model("70B", 70e9, 4)
BASE = Setting()
CASES = {
    "7B, 24 of 64 GPUs learn": BASE,
    "8 learn": replace(BASE, learning=8),
    "48 learn": replace(BASE, learning=48),
    "8 cores judge": replace(BASE, cores=8),
    "24 cores judge": replace(BASE, cores=24),
    "none stuck, 8 cores": replace(BASE, cores=8, stuck=0.0),
    "one in ten stuck": replace(BASE, stuck=0.1),
    "texts of one length": replace(BASE, spread=0.0, length=413.0),  # the mean of the others
    "buffer of 12,000 programs": replace(BASE, buffer=12_000),
    "70B, 32 of 64 GPUs learn": replace(BASE, model=LARGE, learning=32),
}
TOLD = "{:<27} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:>12}"


def main() -> None:
    """Print what becomes of each cluster, then what a million programs and a weight cost."""
    print(TOLD.format("", "step, s", "learner", "writers", "judges", "verdict, s", "queue", "staleness"))
    for name, setting in CASES.items():
        found = simulate(setting)
        each = sorted(found.staleness)
        stale = f"{fmean(each):.1f} ({each[int(0.95 * len(each))]})" if each else "-"
        shares = [f"{share:.0%}" for share in (found.learner, found.writers, found.judges)]
        step = f"{3600 * HOURS / found.steps:.1f}" if found.steps else "-"
        print(TOLD.format(name, step, *shares, f"{found.waiting:.2f}", found.queue, stale))
    print("\nshares of the time in which each works; queue: programs that waited for a judge at once, at most;")
    print("staleness: steps since the weights that wrote a program, mean (and that of one in twenty)")
    print(f"\nmost weights in {MEMORY / 1e9:.0f} GB, 16 bytes each: {MEMORY / 16 / 1e9:.0f} G")


if __name__ == "__main__":
    main()
