"""Verdict to feedback: the sentence that says how a program failed its first failing check.

Only revealed checks speak. Where none of them failed, the sentence says so and no more: a hidden check's values, its
exceptions' messages and even their lines could tell what it holds.

Source: Olausson et al. 2023 (arXiv 2306.09896), their published code's error messages and its limit of 300 characters.

Differences from the paper:
- The wording is ours. A sentence is one line, since templates show it as a comment too: what was read or printed
  stands as a Python literal.
- Failures come from revealed checks; the paper's come from the checks that score (here ``--reveal all``).
- Time-outs, memory, output limits and killed programs have sentences of their own.
- Lists of one element are flattened only where the rule ``apps`` takes them for that element; elsewhere ``[3]`` is
  wrong where ``3`` is right, and the sentence must not hide it.
- What is a plain ``assert f(x) == y`` reads as a call with its input, as the paper has it for its function problems.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from regreen.differences import difference_of_texts, difference_of_values
from regreen.problem import Assert, Call, Check, Problem, Stdio, call_text, parse_literal
from regreen.syntax import parse
from regreen.verdict import CheckResult, Outcome, Verdict

__all__ = ["error_name", "error_sentence", "error_sentences", "first_failure", "shorten"]

VALUE_CAP = 300  # characters of a value; what is longer keeps the first 296, three dots, and the last
UNSEEN = "The program fails a check that is not shown."
NO_PROGRAM = "There is no program in the answer."
NAMES: Mapping[Outcome | None, str] = {Outcome.WRONG_ANSWER: "AssertionError", Outcome.TIMEOUT: "TimeoutError"}
OTHER_NAME = "Exception"

_MISSING = re.compile(r"name '(.+)' is not defined")
_SAME = {"equal", "close", "apps", "is", "truth", "false"}  # rules by which what is compared must be the same
_PRINTED = {"exact", "tokens"}  # rules for what is printed, by which every word must be the same
_PLACE = re.compile(r" \(<program>, line \d+\)$")


def error_sentence(problem: Problem, verdict: Verdict) -> str:
    """Return one line on how a program failed: what its first failing revealed check says, and no other.

    Raises:
        ValueError: the program passed.
    """
    return error_sentences(problem, verdict, 1)[0]


def error_sentences(problem: Problem, verdict: Verdict, checks: int, *, difference: bool = False) -> list[str]:
    """Return a line for each of the first so many failing revealed checks, or the one line that is all to be told.

    With ``difference`` a line ends with a second sentence: where the value first differs from the expected one.

    Source: Ding et al. 2024 (arXiv 2403.18746), their code's number of test cases in a prompt, by default 1.

    Raises:
        ValueError: the program passed.
    """
    if verdict.passed:
        raise ValueError(f"{verdict!r} has no failure to speak of")
    if verdict.outcome is Outcome.SYNTAX_ERROR:  # the program's own text is at fault, whatever the checks
        return [_syntax(next(each for each in verdict.checks if each.outcome is Outcome.SYNTAX_ERROR))]
    told = list(islice(_failures(problem, verdict), checks))
    lines = [_sentence(_Tested.by(problem.checks[f.index], problem.entry_point, f), f) for f in told]
    if difference:
        lines = [line + _difference(failure) for line, failure in zip(lines, told, strict=True)]
    return lines or [UNSEEN]


def error_name(problem: Problem, verdict: Verdict) -> str:
    """Return the kind of the first failing revealed check's failure, and no more: one of three exceptions' names.

    Source: Ding et al. 2024 (arXiv 2403.18746), their code's ablation of detail: time-out, assertion, or any exception.
    """
    if verdict.outcome is Outcome.SYNTAX_ERROR:
        return OTHER_NAME
    failure = first_failure(problem, verdict)
    return UNSEEN if failure is None else NAMES.get(failure.outcome, OTHER_NAME)


def first_failure(problem: Problem, verdict: Verdict) -> CheckResult | None:
    """Return the result of the first revealed check that failed, or None; one that was not run has not failed."""
    return next(_failures(problem, verdict), None)


def _failures(problem: Problem, verdict: Verdict) -> Iterator[CheckResult]:
    results = (verdict.checks[index] for index in sorted(problem.revealed))
    return (each for each in results if each.outcome not in (None, Outcome.PASSED))


def shorten(text: str) -> str:
    """Return a value's text as it is, or quoted its first 296 characters, three dots and the last one."""
    return text if len(text) <= VALUE_CAP else f'"{text[: VALUE_CAP - 4]}...{text[-1]}"'


class _Tested(NamedTuple):
    """What a check gave the program: ``on`` reads "for the input f(3)"; ``verb`` is what the program does with it."""

    on: str
    verb: str = "returned"
    assertion: str | None = None

    @classmethod
    def by(cls, check: Check, entry_point: str | None, failure: CheckResult) -> _Tested:
        match check:
            case Call():
                return cls(f"for the input {shorten(call_text(check, entry_point))}")
            case Stdio(stdin):
                return cls(f"for the input {shorten(repr(stdin))}", "printed")
            case Assert(code):
                return cls._by_assert(_failed_assert(code, failure.asserts_run, entry_point), entry_point)

    @classmethod
    def _by_assert(cls, test: ast.expr | None, entry_point: str | None) -> _Tested:
        match test:
            case None:
                return cls("in a check", assertion="")
            case ast.Compare(left=ast.Call(func=ast.Name(id=name)) as call, ops=[ast.Eq()]) if name == entry_point:
                return cls(f"for the input {shorten(ast.unparse(call))}")
        text = shorten(ast.unparse(test))
        return cls(f"in the assertion {text}", assertion=text)


def _sentence(tested: _Tested, failure: CheckResult) -> str:
    match failure.outcome:
        case Outcome.WRONG_ANSWER:
            return _wrong_answer(tested, failure)
        case Outcome.EXCEPTION:
            return _raised(tested, failure)
        case Outcome.TIMEOUT:
            return _ended(f"The program was not done in time {tested.on}", failure)
        case Outcome.MEMORY_LIMIT:
            return _ended(f"The program ran out of memory{_on_line(failure)} {tested.on}", failure)
        case Outcome.OUTPUT_LIMIT:
            return _ended(f"The program gave too much {tested.on}", failure)
    return _ended(f"The program ended before it was done {tested.on}", failure)


def _syntax(failure: CheckResult) -> str:
    if failure.error_type is None:
        return NO_PROGRAM
    return _ended(f"The program does not compile: {failure.error_type}{_on_line(failure)}", failure)


def _raised(tested: _Tested, failure: CheckResult) -> str:
    missing = _MISSING.fullmatch(failure.message or "")
    if failure.error_type == "NameError" and missing and failure.line is None:
        return _ended(f"The function {missing[1]} is missing", failure)
    return _ended(f"The program raised {failure.error_type}{_on_line(failure)} {tested.on}", failure)


def _wrong_answer(tested: _Tested, failure: CheckResult) -> str:
    if failure.got is None or failure.expected is None:  # a check's own code raised, or compared nothing
        return _ended(f"The program gave a wrong result {tested.on}", failure)
    got, expected = (shorten(_value(text, tested, failure.rule)) for text in (failure.got, failure.expected))
    if tested.assertion is None:
        return f"{_capital(tested.on)} the program {tested.verb} {got}, but {expected} was expected."
    against = "expected" if failure.rule in _SAME else "against"
    assertion = f"The assertion {tested.assertion}" if tested.assertion else "An assertion"
    return f"{assertion} failed: got {got}, {against} {expected}."


def _difference(failure: CheckResult) -> str:
    """Return a further sentence on a wrong value; none where the two are not compared piece by piece, or not whole."""
    if failure.got is None or failure.expected is None or failure.outcome is not Outcome.WRONG_ANSWER:
        return ""
    said = None
    if failure.rule in _PRINTED:
        said = difference_of_texts(failure.got, failure.expected)
    elif failure.rule == "equal":
        with suppress(ValueError):  # cut, or no plain data
            said = difference_of_values(parse_literal(failure.got), parse_literal(failure.expected))
    return f" The first difference: {shorten(said)}." if said else ""


def _value(text: str, tested: _Tested, rule: str | None) -> str:
    """Return a value on one line: printed text as a literal, and what the rule takes for its only element as that."""
    if tested.verb == "printed":
        return repr(text)
    return _flat(text) if rule == "apps" else _one_line(text)


def _flat(text: str) -> str:
    try:
        value = parse_literal(text)
    except ValueError:  # cut, or no plain data
        return _one_line(text)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return repr(value)


def _ended(said: str, failure: CheckResult) -> str:
    """Close a sentence with the failure's message, where there is one."""
    message = shorten(_PLACE.sub("", _one_line(failure.message or ""))).rstrip(".")
    return f"{said}: {message}." if message else f"{said}."


def _on_line(failure: CheckResult) -> str:
    return "" if failure.line is None else f" on line {failure.line}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _one_line(text: str) -> str:
    """Return the lines in one; spaces within a line stay, since those of a value may be what is wrong."""
    return " ".join(filter(None, map(str.strip, text.splitlines())))


def _failed_assert(code: str, run: int | None, entry_point: str | None) -> ast.expr | None:
    """Return what the assert that failed tests, if the code says which it was: asserts in a row, the ``run``-th last.

    A parameter ``candidate`` stands for the entry point, as in HumanEval's checks.
    """
    tree = parse(code)
    if tree is None:
        return None
    count = sum(isinstance(node, ast.Assert) for node in ast.walk(tree))
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.FunctionDef))]
    rows = ([node.test for node in body if isinstance(node, ast.Assert)] for body in bodies)
    tests = next((row for row in rows if len(row) == count), [])
    if run is None or not 0 < run <= len(tests):
        return None
    test: ast.expr = _Candidate(entry_point).visit(tests[run - 1])
    return test


class _Candidate(ast.NodeTransformer):
    """Gives the function under test its own name."""

    def __init__(self, entry_point: str | None) -> None:
        self._entry_point = entry_point

    def visit_Name(self, node: ast.Name) -> ast.Name:
        called = self._entry_point if node.id == "candidate" and self._entry_point else node.id
        return ast.Name(called, node.ctx)
