"""The methods by name: what each makes of the programs drawn for one problem.

``paper`` and ``official-code``: RLTF (Liu et al. 2023, arXiv 2307.04349). ``coderl``: CodeRL (Le et al. 2022, arXiv
2207.01780). ``rloo``: Ahmadian et al. 2024 (arXiv 2402.14740). ``grpo``: Shao et al. 2024 (arXiv 2402.03300). Both
are given the binary reward, 1 for a pass. ``rejection``: fine-tuning on one's own programs that pass, each once
(Yuan et al. 2023, RFT, arXiv 2308.01825).

Differences from the papers:
- GRPO without the clipped ratio of PPO and without a divergence in the loss: importance weights are truncated, for
  every method alike (:mod:`regreen.train.weighing`), and the divergence is the method's ``kl``. The loss is a mean over
  all tokens of a step, as DAPO's (Yu et al. 2025, arXiv 2503.14476), not first over those of each answer.
- CodeRL's critic is trained on what is drawn, in as many steps as the policy, before the programs are learned from:
  in the paper on programs of another model. Its return is the coarse reward less that of a greedy program, weighed by
  the critic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from numpy.typing import ArrayLike

from regreen.errors import InputError
from regreen.plugins import named, plugin
from regreen.train.advantages import Baseline
from regreen.train.analysed import Analysed
from regreen.train.config import MethodConfig, RltfConfig
from regreen.train.lessons import supervised
from regreen.train.rewards import Coarse, FineGrained, Passed, Reward
from regreen.train.weighing import Group, Term, Weighed, official_code, paper, rltf_terms

BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "paper": "greedy-latest",
        "official-code": "greedy-latest",
        "coderl": "greedy-latest",
        "rloo": "leave-one-out",
        "grpo": "grpo",
        "rejection": "none",
    }
)
"""What each method compares its rewards with, unless it is told otherwise."""

Critic = Sequence[ArrayLike] | None  # for each program of a group its probabilities, or nothing
Method = Callable[[Group, Critic], list[Weighed]]
_BINARY = (Term("passed", Passed()),)
_ADDED = ("paper", "rloo", "grpo")  # methods that add terms up
_OTHERS = ("leave-one-out", "grpo")  # baselines made of a problem's other programs


def baseline_of(config: MethodConfig) -> Baseline:
    """Return what a method compares its rewards with."""
    return config.baseline or BASELINES[config.name]


def needs_others(config: MethodConfig) -> bool:
    """Say whether a method can make nothing of one program alone."""
    return config.name != "rejection" and baseline_of(config) in _OTHERS


def refuse(config: RltfConfig, terms: Sequence[Term] | None = None) -> None:
    """Raise InputError where fields, or the rewards given, do not go together."""
    method, draw = config.method, config.draw
    compares = method.name != "rejection" and baseline_of(method) == "greedy-latest"
    pool, programs = config.buffer.size, config.batch.programs
    wrong = {
        f"draw.n = 1 leaves the baseline {baseline_of(method)} no others to compare a program with; draw at least 2": (
            draw.n == 1 and needs_others(method)
        ),
        "draw.greedy = false leaves the baseline greedy-latest nothing to compare with; give another method.baseline": (
            compares and draw.greedy is False
        ),
        f"buffer.size = {pool} holds fewer than the batch.programs = {programs} of a step": pool < programs,
        f"method {method.name} adds no terms up; give one of {', '.join(_ADDED)}, or no terms": (
            (terms is not None or bool(method.rewards)) and method.name not in _ADDED
        ),
    }
    if said := [text for text, so in wrong.items() if so]:
        raise InputError("; ".join(said))


def has_critic(config: MethodConfig) -> bool:
    """Say whether a method is weighed by a critic."""
    return config.name == "coderl"


def method_of(config: MethodConfig, terms: Sequence[Term] | None = None) -> Method:
    """Return what makes lessons of a group.

    Args:
        config: which method, and what of it is changed.
        terms: rewards of one's own in place of the method's, for those that add terms up.
    """
    baseline, reduction = baseline_of(config), config.reduction
    fine = FineGrained(config.penalty)
    if config.name == "rejection":
        return lambda group, _: _rejection(group)
    if config.name == "official-code":
        return lambda group, _: official_code(group, fine=fine, baseline=baseline, reduction=reduction)
    if config.name == "coderl":
        return lambda group, critic: official_code(
            group, value=Coarse(), fine=FineGrained(0.0), baseline=baseline, critic=critic, reduction=reduction
        )
    own = tuple(terms) if terms is not None else _terms(config, fine)
    every = (*own, *(Term(name, _added(name), weight=weight) for name, weight in config.rewards.items()))
    return lambda group, _: paper(group, terms=every, baseline=baseline, cap=config.alpha, reduction=reduction)


def _terms(config: MethodConfig, fine: Reward) -> tuple[Term, ...]:
    if config.name != "paper":
        return _BINARY
    named = rltf_terms(coarse=config.coarse, fine=config.fine, adaptive=config.adaptive)
    terms = tuple(term._replace(reward=fine) if term.name == "fine" else term for term in named)
    if not config.analysed:
        return terms
    return (*terms, Term("analysed", Analysed(config.penalty), compared=False, weight=config.analysed))


def _added(name: str) -> Reward:
    """Return the reward that another package named so."""
    make = plugin("rewards", name)
    if make is None:
        known = ", ".join(named("rewards")) or "none"
        raise InputError(f"method.rewards: no reward {name!r}; installed packages add: {known}")
    reward: Reward = make()
    return reward


def _rejection(group: Group) -> list[Weighed]:
    """Return a supervised lesson for each different program that passes."""
    first = {each.source: each for each in reversed(group.written) if each.verdict.passed}
    kept = reversed(first.values())
    return [Weighed(supervised(each.before, each.after), {"passed": 1.0}, {"passed": 1.0}) for each in kept]
