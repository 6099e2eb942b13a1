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
something drawn below them, ``_F`` feedbacks, ``_R`` repairs, ``_C`` axes of cost, ``_W`` widths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from regreen.metrics.forest import Bools, Floats, Forest, Ints, Level, Order, Width
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
    shape = (trees, len(wanted), forest.firsts.costs.shape[-1])
    passed, costs, by_problem = np.zeros(shape[:2]), np.zeros(shape), []
    for at in range(len(allowed_PW)):
        found = _problem(forest.part(at), wanted, order, replacement, trees, np.random.default_rng((seed, at)))
        passed += found.passed
        costs += found.costs
        by_problem.append((found.passed.mean(axis=0), found.costs.mean(axis=0)))
    problems = len(by_problem)
    own = Expected(np.array([p for p, _ in by_problem]), np.array([c for _, c in by_problem]))
    whole = _columns(passed / problems, columns), _columns(costs / problems, columns)
    return Drawn(*whole, Expected(_columns(own.passed, columns), _columns(own.costs, columns)))


def _columns(values: Floats, which: Bools) -> Floats:
    """Put the columns that are defined in their places among all."""
    spread = np.full((len(values), len(which), *values.shape[2:]), np.nan)
    spread[:, which] = values
    return spread


class _Blocks(NamedTuple):
    """What is drawn below first programs: whether all of it fails (T, n), its cost in turn and in whole (T, n, C)."""

    fail: Floats
    in_turn: Floats
    whole: Floats


def _problem(
    tree: Forest, widths: Sequence[Width], order: Order, replacement: bool, trees: int, rng: np.random.Generator
) -> Expected:
    """Return pass (T, W) and costs (T, W, C) of one problem's drawn trees."""
    shape = (trees, len(widths), tree.firsts.costs.shape[-1])
    passed, costs = np.zeros(shape[:2]), np.zeros(shape)
    if not widths:
        return Expected(passed, costs)
    most = max(width.n_p for width in widths)
    first_Tn = _draw(rng, np.full(trees, tree.firsts.here.sum()), most, replacement)
    failing_Tn = np.logical_and.accumulate(~tree.firsts.passed[first_Tn], axis=1)  # nothing else is searched below
    below = _Below(tree, first_Tn, failing_Tn, widths, replacement, rng)
    for n_f, n_r in dict.fromkeys(width[1:] for width in widths):
        at = [place for place, width in enumerate(widths) if width[1:] == (n_f, n_r)]
        n_p = np.array([widths[place].n_p for place in at]) - 1
        fail_Tn, spent_TnC = _SEARCHES[order](failing_Tn, tree.firsts.costs[first_Tn], below.blocks(n_f, n_r))
        passed[:, at], costs[:, at] = 1.0 - fail_Tn[:, n_p], spent_TnC[:, n_p]
    return Expected(passed, costs)


class _Below:
    """Feedbacks and repairs drawn for the first programs that failed after nothing but failures."""

    def __init__(
        self,
        tree: Forest,
        first_Tn: Ints,
        failing_Tn: Bools,
        widths: Sequence[Width],
        replacement: bool,
        rng: np.random.Generator,
    ) -> None:
        repaired = [width for width in widths if width.repairs]
        n_f, n_r = (max((getattr(width, name) for width in repaired), default=0) for name in ("n_f", "n_r"))
        self._failing = failing_Tn
        first_S = first_Tn[failing_Tn]
        feedback_SF = _draw(rng, tree.feedbacks.here.sum(axis=1)[first_S], n_f, replacement)
        above = first_S[:, None], feedback_SF
        sizes = tree.repairs.here.sum(axis=2)[above]
        repair = _draw(rng, sizes.ravel(), n_r, replacement).reshape(*sizes.shape, n_r)
        self._feedbacks = tree.feedbacks.costs[above]
        self._repairs: Level = tree.repairs.of((first_S[:, None, None], feedback_SF[..., None], repair))

    def blocks(self, n_f: int, n_r: int) -> _Blocks:
        """Return what the first n_f feedbacks with their first n_r repairs come to."""
        repairs = self._repairs.of((slice(None), slice(n_f), slice(n_r)))
        failed = np.logical_not(repairs.passed)
        each_SFC = self._feedbacks[:, :n_f] + np.einsum("sfr,sfrc->sfc", _before(failed), repairs.costs)
        fail_SF = np.logical_and.reduce(failed, axis=2)
        in_turn = np.einsum("sf,sfc->sc", _before(fail_SF), each_SFC)
        whole = self._feedbacks[:, :n_f].sum(axis=1) + repairs.costs.sum(axis=(1, 2))
        return _Blocks(*(self._spread(values) for values in (np.logical_and.reduce(fail_SF, axis=1), in_turn, whole)))

    def _spread(self, values: Floats) -> Floats:
        spread = np.zeros((*self._failing.shape, *values.shape[1:]))
        spread[self._failing] = values
        return spread


def _draw(rng: np.random.Generator, sizes: Ints, most: int, replacement: bool) -> Ints:
    """Return ``most`` places (S, most) below each of the sizes (S,); what comes after the last of a size repeats it."""
    if replacement or most <= 1:
        return np.asarray(rng.random((len(sizes), most)) * sizes[:, None], dtype=np.intp)
    places = np.tile(np.arange(sizes.max(initial=most)), (len(sizes), 1))
    rows = np.arange(len(sizes))
    for at in range(most):  # Fisher and Yates
        other = np.minimum(at + (rng.random(len(sizes)) * (sizes - at)).astype(np.intp), sizes - 1)
        places[rows, at], places[rows, other] = places[rows, other], places[rows, at]
    return np.asarray(np.minimum(places[:, :most], sizes[:, None] - 1))


def _before(fail: Bools) -> Floats:
    """Return whether all before each along the last axis have failed."""
    alive = np.ones(fail.shape)
    alive[..., 1:] = np.logical_and.accumulate(fail, axis=-1)[..., :-1]
    return alive


Search = Callable[[Bools, Floats, _Blocks], tuple[Floats, Floats]]


def _depth_first(failing: Bools, firsts: Floats, blocks: _Blocks) -> tuple[Floats, Floats]:
    fail = failing & (blocks.fail > 0)
    costs = _before(fail)[..., None] * (firsts + blocks.in_turn)
    return np.logical_and.accumulate(fail, axis=1).astype(float), np.cumsum(costs, axis=1)


def _breadth_first(failing: Bools, firsts: Floats, blocks: _Blocks) -> tuple[Floats, Floats]:
    above = np.cumsum(_before(failing)[..., None] * firsts, axis=1)
    below = np.cumsum(_before(blocks.fail > 0)[..., None] * blocks.in_turn, axis=1)
    fail = np.asarray(failing * np.multiply.accumulate(blocks.fail, axis=1), dtype=float)
    return fail, above + failing[..., None] * below


def _batched(failing: Bools, firsts: Floats, blocks: _Blocks) -> tuple[Floats, Floats]:
    fail = np.asarray(failing * np.multiply.accumulate(blocks.fail, axis=1), dtype=float)
    return fail, np.cumsum(firsts, axis=1) + failing[..., None] * np.cumsum(blocks.whole, axis=1)


_SEARCHES: dict[Order, Search] = {"batched": _batched, "bfs": _breadth_first, "dfs": _depth_first}
