"""Checks that a model wrote: a file of them, and how to take them out of a model's text.

A line of the file, gzipped or not, reads ``{"problem": "HumanEval/0", "checks": ["assert f(1) == 2", ...]}``; a check
that was written several times stands there as often.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

from regreen.errors import InputError
from regreen.extract import HUMANEVAL_STOPS, stop_at
from regreen.formats import files
from regreen.formats.form import Entry

CHECKS_A_TEXT = 5  # Chen et al. 2022 (CodeT), section 3: the first five of each text, so that none outweighs the others
_ASSERT = re.compile(r"\bassert\s")


def written_asserts(texts: Iterable[str], entry_point: str, *, limit: int = CHECKS_A_TEXT) -> list[str]:
    """Return the asserts in a model's texts that parse and name the entry point, at most ``limit`` from each.

    A text may continue a prompt that ends in ``assert``. Each assert is cut at the stop strings of HumanEval.
    """
    return [check for text in texts for check in _asserts(text, entry_point)[:limit]]


def read_checks(path: Path) -> dict[str, tuple[str, ...]]:
    """Return a model's checks for each problem; raises InputError that names file and line."""
    checks: dict[str, tuple[str, ...]] = {}
    for entry in files.lines(path):
        name, found = _line(entry)
        checks[name] = checks.get(name, ()) + found
    if not checks:
        raise InputError(f"{path}: no checks; expected lines with problem and checks")
    return checks


def _asserts(text: str, entry_point: str) -> list[str]:
    pieces = (f"assert {stop_at(piece, HUMANEVAL_STOPS).strip()}" for piece in _ASSERT.split(text))
    return [piece for piece in pieces if entry_point in piece and _is_assert(piece, entry_point)]


def _is_assert(code: str, entry_point: str) -> bool:
    try:
        with warnings.catch_warnings():  # of escapes, and of comparisons with literals
            warnings.simplefilter("ignore")
            body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    names = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return len(body) == 1 and entry_point in names


def _line(entry: Entry) -> tuple[str, tuple[str, ...]]:
    line = entry.value if isinstance(entry.value, dict) else {}
    name, checks = line.get("problem"), line.get("checks")
    if not isinstance(name, str) or not isinstance(checks, list) or not all(isinstance(check, str) for check in checks):
        raise InputError(f"{entry.where}: expected the fields problem (an id) and checks (a list of asserts)")
    return name, tuple(checks)
