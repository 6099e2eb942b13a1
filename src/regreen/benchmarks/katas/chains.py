"""Operations one after another: drawing chains, running them, and telling how they behave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from operator import eq
from random import Random
from typing import Any, TypeVar

from regreen.benchmarks.katas import of_lists, of_numbers, of_tables, of_texts, of_words
from regreen.benchmarks.katas.operation import Constant, Function, Kind, Operation, TooLarge, fill, function
from regreen.benchmarks.katas.values import FIRST, INPUT_KINDS, fixed

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for module in (of_numbers, of_texts, of_lists, of_words, of_tables)
    for operation in module.OPERATIONS
}
MOST_ERRORS = 0.4  # the share of inputs on which a chain may raise
MOST_ALIKE = 0.75  # and on which it may return one same value, or its input
_STARTS = (0.15, 0.25, 0.3, 0.2, 0.1)  # how often a chain starts with each kind of input

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """An operation with its constant."""

    operation: Operation
    constant: Constant = None

    @property
    def function(self) -> Function:
        """What it computes."""
        return _function(self.operation, self.constant)

    @property
    def keeps_kind(self) -> bool:
        """Tell whether a chain stays type-correct without it."""
        return self.operation.takes == self.operation.gives


@cache
def _function(operation: Operation, constant: Constant) -> Function:
    return function(fill(operation.idioms[0], constant), operation.gives)


class Failure(str):
    """The name of what a chain raised, in place of a result; all are alike where behaviours are compared."""

    def __repr__(self) -> str:
        return "failure"


Steps = tuple[Step, ...]


def pick(rng: Random, options: Sequence[T]) -> T:
    """Return one of several; three times as fast as ``rng.choice``, and the same in every version of Python."""
    return options[int(rng.random() * len(options))]


def draw_operations(rng: Random, depth: int) -> tuple[Operation, ...]:
    """Return type-correct operations, none twice in a row; a truth value is only ever the last result."""
    kind, chosen = rng.choices(INPUT_KINDS, _STARTS)[0], list[Operation]()
    while len(chosen) < depth:
        operation = pick(rng, _options(kind, len(chosen) == depth - 1))
        if not chosen or operation is not chosen[-1]:
            chosen.append(operation)
            kind = operation.gives
    return tuple(chosen)


def draw_constants(rng: Random, operations: Iterable[Operation]) -> Steps:
    """Return the operations with a constant for each that needs one."""
    return tuple(Step(each, pick(rng, each.constants) if each.constants else None) for each in operations)


@cache
def _options(kind: Kind, last: bool) -> tuple[Operation, ...]:
    return tuple(each for each in OPERATIONS.values() if each.takes == kind and (last or each.gives != "bool"))


def run(functions: Iterable[Function], value: Any) -> Any:
    """Return what functions one after another make of a value, or the :class:`Failure` of one of them."""
    try:
        for each in functions:
            value = each(value)
    except Exception as error:  # which ones an operation raises is its own business
        return Failure(type(error).__name__)
    return value


def is_too_large(result: Any) -> bool:
    """Tell whether a run was given up for what was too large, where a program would have gone on."""
    return result.__class__ is Failure and result == TooLarge.__name__


def functions(steps: Iterable[Step]) -> list[Function]:
    """Return what each step computes."""
    return [step.function for step in steps]


def outputs(steps: Steps) -> Sequence[Any]:
    """Return a chain's results on the first of the fixed inputs of its kind."""
    first = steps[:-1]
    before = (_kept(first) if len(first) < 3 else outputs(first)) if first else fixed(steps[0].operation.takes, FIRST)
    return _each(steps[-1].function, before)


@lru_cache(maxsize=4096)
def _kept(steps: Steps) -> Sequence[Any]:
    """Return the results of one or two steps, with which many chains begin."""
    return outputs(steps)


def _each(function: Function, values: Iterable[Any]) -> list[Any]:
    results = []
    for value in values:
        try:
            results.append(value if value.__class__ is Failure else function(value))
        except Exception as error:
            results.append(Failure(type(error).__name__))
    return results


def is_sound(given: Iterable[Any], results: Sequence[Any], texts: Sequence[str]) -> bool:
    """Tell whether a chain's results are seldom errors, not nearly constant and not nearly its input.

    None may be too large: a program has no such guard, so that its behaviour would be another. ``texts`` are the
    results' texts.
    """
    failures = [result for result in results if result.__class__ is Failure]
    good = len(results) - len(failures)
    if len(failures) > MOST_ERRORS * len(results) or any(map(is_too_large, failures)):
        return False
    counts = Counter(texts)
    return max(counts.values()) <= MOST_ALIKE * good and sum(map(eq, given, results)) <= MOST_ALIKE * good


def behaviour(kind: Kind, texts: Iterable[str]) -> str:
    """Return a digest of a chain's results: equal for chains that behave alike."""
    return blake2b(f"{kind}|{'|'.join(texts)}".encode(), digest_size=16).hexdigest()


def texts(steps: Steps, results: Sequence[Any]) -> list[str]:
    """Return the texts of a chain's results; of tables that are equal, in whatever order, the same."""
    if steps[-1].operation.gives == "dict":
        return [repr(sorted(each.items()) if each.__class__ is dict else each) for each in results]
    return list(map(repr, results))
