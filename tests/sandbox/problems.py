"""Problems for the judge, in short, and what this process has open."""

import gc
import os
import threading
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


def descriptors() -> set[str]:
    """Return what this process has open, each by its number and what it is, but for what the collector still has.

    What earlier tests left open may be closed at any moment, so look for what is new, not for the same.
    """
    gc.collect()
    return {f"{path.name} {os.readlink(path)}" for path in Path("/proc/self/fd").iterdir() if path.exists()}


def threads() -> set[str]:
    """Return the threads of this process; those of earlier tests may end at any moment, so look for what is new."""
    return {f"{thread.name} {thread.native_id}" for thread in threading.enumerate()}
