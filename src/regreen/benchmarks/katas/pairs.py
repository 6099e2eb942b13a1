"""The checks of a kata: inputs on which it does not raise, in which every step shows, the best example first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random
from typing import Any

from regreen.benchmarks.katas.chains import Failure, Steps, functions, is_too_large, run
from regreen.benchmarks.katas.operation import Function, Kind
from regreen.benchmarks.katas.values import POOL, inputs

Pair = tuple[Any, Any]  # an input and what is expected


def choose_pairs(rng: Random, steps: Steps, count: int) -> list[Pair]:
    """Return different inputs and a function's results on them; none where they would not tell enough.

    A program that leaves out one step fails on one of them at least, the first not counted: it is the worked example.
    """
    pairs = list(islice(all_pairs(rng, functions(steps), steps[0].operation.takes), count))
    results = [result for _, result in pairs]
    if len(pairs) < count or all(result == results[0] for result in results[1:]):
        return []
    pairs = example_first(pairs)
    return pairs if shows_every_step(steps, pairs[1:]) else []


def all_pairs(rng: Random, made: Sequence[Function], kind: Kind) -> Iterator[Pair]:
    """Yield every input of a kind, in an order drawn, on which functions do not raise, and the result."""
    pool, at, stride = inputs(kind), int(rng.random() * POOL), 1 + int(rng.random() * (POOL - 1))
    for _ in range(POOL):
        at = (at + stride) % POOL
        result = run(made, pool[at])
        if result.__class__ is not Failure:
            yield pool[at], result


def example_first(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with the one first that makes the best example."""
    best = next((at for at, pair in enumerate(pairs) if _is_telling(pair)), 0)
    return [pairs[best], *pairs[:best], *pairs[best + 1 :]]


def _is_telling(pair: Pair) -> bool:
    """Tell whether a pair makes a good example: nothing is empty or long, and something changed."""
    given, result = pair
    is_full = all(value or value.__class__ in (int, bool) for value in pair)
    return is_full and given != result and len(repr(given)) + len(repr(result)) <= 50


def shows_every_step(steps: Steps, pairs: Sequence[Pair]) -> bool:
    """Tell whether a program that leaves out one step fails on one of the pairs."""
    droppable = [at for at, step in enumerate(steps) if step.keeps_kind] if len(steps) > 1 else []
    return all(fails(functions(steps[:at] + steps[at + 1 :]), pairs) for at in droppable)


def fails(made: Sequence[Function], pairs: Sequence[Pair]) -> bool:
    """Tell whether functions one after another give something else on one of the pairs, as a program too would."""
    results = ((run(made, given), expected) for given, expected in pairs)
    return any(result != expected and not is_too_large(result) for result, expected in results)
