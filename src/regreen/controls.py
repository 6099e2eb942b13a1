"""What repair is held against: fresh programs for the same budget, and repairs that were told something else.

Both are drawn in the run of the trees, as programs with a role of their own, and are judged like all others.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 3.2, compare repair with independent programs.

Differences from the paper:
- Its baseline is estimated from the first programs of the frozen trees. Here fresh ones are drawn beside, under the
  same rule of stopping, until they have cost what the problem's tree cost beyond its first programs; the last may
  exceed it, so that a doubt falls to the side of resampling.
- Where another model explains, that model writes programs alone for all that the tree cost.
- Repairs given another problem's feedback show how much of a repair's success is due to what the feedback says.
- A ladder of such repairs, from the true feedback down, says what of it matters: another wrong program's feedback on
  the same problem (what is left is due to the problem's own expected values), another problem's with the same outcome
  and about as long (what is left is due to the form), an error's name alone, none; and another problem's wrong
  program above the true feedback.
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
SWAPPED = "control:swapped"  # another problem's feedback
WITHIN = "control:within"  # the same problem's, on another wrong program
NAMED = "control:named"  # an error's name
UNTOLD = "control:untold"  # nothing
STRANGER = "control:stranger"  # the true feedback below another problem's wrong program

_REFUSED = 3  # fresh programs in a row, after which no more are asked for
_NEAR = 8  # other problems' feedback of one outcome, nearest in length, from which one is drawn


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
    """Draw fresh programs until they cost the budget, are refused three times in a row or, unless ``full``, one passes.

    Args:
        problem: what they are written for.
        budget: generated tokens.
        grower: asks, judges and records them.
        opening: the first programs' own prompt and sampling.
        model: who writes them.
        role: under which they are recorded.
        full: go on after a pass, as a full tree does.
    """
    spent = index = refused = 0
    while spent < budget and refused < _REFUSED:
        ask = opening.ask(problem, index, grower.run, role=role)
        fresh = await grower.attempt(ask, model)
        spent += fresh.program.tokens or 1  # a backend that counts none must not be asked for ever
        index, refused = index + 1, 0 if fresh.program.error is None else refused + 1
        if fresh.passed and not full:
            return


@dataclass(frozen=True, slots=True)
class Told:
    """What was said about one failing program: its problem, its node, the node below it that says so, the words.

    The ladder of controls knows the program's outcome and source too.
    """

    problem: str
    node: str
    child: str
    words: str
    outcome: str = ""
    source: str = ""


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


def strangers(told: Sequence[Told], *, seed: int = 0) -> Mapping[tuple[str, str], Told]:
    """Give everything that was told another problem's: of the same outcome, other words, and about as long.

    Args:
        told: all that was said in a run, in any order.
        seed: of the draw, which depends on nothing else but what was said.

    Returns:
        By problem and child, what was drawn; nothing where no other problem's program failed in the same way.
    """
    by_outcome: dict[str, list[Told]] = {}
    for entry in sorted(told, key=lambda entry: (len(entry.words), entry.problem, entry.child)):
        by_outcome.setdefault(entry.outcome, []).append(entry)
    found: dict[tuple[str, str], Told] = {}
    for ordered in by_outcome.values():
        for at, entry in enumerate(ordered):
            near = _nearest(ordered, at)
            if near:
                found[entry.problem, entry.child] = _drawn(entry, near, seed)
    return found


def neighbours(told: Sequence[Told], others: Sequence[Told] = (), *, seed: int = 0) -> Mapping[tuple[str, str], Told]:
    """Give everything that was told what was said of the same problem's other wrong programs, where that differs.

    Args:
        told: all that was said in a run, in any order.
        others: what would be said of further wrong programs.
        seed: of the draw.

    Returns:
        By problem and child, what was drawn; nothing where all of a problem's wrong programs are told the same.
    """
    by_problem: dict[str, list[Told]] = {}
    for entry in sorted((*told, *others), key=lambda entry: (entry.child, entry.words)):
        by_problem.setdefault(entry.problem, []).append(entry)
    found: dict[tuple[str, str], Told] = {}
    for entry in told:
        differing = [o for o in by_problem[entry.problem] if o.words != entry.words and o.source != entry.source]
        if differing:
            found[entry.problem, entry.child] = _drawn(entry, differing, seed)
    return found


def _nearest(ordered: Sequence[Told], at: int) -> list[Told]:
    """Return the entries nearest in a list by length that are another problem's and say something else."""
    entry, near = ordered[at], list[Told]()
    for step in range(1, len(ordered)):
        for place in (at - step, at + step):
            if 0 <= place < len(ordered) and len(near) < _NEAR:
                other = ordered[place]
                near += [other] if other.problem != entry.problem and other.words != entry.words else []
        if len(near) == _NEAR:
            break
    return near


def _drawn(entry: Told, others: Sequence[Told], seed: int) -> Told:
    return Random(f"{seed}\0{entry.problem}\0{entry.child}").choice(others)
