"""MBPP: short functions from one sentence and three asserts (Austin et al. 2021, section 2.1), in full and sanitized.

Each assert is one check. Set-up code and imports stand in front of the assert, so that they run after the program:
two set-ups build objects of a class that the program defines. The three asserts are shown; the challenge asserts,
which eleven problems have, are hidden and score.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator

from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.problem import Assert, Problem

SPLITS = {"prompt": range(1, 11), "test": range(11, 511), "validation": range(511, 601), "train": range(601, 975)}


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row of the full data set."""
    return map(_problem, rows)


def sanitized_problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row of the hand-verified subset."""
    return map(_sanitized_problem, rows)


def called_function(asserts: Iterable[str], solution: str) -> str | None:
    """Return the function that the asserts call and the solution defines; a class only where no function fits."""
    functions, classes = _definitions(solution)
    called = [name for code in asserts for name in _called_names(code)]
    return next((n for n in called if n in functions), next((n for n in called if n in classes), None))


def _problem(row: Row) -> Problem:
    shown, hidden = row.texts("test_list"), row.texts("challenge_test_list")
    return _build(row, row.text("text"), row.text("test_setup_code"), shown, hidden, "mbpp")


def _sanitized_problem(row: Row) -> Problem:
    setup = "\n".join(row.texts("test_imports"))
    return _build(row, row.text("prompt"), setup, row.texts("test_list"), [], "mbpp-sanitized")


def _build(row: Row, statement: str, setup: str, shown: list[str], hidden: list[str], source: str) -> Problem:
    number, solution = row.get("task_id", int), row.text("code")
    seen = tuple(range(len(shown)))
    return Problem(
        id=f"MBPP/{number}",
        statement=statement,
        checks=tuple(Assert(f"{setup.strip()}\n{code}".lstrip()) for code in shown + hidden),
        shown=seen,
        revealed=seen,
        entry_point=called_function(shown, solution),
        solution=solution,
        meta={"source": source, "split": next((s for s, numbers in SPLITS.items() if number in numbers), None)},
    )


def _definitions(source: str) -> tuple[set[str], set[str]]:
    body = _parse(source)
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return functions, {node.name for node in body if isinstance(node, ast.ClassDef)}


def _called_names(code: str) -> list[str]:
    nodes = [node for statement in _parse(code) for node in ast.walk(statement)]
    return [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]


def _parse(source: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():  # published solutions hold escapes such as "\d", of which Python warns
            warnings.simplefilter("ignore")
            return ast.parse(source).body
    except (SyntaxError, ValueError):
        return []


def _hub(folder: str) -> Hub:
    files = {split: f"{folder}/{split}-*.parquet" for split in SPLITS}
    return Hub("google-research-datasets/mbpp", "4bb6404fdc6cacfda99d4ac4205087b89d32030c", files)


SOURCES = (
    Source(
        name="mbpp",
        about="974 short functions from a sentence and three asserts",
        checks="assert",
        splits=tuple(SPLITS),
        files=(("mbpp/mbpp.jsonl*", None),),
        build=problems,
        hub=_hub("full"),
    ),
    Source(
        name="mbpp-sanitized",
        about="the 427 MBPP problems verified by hand",
        checks="assert",
        splits=tuple(SPLITS),
        files=(("mbpp/sanitized-mbpp.json*", None),),
        build=sanitized_problems,
        hub=_hub("sanitized"),
    ),
)
