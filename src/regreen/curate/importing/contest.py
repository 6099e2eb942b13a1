"""A contest problem as it lies in a folder: statement, cases, and programs that are known to be right or wrong."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen.curate.tally import Unfit
from regreen.errors import InputError

NO_STATEMENT = "has no statement"
NO_CASES = "has no tests"
OWN_CHECKER = "needs a checker of its own"

MOST_BYTES = 1 << 20  # of a case's input or output: the judge reads no more of what a program prints


@dataclass(frozen=True, slots=True)
class Case:
    """What a program reads, what it is to print, and whether everybody may see it."""

    stdin: bytes
    expected: bytes
    sample: bool = False


@dataclass(slots=True)
class Contest:
    """What a folder holds; ``compare`` is the rule for outputs, ``right`` and ``wrong`` are sources of programs."""

    statement: str
    cases: list[Case]
    compare: str = "tokens"
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


def require_text(text: str) -> str:
    """Return a statement, with one kind of line end; raises :class:`Unfit` where it says nothing."""
    tidy = text.replace("\r\n", "\n").strip()
    if not tidy:
        raise Unfit(NO_STATEMENT)
    return tidy


def read_text(path: Path) -> str:
    """Return a file's text, whatever bytes are in it."""
    return path.read_text("utf-8", "replace")


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Return the mapping that a YAML file holds; raises InputError."""
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError as error:
        raise InputError(f"{path}: reading YAML needs PyYAML; type pip install 'regreen[curate]'") from error
    try:
        value = yaml.safe_load(read_text(path)) or {}
    except yaml.YAMLError as error:
        raise InputError(
            f"{path}: not YAML ({' '.join(str(error).split())}); mend it, or move the folder away"
        ) from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a mapping; mend it, or move the folder away")
    return value


def inside(folder: Path, name: str) -> Path:
    """Return a file of a folder; raises InputError for a name that leads out of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{folder}: names the file {name}, which is not in it; mend it, or move the folder away")
    return path


def programs_in(*folders: Path) -> list[str]:
    """Return the Python programs in folders, by name."""
    files = [path for folder in folders for path in sorted(folder.glob("*.py")) if path.is_file()]
    return [read_text(path) for path in files]


def cases_of(pairs: Iterable[tuple[Path, Path]], *, sample: bool = False) -> list[Case]:
    """Return a case for each pair of files that are both there."""
    return [Case(a.read_bytes(), b.read_bytes(), sample) for a, b in pairs if a.is_file() and b.is_file()]
