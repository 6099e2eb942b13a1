"""Which part of a failed program is at fault: none, one line, or all of it.

Liu et al. 2023 (RLTF, arXiv 2307.04349), section 4 and their code: U_ignore, U_line and U_global, by the kind of error.

Differences from the paper:
- Rules look at the error's class, its place and the source, never at its message: messages change with Python's
  version. A syntax error's place comes from parsing the source once more; nothing is compiled or run.
- A time-out is a fault of the whole program, as the paper says; in its code the test for an empty message comes first,
  and ignores it. An exception without a message is located like any other.
- A program that ends too early is at fault as a whole, whatever line is reported: where the parser wants more text than
  there is, or reports the last line. The code asks the latter of three messages alone, and the paper asks only whether
  the program was cut: :data:`PAPER_RULES`.
- An exception while the program loads is treated like one in a call: a verdict does not tell the two apart. The code
  ignores most of those, and looks for the names in an import's or a ``nonlocal``'s message; here Python's own line is
  taken.
- A line is found by number and text together; where they disagree, by its text if that stands there once. The code
  takes the first line with the text.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from regreen.sandbox.checks.text import cut
from regreen.syntax import parse
from regreen.verdict import CheckResult, Outcome, Verdict

Category = Literal["pass", "failure", "error", "syntax"]
Stage = Literal["load", "run", "test"]

_LINE_END = re.compile(r"\r\n|\r|\n")  # Python's own; splitlines() knows more
_ENDLESS = re.compile(r"[A-Za-z]{0,2}(\"\"\"|''')")
_STAR = re.compile(r"\bimport\s*\(?\s*\*")
_TAB = 8  # columns, to Python's tokenizer
_WANTS_MORE = 0x4000 | 0x200  # the flags of codeop: incomplete input is allowed, and no dedent is added at the end


class SubType(StrEnum):
    """Which part of a program an error speaks of: U_ignore, U_line, U_global."""

    IGNORE = "ignore"
    LINE = "line"
    WHOLE = "whole"


def category_of(verdict: Verdict) -> Category:
    """Return the worst that any check came to; checks that were not run say nothing.

    "syntax" is a program that cannot be compiled, "error" one that raised, or was stopped for its time, its memory or
    its output, "failure" one with a wrong answer. Source: RLTF's code, the least of a program's results.
    """
    outcomes = {check.outcome for check in verdict.checks} | {verdict.outcome}
    if Outcome.SYNTAX_ERROR in outcomes:
        return "syntax"
    if outcomes - {None, Outcome.PASSED, Outcome.WRONG_ANSWER}:
        return "error"
    return "failure" if Outcome.WRONG_ANSWER in outcomes else "pass"


@dataclass(frozen=True, slots=True)
class Fault:
    """How a program failed.

    ``name`` is an exception's class, or else the outcome: "timeout". ``line`` counts from 1, ``offset`` is the
    character in it at which parsing stopped, from 1 too; ``text`` is the line as the judge read it.
    """

    stage: Stage
    name: str
    source: str
    line: int | None = None
    text: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """At this stage errors of these names, or of any if none is given, have this kind, where ``when`` holds."""

    stage: Stage
    names: tuple[str, ...]
    kind: SubType
    when: Callable[[Fault], bool] = lambda _: True


class Found(NamedTuple):
    """The kind of a program's failure, and the characters of the source at fault; a line that is nowhere is ignored."""

    kind: SubType
    span: tuple[int, int] | None = None


def subtype_of(source: str, verdict: Verdict, rules: Sequence[Rule] | None = None) -> Found:
    """Return which part of a program its verdict speaks of.

    Args:
        source: the program.
        verdict: on it.
        rules: the first that fits decides, :data:`RULES` unless given; without one that fits, the failure is ignored.
    """
    fault = fault_of(source, verdict)
    known = RULES if rules is None else rules
    kind = next((rule.kind for rule in known if _fits(rule, fault)), SubType.IGNORE)
    if kind is not SubType.LINE:
        return Found(kind)
    span = span_of_line(source, fault.line, fault.text, indented=fault.name in _INDENTED)
    return Found(SubType.IGNORE) if span is None else Found(kind, span)


def fault_of(source: str, verdict: Verdict) -> Fault:
    """Return how a program failed: by the first check that came to the program's category."""
    category = category_of(verdict)
    if category in ("pass", "failure"):
        return Fault("test", category, source)
    check = next((c for c in verdict.checks if _is(c, category)), CheckResult(0, verdict.outcome))
    if category == "syntax":
        return _syntax_fault(source, check)
    raised = check.outcome is Outcome.EXCEPTION and check.error_type
    return Fault("run", raised or str(check.outcome), source, check.line, check.line_text)


def _is(check: CheckResult, category: Category) -> bool:
    if category == "syntax":
        return check.outcome is Outcome.SYNTAX_ERROR
    return check.outcome not in (None, Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.SYNTAX_ERROR)


def _fits(rule: Rule, fault: Fault) -> bool:
    return rule.stage == fault.stage and (not rule.names or fault.name in rule.names) and rule.when(fault)


# ---- syntax errors ----


def _syntax_fault(source: str, check: CheckResult) -> Fault:
    """Return what the parser says, or what the judge said where the parser has no objection but the compiler has."""
    error = _syntax_error(source)
    if error is None or error.lineno is None:
        return Fault("load", check.error_type or "", source, check.line, check.line_text)
    line = min(error.lineno, max(1, _last_line(source)))  # the end of the text may be a line of its own
    return Fault("load", type(error).__name__, source, line, None, error.offset)


def _syntax_error(source: str, flags: int = 0) -> SyntaxError | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source.removeprefix("\ufeff"), "<program>", "exec", ast.PyCF_ONLY_AST | flags, True)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError):
            return None
    return None


def _wants_more(fault: Fault) -> bool:
    """Tell whether the parser came to the end of the text and found it incomplete.

    It then says something else when it is allowed to wait for more; what it says does not matter.
    """
    plain, patient = _syntax_error(fault.source), _syntax_error(fault.source, _WANTS_MORE)
    return plain is not None and patient is not None and plain.args[0] != patient.args[0]


def _is_last(fault: Fault) -> bool:
    return fault.line is not None and fault.line >= _last_line(fault.source)


def _is_endless(fault: Fault) -> bool:
    """Tell whether a triple-quoted string opens at the error's place, and nothing closes it."""
    if fault.line is None or not fault.offset:
        return False
    begin, _ = lines_of(fault.source)[fault.line - 1]
    opened = _ENDLESS.match(fault.source, begin + fault.offset - 1)
    return opened is not None and opened[1] not in fault.source[opened.end() :]


def _has_no_level(fault: Fault) -> bool:
    """Tell whether a line stands left of the one before it, but at no line's level."""
    if fault.line is None:
        return False
    own, before = _level(fault, fault.line), [_level(fault, line) for line in range(1, fault.line)]
    levels = [level for level in before if level is not None]
    return own is not None and bool(levels) and own < levels[-1] and own not in levels


def _level(fault: Fault, line: int) -> int | None:
    """Return a line's indentation, None for an empty one."""
    begin, end = lines_of(fault.source)[line - 1]
    text = fault.source[begin:end].expandtabs(_TAB)
    return len(text) - len(text.lstrip()) if text.strip() else None


def _repeats_argument(fault: Fault) -> bool:
    tree = parse(fault.source)
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.arguments)) if tree else ()
    return any(_repeated(arguments, fault.line) for arguments in nodes)


def _repeated(arguments: ast.arguments, line: int | None) -> bool:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each]
    counts = Counter(each.arg for each in every)
    return any(counts[each.arg] > 1 and each.lineno == line for each in every)


def _imports_all(fault: Fault) -> bool:
    tree = parse(fault.source)
    span = span_of_line(fault.source, fault.line, fault.text)
    return tree is not None and span is not None and _STAR.search(fault.source[slice(*span)]) is not None


_INDENTED = ("IndentationError",)  # here the indentation is what is wrong
_SYNTAX = ("SyntaxError", "IndentationError")

RULES: tuple[Rule, ...] = (
    Rule("load", ("TabError",), SubType.IGNORE),
    Rule("load", ("IndentationError",), SubType.IGNORE, _has_no_level),
    Rule("load", ("SyntaxError",), SubType.IGNORE, _is_endless),
    Rule("load", ("SyntaxError",), SubType.IGNORE, _repeats_argument),
    Rule("load", ("SyntaxError",), SubType.IGNORE, _imports_all),
    Rule("load", _SYNTAX, SubType.WHOLE, _wants_more),
    Rule("load", ("SyntaxError",), SubType.WHOLE, _is_last),
    Rule("load", _SYNTAX, SubType.LINE),
    Rule("load", (), SubType.IGNORE),
    Rule("run", ("timeout", "RecursionError"), SubType.WHOLE),
    Rule("run", ("RuntimeError", "SystemExit", "killed"), SubType.IGNORE),
    Rule("run", (), SubType.LINE),
    Rule("test", (), SubType.IGNORE),
)
"""The table of the authors' code, by class and place. The first rule that fits decides; put your own before them."""

PAPER_RULES = tuple(rule for rule in RULES if rule.when is not _is_last)
"""The same, with the paper's words on syntax errors: the whole program is at fault only where its text ends too early.

In short programs it matters: of 53 syntax errors of ``tiny-noisy`` on katas 44 are on the last line, where the code has
the whole program at fault, and in 12 of them the text ends too early.
"""


# ---- lines ----


def lines_of(text: str) -> list[tuple[int, int]]:
    """Return where each line of a text begins and ends, its line end left out, as Python counts lines."""
    ends = [found.span() for found in _LINE_END.finditer(text)]
    return list(zip([0, *(end for _, end in ends)], [*(begin for begin, _ in ends), len(text)], strict=True))


def span_of_line(
    source: str, number: int | None, text: str | None, *, indented: bool = False
) -> tuple[int, int] | None:
    """Return where the characters of a line begin and end, white space around it left out; None if it is not there.

    Args:
        source: the program.
        number: of the line, from 1.
        text: of it, as a check result has it, or None to trust the number.
        indented: leave the white space before it in.
    """
    lines = lines_of(source)
    at = _place_of([source[slice(*line)] for line in lines], number, text)
    if at is None or not source[slice(*lines[at])].strip():
        return None
    begin, end = lines[at]
    line = source[begin:end]
    return begin if indented else begin + len(line) - len(line.lstrip()), begin + len(line.rstrip())


def _place_of(lines: Sequence[str], number: int | None, text: str | None) -> int | None:
    if number is not None and 1 <= number <= len(lines) and text in (None, cut(lines[number - 1].strip())):
        return number - 1
    alike = [at for at, line in enumerate(lines) if text and cut(line.strip()) == text]
    return alike[0] if len(alike) == 1 else None


def _last_line(source: str) -> int:
    """Return the number of the last line that is not empty."""
    return max((at for at, line in enumerate(lines_of(source), 1) if source[slice(*line)].strip()), default=0)
