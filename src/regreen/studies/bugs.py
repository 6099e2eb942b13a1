"""Subtle bugs in right programs: one small slip in the text, which the judge shows to be wrong.

Source: Chen et al. 2021 (arXiv 2107.03374), section 7.2 and appendix E: off by one, single-character slips; the code
runs and is wrong.

Differences from the paper:
- They wrote the bugs by hand. Here every slip of a few kinds is tried at every place of a reference solution, in an
  order that is drawn, and the first is taken with which the judge finds a wrong answer, and no exception.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from regreen.attempt import seed_of
from regreen.problem import Problem
from regreen.sandbox import Sandbox
from regreen.syntax import parse
from regreen.verdict import Outcome

_MOST = 24  # slips of a solution that are judged
_COMPARISONS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    " in ": " not in ",
    " not in ": " in ",
}
_OPERATORS = {"+": "-", "-": "+", "*": "+", "//": "%", "%": "//", "/": "*", "**": "*"}
_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "upper": "lower",
    "lower": "upper",
    "append": "remove",
}
_WORDS = {" and ": " or ", " or ": " and "}


@dataclass(frozen=True, slots=True)
class Slip:
    """One small slip: its kind, its line, and the whole program that has it."""

    kind: str
    line: int
    source: str


def slips(source: str) -> Iterator[Slip]:
    """Yield every program that differs from one by one slip; nothing from a program that does not parse."""
    text = source.replace("\r\n", "\n")
    tree = parse(text)
    for node in ast.walk(tree or ast.Module([], [])):
        for kind, start, end, other in _edits(node, _Place(text)):
            changed = f"{text[:start]}{other}{text[end:]}"
            if parse(changed) is not None:
                yield Slip(kind, text.count("\n", 0, start) + 1, changed)


class _Place:
    """Where nodes stand in a text: offsets of characters, from lines and columns in bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        self._lines = text.split("\n")
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def start(self, node: ast.expr) -> int:
        """Return the offset at which an expression begins."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        """Return the offset after an expression."""
        return self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode(errors="ignore"))


_Edit = tuple[str, int, int, str]


def _edits(node: ast.AST, at: _Place) -> Iterator[_Edit]:
    """Yield the slips at one node: kind, where it begins and ends in the text, what stands there then."""
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            for other in (value + 1, value - 1):
                yield "off by one", at.start(node), at.end(node), str(other)
        case ast.Compare(left=left, comparators=[right]):
            yield from _between(at, left, right, _COMPARISONS, "wrong comparison")
        case ast.BinOp(left=left, right=right):
            yield from _between(at, left, right, _OPERATORS, "wrong operator")
        case ast.BoolOp(values=[left, right, *_]):
            yield from _between(at, left, right, _WORDS, "wrong connective")
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _NAMES:
            yield "wrong function", at.end(node) - len(name), at.end(node), _NAMES[name]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "dropped not", at.start(node), at.start(operand), ""
        case ast.Slice(upper=ast.expr() as bound) | ast.Call(func=ast.Name(id="range"), args=[*_, ast.expr() as bound]):
            if not isinstance(bound, ast.Constant):
                yield "off by one", at.end(bound), at.end(bound), " - 1"


def _between(at: _Place, left: ast.expr, right: ast.expr, others: dict[str, str], kind: str) -> Iterator[_Edit]:
    """Yield the slip of an operator that stands between two expressions, if it is one of those that have another."""
    start, end = at.end(left), at.start(right)
    for sign, other in sorted(others.items(), key=lambda pair: -len(pair[0])):
        found = at.text.find(sign, start, end)
        if found >= 0:
            yield kind, found, found + len(sign), other
            return


def with_bugs(problems: Sequence[Problem], sandbox: Sandbox, *, seed: int = 0) -> dict[str, Slip]:
    """Return for each problem a slip in its solution that gives a wrong answer; none where none was found.

    Args:
        problems: solved ones.
        sandbox: judges every slip.
        seed: of the order in which slips are tried.

    Raises:
        InfrastructureError: the judge broke down.
    """
    tried = {problem.id: _drawn(problem, seed) for problem in problems}
    jobs = [(replace(problem, solution=None), slip) for problem in problems for slip in tried[problem.id]]
    wrong: dict[str, dict[int, Slip]] = {}
    for at, verdict in sandbox.judge_all((problem, slip.source) for problem, slip in jobs):
        if verdict.outcome is Outcome.WRONG_ANSWER and _ends(verdict.checks):
            wrong.setdefault(jobs[at][0].id, {})[at] = jobs[at][1]
    return {name: found[min(found)] for name, found in wrong.items()}


def _ends(checks: Sequence[object]) -> bool:
    """Tell whether a program answered every check: its bug is none that stops it."""
    return all(getattr(check, "outcome", None) in (Outcome.PASSED, Outcome.WRONG_ANSWER) for check in checks)


def _drawn(problem: Problem, seed: int) -> list[Slip]:
    found = list(slips(problem.solution or ""))
    Random(seed_of(seed, problem.id, 0, "bugs")).shuffle(found)
    return found[:_MOST]
