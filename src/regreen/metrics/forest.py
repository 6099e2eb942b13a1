"""Frozen repair trees as numbers: what each node cost and whether its program passed, of one problem or of many.

A frozen tree is grown once, far wider than what is asked about; smaller trees are then drawn from it. Costs are
whatever numbers are put in, one for each axis (sampled tokens, a price, calls ...); the number of programs is always
added as the last axis.

Shapes: ``_P`` problems, ``_N`` first programs, ``_F`` feedbacks of a program, ``_R`` repairs of a feedback, ``_C`` axes
of cost, ``_W`` widths. Where problems differ in size, arrays are padded, and ``here`` says what is there.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Order = Literal["batched", "bfs", "dfs"]
Costs = Sequence[float]


class Repair(NamedTuple):
    """A repaired program: whether it passed, and what it cost on each axis."""

    passed: bool
    costs: Costs


class Feedback(NamedTuple):
    """Words on a failing program: what they cost on each axis, and the repairs made with them."""

    costs: Costs
    repairs: Sequence[Repair]


class First(NamedTuple):
    """A first program: whether it passed, its costs, and the feedbacks on it if it failed."""

    passed: bool
    costs: Costs
    feedbacks: Sequence[Feedback] = ()


FrozenTree = Sequence[First]


def joint(passed: bool, costs: Costs) -> Feedback:
    """Return a joint sample, words and repair in one text, as a free feedback with one repair."""
    return Feedback((0.0,) * len(costs), (Repair(passed, costs),))


class Width(NamedTuple):
    """How wide a tree is drawn: first programs, feedbacks for each failing one, repairs for each feedback.

    Joint sampling of n_fr is ``Width(n_p, n_fr)``; without repair, ``Width(n_p)``.
    """

    n_p: int
    n_f: int = 0
    n_r: int = 1

    @property
    def repairs(self) -> int:
        """The repairs of one failing program."""
        return self.n_f * self.n_r

    @property
    def programs(self) -> int:
        """The paper's k: the programs of the whole tree, n_p + n_p n_f n_r."""
        return self.n_p * (1 + self.repairs)


@dataclass(frozen=True, slots=True)
class Level:
    """One level of many trees: ``passed`` and ``here`` (..., n), ``costs`` (..., n, C), which are 0 for padding."""

    passed: Bools
    costs: Floats
    here: Bools

    def of(self, which: Any) -> Level:
        """Return a part, by an index into the leading axes."""
        return Level(self.passed[which], self.costs[which], self.here[which])


@dataclass(frozen=True, slots=True)
class Forest:
    """The frozen trees of many problems: first programs ``_PN``, feedbacks ``_PNF``, repairs ``_PNFR``."""

    firsts: Level
    feedbacks: Level
    repairs: Level

    @classmethod
    def of(cls, trees: Iterable[FrozenTree]) -> Forest:
        """Pack trees, a problem each; raises ValueError for none, or where costs have not as many axes everywhere."""
        rows_P = [list(tree) for tree in trees]
        if not any(rows_P):
            raise ValueError("a forest needs at least one tree with a first program")
        rows_PN = [[first.feedbacks for first in tree] for tree in rows_P]
        most = max(map(len, rows_P)), max((len(found) for tree in rows_PN for found in tree), default=0)
        rows_F = [found for tree in rows_PN for found in _padded(tree, most[0])]
        rows_R = [found for row in rows_F for found in _padded([repairs for _, repairs in row], most[1])]
        axes = len(next(tree[0] for tree in rows_P if tree).costs)
        shape = len(rows_P), *most
        return cls(
            _level(rows_P, shape[:1], axes, programs=1.0),
            _level(rows_F, shape[:2], axes, programs=0.0, passed=None, costs=itemgetter(0)),
            _level(rows_R, shape, axes, programs=1.0),
        )

    @property
    def failing(self) -> Bools:
        """Which first programs failed (P, N)."""
        return self.firsts.here & ~self.firsts.passed

    @property
    def most_P(self) -> list[Width]:
        """For each problem the widest tree that can be drawn without repeating anything; -1 is without end."""
        sizes_N = self.firsts.here.sum(axis=1)
        sizes_F = _least(self.feedbacks.here.sum(axis=2), self.failing)
        sizes_R = _least(self.repairs.here.sum(axis=3), self.feedbacks.here & self.failing[..., None])
        return [Width(int(n), int(f), int(r)) for n, f, r in zip(sizes_N, sizes_F, sizes_R, strict=True)]

    @property
    def most(self) -> Width:
        """The widest tree that can be drawn of every problem; -1 is without end, where no program failed."""
        found = self.most_P
        ends = [[getattr(width, name) for width in found] for name in ("n_f", "n_r")]
        n_f, n_r = (min((size for size in sizes if size >= 0), default=-1) for sizes in ends)
        return Width(min(width.n_p for width in found), n_f, n_r)

    def allows(self, widths: Sequence[Width]) -> Bools:
        """Tell which problems (P, W) have enough of everything for a width; what has not is undefined."""
        return np.array([[_fits(width, most) for width in widths] for most in self.most_P], dtype=bool)

    def part(self, problems: Any) -> Forest:
        """Return the trees of some problems, by an index."""
        return Forest(self.firsts.of(problems), self.feedbacks.of(problems), self.repairs.of(problems))


def _fits(width: Width, most: Width) -> bool:
    if width.n_p > most.n_p:
        return False
    return not width.repairs or (_within(width.n_f, most.n_f) and _within(width.n_r, most.n_r))


def _within(size: int, most: int) -> bool:
    return most < 0 or size <= most


def _least(sizes: Ints, counted: Bools) -> Ints:
    """Return each problem's smallest size among those that count, -1 where none does."""
    flat, which = sizes.reshape(len(sizes), -1), counted.reshape(len(sizes), -1)
    least = np.where(which, flat, np.iinfo(np.intp).max).min(axis=1, initial=np.iinfo(np.intp).max)
    return np.where(which.any(axis=1), least, -1)


def _padded(rows: list[Any], size: int) -> list[Any]:
    return rows + [()] * (size - len(rows))


def _level(
    rows: Sequence[Sequence[Any]],
    shape: tuple[int, ...],
    axes: int,
    *,
    programs: float,
    passed: Callable[[Any], Any] | None = itemgetter(0),
    costs: Callable[[Any], Any] = itemgetter(1),
) -> Level:
    """Pack rows of nodes; ``shape`` is that of the rows, ``programs`` what a node counts on the last axis."""
    sizes = np.fromiter(map(len, rows), np.intp, len(rows))
    here = np.arange(sizes.max(initial=0)) < sizes[:, None]
    nodes = list(chain.from_iterable(rows))
    paid = list(map(costs, nodes))
    if not set(map(len, paid)) <= {axes}:
        raise ValueError(f"costs have not {axes} axes everywhere")
    right, spent = np.zeros(here.shape, dtype=bool), np.zeros((*here.shape, axes + 1))
    if passed is not None:
        right[here] = np.fromiter(map(passed, nodes), bool, len(nodes))
    spent[here, :axes] = np.fromiter(chain.from_iterable(paid), float, len(nodes) * axes).reshape(-1, axes)
    spent[here, axes] = programs
    shape = (*shape, here.shape[1])
    return Level(right.reshape(shape), spent.reshape(*shape, axes + 1), here.reshape(shape))
