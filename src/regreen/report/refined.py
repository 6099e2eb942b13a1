"""A run of refinements: success round by round against fresh programs, copies, outcomes, and the ladder of controls.

Every number is a mean over problems of a mean over a problem's chains, with an interval that resamples problems. The
effect of feedback is the success of true feedback less that of the same problem's feedback on another wrong program.

Source: Ding et al. 2024 (arXiv 2403.18746), section 7 of their code's measures; the controls are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from regreen.controls import NAMED, RESAMPLE, STRANGER, SWAPPED, UNTOLD, WITHIN
from regreen.metrics import Estimate, mean_interval, paired_difference, paired_permutation
from regreen.records import PROGRAMS, Key, Record, read_records
from regreen.report.trees.grown import Grown, Judged, read_grown
from regreen.similarity import copies, edit_similarity
from regreen.summary import correct, estimate_record
from regreen.tree import REFUSED, Node, RepairTree

LADDER = (WITHIN, SWAPPED, NAMED, UNTOLD, STRANGER)
FRESH = f"{RESAMPLE}:1"
RULES = ("hidden", "deployable")
COPY_KINDS = ("raw", "spaces", "syntax")

ByProblem = Mapping[str, Sequence[float]]


def refined(run: Path, *, seed: int = 0) -> Record:
    """Return what the refinements of a run directory come to, as plain JSON.

    Args:
        run: a directory that ``regreen refine`` wrote.
        seed: of intervals and tests.

    Returns:
        ``rounds``: by round its refinements, and the problems solved by then with refinement and with as many fresh
        programs, by all checks, by never-revealed checks alone, and as deployed: of each chain the first program that
        passes the shown checks, or else the first, is scored. ``gain``: relative to the first programs. ``copies``: by
        round how alike refinements are to what they refine, and fresh programs to the same wrong ones.
        ``transitions``: outcomes before and after. ``ladder``: each control beside the true feedback on the same
        programs; ``effect`` is that of the same problem's other feedback. Beside each ``p``, ``p_holm`` is corrected
        for all rounds, for both other ways to score a round, or for all controls.
    """
    return _Run(read_grown(run), _sources(run), seed).to_json()


def solved_by_problem(run: Path, number: int, *, arm: Literal["refined", "resampled"] = "refined") -> dict[str, float]:
    """Return the share of each problem's chains solved by a round, so that runs can be compared problem by problem.

    Args:
        run: a directory that ``regreen refine`` wrote.
        number: of the round; 0 for first programs.
        arm: with refinements, or with as many fresh programs.
    """
    found = _Run(read_grown(run), {}, 0)
    programs = found.refined_of if arm == "refined" else found.fresh_of
    shares = {name: [_any_passed(programs(chain, number)) for chain in chains] for name, chains in found.chains.items()}
    return {name: sum(passed) / len(passed) for name, passed in shares.items()}


def _sources(run: Path) -> dict[Key, str]:
    """Return the programs of the fresh ones that stand beside first refinements."""
    found = {}
    for _, record in read_records(run / PROGRAMS):
        if record.get("role") == FRESH and record.get("error") is None:
            found[record["problem"], record["index"], FRESH] = record["source"]
    return found


@dataclass(frozen=True)
class _Run:
    grown: Grown
    fresh: Mapping[Key, str]
    seed: int

    @cached_property
    def chains(self) -> dict[str, list[list[Node]]]:
        """Each problem's chains: the first program, its refinement, and so on."""
        return {name: [_down(tree, root) for root in tree.roots] for name, tree in self.grown.trees.items()}

    @cached_property
    def last(self) -> int:
        """The last round in which anything was refined."""
        return max((len(chain) - 1 for chains in self.chains.values() for chain in chains), default=0)

    @cached_property
    def resampled(self) -> bool:
        """Whether fresh programs were drawn, all of them: a control that was stopped would count as failed."""
        return self.grown.whole and any(key[2].startswith(f"{RESAMPLE}:") for key in self.grown.judged)

    def to_json(self) -> Record:
        rounds = [self.round(number) for number in range(self.last + 1)]
        ladder = {role.removeprefix("control:"): self.rung(role) for role in LADDER}
        correct(rounds)
        for line in rounds:
            correct([line[rule] for rule in RULES])
        correct([*ladder.values()])
        return {
            "problems": len(self.chains),
            "chains": sum(map(len, self.chains.values())),
            "refused": sum(node.outcome == REFUSED for _, node in self.pairs()),
            "rounds": rounds,
            "gain": _gains(rounds),
            "copies": [self.copies(number) for number in range(1, self.last + 1)],
            "fresh_copies": self.fresh_copies(),
            "transitions": self.transitions(),
            "ladder": {name: rung for name, rung in ladder.items() if rung},
            "effect": (ladder["within"] or {}).get("effect"),
        }

    # ---- rounds ----

    def round(self, number: int) -> Record:
        """Return what was refined in a round, and what is solved by its end."""
        made = [node for chains in self.chains.values() for chain in chains for node in chain[number : number + 1]]
        hidden = set(self.grown.hidden)
        found: Record = {
            "round": number,
            "programs": len(made),
            "passed": sum(node.outcome == "passed" for node in made),
            **self.solved(number, _any_passed, self.chains),
            "hidden": self.solved(number, _any_hidden, hidden) if hidden else None,
            "deployable": self.solved(number, _selected, self.chains),
        }
        return found

    def solved(self, number: int, rule: Callable[[Sequence[Judged]], bool], names: Iterable[str]) -> Record:
        """Return the share of chains solved within so many further programs, refined and fresh, and the difference."""
        chosen = [name for name in self.chains if name in set(names)]
        own = {name: [float(rule(self.refined_of(chain, number))) for chain in self.chains[name]] for name in chosen}
        found: Record = {"refined": self.estimate(own), "resampled": None, "difference": None, "p": None}
        if self.resampled and number == 0:  # the same programs
            found["resampled"] = found["refined"]
        elif self.resampled:
            other = {
                name: [float(rule(self.fresh_of(chain, number))) for chain in self.chains[name]] for name in chosen
            }
            found |= {"resampled": self.estimate(other), **self.difference(other, own)}
        return found

    def refined_of(self, chain: Sequence[Node], number: int) -> list[Judged]:
        """Return a chain's first program and its refinements, up to so many."""
        return [self.grown.judged[node.key] for node in chain[: number + 1] if node.key in self.grown.judged]

    def fresh_of(self, chain: Sequence[Node], number: int) -> list[Judged]:
        """Return a chain's first program and the fresh ones after it, up to so many."""
        problem, index, _ = chain[0].key
        keys = [chain[0].key, *((problem, index, f"{RESAMPLE}:{at}") for at in range(1, number + 1))]
        return [self.grown.judged[key] for key in keys if key in self.grown.judged]

    # ---- copies and outcomes ----

    def pairs(self, number: int | None = None) -> list[tuple[Node, Node]]:
        """Return each refinement after what it refines, of one round or of all."""
        every = (chain for chains in self.chains.values() for chain in chains)
        steps = [(at, chain[at - 1], chain[at]) for chain in every for at in range(1, len(chain))]
        return [(before, after) for at, before, after in steps if number in (None, at)]

    def copies(self, number: int) -> Record:
        """Return how alike a round's refinements are to what they refine."""
        written = [(before, after.source) for before, after in self.pairs(number) if after.outcome != REFUSED]
        return {"round": number, **self.alike(written)}

    def fresh_copies(self) -> Record | None:
        """Return how alike fresh programs are to the wrong first ones: what a copy's rate must be held against."""
        firsts = [(before, (*before.key[:2], FRESH)) for before, _ in self.pairs(1)]
        drawn = [(before, self.fresh[key]) for before, key in firsts if key in self.fresh]
        return self.alike(drawn) if drawn else None

    def alike(self, pairs: Sequence[tuple[Node, str]]) -> Record:
        found: dict[str, dict[str, list[float]]] = {}
        for before, source in pairs:
            header = self.header(before.problem)
            same = copies(before.source, source)._asdict()
            same["similarity"] = edit_similarity(before.source.removeprefix(header), source.removeprefix(header))
            for kind, value in same.items():
                found.setdefault(kind, {}).setdefault(before.problem, []).append(float(value))
        return {"programs": len(pairs), **{kind: self.estimate(values) for kind, values in found.items()}}

    def header(self, problem: str) -> str:
        return str(self.grown.problems.get(problem, {}).get("meta", {}).get("prompt", "")).rstrip()

    def transitions(self) -> list[Record]:
        """Return how often each outcome became which."""
        counts = Counter((before.outcome, after.outcome) for before, after in self.pairs())
        return [{"before": b, "after": a, "count": n} for (b, a), n in sorted(counts.items(), key=str)]

    # ---- controls ----

    def rung(self, role: str) -> Record | None:
        """Return how one control fares beside the true feedback on the same programs."""
        true: dict[str, list[float]] = {}
        other: dict[str, list[float]] = {}
        for before, after in self.pairs(1):
            judged = self.grown.judged.get((*before.key[:2], f"{role}:0"))
            if judged is not None and after.outcome != REFUSED:
                true.setdefault(before.problem, []).append(float(after.outcome == "passed"))
                other.setdefault(before.problem, []).append(float(judged.passed))
        if not true:
            return None
        against = self.difference(other, true)
        return {
            "programs": sum(map(len, other.values())),
            "problems": len(other),
            "passed": int(sum(map(sum, other.values()))),
            "rate": self.estimate(other),
            "true": self.estimate(true),
            "effect": against["difference"],
            "p": against["p"],
        }

    # ---- statistics ----

    def estimate(self, values: ByProblem) -> Record | None:
        if not values:
            return None
        found = mean_interval(_means(values), clusters=self.clusters(values), seed=self.seed)
        return estimate_record(found, 1)

    def difference(self, first: ByProblem, second: ByProblem) -> Record:
        """Return second - first, paired over problems, and its p."""
        if not first:
            return {"difference": None, "p": None}
        a, b, clusters = _means(first), _means(second), self.clusters(first)
        found: Estimate = paired_difference(a, b, clusters=clusters, seed=self.seed)
        p = paired_permutation(a, b, clusters=clusters, seed=self.seed)
        return {"difference": estimate_record(found, 1), "p": p}

    def clusters(self, values: Iterable[str]) -> list[str]:
        return [self.grown.cluster(name) for name in values]


def _down(tree: RepairTree, root: Node) -> list[Node]:
    chain = [root]
    while below := tree.children(chain[-1]):
        chain.append(below[0])
    return chain


def _means(values: ByProblem) -> list[float]:
    return [sum(of) / len(of) for of in values.values()]


def _any_passed(programs: Sequence[Judged]) -> bool:
    return any(program.passed for program in programs)


def _any_hidden(programs: Sequence[Judged]) -> bool:
    """Score the program that stands: the first that passes everything, or else the newest."""
    passed = next((program for program in programs if program.passed), programs[-1] if programs else None)
    return passed is not None and passed.hidden


def _selected(programs: Sequence[Judged]) -> bool:
    chosen = next((program for program in programs if program.shown), programs[0] if programs else None)
    return chosen is not None and chosen.passed


def _gains(rounds: Sequence[Record]) -> Record:
    """Return (after - first) / first of the last round, refined and resampled; None where no first program passes."""
    first: Any = rounds[0]["refined"]
    return {arm: _gain(first, rounds[-1][arm]) for arm in ("refined", "resampled")}


def _gain(first: Record | None, last: Record | None) -> float | None:
    if first is None or last is None or not first["value"]:
        return None
    return float((last["value"] - first["value"]) / first["value"])
