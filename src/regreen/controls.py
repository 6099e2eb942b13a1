"""What repair is held against: fresh programs for the same budget, and repairs that were told something else.

Both are drawn in the run of the trees, as programs with a role of their own, and are judged like all others.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 3.2, compare repair with independent programs.

Differences from the paper:
- Its baseline is estimated from the first programs of the frozen trees. Here fresh ones are drawn beside, under the
  same rule of stopping, until they have cost what the problem's tree cost beyond its first programs; the last may
  exceed it, so that a doubt falls to the side of resampling.
- Where another model explains, that model writes programs alone for all that the tree cost.
- Repairs given another problem's feedback show how much of a repair's success is due to what the feedback says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from regreen.attempt import Grower, Opening
from regreen.models import Model
from regreen.problem import Problem

RESAMPLE = "control:resample"
ALONE = "control:alone"  # the explaining model writes programs, and explains nothing
SWAPPED = "control:swapped"


async def resample(
    problem: Problem,
    budget: int,
    grower: Grower,
    opening: Opening,
    model: Model,
    *,
    role: str = RESAMPLE,
    full: bool = False,
) -> None:
    """Draw fresh programs until they cost the budget or, unless ``full``, one passes.

    Args:
        problem: what they are written for.
        budget: generated tokens.
        grower: asks, judges and records them.
        opening: the first programs' own prompt and sampling.
        model: who writes them.
        role: under which they are recorded.
        full: go on after a pass, as a full tree does.
    """
    spent = index = 0
    while spent < budget:
        ask = opening.ask(problem, index, grower.run, role=role)
        fresh = await grower.attempt(ask, model)
        spent += fresh.program.tokens or 1  # a backend that counts none must not be asked for ever
        index += 1
        if fresh.passed and not full:
            return


@dataclass(frozen=True, slots=True)
class Told:
    """What was said about one failing program: its problem, its node, the node below it that says so, the words."""

    problem: str
    node: str
    child: str
    words: str


def swap(told: Sequence[Told], *, seed: int = 0) -> Mapping[str, list[tuple[Told, str]]]:
    """Give everything that was told the words of another problem.

    Args:
        told: all that was said in a run, in any order.
        seed: of the draw, which depends on nothing else but what was said.

    Returns:
        For each problem, its entries with the words drawn for them; none where no other problem was told anything.
    """
    ordered = sorted(told, key=lambda entry: (entry.problem, entry.child))
    swapped: dict[str, list[tuple[Told, str]]] = {}
    for entry in ordered:
        others = [other for other in ordered if other.problem != entry.problem and other.words]
        if others:
            drawn = Random(f"{seed}\0{entry.problem}\0{entry.child}").choice(others)
            swapped.setdefault(entry.problem, []).append((entry, drawn.words))
    return swapped
