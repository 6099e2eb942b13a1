"""What a text stands for where no program is asked for: a value, a call's arguments, a formula.

``meta["writes"]`` of a problem says what is written for it, and ``meta["written"]`` what would be right:

- ``value``: an expression; the program is ``ENTRY_POINT = EXPRESSION``;
- ``literal``: the same, but a literal and nothing else, returned by the function ``ENTRY_POINT``;
- ``call``: a call of ``f``; the program sets ``ENTRY_POINT`` to its arguments;
- ``formula``: a formula of :mod:`regreen.formula` over ``meta["numbers"]``.

The judge then judges programs, here as everywhere, and knows nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from regreen.formula import program, read_formula
from regreen.problem import Problem, parse_literal


def stated(problem: Problem, text: str) -> str | None:
    """Return the program that a text stands for; None if it stands for none, or a program is asked for."""
    text = text.strip()
    return None if asks_for_program(problem) or not text else _PROGRAMS[_writes(problem)](problem, text)


def asks_for_program(problem: Problem) -> bool:
    """Tell whether a program is asked for, and nothing that stands for one."""
    return _writes(problem) not in _PROGRAMS


def right_text(problem: Problem) -> str:
    """Return what would be right to write for a problem: its solution, or what stands for that."""
    return str(problem.meta.get("written") or problem.solution or "")


def _writes(problem: Problem) -> str:
    return str(problem.meta.get("writes", "program"))


def _value(problem: Problem, text: str) -> str:
    return f"{problem.entry_point} = {text}"


def _literal(problem: Problem, text: str) -> str | None:
    try:
        parse_literal(text)
    except ValueError:
        return None
    return f"def {problem.entry_point}():\n    return {text}\n"


def _call(problem: Problem, text: str) -> str:
    return f"def f(*args, **kwargs):\n    return args, kwargs\n\n\n{problem.entry_point} = {text}\n"


def _formula(problem: Problem, text: str) -> str:
    """Return a formula's program; one that cannot be read becomes a program that says why, and fails."""
    try:
        return program(read_formula(text), problem.meta["numbers"])
    except ValueError as error:
        return f"raise SyntaxError({str(error)!r})\n"


_PROGRAMS: Mapping[str, Callable[[Problem, str], str | None]] = {
    "value": _value,
    "literal": _literal,
    "call": _call,
    "formula": _formula,
}
