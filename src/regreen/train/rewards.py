"""Rewards: what a verdict is worth, and which characters of the program it speaks of.

    signal = FineGrained()(problem, source, verdict)
    signal.value, signal.spans                        # -0.3, (Span(begin=17, end=35, weight=1.0),)

Liu et al. 2023 (RLTF, arXiv 2307.04349), section 4: a coarse reward by the worst that any check came to, a fine-grained
one on the line at fault, an adaptive one by the share of checks that pass. Each is a reward R with the range S..E of
tokens that it applies to; here the value and the spans of a signal. Which reward is taken less a baseline is the
business of :mod:`regreen.train.weighing`.

Differences from the paper:
- The adaptive reward of a program that raised or did not compile is undefined, None, as in the paper's equations; in
  its code such a program has the coarse one in its place.
- Which part of a program is at fault: see :mod:`regreen.train.subtypes`.
- A check is one of the problem's: asserts inside one check are not counted apart, since those after the first that
  failed are not run.
- ``Passed`` and ``PassRatio`` are not the paper's: they are what RLOO and GRPO are trained on elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from regreen.problem import Problem
from regreen.train.subtypes import Category, Rule, SubType, category_of, subtype_of
from regreen.verdict import Outcome, Verdict

COARSE: Mapping[Category, float] = MappingProxyType({"pass": 1.0, "failure": -0.3, "error": -0.6, "syntax": -1.0})
"""RLTF, section 4, R_coarse; the values of CodeRL (Le et al. 2022, arXiv 2207.01780) too."""
FINE = -0.3  # RLTF, section 4: R_fine
ADAPTIVE_LEAST, ADAPTIVE_RISE = -0.3, 1.3  # RLTF, section 4: R_adaptive where no check passes, and from there to all


class Span(NamedTuple):
    """Characters of a program's source, from ``begin`` up to ``end``, and how much of the value falls on each token."""

    begin: int
    end: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Signal:
    """A reward, and where it applies.

    ``value`` is None where the reward has nothing to say of such a program, which is not the same as 0: there is then
    nothing to compare with a baseline either. Without ``spans`` it applies to all that was generated.
    """

    value: float | None
    spans: tuple[Span, ...] = ()


class Reward(Protocol):
    """Whatever makes a signal of a verdict."""

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return what a program is worth."""
        ...


@dataclass(frozen=True, slots=True)
class Coarse:
    """R_coarse: a value for each category of programs."""

    values: Mapping[Category, float] = field(default_factory=lambda: COARSE)

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return the value of the program's category."""
        return Signal(self.values[category_of(verdict)])


@dataclass(frozen=True, slots=True)
class FineGrained:
    """R_fine: a penalty on the line at fault, on the whole program, or 0 where no part of it is.

    ``rules`` say which; those of :data:`regreen.train.subtypes.RULES` unless given.
    """

    penalty: float = FINE
    rules: Sequence[Rule] | None = None

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return the penalty and the span that it falls on."""
        kind, span = subtype_of(source, verdict, self.rules)
        if kind is SubType.IGNORE:
            return Signal(0.0)
        return Signal(self.penalty, (Span(*span),) if span else ())


@dataclass(frozen=True, slots=True)
class Adaptive:
    """R_adaptive = least + rise * N_pass / (N_pass + N_fail), of a program that ran every check to its end."""

    least: float = ADAPTIVE_LEAST
    rise: float = ADAPTIVE_RISE

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return the reward by the share of checks that pass; None if one raised, or was not run."""
        ran = category_of(verdict) in ("pass", "failure") and all(check.outcome for check in verdict.checks)
        return Signal(self.least + self.rise * pass_ratio(verdict) if ran else None)


@dataclass(frozen=True, slots=True)
class Passed:
    """1 if every check passes, else 0."""

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return 1 or 0."""
        return Signal(float(category_of(verdict) == "pass"))


@dataclass(frozen=True, slots=True)
class PassRatio:
    """The share of all checks that pass; one that was not run has not passed."""

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return the share."""
        return Signal(pass_ratio(verdict))


REWARDS: Mapping[str, Reward] = MappingProxyType(
    {
        "coarse": Coarse(),
        "fine": FineGrained(),
        "adaptive": Adaptive(),
        "passed": Passed(),
        "pass-ratio": PassRatio(),
    }
)
"""The rewards by name, with the paper's values."""


def pass_ratio(verdict: Verdict) -> float:
    """Return the share of a verdict's checks that passed; without checks, 1 or 0 as the verdict says."""
    if not verdict.checks:
        return float(verdict.passed)
    return sum(check.outcome is Outcome.PASSED for check in verdict.checks) / len(verdict.checks)
