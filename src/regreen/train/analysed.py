"""A penalty on what a static analyser finds in the line that failed: one more fine-grained signal, off by default.

    terms = (*PAPER, Term("analysed", Analysed(), compared=False))
    lessons = [weighed.lesson for weighed in paper(group, terms=terms)]

Liu et al. 2023 (RLTF, arXiv 2307.04349) put their fine-grained penalty on a whole line, and name finer feedback as a
direction. A verdict says which line failed; pyflakes, which reads a program and never runs it, says which characters of
it: a name that is not defined, a variable that is never used. A finding counts only on the line that failed too: alone,
it may be of a line that is never reached, and train the model to please the analyser.

Differences from the paper, which has no such signal:
- The line is the one at fault by :data:`regreen.train.subtypes.PAPER_RULES`; a program that passed, gave a wrong
  answer, ran out of time or ends too early has none, and no penalty.
- Of a syntax error the parser's own finding is taken: the characters at which it stopped.
- pyflakes knows names, not types: an attribute that an object has not is no finding.
- Imports that are not used are no findings, since they make nothing fail; nor are those of the problem's prelude.
- A program that is too long, or too deep to be read, has no findings.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regreen.errors import InputError
from regreen.problem import Problem
from regreen.train.rewards import FINE, Signal, Span
from regreen.train.subtypes import PAPER_RULES, Rule, lines_of, subtype_of
from regreen.verdict import Verdict

MOST = 20_000  # characters: a third of a second at most, whatever they are; what models write is shorter
_HARMLESS = ("UnusedImport", "ImportStarUsed", "ImportStarUsage")


@dataclass(frozen=True, slots=True)
class Analysed:
    """A penalty on the characters of the failed line that a finding names, or 0 where nothing is found in it.

    ``rules`` say which line failed. Needs pyflakes: making one raises InputError where it is not installed.
    """

    penalty: float = FINE
    rules: Sequence[Rule] = PAPER_RULES

    def __post_init__(self) -> None:
        _checker()

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        """Return the penalty and the spans that it falls on."""
        line = subtype_of(source, verdict, self.rules).span
        if line is None:
            return Signal(0.0)
        inside = (_inside(span, line) for span in findings(source, problem.prelude))
        spans = tuple(sorted({span for span in inside if span.begin < span.end}))
        return Signal(self.penalty, spans) if spans else Signal(0.0)


def findings(source: str, prelude: str = "") -> list[Span]:
    """Return the characters of a program that pyflakes names, which is read after the prelude and never run.

    Args:
        source: the program; one of more than :data:`MOST` characters, with its prelude, is not read.
        prelude: what precedes it, whose names it knows.
    """
    before = f"{prelude.rstrip()}\n" if prelude.strip() else ""
    if len(before) + len(source) > MOST:
        return []
    lines = lines_of(source)
    placed = (_placed(source, lines, found) for found in _found(before + source, len(lines_of(before)) - 1))
    return [span for span in placed if span is not None]


@dataclass(frozen=True, slots=True)
class _Finding:
    """``line`` from 1; ``at`` and ``end`` count characters of it from 0; without a later end, the name stands there."""

    line: int
    at: int
    end: int = -1
    name: str = ""


def _found(whole: str, skipped: int) -> list[_Finding]:
    """Return what is found behind so many lines, which then count from there."""
    lines = lines_of(whole)
    try:
        return [
            _Finding(each.lineno - skipped, _characters(whole, lines[each.lineno - 1], each.col), name=_name(each))
            for each in _messages(whole)
            if each.lineno > skipped and not _harmless(each, skipped)
        ]
    except SyntaxError as error:
        return [_stopped(error, skipped)]
    except Exception:  # too deep, a null byte, a lone surrogate: what breaks the reader is no finding of it
        return []


def _stopped(error: SyntaxError, skipped: int) -> _Finding:
    """Return where the parser stopped: one character where no end is told, all of a line that is indented wrongly."""
    line, at = (error.lineno or 0) - skipped, (error.offset or 1) - 1
    if isinstance(error, IndentationError):
        return _Finding(line, at)
    ends = error.end_offset if error.end_lineno == error.lineno else None
    return _Finding(line, at, max(at + 1, (ends or 0) - 1))


def _messages(whole: str) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(_checker()(ast.parse(whole)).messages)


def _harmless(message: Any, skipped: int) -> bool:
    """Tell whether a finding makes nothing fail, or is of a name of the prelude that is defined again."""
    kind = type(message).__name__
    return kind in _HARMLESS or (kind == "RedefinedWhileUnused" and message.message_args[1] <= skipped)


def _name(message: Any) -> str:
    first = message.message_args[0] if message.message_args else ""
    return first if isinstance(first, str) else ""


def _characters(text: str, line: tuple[int, int], octets: int) -> int:
    """Return how many characters so many bytes of a line are: Python's trees count columns in UTF-8."""
    return len(text[slice(*line)].encode()[:octets].decode(errors="ignore"))


def _placed(source: str, lines: Sequence[tuple[int, int]], found: _Finding) -> Span | None:
    """Return the characters of a finding: those it names where they stand at its place, or else its line's."""
    if not 1 <= found.line <= len(lines):
        return None
    begin, end = lines[found.line - 1]
    if 0 <= found.at < found.end <= end - begin:
        return Span(begin + found.at, begin + found.end)
    if found.name and source.startswith(found.name, begin + found.at, end):
        return Span(begin + found.at, begin + found.at + len(found.name))
    return Span(begin, end)


def _inside(span: Span, line: tuple[int, int]) -> Span:
    return Span(max(span.begin, line[0]), min(span.end, line[1]))


def _checker() -> Any:
    try:
        from pyflakes.checker import Checker  # type: ignore[import-untyped]
    except ImportError as error:
        raise InputError(
            "pyflakes is not installed, which the reward needs (pip install 'regreen[analysis]')"
        ) from error
    return Checker
