"""CRUXEval: say what a function returns for an input (``cruxeval``), or with what input it returns an output.

Output form: the program is ``result = PREDICTION`` and nothing more: the row's function is kept out of its process,
where ``result = f(INPUT)`` would be a prediction that is always right. The expected output stays on the judge's side.

Input form (``cruxeval-input``): a prediction is a call of ``f``. The program only gathers its arguments, which must be
plain data; the judge's side calls the row's function with them.

Source: Gu et al. 2024 (arXiv 2401.03065).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.problem import Assert, Problem
from regreen.stated import stated

# An object of the program's could answer f as it likes, and the output is no secret here.
_PLAIN = """\
def plain(value):
    if type(value) in (list, tuple, set, frozenset):
        return all(map(plain, value))
    if type(value) is dict:
        return all(map(plain, value)) and all(map(plain, value.values()))
    return type(value) in (bool, int, float, complex, str, bytes, range, type(None))

args, kwargs = arguments
assert plain(args) and plain(kwargs)
"""
_NOT_PLAIN = ("sample_344", "sample_364")  # these two inputs hold functions: they are problems without a solution


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row, of the output form."""
    return map(_output_problem, rows)


def input_problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row, of the input form."""
    return map(_input_problem, rows)


def program(prediction: str) -> str:
    """Return the program that a predicted output stands for."""
    return f"result = {prediction}"


def _output_problem(row: Row) -> Problem:
    code, arguments, output = row.text("code"), row.text("input"), row.text("output")
    call = f"f({arguments})"
    return Problem(
        id=row.text("id"),
        statement=f"{code}\n\nresult = {call}",
        checks=(Assert(f"assert result == {output}"),),
        entry_point="result",
        solution=program(output),
        meta={
            "source": "cruxeval",
            "split": "test",
            "code": code,
            "input": arguments,
            "writes": "value",
            "written": output,
            "asked": {"program": code, "call": call},
        },
    )


def _input_problem(row: Row) -> Problem:
    code, call, output = row.text("code"), f"f({row.text('input')})", row.text("output")
    asked = {"program": code, "call": output}
    meta = {"source": "cruxeval-input", "split": "test", "code": code, "writes": "call", "asked": asked}
    problem = Problem(
        id=row.text("id"),
        statement=f"{code}\n\nassert f(?) == {output}",
        checks=(Assert(f"{_PLAIN}assert f(*args, **kwargs) == {output}"),),
        entry_point="arguments",
        prelude=code,
        meta=meta,
    )
    if problem.id in _NOT_PLAIN:
        return problem
    return replace(problem, solution=stated(problem, call), meta={**meta, "written": call})


_HUB = Hub("cruxeval-org/cruxeval", "b96af0450242eb4da433032b90998f25588a5d0f", {"test": "test.jsonl"})
SOURCES = (
    Source(
        name="cruxeval",
        about="800 functions whose output is to be predicted",
        checks="assert",
        splits=("test",),
        files=(("cruxeval/cruxeval.jsonl*", "test"),),
        build=problems,
        hub=_HUB,
    ),
    Source(
        name="cruxeval-input",
        about="the same functions; an input is to be found that gives the output",
        checks="assert",
        splits=("test",),
        files=(("cruxeval/cruxeval.jsonl*", "test"),),
        build=input_problems,
        hub=_HUB,
    ),
)
