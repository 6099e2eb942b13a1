"""Which problems, and how programs are judged: what every command on a benchmark takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Literal

from regreen import benchmarks
from regreen.errors import InputError
from regreen.problem import Problem
from regreen.records import Record
from regreen.sandbox import Limits, LocalSandbox

_MOST_LIMITS = {  # a day, 16 TiB, 1 GiB: what is beyond is a slip
    "timeout": ("--timeout", 86_400, "seconds"),
    "memory": ("--memory", 1 << 44, "bytes"),
    "output": ("--output-limit", 1 << 30, "bytes"),
}


@dataclass(frozen=True, slots=True)
class Judging:
    """How programs are judged: ``timeout`` in CPU seconds, ``memory`` and ``output`` in bytes, on ``jobs`` cores.

    ``sandbox`` is ``local`` (tier B at least) or ``local:A``, ``local:B``, ``local:C``.
    """

    timeout: float = 3.0
    memory: int = 1 << 30
    output: int = 1 << 20
    sandbox: str = "local"
    jobs: int | None = None

    @property
    def tier(self) -> str:
        """The weakest tier allowed."""
        place, _, tier = self.sandbox.partition(":")
        if place != "local" or tier not in ("", "A", "B", "C"):
            raise InputError(f"--sandbox {self.sandbox}: expected local, local:A, local:B or local:C")
        return tier or "B"

    def open(self) -> LocalSandbox:
        """Return the sandbox asked for; raises InputError, TierError."""
        for name, (option, most, unit) in _MOST_LIMITS.items():
            given = getattr(self, name)
            if not 0 < given <= most:  # NaN is refused so, too
                raise InputError(f"{option} {given}: must be more than 0 and at most {most} {unit}")
        return LocalSandbox(Limits(self.timeout, self.memory, self.output), jobs=self.jobs, tier=self.tier)

    def decides(self) -> Record:
        """Return what decides verdicts."""
        return {name: value for name, value in asdict(self).items() if name != "jobs"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which problems: where their data lies, and which of them."""

    data: Path | None = None
    only: tuple[str, ...] = ()
    limit: int | None = None
    after: date | None = None
    before: date | None = None

    def load(self, benchmark: str, purpose: Literal["all", "ask", "train"] = "all") -> tuple[str, list[Problem]]:
        """Return the benchmark's full name and all of its problems."""
        found = benchmarks.load(benchmark, data=self.data, purpose=purpose, after=self.after, before=self.before)
        problems = list(found.problems())
        if not problems:
            raise InputError(f"{benchmark}: no problems left; widen --after and --before")
        return _label(found.name), problems

    def choose(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return the problems wanted; raises InputError for an id that is not there."""
        by_id = {problem.id: problem for problem in problems}
        for name in self.only:
            if name not in by_id:
                raise InputError(f"--only {name}: no such problem; ids look like {', '.join(islice(by_id, 3))}")
        return [problem for problem in by_id.values() if not self.only or problem.id in self.only][: self.limit]


def _label(name: str) -> str:
    """Return a benchmark's name; of a file its own, since where it lies decides nothing."""
    return re.sub(r"\.jsonl?(\.gz)?$", "", Path(name).name)
