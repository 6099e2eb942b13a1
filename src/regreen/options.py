"""Which problems, what is asked of a model, how programs are judged: what commands on a benchmark take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from regreen import benchmarks
from regreen.errors import InputError
from regreen.models import Model
from regreen.plugins import plugin
from regreen.problem import Problem
from regreen.prompts import Template
from regreen.records import Record
from regreen.sandbox import FusionSandbox, Limits, LocalSandbox, RaySandbox, RemoteSandbox, Sandbox
from regreen.sandbox.elsewhere import FUSION

SERVERS = ("http://", "https://")  # before the address of a regreen serve
_FUSIONS = tuple(f"{FUSION}{start}" for start in SERVERS)
_MOST_LIMITS = {  # a day, 16 TiB, 1 GiB: what is beyond is a slip
    "timeout": ("--timeout", 86_400, "seconds"),
    "memory": ("--memory", 1 << 44, "bytes"),
    "output": ("--output-limit", 1 << 30, "bytes"),
}


@dataclass(frozen=True, slots=True)
class Judging:
    """How programs are judged: ``timeout`` in CPU seconds, ``memory`` and ``output`` in bytes, on ``jobs`` cores.

    ``sandbox`` is ``local`` (tier B at least) or ``local:A``, ``local:B``, ``local:C``; the address of a
    ``regreen serve``, as ``http://HOST:PORT``, where ``jobs`` is how many batches are in flight; that of a
    SandboxFusion, as ``fusion+http://HOST:PORT``; or ``NAME:PLACE`` of another package's (:mod:`regreen.plugins`).
    ``cluster`` is where the machines are that judge instead of this one: ``ray`` or ``HOST:PORT``, with ``jobs``
    programs at once on each.
    """

    timeout: float = 3.0
    memory: int = 1 << 30
    output: int = 1 << 20
    sandbox: str = "local"
    jobs: int | None = None
    cluster: str | None = None

    @property
    def tier(self) -> str:
        """The weakest tier allowed."""
        place, _, tier = self.sandbox.partition(":")
        if place != "local" or tier not in ("", "A", "B", "C"):
            places = "local, local:A, local:B or local:C, or the address of a regreen serve as http://HOST:PORT"
            raise InputError(f"--sandbox {self.sandbox}: expected {places}")
        return tier or "B"

    @property
    def remote(self) -> bool:
        """True if not this machine judges."""
        return self.sandbox.startswith((*SERVERS, *_FUSIONS)) or self._plugged() is not None

    def open(self) -> Sandbox:
        """Return the sandbox asked for; raises InputError, TierError, and InfrastructureError if nobody answers."""
        if self.cluster is not None:
            return self._open_cluster(self.cluster)
        if self.sandbox.startswith(SERVERS):
            return RemoteSandbox(self.sandbox, self.limits(), jobs=self.jobs)
        if self.sandbox.startswith(_FUSIONS):
            return FusionSandbox(self.sandbox.removeprefix(FUSION), self.limits(), jobs=self.jobs)
        if (opened := self._plugged()) is not None:
            return opened(self.sandbox.partition(":")[2], self.limits(), self.jobs)  # type: ignore[no-any-return]
        return self.open_local()

    def _plugged(self) -> Any | None:
        """Return what another package opens a sandbox of this name with, or None."""
        place = self.sandbox.partition(":")[0]
        return None if place == "local" else plugin("sandboxes", place)

    def _open_cluster(self, where: str) -> RaySandbox:
        if self.remote:
            raise InputError(f"--cluster {where}: its nodes judge; leave out --sandbox {self.sandbox}, or --cluster")
        return RaySandbox(where, self.limits(), jobs=self.jobs, tier=self.tier)

    def open_local(self) -> LocalSandbox:
        """Return the sandbox asked for, which must be this machine's; raises InputError, TierError."""
        if self.cluster is not None:
            raise InputError(f"--cluster {self.cluster}: to judge here leave it out")
        if self.remote:
            raise InputError(f"--sandbox {self.sandbox}: to judge here give local, local:A, local:B or local:C")
        return LocalSandbox(self.limits(), jobs=self.jobs, tier=self.tier)

    def limits(self) -> Limits:
        """Return what a program may use; raises InputError for what cannot be."""
        for name, (option, most, unit) in _MOST_LIMITS.items():
            given = getattr(self, name)
            if not 0 < given <= most:  # NaN is refused so, too
                raise InputError(f"{option} {given}: must be more than 0 and at most {most} {unit}")
        return Limits(self.timeout, self.memory, self.output)

    def decides(self) -> Record:
        """Return what decides verdicts: that a server makes them, but not where it stands; of a cluster nothing."""
        given = {name: value for name, value in asdict(self).items() if name not in ("jobs", "cluster")}
        return given | ({"sandbox": self.sandbox.partition(":")[0].replace("https", "http")} if self.remote else {})


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


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is asked of a model: ``n`` programs for each problem at each temperature.

    ``prompt`` names a template or is the path of one; None takes what fits the problems and the model. ``examples`` are
    solved problems shown before: their number, or their ids. ``show`` says which checks may be displayed: "none",
    "all", a number, or None for the problem's own. ``stop`` strings come on top of the template's. ``total`` ends the
    asking after so many generated tokens.
    """

    n: int = 1
    temperatures: tuple[float, ...] = (0.0,)
    top_p: float = 0.95
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    prompt: str | None = None
    examples: int | tuple[str, ...] | None = None
    show: str | None = None
    total: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if len(set(self.temperatures)) < len(self.temperatures) or not self.temperatures:
            raise InputError(f"--temperature {self.temperatures}: give each once")
        if self.n > 1 and 0.0 in self.temperatures:
            raise InputError(f"-n {self.n} at temperature 0 gives one program {self.n} times; give --temperature 0.8")

    def decides(self) -> Record:
        """Return what decides the samples."""
        given = asdict(self)
        kept = {name: given[name] for name in ("top_p", "max_tokens", "stop", "examples", "show", "seed")}
        return {
            "temperature": list(self.temperatures),
            **{k: list(v) if type(v) is tuple else v for k, v in kept.items()},
        }


def _label(name: str) -> str:
    """Return a benchmark's name; of a file its own, since where it lies decides nothing."""
    return re.sub(r"\.jsonl?(\.gz)?$", "", Path(name).name)


def asked_of(
    model: Model,
    sampling: Sampling,
    template: Template,
    problems: Sequence[Problem],
    choice: Choice,
    judging: Judging,
) -> Record:
    """Return everything that decides a model's programs and their verdicts, for a run's settings."""
    return {
        "model": model.name,
        **({"model_options": dict(model.decides)} if model.decides else {}),
        "prompt": f"{template.name} {template.hash}",
        **sampling.decides(),
        "problems": benchmarks.digest(problems),
        "only": sorted(choice.only),
        **judging.decides(),
    }


def about(sandbox: Sandbox, **more: Any) -> Record:
    """Return what a manifest says of the sandbox, and more."""
    return {
        "sandbox": dict(sandbox.facts),
        "limits": sandbox.limits._asdict(),
        **more,
    }
