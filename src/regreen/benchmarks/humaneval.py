"""HumanEval: 164 functions to complete from their docstring (Chen et al. 2021, section 2).

The published harness runs prompt, completion, the row's ``test`` and ``check(ENTRY_POINT)``; that is one Assert check
here. What precedes the function in the prompt (imports, and helpers such as ``poly``, which some tests use) is the
prelude, so that it stands on the judge's side too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from regreen.benchmarks.examples import docstring_examples
from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.problem import Assert, Problem


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row."""
    return map(_problem, rows)


def head(prompt: str, entry_point: str) -> str:
    """Return what stands in a prompt before the entry point's definition."""
    start = re.search(rf"^(?:async\s+)?def\s+{re.escape(entry_point)}\b", prompt, re.MULTILINE)
    return prompt[: start.start()].strip("\n") if start else ""


def check_call(test: str, entry_point: str) -> str:
    """Return the code of a check: a ``test`` that defines ``check``, and the call that starts it."""
    return f"{test.strip()}\n\ncheck({entry_point})\n"


def _problem(row: Row) -> Problem:
    prompt, entry_point = row.text("prompt"), row.text("entry_point")
    return Problem(
        id=row.text("task_id"),
        statement=prompt,
        checks=(Assert(check_call(row.text("test"), entry_point)),),
        entry_point=entry_point,
        prelude=head(prompt, entry_point),
        solution=prompt + row.text("canonical_solution"),
        meta={
            "source": "humaneval",
            "split": "test",
            "prompt": prompt,
            "examples": docstring_examples(prompt, entry_point),
        },
    )


SOURCE = Source(
    name="humaneval",
    about="164 functions to complete from their docstring",
    checks="assert",
    splits=("test",),
    files=(("humaneval/HumanEval.jsonl*", "test"),),
    build=problems,
    hub=Hub(
        "openai/openai_humaneval",
        "7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
        {"test": "openai_humaneval/test-*.parquet"},
    ),
)
