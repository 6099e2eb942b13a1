"""Katas as problems, split by split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from regreen.benchmarks.katas import wording
from regreen.benchmarks.katas.ambiguous import HOMES, Reading, draw_readings, readings_pairs
from regreen.benchmarks.katas.bugs import BUG_SHARE, with_bug
from regreen.benchmarks.katas.chains import Steps, pick
from regreen.benchmarks.katas.pairs import Pair, choose_pairs
from regreen.benchmarks.katas.splits import composition, distance, draw
from regreen.errors import InputError
from regreen.problem import Call, Problem

ONCE = ("validation", "test", "ambiguous")  # splits that ask for each function once
WAYS = 12  # draws of another way to write what is right: CYCLE learns the one most like a wrong program
TRIES = 50_000  # draws in vain until a split is said to hold no more


def problems(split: str, *, seed: int, depths: Mapping[int, float], checks: int) -> Iterator[Problem]:
    """Yield problems of a split without end; ``ONCE`` names those that ask for each function once.

    Raises:
        InputError: no new function was found in many draws.
    """
    rng, seen, number = Random(f"katas/{split}/{seed}"), set[str](), 0
    while True:
        depth = rng.choices(list(depths), list(depths.values()))[0]
        problem = _new(rng, split, depth, checks, seen)
        yield replace(problem, id=f"katas/{split}/{seed}-{number}")
        number += 1


def _new(rng: Random, split: str, depth: int, checks: int, seen: set[str]) -> Problem:
    """Return a problem, as yet without an id, on a function that was not there yet."""
    make = _MAKERS.get(split, _plain)
    for _ in range(TRIES):
        problem = make(rng, split, depth, checks)
        if problem is not None and (split not in ONCE or _function(problem) not in seen):
            seen.add(_function(problem) if split in ONCE else "")
            return problem
    raise InputError(f"katas:{split}: no more functions of depth {depth}; ask for fewer problems, or for deeper ones")


def _function(problem: Problem) -> str:
    return f"{problem.meta['operations']} {problem.meta['constants']}"


def _plain(rng: Random, split: str, depth: int, checks: int) -> Problem | None:
    steps = draw(rng, split, depth)
    pairs = choose_pairs(rng, steps, checks + 1) if steps else []
    return _written(rng, steps, pairs, split) if steps and pairs else None


def _unsolved(rng: Random, split: str, depth: int, checks: int) -> Problem | None:
    problem = _plain(rng, split, depth, checks)
    return replace(problem, solution=None) if problem else None


def _noisy(rng: Random, split: str, depth: int, checks: int) -> Problem | None:
    """Return a problem whose ``meta["corpus"]`` is its solution or, as often as is stated, one with a bug."""
    steps = draw(rng, "train", depth)
    pairs = choose_pairs(rng, steps, checks + 1) if steps else []
    if not steps or not pairs:
        return None
    codes, style = wording.idioms(rng, steps), wording.style(rng)
    problem = as_problem(rng, steps, pairs, split=split, codes=codes, style=style)
    if rng.random() >= BUG_SHARE:
        return _with_meta(problem, corpus=problem.solution, bug=None)
    bug = with_bug(rng, steps, codes, pairs[1:])
    return _with_meta(problem, corpus=problem.prompt + wording.body(bug.codes, style), bug=bug.kind) if bug else None


def _ambiguous(rng: Random, split: str, depth: int, checks: int) -> Problem | None:
    """Return a problem that has several readings; its second check decides among them, and may be revealed."""
    readings = draw_readings(rng, depth, HOMES[split]) or []
    pairs = readings_pairs(rng, readings, checks) if readings else []
    if not pairs:
        return None
    right = readings[0]
    problem = _written(rng, right.steps, pairs, split)
    programs = {reading.name: _program(rng, problem, reading) for reading in readings}
    solutions = {programs[right.name]: None} | {_program(rng, problem, right): None for _ in range(WAYS)}
    facts = {"reading": right.name, "readings": programs, "solutions": list(solutions)}
    return _with_meta(replace(problem, revealed=(0, 1), solution=programs[right.name]), **facts)


def _program(rng: Random, problem: Problem, reading: Reading) -> str:
    return problem.prompt + wording.body(wording.idioms(rng, reading.steps), wording.style(rng))


_MAKERS = {"unsolved": _unsolved, "noisy": _noisy, **dict.fromkeys(HOMES, _ambiguous)}


def _written(rng: Random, steps: Steps, pairs: Sequence[Pair], split: str) -> Problem:
    return as_problem(rng, steps, pairs, split=split, codes=wording.idioms(rng, steps), style=wording.style(rng))


def as_problem(
    rng: Random, steps: Steps, pairs: Sequence[Pair], *, split: str, codes: Sequence[str], style: str
) -> Problem:
    """Return the problem of a function, solved by ``codes``; the first of the pairs is its worked example."""
    said, name = wording.statement(rng, steps), pick(rng, wording.NAMES)
    prompt = wording.header(name, (steps[0].operation.takes, steps[-1].operation.gives), said, pairs[0])
    return Problem(
        id="",
        statement=said,
        checks=tuple(Call((given,), expected) for given, expected in pairs),
        shown=(0,),
        revealed=(0,),
        entry_point=name,
        solution=prompt + wording.body(codes, style),
        meta={"source": "katas", "split": split, "prompt": prompt, **_facts(steps)},
    )


def _facts(steps: Steps) -> dict[str, Any]:
    """Return what results are told apart by: composition, depth, and the distance to a training composition."""
    names = composition(steps)
    return {
        "operations": list(names),
        "cluster": ">".join(names),
        "constants": [step.constant for step in steps],
        "depth": len(names),
        "difficulty": f"depth {len(names)}",
        "distance": distance(tuple(step.operation for step in steps)),
    }


def _with_meta(problem: Problem, **facts: Any) -> Problem:
    return replace(problem, meta={**problem.meta, **facts})
