"""In which order a tree is grown on live models.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 3 and its published code, which has the breadth-first order.

Differences from the paper:
- Trees may be deeper than one repair: in every order a failing repair is then itself a program to repair.
- A full tree, which the paper grows for its estimates, is the batched order without the stop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import chain

from regreen.attempt.growing import Attempt, all_of
from regreen.repair.growth import Growth


@dataclass(frozen=True, slots=True)
class Widths:
    """Upper bounds on a tree: first programs, explanations of each failing one, repairs for each, levels of repair."""

    np: int
    nf: int
    nr: int
    depth: int = 1


async def batched(growth: Growth, widths: Widths, *, full: bool = False) -> None:
    """Write all first programs, then all repairs of all of them, and so on; end after a level with a pass."""
    attempts = await all_of(growth.first(index) for index in range(widths.np))
    for _ in range(widths.depth):
        if not full and any(attempt.passed for attempt in attempts):
            return
        failing = [attempt for attempt in attempts if attempt.can_be_repaired]
        attempts = list(chain.from_iterable(await all_of(_below(growth, attempt, widths) for attempt in failing)))


async def bfs(growth: Growth, widths: Widths) -> None:
    """Write first programs one by one, then repairs one by one, level by level; end at the first pass."""
    level = []
    for index in range(widths.np):
        level.append(await growth.first(index))
        if level[-1].passed:
            return
    for _ in range(widths.depth):
        below = []
        for attempt in level:
            async for repair in _one_by_one(growth, attempt, widths):
                below.append(repair)
                if repair.passed:
                    return
        level = below


async def dfs(growth: Growth, widths: Widths) -> None:
    """Write a first program, then everything below it, then the next; end at the first pass."""
    for index in range(widths.np):
        attempt = await growth.first(index)
        if attempt.passed or await _down(growth, attempt, widths, widths.depth):
            return


async def _down(growth: Growth, attempt: Attempt, widths: Widths, depth: int) -> bool:
    """Grow everything below a program, depth first; tell whether a repair passed."""
    if depth:
        async for repair in _one_by_one(growth, attempt, widths):
            if repair.passed or await _down(growth, repair, widths, depth - 1):
                return True
    return False


async def _one_by_one(growth: Growth, attempt: Attempt, widths: Widths) -> AsyncIterator[Attempt]:
    """Yield the repairs of a failing program, each written when it is asked for."""
    if attempt.can_be_repaired:
        for number in range(widths.nf):
            words = await growth.explain(attempt, number)
            for k in range(widths.nr):
                yield await growth.repair(attempt, number, words, k)


async def _below(growth: Growth, attempt: Attempt, widths: Widths) -> list[Attempt]:
    """Grow everything right below a failing program at once."""

    async def branch(number: int) -> list[Attempt]:
        words = await growth.explain(attempt, number)
        return await all_of(growth.repair(attempt, number, words, k) for k in range(widths.nr))

    return list(chain.from_iterable(await all_of(branch(number) for number in range(widths.nf))))


ORDERS = {"batched": batched, "bfs": bfs, "dfs": dfs}
