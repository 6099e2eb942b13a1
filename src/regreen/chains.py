"""Repair trees of width one: how often first programs pass, what each round of repair adds, and what it breaks.

    figures = chain_figures(read_trees(lines), verdicts="ours")
    figures.first.rate, figures.last.rate, figures.repairs.rate

Verdicts may be missing: a harness did not keep a program, or did not run it on the scoring tests. Nothing is assumed of
such programs: they are counted as unknown, there is no rate with them, and its bounds say what they leave open.

Repair success rate: Olausson et al. 2023 (arXiv 2306.09896), section 4: repairs that pass, of all repairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from regreen.metrics import Estimate, mean_interval, paired_difference
from regreen.tree import Node, RepairTree

Verdicts = Literal["ours", "recorded"]


@dataclass(frozen=True, slots=True)
class Share:
    """Counts of programs that passed, failed, or have no verdict."""

    passed: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.unknown

    @property
    def rate(self) -> float | None:
        """The share that passed; None where there are none, or some have no verdict: those that have are no sample."""
        return None if self.unknown or not self.total else self.passed / self.total

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest share of all that may have passed; None where there are none."""
        if not self.total:
            return None
        return self.passed / self.total, (self.passed + self.unknown) / self.total

    def to_json(self) -> dict[str, Any]:
        """Return the counts, the rate and its bounds as plain JSON."""
        return {**asdict(self), "rate": self.rate, "bounds": self.bounds and list(self.bounds)}


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its programs, the programs that stand after it, and what it did to those that stood before.

    A chain that has ended keeps its last program, so ``standing`` counts every chain. ``repaired`` and ``broken`` count
    programs of this round that differ from the one before: now right, now wrong.
    """

    programs: Share
    standing: Share
    repaired: int
    broken: int

    def to_json(self) -> dict[str, Any]:
        """Return the round as plain JSON."""
        shares = {"programs": self.programs.to_json(), "standing": self.standing.to_json()}
        return {**shares, "repaired": self.repaired, "broken": self.broken}


@dataclass(frozen=True, slots=True)
class ChainFigures:
    """What chains come to.

    ``first`` and ``last`` count first and last programs, ``repairs`` all programs that are no first ones. Of chains
    with repairs, ``mended`` counts the last programs where the first one failed, ``kept`` where it had passed: wrong
    visible tests send right programs to repair. ``left`` is how many failing first programs were never repaired.
    ``gain`` is the mean of last - first, None where some of these have no verdict. ``rounds`` begins with the first
    programs, round 0.
    """

    first: Share
    last: Share
    repairs: Share
    mended: Share
    kept: Share
    left: int
    gain: Estimate | None
    rounds: tuple[Round, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON."""
        shares = {name: getattr(self, name).to_json() for name in ("first", "last", "repairs", "mended", "kept")}
        gain = self.gain and {name: getattr(self.gain, name) for name in ("value", "low", "high")}
        return {**shares, "left": self.left, "gain": gain, "rounds": [found.to_json() for found in self.rounds]}


def share(nodes: Iterable[Node], verdicts: Verdicts) -> Share:
    """Count the verdicts on nodes that hold programs."""
    return _share(node.passed(verdicts) for node in nodes if node.has_program)


def is_chain(tree: RepairTree) -> bool:
    """True if the tree has one first program, and at most one node below each node."""
    return len(tree.roots) == 1 and all(len(tree.children(node)) <= 1 for node in tree.nodes.values())


def chain_figures(trees: Mapping[str, RepairTree], *, verdicts: Verdicts = "ours", seed: int = 0) -> ChainFigures:
    """Return what trees of width one come to.

    Args:
        trees: by problem; one chain each.
        verdicts: whose count.
        seed: of the gain's interval, which resamples problems.

    Raises:
        ValueError: no trees, or one that is no chain.
    """
    if not trees or not all(map(is_chain, trees.values())):
        raise ValueError("chain figures need trees of width one")
    chains = [_verdicts_of(tree, verdicts) for tree in trees.values()]
    repaired = [chain for chain in chains if len(chain) > 1]
    return ChainFigures(
        first=_share(chain[0] for chain in chains),
        last=_share(chain[-1] for chain in chains),
        repairs=_share(passed for chain in chains for passed in chain[1:]),
        mended=_share(chain[-1] for chain in repaired if chain[0] is False),
        kept=_share(chain[-1] for chain in repaired if chain[0] is True),
        left=chains.count([False]),
        gain=_gain(chains, seed),
        rounds=tuple(_round(chains, number) for number in range(max(map(len, chains)))),
    )


def interval(found: Share, *, seed: int = 0) -> Estimate | None:
    """Return a share's rate with its interval, one program a problem; None where there is no rate."""
    return None if found.rate is None else mean_interval([1.0] * found.passed + [0.0] * found.failed, seed=seed)


def _verdicts_of(tree: RepairTree, verdicts: Verdicts) -> list[bool | None]:
    (way,) = tree.trajectories()
    return [node.passed(verdicts) for node in way.programs]


def _share(verdicts: Iterable[bool | None]) -> Share:
    found = list(verdicts)
    return Share(found.count(True), found.count(False), found.count(None))


def _gain(chains: list[list[bool | None]], seed: int) -> Estimate | None:
    first, last = ([chain[at] for chain in chains] for at in (0, -1))
    if None in first or None in last:  # chains with both verdicts are no sample: most of them were never repaired
        return None
    return paired_difference([float(v is True) for v in first], [float(v is True) for v in last], seed=seed)


def _round(chains: list[list[bool | None]], number: int) -> Round:
    steps = [(chain[number - 1], chain[number]) for chain in chains if 0 < number < len(chain)]
    return Round(
        programs=_share(chain[number] for chain in chains if number < len(chain)),
        standing=_share(chain[min(number, len(chain) - 1)] for chain in chains),
        repaired=steps.count((False, True)),
        broken=steps.count((True, False)),
    )
