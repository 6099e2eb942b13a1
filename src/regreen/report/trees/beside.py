"""What stands beside pass@t: rounds, diversity of first programs, controls, and what the words give away."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from regreen.records import Record
from regreen.report.trees.grown import CONTROL, Grown, models_of, repairs_below, round_of
from regreen.report.trees.view import Verdicts
from regreen.syntax import syntax_of
from regreen.tree import Node, RepairTree

_RESAMPLE, _OTHERS = f"{CONTROL}resample", ("swapped", "within")
_TELLING = 6  # characters of a line, without white space, that is no mere "else:" or "return"


def rounds(grown: Grown, verdicts: Verdicts) -> list[Record]:
    """Return for each round of repairs how many programs it made and solved, and how many problems by then are.

    A chain, one repair after the other, is a tree of width one: its rounds are the attempts.
    """
    made: Counter[int] = Counter()
    passed: Counter[int] = Counter()
    first_pass: list[int] = []
    for tree in grown.trees.values():
        own = [(round_of(tree, node), node) for node in tree.nodes.values() if node.has_program]
        made.update(at for at, _ in own)
        passed.update(at for at, node in own if node.passed(verdicts))
        first_pass += [min(right)] if (right := [at for at, node in own if node.passed(verdicts)]) else []
    solved = Counter(first_pass)
    return [
        {
            "round": at,
            "programs": made[at],
            "passed": passed[at],
            "rate": passed[at] / made[at],
            "solved": sum(solved[earlier] for earlier in range(at + 1)) / len(grown.trees),
        }
        for at in sorted(made)
    ]


def diversity(grown: Grown, cells: Sequence[Record], most: int, *, replacement: bool) -> list[Record]:
    """Return how many different programs are among n_p first ones, and what repair gains there.

    Different by syntax tree, and by what came out of the checks; expected numbers, as cells are drawn, for n_p up to
    ``most``. The gain is the effect against ``same_stop`` at the smallest n_fr of the cells.
    """
    kinds = {"syntax": _syntax, "outputs": lambda node: _outputs(grown, node)}
    sizes = {name: [_classes(tree.roots, kind) for tree in grown.trees.values()] for name, kind in kinds.items()}
    found = []
    for n_p in range(1, most + 1):
        counts = {name: _distinct(each, n_p, replacement) for name, each in sizes.items()}
        smallest = min((cell for cell in cells if cell["n_p"] == n_p), key=lambda cell: cell["n_fr"], default=None)
        effect = smallest["baselines"]["same_stop"]["effect"] if smallest else None
        found.append({"n_p": n_p, **counts, "n_fr": smallest and smallest["n_fr"], "effect": effect})
    return found


def _syntax(node: Node) -> Hashable:
    found = syntax_of(node.source)
    return node.source if found is None else found


def _outputs(grown: Grown, node: Node) -> Hashable:
    judged = grown.judged.get(node.key)
    return None if judged is None else judged.outputs


def _classes(nodes: Sequence[Node], kind: Callable[[Node], Hashable]) -> list[int] | None:
    """Return how many are of each kind; None where some kind is not known."""
    found = Counter(kind(node) for node in nodes)
    return None if None in found else list(found.values())


def _distinct(classes: Sequence[list[int] | None], n_p: int, replacement: bool) -> float | None:
    known = [sizes for sizes in classes if sizes is not None]
    if len(known) < len(classes) or any(sum(sizes) < n_p for sizes in known):
        return None
    return math.fsum(_expected_kinds(sizes, n_p, replacement) for sizes in known) / len(known)


def _expected_kinds(sizes: Sequence[int], n: int, replacement: bool) -> float:
    """Return how many kinds are expected among n of the programs whose kinds have these sizes."""
    total = sum(sizes)
    if replacement:
        return math.fsum(1.0 - (1.0 - size / total) ** n for size in sizes)
    return math.fsum(1.0 - math.comb(total - size, n) / math.comb(total, n) for size in sizes)


def controls(grown: Grown) -> Record:
    """Return the controls of the same run: fresh programs at an equal budget, and repairs with another's feedback.

    "swapped" feedback is another problem's, "within" the same problem's on another wrong program; ``own`` is the trees'
    own success on the same first programs that it was tried on.
    """
    found: Record = {"resample": None, **dict.fromkeys(_OTHERS)}
    fresh = [(key, judged) for key, judged in grown.judged.items() if key[2] == _RESAMPLE]
    if fresh:
        solved = {key[0] for key, judged in fresh if judged.passed}
        tokens = sum(grown.bills[key].sampled for key, _ in fresh)
        found["resample"] = {
            **_rate(judged.passed for _, judged in fresh),
            "problems": len({key[0] for key, _ in fresh}),
            "solved": len(solved),
            "tokens": None if math.isnan(tokens) else int(tokens),
        }
    for name in _OTHERS:
        told = [(key, judged) for key, judged in grown.judged.items() if key[2].startswith(f"{CONTROL}{name}:")]
        if told:
            tried = {(key[0], key[1]) for key, _ in told}
            found[name] = {**_rate(judged.passed for _, judged in told), "own": _own(grown, tried)}
    return found


def _own(grown: Grown, tried: set[tuple[str, int]]) -> Record:
    repairs = [
        node
        for name, tree in grown.trees.items()
        for root, node, _ in repairs_below(tree)
        if (name, root.path[0]) in tried
    ]
    return _rate(node.outcome == "passed" for node in repairs)


def _rate(passed: Iterable[bool]) -> Record:
    values = list(passed)
    return {"passed": sum(values), "programs": len(values), "rate": sum(values) / len(values) if values else None}


def feedback_texts(grown: Grown) -> Record | None:
    """Return how much of the words of another model is code, or a line of the final change; None for no such model."""
    programs, words = models_of(list(grown.trees.values()))
    if not words - programs:
        return None
    texts = [text for tree in grown.trees.values() for text in _texts(tree, words - programs)]
    return {
        "models": sorted(words - programs),
        "texts": len(texts),
        "with_code": sum(code for code, _ in texts) / len(texts),
        "with_a_line_of_the_change": sum(change for _, change in texts) / len(texts),
    }


def _texts(tree: RepairTree, models: set[str]) -> Iterable[tuple[bool, bool]]:
    """Yield for each text of these models whether it holds code, and a line that a repair then brought."""
    for node in tree.nodes.values():
        if not node.has_program and node.model in models and node.text is not None:
            above = tree.nodes[node.parent] if node.parent else None
            repaired = [below.source for below in tree.children(node) if below.has_program]
            before = above.source if above else ""
            yield _holds_code(node.text), any(_holds_change(node.text, before, after) for after in repaired)


def _holds_code(text: str) -> bool:
    """True for a fence, or a function that can be read as Python."""
    if "```" in text:
        return True
    lines = text.splitlines()
    return any(_is_function(lines[at:]) for at, line in enumerate(lines) if line.lstrip().startswith("def "))


def _is_function(lines: list[str]) -> bool:
    """True if some of the first lines are a function."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    body = [line[indent:] for line in lines]
    return any(_parses("\n".join(body[:end])) for end in range(1, len(body) + 1))


def _parses(text: str) -> bool:
    try:
        return any(isinstance(statement, ast.FunctionDef) for statement in ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _holds_change(text: str, before: str, after: str) -> bool:
    """True if the words hold a telling line that the repair has and the program before had not."""
    old = {_bare(line) for line in before.splitlines()}
    new = {_bare(line) for line in after.splitlines()} - old
    return any(line in _bare(text) for line in new if len(line) >= _TELLING)


def _bare(text: str) -> str:
    return "".join(text.split())
