"""Recorded runs of repairing agents: Reflexion, LATS, LLMDebugger, MapCoder.

Their rows bring the checks they were judged by. Each program is put together as its harness executed it, so that our
verdict can be held against the recorded one:

- Reflexion and LATS ran program, ``test`` and ``check(entry_point)``; a ``solution`` without a top-level definition of
  the entry point is the function's body and follows the prompt.
- LLMDebugger put a fixed header of imports before the program; a text without any definition follows the prompt.
- MapCoder put ``from typing import *`` before the program, and never the prompt. Its APPS rows were judged over stdin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from regreen.formats.form import (
    BadRow,
    Draft,
    Fields,
    Form,
    Settings,
    Which,
    has,
    identifier,
    own_problem,
    text,
    texts,
    verdict,
)
from regreen.problem import Problem, Stdio

LLMDEBUGGER_HEADER = """\
from typing import *
import math
from heapq import *
import itertools
import re
import typing
import heapq
_str=str
import re
"""
TYPING_HEADER = "from typing import *\n"
MAPCODER_HEADER = TYPING_HEADER
_DEFINITION = re.compile(r"^\s*def\s", re.MULTILINE)
_ANYTHING = re.compile("")


@dataclass(frozen=True, slots=True)
class Harness:
    """How a row's programs were run: its problem, and the rule that tells whole programs from bodies.

    What ``whole`` does not find in is a function's body, which follows the prompt.
    """

    problem: Problem
    whole: re.Pattern[str]

    def program(self, source: str) -> str:
        """Put a recorded text together as the harness did."""
        return source if self.whole.search(source) else self.problem.statement + source


def reflexion_harness(row: Fields) -> Harness:
    """Return how Reflexion and LATS ran a row's programs."""
    entry_point = rf"^def\s+{re.escape(text(row, 'entry_point'))}\s*\("
    return Harness(own_problem(row), re.compile(entry_point, re.MULTILINE))


def lats_harness(row: Fields) -> Harness:
    """Return how LATS ran a row's programs: what it had run before left the names of typing behind."""
    return replace(reflexion_harness(row), problem=own_problem(row, TYPING_HEADER))


def llmdebugger_harness(row: Fields) -> Harness:
    """Return how LLMDebugger ran a row's programs."""
    return Harness(own_problem(row, LLMDEBUGGER_HEADER), _DEFINITION)


def mapcoder_harness(row: Fields) -> Harness:
    """Return how MapCoder ran a row's programs."""
    problem = _stdin_problem(row) if "test_list" in row else own_problem(row, MAPCODER_HEADER)
    return Harness(problem, _ANYTHING)


def _drafts(harness: Callable[[Fields], Harness]) -> Callable[[Fields, Settings], Iterator[Draft]]:
    """Return a reader of the chosen program of each row."""

    def read(row: Fields, settings: Settings) -> Iterator[Draft]:
        ran = harness(row)
        source, recorded = _chosen(row, settings.which)
        yield Draft(ran.problem.id, ran.program(source), recorded=recorded, problem=ran.problem)

    return read


def _chosen(row: Fields, which: Which) -> tuple[str, bool | None]:
    """Return the first or last program of a row, and the recorded verdict where it speaks of that program."""
    chain = _chain(row)
    last = text(row, "solution") if "solution" in row else chain[-1]
    if which == "last":
        return last, verdict(row, "is_solved")
    if not chain and row.get("reflections"):
        raise BadRow("only the last program was recorded for this problem; score the last programs instead")
    first = chain[0] if chain else last
    return first, verdict(row, "is_solved") if first == last else None


def _chain(row: Fields) -> list[str]:
    """Return every program of a row that recorded its attempts, oldest first."""
    name = "source_codes" if "source_codes" in row else "implementations"
    chain = texts(row, name) if name in row else []
    if not chain and "solution" not in row:
        raise BadRow(f"no program: field {name!r} is empty and there is no field 'solution'")
    return chain


def _stdin_problem(row: Fields) -> Problem:
    if row.get("starter_code"):
        raise BadRow("a function problem whose program was run as a script over stdin: its verdict means nothing")
    return Problem(
        id=str(identifier(row, "task_id", "id", "name")),
        statement=text(row, "description"),
        checks=_stdin_checks(row["test_list"]),
        prelude=MAPCODER_HEADER,
    )


def _stdin_checks(tests: Any) -> tuple[Stdio, ...]:
    """Build a check from each test: ``{"input": TEXT, "output": [TEXT]}``."""
    match tests:
        case [_, *_] if all(map(_is_stdin_test, tests)):
            return tuple(Stdio(test["input"], test["output"][0]) for test in tests)
    raise BadRow("field 'test_list' must hold tests with an 'input' text and an 'output' list of one text")


def _is_stdin_test(test: Any) -> bool:
    match test:
        case {"input": str(), "output": [str()]}:
            return True
    return False


FORMS = (
    Form(
        "llmdebugger",
        "prompt, entry_point, test, seed, given_tests, solution",
        "the {which} program of each row",
        has("prompt", "entry_point", "test", "seed", "given_tests"),
        _drafts(llmdebugger_harness),
        own_checks=True,
    ),
    Form(
        "mapcoder",
        "source_codes or implementations (hallucination), with test or test_list",
        "the {which} program of each row",
        lambda row: has("source_codes", "is_solved")(row) or has("implementations", "hallucination")(row),
        _drafts(mapcoder_harness),
        own_checks=True,
    ),
    Form(
        "reflexion",
        "prompt, entry_point, test, solution; LATS too",
        "the {which} program of each row",
        has("prompt", "entry_point", "test", "solution"),
        _drafts(reflexion_harness),
        own_checks=True,
    ),
)
