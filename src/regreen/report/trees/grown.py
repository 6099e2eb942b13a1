"""Repair trees of a run directory as the report sees them: what passed, what it cost, what was judged twice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from regreen.errors import InputError
from regreen.metrics import Feedback, First, Forest, FrozenTree, Repair, joint
from regreen.records import PROBLEMS, PROGRAMS, TREES, VERDICTS, Key, Record, read_records, stops_at_a_pass
from regreen.report.trees.view import Prices, Verdicts
from regreen.run import read_manifest
from regreen.tree import REFUSED, Node, RepairTree, read_trees

REJUDGED = "rejudged.jsonl"
CONTROL = "control:"
_BILLED = ("model", "tokens", "prompt_tokens", "cached_tokens")
AXES = ("sampled", "paper", "prompt", "cached", "total", "calls", "checks", "price")  # then the programs


class Bill(NamedTuple):
    """What one text cost: tokens generated, read, and of those read the cached; NaN where nobody counted."""

    model: str | None
    sampled: float
    prompt: float
    cached: float

    def price(self, prices: Mapping[str, Prices]) -> float:
        """Return the price; NaN where a count or the model's prices are not known."""
        of = prices.get(self.model or "")
        if of is None:
            return math.nan
        read = (self.prompt - self.cached) * of.read + self.cached * of.cached
        return (read + self.sampled * of.generated) / 1_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run's verdict says of one program, beyond passed or not."""

    passed: bool
    hidden: bool  # every check that is never revealed passed
    shown: bool  # every check that a prompt shows passed
    outputs: int  # a hash of every check's outcome and value


@dataclass(slots=True)
class Grown:
    """The trees of a run, without problems of which a verdict flipped, and what stands beside them."""

    trees: dict[str, RepairTree] = field(default_factory=dict)
    problems: dict[str, Record] = field(default_factory=dict)
    judged: dict[Key, Judged] = field(default_factory=dict)
    bills: dict[Key, Bill] = field(default_factory=dict)
    rejudged: list[tuple[Key, bool, bool]] = field(default_factory=list)  # passed first, and again
    flipped: list[str] = field(default_factory=list)
    settings: Record = field(default_factory=dict)  # of the run
    whole: bool = True  # the run is finished: no control is half drawn

    @property
    def full(self) -> bool:
        """Whether no tree was left at a pass."""
        return bool(self.settings.get("full", True))

    @property
    def first_alone(self) -> bool:
        """Whether first programs were drawn until one passed."""
        return stops_at_a_pass(self.settings)

    @property
    def depth_first(self) -> bool:
        """Whether each first program was written after all that stands below the one before."""
        return self.first_alone and self.settings["order"] == "dfs"

    @property
    def clusters(self) -> list[str]:
        """The trees' clusters: problems of one are resampled together."""
        return [self.cluster(name) for name in self.trees]

    def cluster(self, name: str) -> str:
        """Return what a problem is resampled together with, itself where its benchmark says nothing."""
        found = self.problems.get(name, {}).get("meta", {}).get("cluster")
        return name if found is None else str(found)

    @property
    def hidden(self) -> list[str]:
        """The trees whose problems have checks that are never revealed."""
        return [name for name in self.trees if _hidden(self.problems.get(name, {}))]

    def difficulty(self, name: str) -> str | None:
        """Return a problem's level, where its benchmark says one."""
        found = self.problems.get(name, {}).get("meta", {}).get("difficulty")
        return None if found is None else str(found)


def read_grown(run: Path) -> Grown:
    """Read a run directory that has trees; raises InputError for records that are none."""
    problems = {record["id"]: record for _, record in read_records(run / PROBLEMS)}
    manifest = read_manifest(run)
    grown = Grown(problems=problems, settings=manifest["settings"], whole=manifest["finished"] is not None)
    lines = ((f"{run / TREES}, byte {place}", record) for place, record in read_records(run / TREES))
    grown.trees = read_trees(lines)
    for _, record in read_records(run / VERDICTS):
        grown.judged[_key(record)] = _judged(record, grown.problems.get(record["problem"], {}))
    for _, record in read_records(run / PROGRAMS):
        grown.bills[_key(record)] = bill(**{name: record.get(name) for name in _BILLED})
    _leave_out_flips(grown, run)
    return grown


def _leave_out_flips(grown: Grown, run: Path) -> None:
    """Leave problems of which some verdict flipped out of everything."""
    for _, record in read_records(run / REJUDGED):
        first = grown.judged.get(_key(record))
        if first is not None:
            grown.rejudged.append((_key(record), first.passed, record["outcome"] == "passed"))
    grown.flipped = sorted({key[0] for key, first, again in grown.rejudged if first != again})
    for name in grown.flipped:
        grown.trees.pop(name, None)
    for keyed in (grown.judged, grown.bills):
        for key in [key for key in keyed if key[0] in set(grown.flipped)]:
            del keyed[key]


def _key(record: Record) -> Key:
    return record["problem"], record["index"], record.get("role", "sample")


def _hidden(problem: Record) -> list[int]:
    revealed = set(problem.get("revealed", ()))
    return [at for at in range(len(problem.get("checks", ()))) if at not in revealed]


def _judged(record: Record, problem: Record) -> Judged:
    outcomes = {check["index"]: check["outcome"] for check in record["checks"]}
    hidden = all(outcomes.get(at) == "passed" for at in _hidden(problem))
    shown = all(outcomes.get(at) == "passed" for at in problem.get("shown", ()))
    outputs = hash(tuple((check["index"], check["outcome"], check.get("got")) for check in record["checks"]))
    return Judged(record["outcome"] == "passed", hidden, shown, outputs)


# ---- as numbers ----


class Unjudged(InputError):
    """Trees hold programs without a verdict."""


def chosen_verdicts(trees: Mapping[str, RepairTree], asked: Verdicts | None) -> Verdicts:
    """Return whose verdicts count: ours, unless there are none; raises InputError where those asked for are not there.

    Half a set of verdicts is none: a program without one would count as failed.
    """
    nodes = [node for tree in trees.values() for node in tree.nodes.values() if node.has_program]
    ours = any(node.outcome not in (None, REFUSED) for node in nodes)
    verdicts = asked or ("ours" if ours or not any(node.recorded is not None for node in nodes) else "recorded")
    missing = [node for node in nodes if node.passed(verdicts) is None]
    if missing:
        others: Verdicts = "recorded" if verdicts == "ours" else "ours"
        there = all(node.passed(others) is not None for node in nodes)
        other = f"--verdicts {others}" if there else "regreen import --judge, which judges them all"
        place = f"{missing[0].problem} {missing[0].node}"
        lacking = f"{len(missing)} of {len(nodes)} programs have no verdict ({verdicts})"
        raise Unjudged(f"{lacking}, {place} the first; try {other}")
    return verdicts


def numbers(
    tree: RepairTree, verdicts: Verdicts, prices: Mapping[str, Prices], hidden: Mapping[Key, Judged] | None = None
) -> FrozenTree:
    """Return a tree as numbers: costs on ``AXES``; with ``hidden``, passed means the never-revealed checks alone."""

    def passed(node: Node) -> bool:
        judged = hidden.get(node.key) if hidden is not None else None
        return bool(node.passed(verdicts)) if hidden is None else judged is not None and judged.hidden

    def feedback(node: Node) -> Feedback:
        if node.has_program:
            return joint(passed(node), costs(node, prices))
        repairs = [Repair(passed(below), costs(below, prices)) for below in tree.children(node) if below.has_program]
        return Feedback(costs(node, prices), repairs)

    return [
        First(passed(root), costs(root, prices), [] if passed(root) else [feedback(f) for f in tree.children(root)])
        for root in tree.roots
    ]


def forest_of(
    grown: Grown,
    names: Sequence[str],
    verdicts: Verdicts,
    prices: Mapping[str, Prices],
    hidden: Mapping[Key, Judged] | None = None,
) -> Forest:
    """Return some problems' trees as numbers; a first program that was refused fails with all that might be made of it.

    Nothing can be said of what was never written: were it left without feedback, no tree at all could be drawn wider.
    What was drawn until something passed is left out but for the first of it, whose number does not depend on a pass.
    """
    trees = [grown.trees[name] for name in names]
    every = [list(numbers(tree, verdicts, prices, hidden)) for tree in trees]
    if not grown.full:
        every = [[_first_of_each(first) for first in firsts[: 1 if grown.first_alone else None]] for firsts in every]
    wide = max((len(first.feedbacks) for firsts in every for first in firsts), default=0)
    deep = max((len(said.repairs) for firsts in every for first in firsts for said in first.feedbacks), default=0)
    free = (0.0,) * len(AXES)
    nothing = [Feedback(free, [Repair(False, free)] * deep)] * wide
    for tree, firsts in zip(trees, every, strict=True):
        for at, root in enumerate(tree.roots[: len(firsts)]):
            if root.outcome == REFUSED:
                firsts[at] = firsts[at]._replace(feedbacks=nothing)
    return Forest.of(every)


def _first_of_each(first: First) -> First:
    """Return a first program with its first feedback alone, and that with its first repair."""
    said = [Feedback(each.costs, each.repairs[:1]) for each in first.feedbacks[:1]]
    return first._replace(feedbacks=said)


def costs(node: Node, prices: Mapping[str, Prices]) -> tuple[float, ...]:
    """Return what a node cost on each of ``AXES``; NaN where it is not known.

    Words that no model wrote (an error message, an analyser's findings) cost nothing; neither does what was refused.
    """
    if node.outcome == REFUSED or _unwritten(node):
        return (0.0,) * len(AXES)
    paid = bill(**{name: getattr(node, name) for name in _BILLED})
    kept = paid.sampled if node.kept_tokens is None else float(node.kept_tokens)
    checks = _known(node.checks) if node.has_program else 0.0
    total = paid.prompt + paid.sampled
    return paid.sampled, kept, paid.prompt, paid.cached, total, 1.0, checks, paid.price(prices)


def bill(model: str | None, tokens: float | None, prompt_tokens: float | None, cached_tokens: float | None) -> Bill:
    """Return a text's bill from what its record says; a prompt of which no cached part is told was read anew."""
    prompt = _known(prompt_tokens)
    return Bill(model, _known(tokens), prompt, math.nan if math.isnan(prompt) else float(cached_tokens or 0))


def _unwritten(node: Node) -> bool:
    """Tell whether no model wrote this: words that an arm or a person had."""
    return not node.has_program and (node.tokens == 0 or (node.model is None and node.tokens is None))


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def repairs_below(tree: RepairTree) -> Iterator[tuple[Node, Node, Node | None]]:
    """Yield every first-round repair: the first program, the repair, and the words between if they stand apart."""
    for root in tree.roots:
        for below in tree.children(root):
            if below.has_program:
                yield root, below, None
            else:
                yield from ((root, repair, below) for repair in tree.children(below) if repair.has_program)


def round_of(tree: RepairTree, node: Node) -> int:
    """Return how many programs stand above a node: 0 for a first program, 1 for its repairs."""
    above, rounds = node.parent, 0
    while above is not None:
        rounds += tree.nodes[above].has_program
        above = tree.nodes[above].parent
    return rounds


def models_of(trees: Sequence[RepairTree]) -> tuple[set[str], set[str]]:
    """Return who wrote programs, and who wrote words apart from programs."""
    programs: set[str] = set()
    words: set[str] = set()
    for tree in trees:
        for node in tree.nodes.values():
            if node.model is not None and not _unwritten(node):
                (programs if node.has_program else words).add(node.model)
    return programs, words
