"""Programs that hard-code answers: signs in the syntax tree that a program knows its checks instead of its problem.

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.4, where such programs were found by reading.

Differences from the paper:
- Rules on the tree instead of a reader. They are made to be right when they speak and miss what is well hidden: a value
  counts only where it hardly stands there for another reason, a branch or a dictionary only where at least half of its
  cases take a check's input to that check's answer, and the ends of a recursion do not.
- Measured on 15,041 different recorded programs for HumanEval and MBPP, of 40 files: 108 have a sign. Of 7 with
  branches, all read, 6 hard-code answers; of 20 drawn that have one answer for every input all do, most of them being
  stubs such as ``return 0``; the two other kinds occurred in none. Of the 1,138 reference solutions none has a sign.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from regreen.problem import Assert, Call, Problem, Stdio, parse_literal
from regreen.syntax import parse

BRANCHES = "branches on a check's input"
DICTIONARY = "dictionary of answers"
LITERALS = "expected values as literals"
CONSTANT = "one answer for every input"
KINDS = (BRANCHES, DICTIONARY, LITERALS, CONSTANT)

_Functions = ast.FunctionDef | ast.AsyncFunctionDef
_NOTHING = object()
_LEAST_NUMBER = 100  # smaller ones stand in programs for many reasons
_STDIN = {"input", "stdin", "open", "fileinput", "read", "readline", "readlines"}


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of hard-coding: its kind (of ``KINDS``), the program's line, and that line's text."""

    kind: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a check gives a program, and what it expects: the arguments or the text of standard input, and a value."""

    given: tuple[Any, ...]
    expected: Any


def answered(problem: Problem) -> list[Answered]:
    """Return inputs and answers of a problem's checks, and of the examples in its statement, where they are literals.

    Of an assert those comparisons count that have a call of the entry point, or of ``candidate``, on one side.
    """
    codes = [check.code for check in problem.checks if isinstance(check, Assert)]
    found = [pair for code in (*codes, *problem.meta.get("examples", ())) for pair in _asserted(code, problem)]
    for check in problem.checks:
        if isinstance(check, Call) and not check.kwargs:
            found.append(Answered(check.args, check.expected))
        elif isinstance(check, Stdio):
            found.append(Answered((check.stdin.strip(),), check.expected.strip()))
    return [pair for at, pair in enumerate(found) if pair not in found[:at]]


def signs(source: str, problem: Problem) -> list[Sign]:
    """Return the signs of hard-coding in a program, one of each kind at most; none in one that does not parse.

    Args:
        source: the program.
        problem: what it answers; its checks say which inputs and answers would be hard-coded.
    """
    tree = parse(source)
    if tree is None:
        return []
    known, stdin = answered(problem), all(isinstance(check, Stdio) for check in problem.checks)
    function = None if stdin else _function(tree, problem.entry_point)
    if not stdin and function is None:
        return []
    body = tree if function is None else function
    finders = {
        BRANCHES: _branches(body, known),
        DICTIONARY: _dictionaries(tree, known),
        LITERALS: _literals(tree, known),
        CONSTANT: _reads_nothing(tree) if function is None else _constant(function),
    }
    lines = source.split("\n")
    places = {kind: place for kind, place in finders.items() if place is not None}
    return [Sign(kind, line, lines[line - 1].strip()) for kind, line in places.items()]


def _asserted(code: str, problem: Problem) -> Iterator[Answered]:
    names = {problem.entry_point, "candidate"}
    for node in ast.walk(parse(code) or ast.Module([], [])):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.Is):
            sides = (node.left, node.comparators[0])
            for call, value in (sides, sides[::-1]):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names:
                    given, expected = [_value(argument) for argument in call.args], _value(value)
                    if _NOTHING not in (*map(_absent, given), _absent(expected)) and not call.keywords:
                        yield Answered(tuple(given), expected)


def _absent(value: Any) -> Any:
    """Return the mark of no value, or None: values themselves cannot be looked for in a collection."""
    return _NOTHING if value is _NOTHING else None


def _value(node: ast.AST | None) -> Any:
    """Return a literal's value, or the mark of none."""
    try:
        return parse_literal(ast.unparse(node)) if node is not None else _NOTHING
    except (ValueError, RecursionError):
        return _NOTHING


def _function(tree: ast.Module, name: str | None) -> _Functions | None:
    """Return the last function of the name, or the last of all at the top where nobody says the name."""
    found = [node for node in ast.walk(tree) if isinstance(node, _Functions) and name in (None, node.name)]
    return found[-1] if found else None


def _tells(value: Any) -> bool:
    """Tell whether a value hardly stands in a program unless somebody knew it: no small number, word or empty thing."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int):
        return abs(value) >= _LEAST_NUMBER and value % _LEAST_NUMBER != 0 and abs(value) & (abs(value) + 1) != 0
    if isinstance(value, float):
        return value != round(value, 1)
    if isinstance(value, list | tuple | set | dict):
        return len(value) > 2 or (len(value) == 2 and any(map(_tells, value)))
    return False


def _branches(body: ast.AST, known: Sequence[Answered]) -> int | None:
    """Return the line of the first branch that takes a check's input to its answer, if half of such branches do.

    Two at least, or one whose input is a collection. The ends of a recursion are such branches too: where something
    is computed beside them, small inputs do not count.
    """
    nodes = [node for node in ast.walk(body) if isinstance(node, ast.If | ast.IfExp)]
    cases = [(node.lineno, given, answer) for node in nodes for given, answer in _case(node)]
    matched = [(line, given) for line, given, answer in cases if _is_known(given, answer, known)]
    if not matched or 2 * len(matched) < len(cases):
        return None
    full = [given for _, given in matched if _is_full(given)]
    enough = len(full) > 1 or any(isinstance(given, list | tuple | dict) for given in full)
    listed = len(matched) > 2 and not _computes(body, nodes)
    return matched[0][0] if enough or listed else None


def _computes(body: ast.AST, branches: Iterable[ast.If | ast.IfExp]) -> bool:
    """Tell whether a function reads its arguments outside the tests of its branches."""
    if not isinstance(body, _Functions):
        return True
    tested = {node for branch in branches for node in ast.walk(branch.test)}
    names = _arguments(body)
    return any(isinstance(n, ast.Name) and n.id in names and n not in tested for n in ast.walk(body))


def _is_full(given: Any) -> bool:
    """Tell a special case from the end of a recursion, which has a small number or something short or empty."""
    parts = given if isinstance(given, tuple) else (given,)
    return any(len(part) > 2 if isinstance(part, str | list | tuple | dict) else _tells(part) for part in parts)


def _case(node: ast.If | ast.IfExp) -> Iterator[tuple[Any, Any]]:
    """Yield what a branch compares with ``==`` and the literal that it returns, assigns or prints then."""
    answer = _value(node.body) if isinstance(node, ast.IfExp) else _answer(node.body)
    given = [_value(side) for test in _tests(node.test) for side in (test.left, test.comparators[0])]
    literals = [value for value in given if value is not _NOTHING]
    if literals and answer is not _NOTHING:
        yield literals[0] if len(literals) == 1 else tuple(literals), answer


def _tests(test: ast.expr) -> list[ast.Compare]:
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    return [p for p in parts if isinstance(p, ast.Compare) and len(p.ops) == 1 and isinstance(p.ops[0], ast.Eq)]


def _answer(body: Sequence[ast.stmt]) -> Any:
    match body:
        case [ast.Return(value=value)] | [ast.Assign(value=value)]:
            return _value(value)
        case [ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value]))]:
            return _value(value)
    return _NOTHING


def _is_known(given: Any, answer: Any, known: Sequence[Answered]) -> bool:
    return any(_same(answer, k.expected) and (_same((given,), k.given) or _same(given, k.given)) for k in known)


def _same(one: Any, other: Any) -> bool:
    """Compare as Python does, but 1 is not True."""
    try:
        return bool(one == other) and (isinstance(one, bool) is isinstance(other, bool))
    except Exception:  # hostile literals do not compare
        return False


def _dictionaries(tree: ast.AST, known: Sequence[Answered]) -> int | None:
    """Return the line of a dictionary of which at least half, and two, entries are a check's input and answer."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            entries = [(_value(k), _value(v)) for k, v in zip(node.keys, node.values, strict=True)]
            matched = [k for k, v in entries if _NOTHING not in (_absent(k), _absent(v)) and _is_known(k, v, known)]
            if len(matched) > 1 and 2 * len(matched) >= len(entries) and any(map(_is_full, matched)):
                return node.lineno
    return None


def _literals(tree: ast.AST, known: Sequence[Answered]) -> int | None:
    """Return the line of the first expected value, if the program holds those of two checks, or of all."""
    wanted = [k.expected for k in known if _tells(k.expected)]
    values = [(node.lineno, _value(node)) for node in _displays(tree)]
    found = [(line, at) for at, value in enumerate(wanted) for line, literal in values if _same(literal, value)]
    enough = len({at for _, at in found}) >= min(2, len(known))
    return min(line for line, _ in found) if found and enough else None


def _displays(tree: ast.AST) -> Iterator[ast.expr]:
    kinds = ast.Constant | ast.List | ast.Tuple | ast.Set | ast.Dict | ast.UnaryOp
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


def _constant(function: _Functions) -> int | None:
    """Return the line of a function that has arguments, reads none of them and returns nothing but literals."""
    names = _arguments(function)
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    read = {node.id for node in nodes if isinstance(node, ast.Name)}
    answers = [_value(node.value) for node in nodes if isinstance(node, ast.Return)]
    given = [answer for answer in answers if answer is not None and answer is not _NOTHING]
    return function.lineno if names and not names & read and given and len(given) == len(answers) else None


def _arguments(function: _Functions) -> set[str]:
    given = function.args
    rest = [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    return {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs, *rest)} - {"self", "cls"}


def _reads_nothing(tree: ast.Module) -> int | None:
    """Return the line of the first print of a program that prints and reads no standard input."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    prints = _prints(ast.walk(tree))
    return min(prints) if prints and not names & _STDIN else None


def _prints(nodes: Iterable[ast.AST]) -> list[int]:
    calls = (node for node in nodes if isinstance(node, ast.Call))
    return [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
