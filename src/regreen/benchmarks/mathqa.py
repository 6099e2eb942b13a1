"""MathQA-Python: arithmetic from a sentence; the program sets ``answer`` (Austin et al. 2021, section 2.2).

Problems are MathQA's (Amini et al. 2019), converted by the rules of the published generator: of 4,475 rows of ``dev``
it keeps 2,822, of 2,985 of ``test`` 1,883, of 604 of ``challenge`` 403. ``mathqa-dsl`` asks for the one-line formula
instead (:mod:`regreen.formula`).

The check reads ``answer`` once and holds it against the value of the reference program, with the tolerance by which the
generator holds that value against the option. Only a number can lie within.

Differences from the published generator:
- See :mod:`regreen.formula` for what programs call.
- Every answer is a float here; where the generator kept the whole number of a program, the check accepts either.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Source
from regreen.formula import Operation, program, read_formula, values
from regreen.problem import Assert, Problem

TOLERANCE = 0.01  # relative, as math.isclose: the generator's own
SPLITS = ("train", "dev", "test", "challenge")
_NUMBER = re.compile(r"[-+]?[.]?[\d]+(?:,\d\d\d)*[\.]?\d*(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row that can be converted."""

    row: Row
    numbers: Sequence[float]
    operations: Sequence[Operation]
    answer: float


def problems(rows: Iterable[Row], *, formulas: bool = False) -> Iterator[Problem]:
    """Yield a problem for each row that can be converted; ``formulas``: a formula is asked for, not a program.

    Its id is ``MathQA/SPLIT/rowN``, the N-th row of the published file. ``MathQA/12`` of mxeval, which has another
    order, is so found to be no id, and not taken for another problem.
    """
    counts: Counter[str | None] = Counter()
    for row in rows:
        counts[row.split] += 1
        kept = _convert(row)
        if kept is not None:
            yield _problem(kept, f"MathQA/{row.split or 'file'}/row{counts[row.split]}", formulas)


def check_of(answer: float) -> str:
    """Return the code of the check that ``answer`` is within the tolerance of this number, as math.isclose has it.

    It is one comparison, which reads the program's variable once: one that changes between two readings could be on
    either side of both bounds.
    """
    ends = sorted((answer * (1 - TOLERANCE), answer / (1 - TOLERANCE)))
    return f"assert {ends[0]!r} <= answer <= {ends[1]!r}"


def _problem(kept: _Kept, id: str, formulas: bool) -> Problem:
    formula = kept.row.text("linear_formula")
    said = " ".join(f"n{at} = {number!r}" for at, number in enumerate(kept.numbers))
    meta: dict[str, Any] = {
        "source": "mathqa",
        "split": kept.row.split,
        "category": kept.row.text("category"),
        "operations": [operation.name for operation in kept.operations],
        "answer": kept.answer,
    }
    if formulas:
        meta |= {"source": "mathqa-dsl", "writes": "formula", "written": formula, "numbers": list(kept.numbers)}
    return Problem(
        id=id,
        statement=f"{kept.row.text('Problem')} {said}".rstrip(),
        checks=(Assert(check_of(kept.answer)),),
        entry_point="answer",
        solution=program(kept.operations, kept.numbers),
        meta=meta,
    )


def _convert(row: Row) -> _Kept | None:
    """Return a row with what its formula comes to, or None: no numeric option, another value, 0, or no value."""
    numbers, option = _numbers(row.text("Problem")), _option(row)
    try:
        operations = read_formula(row.text("linear_formula"))
        answer = values(operations, numbers)[-1]
        agrees = bool(option and answer) and math.isclose(option or 0, answer, rel_tol=TOLERANCE)
    except (ArithmeticError, ValueError, TypeError):  # TypeError: of a root of a negative number
        return None
    return _Kept(row, numbers, operations, float(answer)) if agrees else None


def _numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in _NUMBER.findall(text)]


def _option(row: Row) -> float | None:
    """Return the value of the right option: the first number after its letter, over the next if a slash follows."""
    options, letter = row.text("options"), row.text("correct")
    said = options[max(0, options.find(f"{letter} )")) :]
    numbers = _numbers(said)
    if not numbers:
        return None
    slash = len(f"{letter} ) {numbers[0]}") - 1  # where the generator looks: 1.0 is as long as "1 ", with a space
    over = said[slash : slash + 1] == "/" and len(numbers) > 1 and numbers[1]
    return numbers[0] / numbers[1] if over else numbers[0]


def _source(name: str, about: str, *, formulas: bool) -> Source:
    return Source(
        name=name,
        about=about,
        checks="assert",
        splits=SPLITS,
        files=(
            ("mathqa/train.json*", "train"),
            ("mathqa/dev.json*", "dev"),
            ("mathqa/test.json*", "test"),
            ("mathqa/challenge_test.json*", "challenge"),
        ),
        build=partial(problems, formulas=formulas),
        hub=None,
        page="https://math-qa.github.io/math-QA/data/MathQA.zip",
    )


SOURCES = (
    _source("mathqa", "arithmetic from a sentence; the program sets answer", formulas=False),
    _source("mathqa-dsl", "the same problems; a one-line formula is asked for", formulas=True),
)
