r"""pass@t of frozen repair trees by drawing: the paper's bootstrap, all widths from the same draws.

Source: Olausson et al. 2023 (arXiv 2306.09896v5), section 3.3 and appendix A. Repeat N_t times: for every problem draw
n_p first programs, for each that fails n_f feedbacks, for each of these n_r repairs; search; average pass, costs and
programs over problems. Report mean and (population) standard deviation of the N_t averages.

Differences from the paper:

- One sequence of draws for each problem and replicate serves every width: a narrower tree is the beginning of a wider
  one. Each width is drawn as in the paper; two widths of one replicate are not independent of each other.
- What a search cannot reach is not drawn: everything below a first program that has a passing one at or before it.
- Without replacement by default, as everywhere here; the paper's figures draw with replacement.
- The deviations tell how much the estimate depends on the draws, for these problems and these trees. They are no
  interval for a model: that resamples problems.

Shapes: ``_T`` replicates, ``_P`` problems, ``_n`` first programs drawn, ``_S`` those of all replicates that have
something drawn below them, ``_f`` feedbacks and ``_r`` repairs drawn, ``_C`` axes of cost, ``_W`` widths. Replicates
come last, so that NumPy's innermost loops are long: that is where the speed comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from regreen.metrics.forest import Bools, Floats, Forest, Ints, Order, Width
from regreen.metrics.passt import Expected

TREES = 1000  # section 3.3: N_t
SEED = 2023  # of the published analysis


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the replicates give: means over problems for each replicate, and means over replicates for each problem.

    ``passed`` (T, W) and ``costs`` (T, W, C) hold the former, ``by_problem`` the latter. NaN: not defined.
    """

    passed: Floats
    costs: Floats
    by_problem: Expected

    @property
    def mean(self) -> Expected:
        """Means over replicates: pass rate (W,) and costs (W, C)."""
        return Expected(self.passed.mean(axis=0), self.costs.mean(axis=0))

    @property
    def deviation(self) -> Expected:
        """Population standard deviations over replicates: pass rate (W,) and costs (W, C)."""
        return Expected(self.passed.std(axis=0), self.costs.std(axis=0))


def bootstrap(
    forest: Forest,
    widths: Sequence[Width],
    *,
    order: Order = "batched",
    replacement: bool = False,
    trees: int = TREES,
    seed: int = SEED,
) -> Drawn:
    """Return pass rates and costs of trees of these widths, drawn from frozen ones.

    Args:
        forest: the frozen trees of P problems.
        widths: how wide trees are drawn.
        order: of the search.
        replacement: draw with replacement, at every level.
        trees: N_t, how many are drawn for each problem.
        seed: each problem has a stream of its own.
    """
    allowed_PW = forest.allows(widths)
    columns = np.logical_and.reduce(allowed_PW, axis=0)
    wanted = [width for width, all_allow in zip(widths, columns, strict=True) if all_allow]
    shape = len(wanted), trees
    passed_WT, costs_CWT, by_problem = np.zeros(shape), np.zeros((forest.firsts.costs.shape[-1], *shape)), []
    for at in range(len(allowed_PW)):
        found = _problem(forest.part(at), wanted, order, replacement, trees, np.random.default_rng((seed, at)))
        passed_WT += found.passed
        costs_CWT += found.costs
        by_problem.append((found.passed.mean(axis=-1), found.costs.mean(axis=-1).T))
    own = Expected(np.array([p for p, _ in by_problem]), np.array([c for _, c in by_problem]))
    means = passed_WT.T / len(by_problem), costs_CWT.T / len(by_problem)
    spread = [_columns(values, columns) for values in (*means, *own)]
    return Drawn(spread[0], spread[1], Expected(spread[2], spread[3]))


def _columns(values: Floats, which: Bools) -> Floats:
    """Put the columns that are defined in their places among all."""
    spread = np.full((len(values), len(which), *values.shape[2:]), np.nan)
    spread[:, which] = values
    return spread


class _Blocks(NamedTuple):
    """What is drawn below first programs: whether all of it fails (n, T), and its cost (C, n, T), in turn or whole."""

    fail: Bools
    costs: Floats


def _problem(
    tree: Forest, widths: Sequence[Width], order: Order, replacement: bool, trees: int, rng: np.random.Generator
) -> Expected:
    """Return pass (W, T) and costs (C, W, T) of one problem's drawn trees."""
    shape = len(widths), trees
    passed, costs = np.zeros(shape), np.zeros((tree.firsts.costs.shape[-1], *shape))
    if not widths:
        return Expected(passed, costs)
    most = max(width.n_p for width in widths)
    first_nT = _draw(rng, np.full(trees, tree.firsts.here.sum()), most, replacement)
    failing_nT = np.logical_and.accumulate(np.logical_not(tree.firsts.passed[first_nT]), axis=0)
    above = _Above(failing_nT, tree.firsts.costs.T[:, first_nT], order)
    below = _Below(tree, first_nT, failing_nT, _widest(widths), replacement, rng)
    for n_r in dict.fromkeys(width.n_r for width in widths):
        n_fs = {width.n_f for width in widths if width.n_r == n_r}
        for n_f, blocks in below.blocks(n_fs, n_r, in_turn=order != "batched"):
            at = [place for place, width in enumerate(widths) if width[1:] == (n_f, n_r)]
            n_p = np.array([widths[place].n_p for place in at]) - 1
            fail_nT, spent_CnT = above.search(blocks)
            passed[at], costs[:, at] = 1.0 - fail_nT[n_p], spent_CnT[:, n_p]
    return Expected(passed, costs)


def _widest(widths: Sequence[Width]) -> tuple[int, int]:
    repaired = [width for width in widths if width.repairs]
    return max((width.n_f for width in repaired), default=0), max((width.n_r for width in repaired), default=0)


class _Below:
    """Feedbacks and repairs drawn for the first programs that failed after nothing but failures."""

    def __init__(
        self,
        tree: Forest,
        first_nT: Ints,
        failing_nT: Bools,
        widest: tuple[int, int],
        replacement: bool,
        rng: np.random.Generator,
    ) -> None:
        axes = tree.firsts.costs.shape[-1]
        self._shape, self._failing = failing_nT.shape, np.flatnonzero(failing_nT)
        self._fails = np.logical_not(tree.repairs.passed).ravel().astype(float)
        self._costs = np.ascontiguousarray(tree.repairs.costs.reshape(self._fails.size, axes).T)
        self._words = np.ascontiguousarray(tree.feedbacks.costs.reshape(tree.feedbacks.here.size, axes).T)
        first_S, (n_f, n_r) = first_nT[failing_nT], widest
        of_first, of_feedback = tree.feedbacks.here.sum(axis=1), tree.repairs.here.sum(axis=2).ravel()
        self._drawn = _draw(rng, of_first[first_S], n_f, replacement) + first_S * tree.feedbacks.here.shape[1]
        sizes_fS, each = of_feedback[self._drawn], tree.repairs.here.shape[2]
        self._repairs = [
            _draw(rng, sizes_S, n_r, replacement) + drawn_S * each
            for sizes_S, drawn_S in zip(sizes_fS, self._drawn, strict=True)
        ]

    def blocks(self, wanted: Collection[int], n_r: int, *, in_turn: bool) -> Iterator[tuple[int, _Blocks]]:
        """Yield what the first n_f feedbacks with their first n_r repairs come to, for each n_f that is wanted.

        ``in_turn``: nothing is spent after a repair that passes.
        """
        alive_S, spent_CS = np.ones(len(self._failing)), np.zeros((len(self._words), len(self._failing)))
        for n_f in range(max(wanted) + 1):
            if n_f:
                self._add(spent_CS, np.take(self._words, self._drawn[n_f - 1], axis=1), alive_S if in_turn else None)
                for repair_S in self._repairs[n_f - 1][:n_r]:
                    self._add(spent_CS, np.take(self._costs, repair_S, axis=1), alive_S if in_turn else None)
                    alive_S *= np.take(self._fails, repair_S)
            if n_f in wanted:
                yield n_f, _Blocks(self._spread(alive_S[None] > 0)[0], self._spread(spent_CS))

    @staticmethod
    def _add(spent_CS: Floats, costs_CS: Floats, alive_S: Floats | None) -> None:
        if alive_S is not None:
            costs_CS *= alive_S
        spent_CS += costs_CS

    def _spread(self, values_CS: Any) -> Any:
        spread = np.zeros((len(values_CS), self._shape[0] * self._shape[1]), dtype=values_CS.dtype)
        spread[:, self._failing] = values_CS
        return spread.reshape(len(values_CS), *self._shape)


def _draw(rng: np.random.Generator, sizes: Ints, most: int, replacement: bool) -> Ints:
    """Return ``most`` places (most, S) below each of the sizes (S,), each of which is at least as large."""
    if sizes.max(initial=0) <= 1:  # joint sampling: there is one repair to choose from
        return np.zeros((most, len(sizes)), dtype=np.intp)
    if replacement or most <= 1:
        return np.asarray(rng.random((most, len(sizes))) * sizes, dtype=np.intp)
    places = np.repeat(np.arange(sizes.max(initial=most), dtype=np.int32)[:, None], len(sizes), axis=1)
    flat, columns = places.ravel(), np.arange(len(sizes))
    for at in range(most):  # Fisher and Yates
        other = (at + (rng.random(len(sizes)) * (sizes - at)).astype(np.intp)) * len(sizes) + columns
        drawn = flat[other]
        flat[other] = places[at]
        places[at] = drawn
    return places[:most].astype(np.intp)


def _before(fail: Bools) -> Bools:
    """Return whether all before each have failed (n, T)."""
    alive = np.ones_like(fail)
    np.logical_and.accumulate(fail[:-1], axis=0, out=alive[1:])
    return alive


class _Above:
    """First programs drawn, and how they are searched; what does not depend on the repairs is computed once."""

    def __init__(self, failing_nT: Bools, costs_CnT: Floats, order: Order) -> None:
        self._order, self._failing, self._costs = order, failing_nT, costs_CnT
        self._all_failed = failing_nT.astype(float)
        alive = _before(failing_nT) if order == "bfs" else np.ones_like(failing_nT)
        self._spent = np.cumsum(costs_CnT * alive, axis=1)

    def search(self, blocks: _Blocks) -> tuple[Bools, Floats]:
        """Return whether nothing passes (n, T), and what is spent (C, n, T), for each number of first programs."""
        if self._order == "dfs":
            fail = self._failing & blocks.fail
            costs = (self._costs + blocks.costs) * _before(fail).astype(float)
            return np.logical_and.accumulate(fail, axis=0), np.cumsum(costs, axis=1)
        reached = blocks.costs * _before(blocks.fail).astype(float) if self._order == "bfs" else blocks.costs
        below = np.cumsum(reached, axis=1)
        below *= self._all_failed
        below += self._spent
        return self._failing & np.logical_and.accumulate(blocks.fail, axis=0), below
