"""From programs and verdicts to lessons: what each generated token weighs under RLTF, and under its baselines.

    group = Group(problem, [written, ...], greedy=Judged(source, verdict))
    lessons = [weighed.lesson for weighed in paper(group)]
    lessons = [weighed.lesson for weighed in paper(group, terms=(Term("passed", Passed()),), baseline="leave-one-out")]

Liu et al. 2023 (RLTF, arXiv 2307.04349), section 4, for a program of T tokens with the baseline's program b:

    L_coarse   = -(R_coarse - R_coarse(b)) * sum(log p_t)                   over all t
    L_adaptive = -(R_adaptive - R_adaptive(b)) * sum(log p_t)               over all t
    L_fine     = -alpha * R_fine * sum(log p_t)                             over the span's t, alpha = T / its tokens

:func:`paper` adds the three up in one weight for each token. :func:`official_code` makes the one reward for each token
that the authors' code trains on. The supervised half of a step is :func:`regreen.train.lessons.supervised`.

Differences from the paper:
- alpha is capped, by default at 10: of a program of 300 tokens with one at fault it would put a weight of 90 on that
  token, which nothing bounds from below. The printed alpha divides by E - S, 0 for one token; here by their count.
- A line that cannot be found among the generated tokens, as one that the prompt has opened, weighs nothing.
- L_adaptive is dropped unless the program and its baseline both ran all checks: R_adaptive is defined for these alone.
- ``reduction="mean"``, the default, divides by the number of generated tokens of a step, those of weight 0 included;
  "sum" divides by the number of programs, which is the printed sum over a program's tokens.
- In the code alpha comes to 1, since it divides by the length of a mask and not by what is true in it: so here.
- The code's critic is optional; without one its probabilities are 1.
- Neither paper nor code corrects for stale programs: the learner does, as :func:`truncated` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from regreen.problem import Problem
from regreen.train.advantages import Baseline, Value, advantages
from regreen.train.lessons import Floats, Lesson, reinforced
from regreen.train.placing import Place, in_text, mask_of
from regreen.train.rewards import Adaptive, Coarse, FineGrained, Reward, Signal, Span
from regreen.train.subtypes import category_of
from regreen.verdict import Verdict

Reduction = Literal["mean", "sum"]

ALPHA_CAP = 10.0
RATIO_CAP = 2.0  # of importance weights


class Judged(NamedTuple):
    """A program and the verdict on it."""

    source: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A program as a policy wrote it.

    ``before`` are the prompt's tokens, at least one; ``after`` the T generated ones, which read ``text``, and
    ``places`` where each of them lies in it (:func:`regreen.train.placing.places_of`). ``source`` is the program in the
    text. ``behaviour`` is each generated token's log-probability when it was written, at the temperature ``heat``.
    """

    before: Sequence[int]
    after: Sequence[int]
    text: str
    places: Sequence[Place]
    source: str
    verdict: Verdict
    behaviour: Sequence[float] | None = None
    heat: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Programs drawn for one problem, in their order; its newest greedy program, and those drawn before, for baselines.

    Raises:
        ValueError: a program has not one place for each generated token.
    """

    problem: Problem
    written: Sequence[Written]
    greedy: Judged | None = None
    earlier: Sequence[Judged] = ()

    def __post_init__(self) -> None:
        if any(len(each.places) != len(each.after) for each in self.written):
            raise ValueError(f"{self.problem.id}: every generated token has one place in the text")


class Term(NamedTuple):
    """One reward's part in the loss; ``compared`` says that a baseline is taken from it."""

    name: str
    reward: Reward
    compared: bool = True
    weight: float = 1.0


class Weighed(NamedTuple):
    """A lesson, and what it was made of: values and advantages by term, and alpha as it was used and would have been.

    The two alphas are None where no span was to be weighed, or none was found.
    """

    lesson: Lesson
    values: Mapping[str, Value]
    advantages: Mapping[str, Value]
    alpha: float | None = None
    uncapped: float | None = None


def rltf_terms(*, coarse: float = 1.0, fine: float = 1.0, adaptive: float = 1.0) -> tuple[Term, ...]:
    """Return RLTF's three terms with these weights; one of 0 is left out."""
    every = (
        Term("coarse", Coarse(), weight=coarse),
        Term("fine", FineGrained(), compared=False, weight=fine),
        Term("adaptive", Adaptive(), weight=adaptive),
    )
    return tuple(term for term in every if term.weight)


PAPER = rltf_terms()


def paper(
    group: Group,
    *,
    terms: Sequence[Term] = PAPER,
    baseline: Baseline = "greedy-latest",
    cap: float = ALPHA_CAP,
    reduction: Reduction = "mean",
) -> list[Weighed]:
    """Return a lesson for each program: separate terms, added up in one weight for each token.

    RLOO and GRPO are one term, :class:`regreen.train.rewards.Passed`, with the baseline of their name.

    Args:
        group: programs of one problem.
        terms: what is added up.
        baseline: what the terms that are compared are compared with.
        cap: the most that alpha may be.
        reduction: "mean" over generated tokens, or the "sum" over a program's.

    Raises:
        ValueError: the baseline needs a greedy program, or other programs, which are not there.
    """
    signals = {term.name: _signals(group, term.reward, term.name) for term in terms}
    gained = {term.name: _advantages(group, term, signals[term.name], baseline) for term in terms}
    found = []
    for at, written in enumerate(group.written):
        own = {term.name: gained[term.name][at] for term in terms}
        parts = [_part(written, t.weight, own[t.name], signals[t.name][at].spans, cap) for t in terms]
        rl_T = sum((part.weights_T for part in parts), np.zeros(len(written.after), np.float32))
        values = {term.name: signals[term.name][at].value for term in terms}
        alpha, uncapped = next(((p.alpha, p.uncapped) for p in parts if p.alpha is not None), (None, None))
        found.append(Weighed(_lesson(written, rl_T, reduction), values, own, alpha, uncapped))
    return found


@dataclass(frozen=True, slots=True)
class Graded:
    """The value that the authors' code trains on: the coarse one, and for a failure the adaptive one in its place."""

    coarse: Reward = field(default_factory=Coarse)
    adaptive: Reward = field(default_factory=Adaptive)

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return the value of the program's category, graded by the share of checks for a failure."""
        reward = self.adaptive if category_of(verdict) == "failure" else self.coarse
        return reward(problem, source, verdict)


def official_code(
    group: Group,
    *,
    value: Reward | None = None,
    fine: Reward | None = None,
    penalty: Literal["before", "after"] = "before",
    baseline: Baseline = "greedy-latest",
    critic: Sequence[ArrayLike] | None = None,
    reduction: Reduction = "mean",
) -> list[Weighed]:
    """Return a lesson for each program: one reward for each token, as the authors' code has it.

    Args:
        group: programs of one problem.
        value: of a whole program, :class:`Graded` by default.
        fine: whose value is added on the tokens at fault, :class:`regreen.train.rewards.FineGrained` by default.
        penalty: added "before" baseline and critic (the code's type 1), or "after" them (its type 0).
        baseline: what the value is compared with.
        critic: for each program, the probability that a critic gives its true category at each generated token.
        reduction: "mean" over generated tokens, as in the code, or the "sum" over a program's.

    Raises:
        ValueError: the baseline needs a greedy program, or other programs, which are not there.
    """
    whole = Term("value", value or Graded())
    signals, fines = _signals(group, whole.reward, "value"), _signals(group, fine or FineGrained(), "fine")
    gained = _advantages(group, whole, signals, baseline)
    found = []
    for at, written in enumerate(group.written):
        believed_T = np.ones(len(written.after)) if critic is None else np.asarray(critic[at])
        fine_T = _part(written, 1.0, fines[at].value, fines[at].spans, cap=1.0).weights_T
        inside_T, outside_T = (fine_T, 0 * fine_T) if penalty == "before" else (0 * fine_T, fine_T)
        rl_T = ((gained[at] or 0.0) + inside_T) * believed_T + outside_T
        values = {"value": signals[at].value, "fine": fines[at].value}
        found.append(Weighed(_lesson(written, rl_T, reduction), values, {"value": gained[at]}))
    return found


def truncated(lesson: Lesson, current_T: ArrayLike, *, cap: float = RATIO_CAP) -> Lesson:
    """Return a lesson whose reinforcement weights are corrected for what the policy has become since it was written.

    Each is multiplied by min(cap, p / p_behaviour) of its token. Source: Ionides 2008 (Truncated importance sampling);
    for each token alone, as Espeholt et al. 2018 (IMPALA, arXiv 1802.01561), section 4.1.

    Args:
        lesson: with the behaviour's log-probabilities.
        current_T: log-probability of each of its tokens now, the prompt's included; those of no weight may be anything.
        cap: the most that a ratio may be.

    Raises:
        ValueError: the lesson does not say under which log-probabilities it was written.
    """
    if lesson.behaviour is None:
        raise ValueError("importance weights need the log-probabilities of when the lesson was written: behaviour")
    weighs_T = lesson.rl != 0
    gap_T = np.where(weighs_T, np.asarray(current_T, np.float64) - lesson.behaviour, 0.0)
    ratio_T = np.exp(np.minimum(gap_T, np.log(cap)))
    return replace(lesson, rl=np.where(weighs_T, lesson.rl * ratio_T, 0.0).astype(np.float32))


def anchored(lesson: Lesson, reference_T: ArrayLike, *, weight: float) -> Lesson:
    """Return a lesson that also pulls the policy towards another: ``weight`` times KL(policy || other).

    A program's log-ratio is a reward of its own, of which each token is charged what comes from it on: the gradient is
    that of the divergence, in expectation. Source: Jaques et al. 2017 (Sequence Tutor, arXiv 1611.02796), section 3.

    Args:
        lesson: with the behaviour's log-probabilities, which stand for the policy's.
        reference_T: the other's log-probability of each generated token, the last T of the lesson.
        weight: how much.

    Raises:
        ValueError: the lesson does not say under which log-probabilities it was written.
    """
    if lesson.behaviour is None:
        raise ValueError("the divergence needs the log-probabilities of when the lesson was written: behaviour")
    other_T = np.asarray(reference_T, np.float64)
    before = len(lesson) - len(other_T)
    to_come_T = (lesson.behaviour[before:] - other_T)[::-1].cumsum()[::-1]
    charged = np.concatenate([np.zeros(before), weight * to_come_T])
    return replace(lesson, rl=(lesson.rl - charged).astype(np.float32))


class _Part(NamedTuple):
    weights_T: Floats
    alpha: float | None = None
    uncapped: float | None = None


def _part(written: Written, weight: float, gained: Value, spans: Sequence[Span], cap: float) -> _Part:
    """Return what a term adds to each token's weight."""
    tokens = len(written.after)
    if not gained or not spans:
        return _Part(np.full(tokens, weight * (gained or 0.0), np.float32))
    mask_T = mask_of(written.places, in_text(written.source, written.text, spans))
    count = float(np.abs(mask_T).sum())
    if not count:
        return _Part(mask_T)
    alpha = min(cap, tokens / count)
    return _Part(np.float32(weight * gained * alpha) * mask_T, alpha, tokens / count)


def _signals(group: Group, reward: Reward, name: str) -> list[Signal]:
    found = [reward(group.problem, each.source, each.verdict) for each in group.written]
    for signal in found:
        if signal.value is not None and not isfinite(signal.value):
            raise ValueError(f"the reward {name} is {signal.value}; expected a number, or None for nothing to say")
    return found


def _advantages(group: Group, term: Term, signals: Sequence[Signal], baseline: Baseline) -> list[Value]:
    values = [signal.value for signal in signals]
    if not term.compared:
        return values
    if baseline == "greedy-latest" and group.greedy is None:
        raise ValueError("no greedy program to compare with; draw one, or take another baseline")
    greedy = group.greedy and term.reward(group.problem, *group.greedy).value
    earlier = [term.reward(group.problem, *each).value for each in group.earlier]
    return advantages(values, baseline, greedy=greedy, earlier=earlier)


def _lesson(written: Written, rl_T: ArrayLike, reduction: Reduction) -> Lesson:
    count = float(len(written.after)) if reduction == "mean" else 1.0
    return reinforced(
        written.before, written.after, rl_T, behaviour=written.behaviour, count=count, heat=written.heat
    )  # fmt: skip
