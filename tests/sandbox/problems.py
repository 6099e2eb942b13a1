"""Problems for the judge, in short, and what this process has open."""

import gc
import os
from pathlib import Path
from typing import Any

from regreen.problem import Assert, Check, Problem


def problem(*checks: str | Check, entry_point: str | None = "f", **more: Any) -> Problem:
    """A problem about ``f``; a text is an assert check."""
    full = tuple(Assert(check) if isinstance(check, str) else check for check in checks)
    return Problem("p", "", full, entry_point=entry_point, **more)


def as_code(check: str) -> str:
    """The same check in a form that must be executed."""
    return f"if True:\n    {check}"


def descriptors() -> list[str]:
    """Return the kinds of what this process has open, but for what earlier tests left to the collector."""
    gc.collect()
    return sorted(os.readlink(path).split(":")[0] for path in Path("/proc/self/fd").iterdir() if path.exists())
