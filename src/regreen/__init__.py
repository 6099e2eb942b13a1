"""regreen: evaluate, repair and train code-writing language models, with unit tests as the only teacher."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regreen.attempt import judge
    from regreen.errors import (
        InfrastructureError,
        InputError,
        MissingDataError,
        RegreenError,
        RunLockedError,
        TierError,
    )
    from regreen.notebook import FinishedRun, read_run
    from regreen.problem import Assert, Call, Check, Problem, Stdio
    from regreen.program import Program
    from regreen.tree import Node, RepairTree, Trajectory
    from regreen.verdict import CheckResult, Outcome, Verdict

__all__ = [
    "Assert",
    "Call",
    "Check",
    "CheckResult",
    "FinishedRun",
    "InfrastructureError",
    "InputError",
    "MissingDataError",
    "Node",
    "Outcome",
    "Problem",
    "Program",
    "RegreenError",
    "RepairTree",
    "RunLockedError",
    "Stdio",
    "TierError",
    "Trajectory",
    "Verdict",
    "judge",
    "read_run",
]

# Every name is loaded when first used: importing the package costs nothing, not even to the judge's small processes.
_HOMES = {
    "attempt": ("judge",),
    "errors": ("InfrastructureError", "InputError", "MissingDataError", "RegreenError", "RunLockedError", "TierError"),
    "notebook": ("FinishedRun", "read_run"),
    "problem": ("Assert", "Call", "Check", "Problem", "Stdio"),
    "program": ("Program",),
    "tree": ("Node", "RepairTree", "Trajectory"),
    "verdict": ("CheckResult", "Outcome", "Verdict"),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("regreen")
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'regreen' has no attribute {name!r}")
    return getattr(importlib.import_module(f"regreen.{home}"), name)
