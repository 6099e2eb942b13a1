"""HumanEval+ and MBPP+: many more inputs for the same problems (Liu et al. 2023).

Two published forms are read. EvalPlus's JSON Lines hold inputs and a reference solution, not outputs (a ``test`` in
them is the base benchmark's): the reference runs inside the check, on the judge's side, and it and the program each get
their own copy of an input. The hub's rows
hold a ``test`` that contains inputs and results.

``meta["scores"]`` says which checks a score needs: ``{"base": [0], "plus": [0, 1]}``, so one run gives both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from regreen.benchmarks.examples import docstring_examples
from regreen.benchmarks.humaneval import check_call, head
from regreen.benchmarks.mbpp import called_function
from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.problem import Assert, Problem

_RULES_TEXT = Path(__file__).with_name("evalplus_rules.py").read_text(encoding="utf-8")
_BOTH = {"base": [0], "plus": [0, 1]}

# EvalPlus's own exceptions, by function: problems with several right answers, or answers that are not data.
RULES = {
    "find_zero": "root",
    "are_equivalent": "always",
    "sum_div": "or zero",
    "surface_Area": "or pyramid",
    "digit_distance_nums": "or padded digits",
    **dict.fromkeys(("check_str", "text_match_three", "text_starta_endb"), "not none"),
    **dict.fromkeys(("similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly"), "set"),
    **dict.fromkeys(("larg_nnum", "intersection_array", "find_dissimilar", "Diff"), "set"),
}

_CHECK = """\
{rules}

from copy import deepcopy
from math import inf, nan

reference = {{}}
exec({reference!r}, reference)


def check(candidate):
    for inputs in {inputs!r}:
        expected = reference[{entry_point!r}](*deepcopy(inputs))
        got = candidate(*deepcopy(inputs))
        assert got == expected or agrees(got, expected, {atol!r}, {rule!r}, inputs)


check({entry_point})
"""


def humaneval_problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row of HumanEval+, in either form."""
    for row in rows:
        yield _from_inputs(row, "humaneval+") if "plus_input" in row.fields else _from_test(row)


def mbpp_problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row of MBPP+, in either form."""
    for row in rows:
        yield _from_inputs(row, "mbpp+") if "plus_input" in row.fields else _from_asserts(row)


def expected_check(reference: str, entry_point: str, inputs: list[Any], atol: float) -> Assert:
    """Return a check that compares a program with the reference solution on each list of arguments."""
    code = _CHECK.format(
        rules=_RULES_TEXT,
        reference=reference,
        inputs=inputs,
        entry_point=entry_point,
        atol=atol,
        rule=RULES.get(entry_point, ""),
    )
    return Assert(code)


def _from_inputs(row: Row, source: str) -> Problem:
    prompt, entry_point = row.text("prompt"), row.text("entry_point")
    reference = prompt + row.text("canonical_solution")
    atol = row.get("atol", (int, float))
    checks = tuple(
        expected_check(reference, entry_point, _inputs(row, name), atol) for name in ("base_input", "plus_input")
    )
    return _problem(row.text("task_id"), prompt, checks, entry_point, reference, source, _BOTH)


def _from_test(row: Row) -> Problem:
    prompt, entry_point = row.text("prompt"), row.text("entry_point")
    check = Assert(check_call(row.text("test"), entry_point))
    reference = prompt + row.text("canonical_solution")
    return _problem(row.text("task_id"), prompt, (check,), entry_point, reference, "humaneval+", {"plus": [0]})


def _from_asserts(row: Row) -> Problem:
    asserts, solution = row.texts("test_list"), row.text("code")
    checks = (Assert("\n".join([*row.texts("test_imports"), *asserts])), Assert(row.text("test")))
    entry_point = called_function(asserts, solution) or ""
    name = f"Mbpp/{row.get('task_id', (int, str))}"
    return _problem(name, row.text("prompt"), checks, entry_point, solution, "mbpp+", _BOTH, asserts)


def _problem(
    name: str,
    prompt: str,
    checks: tuple[Assert, ...],
    entry_point: str,
    solution: str,
    source: str,
    scores: dict[str, list[int]],
    examples: list[str] | None = None,
) -> Problem:
    return Problem(
        id=name,
        statement=prompt,
        checks=checks,
        entry_point=entry_point,
        prelude=head(prompt, entry_point),
        solution=solution,
        meta={
            "source": source,
            "split": "test",
            "prompt": prompt,
            "examples": docstring_examples(prompt, entry_point) if examples is None else examples,
            "scores": scores,
        },
    )


def _inputs(row: Row, name: str) -> list[Any]:
    """Return lists of arguments; JSON has no tuples, sets and complex numbers, so some MBPP problems name theirs."""
    inputs = list(row.get(name, (list, dict)))  # {} stands for none in one published row
    family, _, number = row.text("task_id").partition("/")
    restore = _RESTORE.get(int(number)) if family == "Mbpp" and number.isdigit() else None
    return [restore(list(arguments)) for arguments in inputs] if restore else inputs


def _every(kind: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda arguments: [kind(argument) for argument in arguments]


def _at(position: int, kind: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda arguments: [kind(a) if i == position else a for i, a in enumerate(arguments)]


def _tuples(value: Any) -> list[Any]:
    return [tuple(item) for item in value]


def _deep(value: Any) -> Any:
    return tuple(_deep(item) for item in value) if isinstance(value, list) else value


def _sets(value: Any) -> list[Any]:
    return [set(item) if isinstance(item, list) and item else {} for item in value]


def _mixed(value: Any) -> tuple[Any, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)


# Which MBPP problems take what, by number: the same table that EvalPlus applies to its files.
_RESTORE: dict[int, Callable[[list[Any]], list[Any]]] = {
    **dict.fromkeys((2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424), _every(tuple)),
    **dict.fromkeys((429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809), _every(tuple)),
    **dict.fromkeys((63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780), _every(_tuples)),
    **dict.fromkeys((75, 413, 444, 753), _at(0, _tuples)),
    **dict.fromkeys((106, 750), _at(1, tuple)),
    **dict.fromkeys((250, 307, 405, 446, 617, 720, 763, 808), _at(0, tuple)),
    **dict.fromkeys((259, 401, 445), _every(lambda value: tuple(_tuples(value)))),
    **dict.fromkeys((580, 615, 791), _every(_deep)),
    115: _every(_sets),
    124: lambda arguments: [float(arguments[0]), complex(arguments[1])],
    252: _every(complex),
    278: _every(_mixed),
    722: _at(0, lambda value: {key: tuple(item) for key, item in value.items()}),
}

HUMANEVAL_PLUS = Source(
    name="humaneval+",
    about="HumanEval with 80 times the tests; base and plus score",
    checks="assert",
    splits=("test",),
    files=(("humaneval/HumanEvalPlus*.jsonl*", "test"), ("evalplus/HumanEvalPlus*.jsonl*", "test")),
    build=humaneval_problems,
    hub=Hub(
        "evalplus/humanevalplus",
        "d32357cf319e50e9c8d8dab5ea876c72b0fd321b",
        {"test": "data/test-*.parquet"},
    ),
    base="humaneval",
)
MBPP_PLUS = Source(
    name="mbpp+",
    about="378 MBPP problems with 35 times the tests; base and plus score",
    checks="assert",
    splits=("test",),
    files=(("mbpp/MbppPlus*.jsonl*", "test"), ("evalplus/MbppPlus*.jsonl*", "test")),
    build=mbpp_problems,
    hub=Hub(
        "evalplus/mbppplus",
        "b2d74c91837c3f2a20c1299ae98133cbe7cfa077",
        {"test": "data/test-*.parquet"},
    ),
)
