"""Model text to source: cut a raw continuation at stop strings, or take the program out of a chat reply.

Extraction removes prose; it never repairs code. A reply whose code does not parse keeps that code whole, so that the
verdict is an honest ``syntax_error`` and feedback can show the error.

Source: stop strings of Chen et al. 2021 (arXiv 2107.03374), section 3.1.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HUMANEVAL_STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
STOP_SETS = {"humaneval": HUMANEVAL_STOPS}

_THINKING_ENDS = re.compile(r"</think(?:ing)?>|<\|end_of_thought\|>")
_THINKING_STARTS = re.compile(r"\s*(?:<think(?:ing)?>|<\|begin_of_thought\|>)")
_FENCE = re.compile(r"^[ \t]*```")
_DEFINES = re.compile(
    r"""\s*(?: (?:async\s+)?def\s+\w+\s*[\[(] | class\s+\w+\s*[\[(:] | @\w
          | import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,.*)?$ | from\s+[\w.]+\s+import\s )""",
    re.VERBOSE,
)
_CODE = re.compile(
    r"""\s*(?: (?:for|while|if|with|try)\b.*:\s*(?:\#.*)?$ | print\( | [A-Za-z_][\w.\[\], ]*\s*[-+*/%|&^]?=(?!=) )""",
    re.VERBOSE,
)
_MOST_ENDS = 50  # lines tried as the program's last: hostile replies stay cheap


@dataclass(frozen=True, slots=True)
class Extraction:
    """The source found in a reply, and the rule that found it.

    ``rule`` is ``whole`` (the text is a program), ``fence`` (the last code fence that holds a program), ``lines`` (a
    program between lines of prose), ``unparsable`` (code that does not parse, kept as it is) or ``none`` (``source`` is
    empty). After the end of a thinking block the rule reads ``thinking+fence``, ``thinking+whole`` and so on.
    """

    source: str
    rule: str


def stop_at(text: str, stops: Sequence[str]) -> str:
    """Return the text up to the first of the stop strings, or all of it."""
    return text[: min((at for stop in stops if stop and (at := text.find(stop)) >= 0), default=len(text))]


def extract(text: str) -> Extraction:
    """Take the program out of a model's reply; never raises, and extracting once more changes nothing."""
    if _is_program(text):
        return Extraction(text, "whole")
    answer = _THINKING_ENDS.split(text)[-1]
    if answer == text:
        return Extraction("", "none") if _THINKING_STARTS.match(text) else _from_answer(text)
    found = _from_answer(answer)
    return Extraction(found.source, found.rule if found.rule == "none" else f"thinking+{found.rule}")


def _from_answer(answer: str) -> Extraction:
    if _is_program(answer):
        return Extraction(answer, "whole")
    fences = [textwrap.dedent(content) for content in _fences(answer)]
    for content in reversed(fences):
        if _is_program(content):
            return Extraction(content, "fence")
    body = fences[-1] if fences else answer
    piece = _between_prose(body.split("\n"))
    if piece:
        return Extraction(piece, "lines")
    return Extraction(body, "unparsable") if _holds_code(body) else Extraction("", "none")


def _fences(text: str) -> Iterator[str]:
    """Yield what stands between each pair of fence lines; a last, open fence is left out."""
    inside: list[str] | None = None
    for line in text.split("\n"):
        if not _FENCE.match(line):
            if inside is not None:
                inside.append(line)
        elif inside is None:
            inside = []
        else:
            yield "".join(f"{kept}\n" for kept in inside)
            inside = None


def _between_prose(lines: Sequence[str]) -> str:
    """Return the program between lines of prose: from the first line of code to where prose begins again.

    Empty if the line after it is code as well, or if a definition or an import follows later: then the code is broken.
    """
    start = next((number for number, line in enumerate(lines) if _is_code(line)), len(lines))
    end = _longest_end(lines, start)
    after = [line for line in lines[end:] if line.strip()]
    if after and (_is_code(after[0]) or any(map(_DEFINES.match, after))):
        return ""
    piece = "\n".join(lines[start:end])
    return piece if _is_program(piece) else ""


def _longest_end(lines: Sequence[str], start: int) -> int:
    """Return the largest end for which ``lines[start:end]`` parses; each error's line bounds the next try."""
    end = len(lines)
    for _ in range(_MOST_ENDS):
        error = _syntax_error("\n".join(lines[start:end]))
        if error is None:
            return end
        end = max(start, min(end - 1, start + error - 1))
    return start


def _holds_code(text: str) -> bool:
    return not _THINKING_STARTS.match(text) and any(map(_is_code, text.split("\n")))


def _is_code(line: str) -> bool:
    return bool(_DEFINES.match(line) or _CODE.match(line))


def _is_program(source: str) -> bool:
    """Tell whether the source parses and does more than name values, as a single word of prose does."""
    tree = _parse(source)
    return isinstance(tree, ast.Module) and any(not _is_idle(statement) for statement in tree.body)


def _is_idle(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and not any(isinstance(node, ast.Call) for node in ast.walk(statement))


def _syntax_error(source: str) -> int | None:
    """Return the line of the first syntax error, or None if the source parses."""
    tree = _parse(source)
    return None if isinstance(tree, ast.Module) else tree


def _parse(source: str) -> ast.Module | int:
    """Return the tree, or the line at which parsing failed (0 where the parser does not say)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except SyntaxError as error:
            return error.lineno or 0
        except (ValueError, RecursionError, MemoryError):
            return 0
