"""regreen: evaluate, repair and train code-writing language models, with unit tests as the only teacher."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from regreen.errors import (
    InfrastructureError,
    InputError,
    MissingDataError,
    RegreenError,
    RunLockedError,
    TierError,
)
from regreen.problem import Assert, Call, Check, Problem, Stdio
from regreen.program import Program
from regreen.verdict import CheckResult, Outcome, Verdict

if TYPE_CHECKING:
    from regreen.attempt import judge

__all__ = [
    "Assert",
    "Call",
    "Check",
    "CheckResult",
    "InfrastructureError",
    "InputError",
    "MissingDataError",
    "Outcome",
    "Problem",
    "Program",
    "RegreenError",
    "RunLockedError",
    "Stdio",
    "TierError",
    "Verdict",
    "judge",
]

_HOMES = {"judge": "regreen.attempt"}  # loaded when first used, so that importing the nouns stays cheap


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("regreen")
    if name not in _HOMES:
        raise AttributeError(f"module 'regreen' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
