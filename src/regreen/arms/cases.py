"""The calls that a problem's checks make, where they can be read off: the arguments of call checks and of asserts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from regreen.arms.mutate import mutate, unshared
from regreen.problem import Assert, Call, Check, Problem, parse_literal
from regreen.syntax import parse

TRIES = 4  # mutations drawn for each one that is kept, at most


def calls_of(problem: Problem, indices: Iterable[int]) -> list[Call]:
    """Return the calls of these checks whose arguments are plain data, with nothing expected of them."""
    return [call for at in indices for call in _calls(problem.checks[at], problem.entry_point)]


def fresh_calls(problem: Problem, count: int, *, seed: int) -> list[Call]:
    """Return calls near those of the revealed checks: none of theirs, none of a hidden check's.

    ``count`` at most; the same for one seed and problem.
    """
    random = Random(f"{seed} {problem.id}")
    revealed = calls_of(problem, problem.revealed)
    known = {input_key(call) for call in calls_of(problem, range(len(problem.checks)))}
    fresh: list[Call] = []
    for _ in range(count * TRIES if revealed else 0):
        call = near(random.choice(revealed), random)
        if len(fresh) < count and input_key(call) not in known:
            known.add(input_key(call))
            fresh.append(call)
    return fresh


def input_key(call: Call) -> str:
    """Return a text that is the same for equal inputs: 1, 1.0 and True are one, so are tuples and lists."""
    return repr(_normal([*call.args, *call.kwargs.values()]))


def near(call: Call, random: Random) -> Call:
    """Return a call near the given one: none, one or two of its arguments changed."""
    values = [*call.args, *call.kwargs.values()]
    for _ in range(random.choice([1, 1, 2]) if values else 0):
        at = random.randrange(len(values))
        values[at] = mutate(values[at], random)
    values = unshared(values)
    kwargs = dict(zip(call.kwargs, values[len(call.args) :], strict=True))
    return Call(tuple(values[: len(call.args)]), None, kwargs, call.compare)


def _calls(check: Check, entry_point: str | None) -> Iterator[Call]:
    match check:
        case Call(args, _, kwargs, compare):
            yield Call(args, None, kwargs, "apps" if compare == "apps" else "close")
        case Assert(code):
            yield from _calls_in(code, {entry_point, "candidate"})


def _calls_in(code: str, names: set[str | None]) -> Iterator[Call]:
    tree = parse(code) or ast.Module([], [])
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            call = literal_call(node)
            if call is not None:
                yield call


def literal_call(node: ast.Call) -> Call | None:
    """Return a call whose arguments are literals, with nothing expected of it; None where one is not."""
    try:
        args = tuple(parse_literal(ast.unparse(value)) for value in node.args)
        kwargs = {word.arg or "": parse_literal(ast.unparse(word.value)) for word in node.keywords}
    except ValueError:
        return None
    return None if "" in kwargs else Call(args, None, kwargs, "close")


def _normal(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    if isinstance(value, set | frozenset):
        return {"set": sorted((_normal(item) for item in value), key=repr)}
    if isinstance(value, dict):
        return {"dict": sorted(([_normal(key), _normal(item)] for key, item in value.items()), key=repr)}
    if isinstance(value, bool | float) and value == value and abs(value) != float("inf") and value == int(value):
        return int(value)
    return value
