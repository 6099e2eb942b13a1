"""Inputs near the known ones, farther and farther from them.

Each is drawn from a known input or from one made before: a value changed by its type (:mod:`regreen.arms.mutate`), or
an argument exchanged for that of another known input, which is as likely to be what the statement promises.

Source: Liu et al. 2023 (arXiv 2305.01210), section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from regreen.arms.cases import input_key, near
from regreen.arms.mutate import unshared
from regreen.curate.strengthening.promises import Holds, keeps
from regreen.problem import Call

_TRIES = 10  # draws for each input wanted, at most
_LONGEST = 600  # characters of an input: what a person still reads


def near_inputs(known: Sequence[Call], count: int, *, seed: int | str, promised: Sequence[Holds] = ()) -> list[Call]:
    """Return calls that are none of the known ones, all different, the same for one seed.

    Args:
        known: where to begin.
        count: how many, at most.
        seed: of all draws.
        promised: what each of them must keep.
    """
    random = Random(f"{seed}")
    pool, seen = list(known), {input_key(call) for call in known}
    for _ in range(count * _TRIES if known else 0):
        call = _drawn(known, pool, random)
        key = input_key(call)
        if key in seen:
            continue
        seen.add(key)
        if len(key) <= _LONGEST and keeps(call, promised):
            pool.append(call)
        if len(pool) == len(known) + count:
            break
    return pool[len(known) :]


def _drawn(known: Sequence[Call], pool: Sequence[Call], random: Random) -> Call:
    if random.random() < 0.25:
        return _crossed(random.choice(pool), random.choice(known), random)
    return near(random.choice(random.choice([known, pool])), random)


def _crossed(call: Call, other: Call, random: Random) -> Call:
    """Return a call with one argument of another of the same form."""
    if len(call.args) != len(other.args) or not call.args:
        return near(call, random)
    at = random.randrange(len(call.args))
    args = unshared((*call.args[:at], other.args[at], *call.args[at + 1 :]))
    return Call(args, None, unshared(call.kwargs), call.compare)
