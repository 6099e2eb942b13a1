"""Judge programs in a sandbox: the verdict is made where the program cannot reach.

    with LocalSandbox(Limits(timeout=3.0)) as sandbox:
        for position, verdict in sandbox.judge_all(pairs):
            ...

The names are loaded when first used: the judge's own processes import this package too, and must stay small.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from regreen.problem import Problem
    from regreen.sandbox.capabilities import Capabilities, probe
    from regreen.sandbox.fusion import FusionSandbox
    from regreen.sandbox.limits import Limits
    from regreen.sandbox.local import LocalSandbox
    from regreen.sandbox.ray import RaySandbox
    from regreen.sandbox.remote import RemoteSandbox
    from regreen.verdict import Verdict

__all__ = [
    "Capabilities",
    "FusionSandbox",
    "Limits",
    "LocalSandbox",
    "RaySandbox",
    "RemoteSandbox",
    "Sandbox",
    "probe",
]

_HOMES = {
    "Capabilities": "capabilities",
    "FusionSandbox": "fusion",
    "Limits": "limits",
    "LocalSandbox": "local",
    "RaySandbox": "ray",
    "RemoteSandbox": "remote",
    "probe": "capabilities",
}


class Sandbox(Protocol):
    """Whatever judges programs: this machine, a server or a cluster.

    ``limits`` hold for every program. ``tier`` is how strongly programs are confined, ``jobs`` how many threads it is
    worth asking from. Every method raises :class:`regreen.errors.InfrastructureError` where there can be no verdict.
    """

    limits: Limits
    tier: str
    jobs: int

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a manifest says of it, as plain data: the tier, and what it was found to be."""
        ...

    async def judge(self, problem: Problem, source: str) -> Verdict:
        """Judge one program without blocking the event loop."""
        ...

    def judge_now(self, problem: Problem, source: str) -> Verdict:
        """Judge one program and wait for the verdict; may be called from several threads."""
        ...

    def judge_all(self, pairs: Iterable[tuple[Problem, str]]) -> Iterator[tuple[int, Verdict]]:
        """Judge many programs at once; yield each one's position and verdict as they come.

        ``pairs`` is consumed as it is needed, in another thread.
        """
        ...

    def close(self) -> None:
        """Break off what is being judged, and let go of everything."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
