"""CRUXEval, output form: say what a function returns for a given input.

The program is ``result = PREDICTION`` and nothing more: the row's function is kept out of its process, where
``result = f(INPUT)`` would be a prediction that is always right. The expected output stays on the judge's side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.problem import Assert, Problem


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row."""
    return map(_problem, rows)


def program(prediction: str) -> str:
    """Return the program that a predicted output stands for."""
    return f"result = {prediction}"


def _problem(row: Row) -> Problem:
    code, arguments, output = row.text("code"), row.text("input"), row.text("output")
    return Problem(
        id=row.text("id"),
        statement=f"{code}\n\nresult = f({arguments})",
        checks=(Assert(f"assert result == {output}"),),
        entry_point="result",
        solution=program(output),
        meta={"source": "cruxeval", "split": "test", "code": code, "input": arguments},
    )


SOURCE = Source(
    name="cruxeval",
    about="800 functions whose output is to be predicted",
    checks="assert",
    splits=("test",),
    files=(("cruxeval/cruxeval.jsonl*", "test"),),
    build=problems,
    hub=Hub("cruxeval-org/cruxeval", "b96af0450242eb4da433032b90998f25588a5d0f", {"test": "test.jsonl"}),
)
