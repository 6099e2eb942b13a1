"""From a function that was called to a problem: its signature and docstring to be completed, its calls the checks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from regreen.benchmarks.examples import docstring_examples
from regreen.curate.tally import Unfit
from regreen.curate.tracing.calls import Function
from regreen.curate.tracing.hazards import require_harmless
from regreen.curate.tracing.modules import NO_SOURCE, FunctionNode, Library, Module
from regreen.curate.tracing.recorder import TOO_LARGE
from regreen.curate.tracing.selection import Selection, select
from regreen.problem import Call, Check, Problem, check_text, parse_literal, problem_from_line, problem_to_line
from regreen.syntax import parse

NO_DOCSTRING = "has no docstring"
NOT_AT_TOP = "not bound once, at the top of its module"
NO_INPUT = "takes nothing"
NO_OUTPUT = "returns nothing"
CONSTANT = "a constant would pass its checks"

_FUTURE = "from __future__ import annotations\n\n\n"


def problem_of(function: Function, library: Library, *, most: int) -> Problem:
    """Return the problem that a function makes, not yet proved.

    Args:
        function: what was recorded of it.
        library: the modules of its package.
        most: calls that become checks.

    Raises:
        Unfit: it makes none.
    """
    function.require_calls()
    module = _module(function, library)
    node = _node(function, module)
    checks = _checks(function, most)
    selection = select(library, module, node)
    require_harmless(selection.nodes, selection.imports)
    future = _FUTURE if selection.bare else ""
    statement = f"{future}{module.text(node, until=node.body[0].end_lineno)}\n"
    shown = _shown(checks, statement, node)
    return Problem(
        id=function.id,
        statement=statement,
        checks=checks,
        shown=shown,
        revealed=shown,
        entry_point=function.name,
        prelude=_prelude(selection),
        solution=f"{future}{module.text(node)}\n",
        meta={"source": "traced", "module": module.name, "line": function.line, "prompt": statement},
    )


def _node(function: Function, module: Module) -> FunctionNode:
    node = module.function(function.name, function.line)
    if node is None:
        raise Unfit(NOT_AT_TOP)
    if ast.get_docstring(node) is None:
        raise Unfit(NO_DOCSTRING)
    return node


def _prelude(selection: Selection) -> str:
    prelude = selection.prelude()
    if parse(prelude) is None:
        raise Unfit(NO_SOURCE)
    return prelude


def _module(function: Function, library: Library) -> Module:
    path = Path(function.file)
    if not path.is_file():
        raise Unfit(NO_SOURCE)
    name = path.stem if function.module == "__main__" else function.module
    return library.module(name, path)


def _checks(function: Function, most: int) -> tuple[Call, ...]:
    """Return the first calls as checks; raises where they ask for nothing that a program must work out."""
    checks = tuple(islice(_readable(function.calls), most))
    if not checks:
        raise Unfit(TOO_LARGE)
    if not any(check.args or check.kwargs for check in checks):
        raise Unfit(NO_INPUT)
    results = {repr(check.expected) for check in checks}
    if results == {"None"}:
        raise Unfit(NO_OUTPUT)
    if len(results) == 1:
        raise Unfit(CONSTANT)
    return checks


def _readable(calls: Mapping[str, str]) -> Iterable[Call]:
    """Yield a check for each call that a file of problems holds exactly."""
    for call, result in calls.items():
        try:
            (args, kwargs), expected = parse_literal(call), parse_literal(result)
        except ValueError:  # a set's or a number's text that is no literal, or too deep
            continue
        check = Call(args, expected, kwargs, "close" if _has_float(expected) else "equal")
        if _survives(check):
            yield check


def _survives(check: Call) -> bool:
    line = problem_to_line(Problem("id", "", (check,), entry_point="f"))
    again = problem_from_line(json.loads(json.dumps(line))).checks[0]
    return repr(again) == repr(check)  # since nan is not equal to itself


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list | tuple) else isinstance(value, float)


def _shown(checks: Iterable[Check], statement: str, node: FunctionNode) -> tuple[int, ...]:
    """Return the checks that are examples of the docstring."""
    examples = set(docstring_examples(statement, node.name))
    texts = [f"assert {check_text(check, node.name)}" for check in checks] if examples else []
    return tuple(at for at, text in enumerate(texts) if _normal(text) in examples)


def _normal(text: str) -> str:
    try:
        return ast.unparse(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
