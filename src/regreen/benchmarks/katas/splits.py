"""Which split a function belongs to: by its composition and by its behaviour, both or none.

A hash of the operations' names gives a composition its home, a hash of the results on fixed inputs gives a behaviour
its own. A function belongs to a split only if both are that split; a function whose homes differ belongs to none. So
no split has a composition of another, and none a function that on 64 fixed inputs behaves as a function of another,
whatever the seed and however many are drawn, without comparing any two: functions that agree on all 64 agree on the
first of them, which alone are hashed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import combinations, pairwise
from random import Random
from typing import NamedTuple

from regreen.benchmarks.katas.chains import (
    OPERATIONS,
    Step,
    Steps,
    behaviour,
    draw_constants,
    draw_operations,
    is_sound,
    outputs,
    texts,
)
from regreen.benchmarks.katas.operation import Operation
from regreen.benchmarks.katas.values import FIRST, fixed

SHARES = {"train": 55, "validation": 10, "test": 20, "unsolved": 15}  # percent of compositions, and of behaviours

OPEN = "?"  # ends the name of an operation that leaves a choice open


class Removed(NamedTuple):
    """What the rule of behaviour took from a split.

    ``candidates`` functions had a composition of the split; ``alike`` is the share of them that behave as a drawn
    function of a training composition, ``removed`` the share that does not belong to the split for its behaviour.
    """

    candidates: int
    alike: float
    removed: float


def home(text: str) -> str:
    """Return the split that a text falls to by its hash."""
    place = int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") % 100
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    raise AssertionError("the shares are a hundred percent")


@lru_cache(maxsize=1 << 14)
def home_of_names(names: tuple[str, ...]) -> str:
    """Return the split of a composition; one with an open choice is never another split's."""
    return "ambiguous" if any(name.endswith(OPEN) for name in names) else home(">".join(names))


def names_of(operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return a composition: the operations' names."""
    return tuple(operation.name for operation in operations)


def composition(steps: Steps) -> tuple[str, ...]:
    """Return a chain's composition."""
    return tuple(step.operation.name for step in steps)


def home_of_behaviour(digest: str) -> str:
    """Return the split of a behaviour; that of a single operation goes with the operation."""
    single = singles().get(digest)
    return home_of_names((single,)) if single else home(digest)


@cache
def singles() -> dict[str, str]:
    """Return the behaviour of each single operation with each of its constants, and the operation's name."""
    found: dict[str, str] = {}
    for operation in OPERATIONS.values():
        for constant in operation.constants or (None,):
            steps = (Step(operation, constant),)
            found.setdefault(behaviour_of(steps), operation.name)
    return found


def behaviour_of(steps: Steps) -> str:
    """Return a digest of a function's results on the first of the fixed inputs."""
    return behaviour(steps[0].operation.takes, texts(steps, outputs(steps)))


def split_of(steps: Steps) -> str | None:
    """Return the split that a function belongs to; None for one of no split."""
    names = home_of_names(composition(steps))
    return names if names == home_of_behaviour(behaviour_of(steps)) else None


@lru_cache(maxsize=1 << 14)
def distance(operations: tuple[Operation, ...]) -> int:
    """Return how many steps must be removed from a composition until what is left is a training composition."""
    for removed in range(len(operations)):
        for left in combinations(operations, len(operations) - removed):
            if _fits_together(left) and home_of_names(names_of(left)) == "train":
                return removed
    return len(operations)


def _fits_together(operations: tuple[Operation, ...]) -> bool:
    return all(first.gives == second.takes for first, second in pairwise(operations))


def draw(rng: Random, split: str, depth: int) -> Steps | None:
    """Draw a function of a split; None if what was drawn is not of it, or not sound."""
    operations = draw_operations(rng, depth)
    if home_of_names(names_of(operations)) != split:
        return None
    steps = draw_constants(rng, operations)
    found = sound_behaviour(steps)
    return steps if found is not None and home_of_behaviour(found) == split else None


def sound_behaviour(steps: Steps) -> str | None:
    """Return a function's behaviour; None if it is not sound, or does what a single operation does."""
    kind, results = steps[0].operation.takes, outputs(steps)
    written = texts(steps, results)
    if not is_sound(fixed(kind, FIRST), results, written):
        return None
    found = behaviour(kind, written)
    return None if len(steps) > 1 and found in singles() else found


def removed(split: str, *, draws: int = 20_000, depths: tuple[int, ...] = (1, 2, 3, 4), seed: int = 0) -> Removed:
    """Count what the rule of behaviour takes from a held-out split, and how much of it a training function would match.

    Args:
        split: a held-out split.
        draws: how many compositions to draw, those of other splits included.
        depths: drawn equally often.
        seed: of the draws.
    """
    rng, training, held = Random(f"removed/{seed}"), set[str](), list[str]()
    for at in range(draws):
        operations = draw_operations(rng, depths[at % len(depths)])
        place = home_of_names(names_of(operations))
        found = sound_behaviour(draw_constants(rng, operations)) if place in ("train", split) else None
        if found is not None:
            training.add(found) if place == "train" else held.append(found)
    alike, lost = sum(each in training for each in held), sum(home_of_behaviour(each) != split for each in held)
    return Removed(len(held), alike / max(1, len(held)), lost / max(1, len(held)))
