"""Cases of a program: calls of it with plain arguments, and what they return, as a benchmark's checks say it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regreen.problem import Assert, Call, Problem, call_text, parse_literal
from regreen.prompts.views import tidy
from regreen.syntax import parse


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a problem's reference program, as code, and the literal that it returns.

    ``first`` is the call's first argument, empty without one; ``statement`` is empty where the program has none.
    ``cluster`` is that of the problem, or its id: what intervals resample together.
    """

    problem: str
    program: str
    statement: str
    call: str
    expected: str
    first: str
    cluster: str

    @property
    def worked(self) -> str:
        """The case as an assert that holds."""
        return f"assert {self.call} == {self.expected}"


def cases(problem: Problem, most: int) -> list[Case]:
    """Return up to so many different cases of a problem's program, in the order of its checks.

    Only calls whose arguments and results are literals; a call that the statement already works out is none.
    """
    if "asked" in problem.meta:
        return _asked(problem)
    told = _squeezed(problem.statement)
    program, cluster = tidy(problem.solution or ""), _cluster(problem)
    found = {
        call: Case(problem.id, program, problem.statement, call, expected, first, cluster)
        for call, expected, first in _pairs(problem)
        if program and _squeezed(call) not in told
    }
    return list(found.values())[:most]


def asked(found: Sequence[Case], at: int, what: str, count: int) -> Problem:
    """Return the problem to say the value of one case, with so many of the others worked out before it."""
    case = found[at]
    worked = [found[(at + step) % len(found)].worked for step in range(count, 0, -1)]
    given = {"said": case.statement, "program": case.program}
    kept = {"code": ["program"], "statement": ["said"]}.get(what, ["said", "program"])
    seen = {name: given[name] for name in kept}
    return Problem(
        id=name_of(case, at),
        statement="\n\n".join([*seen.values(), "\n".join([*worked, f"assert {case.call} =="])]),
        checks=(Call((), parse_literal(case.expected), compare="close"),),
        entry_point="predicted",
        prelude="from math import inf, nan",
        meta={
            "source": "execution",
            "cluster": case.cluster,
            "writes": "literal",
            "written": case.expected,
            "asked": {"call": case.call, "worked": worked, **seen},
        },
    )


def name_of(case: Case, at: int) -> str:
    """Return the id of the problem to say the value of a program's ``at``-th case."""
    return f"{case.problem}#{at}"


def _asked(problem: Problem) -> list[Case]:
    """Return the case that a problem asks about itself, as CRUXEval's do."""
    asked, expected = problem.meta["asked"], str(problem.meta.get("written", ""))
    call = _expression(str(asked.get("call", "")))
    if not isinstance(call, ast.Call) or not _is_literal(expected):
        return []
    program = str(asked.get("program", ""))
    return [
        Case(problem.id, program, str(asked.get("said", "")), asked["call"], expected, _first(call), _cluster(problem))
    ]


def _cluster(problem: Problem) -> str:
    return str(problem.meta.get("cluster", problem.id))


def _pairs(problem: Problem) -> Iterator[tuple[str, str, str]]:
    """Yield calls, what they return, and their first arguments."""
    for check in problem.checks:
        if isinstance(check, Call):
            call, expected = _expression(call_text(check, problem.entry_point)), repr(check.expected)
            if isinstance(call, ast.Call) and _has_literals(call) and _is_literal(expected):
                yield _called(call, problem.entry_point), expected, _first(call)
        elif isinstance(check, Assert):
            yield from _asserted(check.code, problem.entry_point)


def _asserted(code: str, entry_point: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is asserted of a call of the entry point; ``candidate`` is its name inside HumanEval's checks."""
    for node in ast.walk(parse(code) or ast.Module([], [])):
        match node:
            case ast.Assert(ast.Compare(ast.Call(ast.Name(name)) as call, [ast.Eq()], [value])):
                expected = ast.unparse(value)
                if name in (entry_point, "candidate") and _has_literals(call) and _is_literal(expected):
                    yield _called(call, entry_point), expected, _first(call)


def _called(call: ast.Call, entry_point: str | None) -> str:
    """Return the call as code; a method is called on a new object of its class."""
    target = ast.parse(str(entry_point).replace(".", "().", 1), mode="eval").body
    return ast.unparse(ast.Call(target, call.args, call.keywords))


def _has_literals(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(_is_literal(ast.unparse(each)) for each in given)


def _first(call: ast.Call) -> str:
    return ast.unparse(call.args[0]) if call.args else ""


def _expression(text: str) -> ast.expr | None:
    tree = parse(text)
    return tree.body[0].value if tree and tree.body and isinstance(tree.body[0], ast.Expr) else None


def _is_literal(text: str) -> bool:
    try:
        parse_literal(text)
    except ValueError:
        return False
    return True


def _squeezed(text: str) -> str:
    return "".join(text.split()).replace('"', "'")
