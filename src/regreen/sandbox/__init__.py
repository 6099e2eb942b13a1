"""Judge programs in a sandbox: the verdict is made where the program cannot reach.

    with LocalSandbox(Limits(timeout=3.0)) as sandbox:
        for position, verdict in sandbox.judge_all(pairs):
            ...

The names are loaded when first used: the judge's own processes import this package too, and must stay small.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from regreen.problem import Problem
    from regreen.sandbox.capabilities import Capabilities, probe
    from regreen.sandbox.limits import Limits
    from regreen.sandbox.local import LocalSandbox
    from regreen.verdict import Verdict

__all__ = ["Capabilities", "Limits", "LocalSandbox", "Sandbox", "probe"]

_HOMES = {"Capabilities": "capabilities", "Limits": "limits", "LocalSandbox": "local", "probe": "capabilities"}


class Sandbox(Protocol):
    """Whatever judges a program: this machine, another, many."""

    async def judge(self, problem: Problem, source: str) -> Verdict:
        """Return the verdict; raises :class:`regreen.errors.InfrastructureError` if there can be none."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
