"""Katas as problems: checks that every step shows in, a worked example, and the program that solves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

from regreen.benchmarks.katas import wording
from regreen.benchmarks.katas.chains import Failure, Steps, functions, pick, run
from regreen.benchmarks.katas.operation import Function, Kind
from regreen.benchmarks.katas.splits import composition, distance, draw
from regreen.benchmarks.katas.values import POOL, inputs
from regreen.errors import InputError
from regreen.problem import Call, Problem

Pair = tuple[Any, Any]  # an input and what is expected
ONCE = ("validation", "test")  # splits that ask for each function once
TRIES = 50_000  # draws in vain until a split is said to hold no more


def problems(split: str, *, seed: int, depths: Mapping[int, float], checks: int) -> Iterator[Problem]:
    """Yield problems of a split without end; ``ONCE`` names those that ask for each function once.

    Raises:
        InputError: no new function was found in many draws.
    """
    rng, seen, number = Random(f"katas/{split}/{seed}"), set[Steps](), 0
    while True:
        depth = rng.choices(list(depths), list(depths.values()))[0]
        steps, pairs = _new(rng, split, depth, checks, seen)
        if split in ONCE:
            seen.add(steps)
        yield as_problem(rng, steps, pairs, id=f"katas/{split}/{seed}-{number}", split=split)
        number += 1


def _new(rng: Random, split: str, depth: int, checks: int, seen: set[Steps]) -> tuple[Steps, list[Pair]]:
    """Return a function of a split that was not there yet, and its checks."""
    for _ in range(TRIES):
        steps = draw(rng, split, depth)
        if steps is not None and steps not in seen:
            pairs = choose_pairs(rng, functions(steps), steps[0].operation.takes, checks + 1)
            if pairs and shows_every_step(steps, pairs[1:]):
                return steps, pairs
    raise InputError(f"katas:{split}: no more functions of depth {depth}; ask for fewer problems, or for deeper ones")


def choose_pairs(rng: Random, made: Sequence[Function], kind: Kind, count: int) -> list[Pair]:
    """Return different inputs on which functions one after another do not raise, and the results.

    The first pair is the best to show as an example. Nothing is returned where there are too few, or all alike.
    """
    pairs = list(islice(all_pairs(rng, made, kind), count))
    results = [result for _, result in pairs]
    if len(pairs) < count or all(result == results[0] for result in results[1:]):
        return []
    best = next((at for at, pair in enumerate(pairs) if _is_telling(pair)), 0)
    return [pairs[best], *pairs[:best], *pairs[best + 1 :]]


def all_pairs(rng: Random, made: Sequence[Function], kind: Kind) -> Iterator[Pair]:
    """Yield every input of a kind, in an order drawn, that the functions do not raise on, and the result."""
    pool, at, stride = inputs(kind), int(rng.random() * POOL), 1 + int(rng.random() * (POOL - 1))
    for _ in range(POOL):
        at = (at + stride) % POOL
        result = run(made, pool[at])
        if result.__class__ is not Failure:
            yield pool[at], result


def _is_telling(pair: Pair) -> bool:
    """Tell whether a pair makes a good example: nothing is empty or long, and something changed."""
    given, result = pair
    is_full = all(value or value.__class__ in (int, bool) for value in pair)
    return is_full and given != result and len(repr(given)) + len(repr(result)) <= 50


def shows_every_step(steps: Steps, pairs: Sequence[Pair]) -> bool:
    """Tell whether a program that leaves out one step fails a check."""
    droppable = [at for at, step in enumerate(steps) if step.keeps_kind] if len(steps) > 1 else []
    return all(_differs(functions(steps[:at] + steps[at + 1 :]), pairs) for at in droppable)


def _differs(made: Sequence[Function], pairs: Sequence[Pair]) -> bool:
    return any(run(made, given) != expected for given, expected in pairs)


def as_problem(rng: Random, steps: Steps, pairs: Sequence[Pair], *, id: str, split: str) -> Problem:
    """Return the problem of a function; the first of the pairs is its worked example."""
    said, name = wording.statement(rng, steps), pick(rng, wording.NAMES)
    prompt = wording.header(name, (steps[0].operation.takes, steps[-1].operation.gives), said, pairs[0])
    names = composition(steps)
    return Problem(
        id=id,
        statement=said,
        checks=tuple(Call((given,), expected) for given, expected in pairs),
        shown=(0,),
        revealed=(0,),
        entry_point=name,
        solution=prompt + wording.body(wording.idioms(rng, steps), wording.style(rng)),
        meta={"source": "katas", "split": split, "prompt": prompt, **facts(names)},
    )


def facts(names: tuple[str, ...]) -> dict[str, Any]:
    """Return what results are told apart by: composition, depth, and the distance to a training composition."""
    return {
        "operations": list(names),
        "cluster": ">".join(names),
        "depth": len(names),
        "difficulty": f"depth {len(names)}",
        "distance": distance(names),
    }
