"""Advantages: rewards less what was to be expected. Pure functions of one problem's rewards, in the order of drawing.

A reward that is None has nothing to say (see :class:`regreen.train.rewards.Signal`): it gets no advantage, and no
baseline is made of it. Where all of a baseline's rewards are None there is nothing to compare with, and the advantage
is None too.

``none``, ``greedy-latest``, ``best-so-far``, ``mean``: Liu et al. 2023 (RLTF, arXiv 2307.04349), section 4 and their
code. ``leave-one-out``: Kool, van Hoof and Welling 2019 (Buy 4 REINFORCE samples, get a baseline for free), Ahmadian et
al. 2024 (RLOO, arXiv 2402.14740). ``grpo``: Shao et al. 2024 (DeepSeekMath, arXiv 2402.03300), section 4.1.
:func:`mixed_groups`: Yu et al. 2025 (DAPO, arXiv 2503.14476), section 3.2.

Differences from the papers:
- Best-so-far looks at earlier programs alone; the first of all has none, and is taken as it is.
- GRPO's deviation is that of a drawn group (divided by n - 1), and EPS is added to it, as the common trainers do; the
  paper says neither. Where all rewards are equal every advantage is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Literal, TypeVar

Value = float | None
Baseline = Literal["none", "greedy-latest", "best-so-far", "mean", "leave-one-out", "grpo"]
T = TypeVar("T")

EPS = 1e-4  # beside the deviation, so that rewards which differ by rounding alone are not blown up


def advantages(
    values: Sequence[Value], baseline: Baseline, *, greedy: Value = None, earlier: Sequence[Value] = ()
) -> list[Value]:
    """Return each program's advantage.

    Args:
        values: rewards of the programs drawn for one problem.
        baseline: what they are compared with.
        greedy: the reward of the newest greedy program; only "greedy-latest" looks at it.
        earlier: rewards of programs drawn before these; only "best-so-far" looks at them.

    Raises:
        ValueError: there is no baseline of that name, or fewer than two programs to compare with one another.
    """
    if baseline == "greedy-latest":
        return [_less(value, greedy) for value in values]
    if baseline == "best-so-far":
        return best_so_far(values, earlier)
    if baseline not in _ALONE:
        raise ValueError(f"no baseline {baseline!r}; known are greedy-latest, best-so-far, {', '.join(_ALONE)}")
    return _ALONE[baseline](values)


def best_so_far(values: Sequence[Value], earlier: Sequence[Value] = ()) -> list[Value]:
    """Return each reward less the best before it; the first of all as it is."""
    before, found = [*earlier], list[Value]()
    for value in values:
        found.append(_less(value, max(_said(before), default=None)) if before else value)
        before.append(value)
    return found


def less_mean(values: Sequence[Value]) -> list[Value]:
    """Return each reward less the mean of all; since that holds the reward itself, this is 1 - 1/n of leave-one-out."""
    said = _said(values)
    return [_less(value, fmean(said) if said else None) for value in values]


def leave_one_out(values: Sequence[Value]) -> list[Value]:
    """Return each reward less the mean of the others; raises ValueError for a group of one."""
    _refuse_one(values)
    return [_less(value, _mean_without(values, at)) for at, value in enumerate(values)]


def grpo(values: Sequence[Value]) -> list[Value]:
    """Return each reward less the mean of all, over their deviation; all 0 where they are equal.

    Dividing by the deviation makes problems that are nearly always or nearly never solved weigh more (Liu et al. 2025,
    arXiv 2503.20783, section 3.1). Raises ValueError for a group of one.
    """
    _refuse_one(values)
    said = _said(values)
    if len(said) < 2:
        return [None] * len(values)
    mean, deviation = fmean(said), stdev(said)
    equal = len(set(said)) == 1  # the mean may then miss them by a rounding
    return [None if value is None else 0.0 if equal else (value - mean) / (deviation + EPS) for value in values]


def mixed_groups(groups: Iterable[T], passed: Callable[[T], Sequence[bool]]) -> list[T]:
    """Return the groups in which some programs pass and some do not: of the others nothing can be learned.

    DAPO's dynamic sampling, 0 < |passed| < n; the caller draws more until it has enough.

    Args:
        groups: programs of one problem each.
        passed: whether each of a group's programs passes.
    """
    return [group for group in groups if len(set(passed(group))) == 2]


def _mean_without(values: Sequence[Value], at: int) -> Value:
    others = _said([*values[:at], *values[at + 1 :]])
    return fmean(others) if others else None


def _less(value: Value, baseline: Value) -> Value:
    return None if value is None or baseline is None else value - baseline


def _said(values: Iterable[Value]) -> list[float]:
    return [value for value in values if value is not None]


def _refuse_one(values: Sequence[Value]) -> None:
    if len(values) == 1:
        raise ValueError("a group of one program has no others to compare it with; draw at least two")


_ALONE: Mapping[str, Callable[[Sequence[Value]], list[Value]]] = MappingProxyType(
    {"none": list, "mean": less_mean, "leave-one-out": leave_one_out, "grpo": grpo}
)
