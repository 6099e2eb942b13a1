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

_THINKING_ENDS = re.compile(
    r"</think(?:ing)?>|\[/THINK\]|<\|end_of_thought\|>|<\|channel\|>final(?:<\|constrain\|>\w*)?<\|message\|>"
)
_THINKING_STARTS = re.compile(r"\s*(?:<think(?:ing)?>|\[THINK\]|<\|begin_of_thought\|>|<\|channel\|>analysis)")
_HEADINGS = re.compile(r"\A(?:\s*#{1,6} [^\n]*(?:\n|\Z))+")
_WORDS_END = re.compile(r"```|###")
_COMMENT_SIGN = re.compile(r"^[ \t]*#(?:[ \t]|$)", re.MULTILINE)
_FENCE = re.compile(r"[ \t]*```+[ \t]*(?P<language>.*)")
_DEFINES = re.compile(
    r"""\s*(?: (?:async\s+)?def\s+\w+\s*[\[(] | class\s+\w+\s*[\[(:] | @\w
          | import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,.*)?$ | from\s+[\w.]+\s+import\s )""",
    re.VERBOSE,
)
_PLAIN_CODE = re.compile(r"\s*(?:print\(|try\s*:)")
_HEADER = re.compile(r"\s*(?:for|while|if|with)\b.*:\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"\s*(?P<target>(?=\S)[^=#]*?[\w\])])\s*(?://|\*\*|<<|>>|[-+*/%|&^@])?=(?!=)")
_BRACKETS = re.compile(r"\s*[])}]+\s*[,:;]?\s*$")
_MOST_ENDS = 50  # lines tried as the program's last: hostile replies stay cheap


@dataclass(frozen=True, slots=True)
class Extraction:
    """The source found in a text, and the rule that found it.

    In a chat reply, ``rule`` is ``whole`` (the text is a program), ``fence`` (a complete code fence), ``open fence``
    (one that nothing closes), ``lines`` (a program between lines of prose), ``suffix`` (the longest end of an open
    fence that is a program), ``unparsable`` (code that does not parse, kept as it is) or ``none`` (``source`` is
    empty). After the end of a thinking block the rule reads ``thinking+fence``, ``thinking+whole`` and so on. A
    template that asks for no reply but for text to be continued names its own form: ``continuation``, ``program``, and
    ``literal`` where the source is the program that a value or a formula stands for.
    """

    source: str
    rule: str


def stop_at(text: str, stops: Sequence[str]) -> str:
    """Return the text up to the first of the stop strings, or all of it."""
    return text[: min((at for stop in stops if stop and (at := text.find(stop)) >= 0), default=len(text))]


def words_of(text: str) -> str:
    """Return the words that precede code in a text: no thinking, headings before them, signs of a comment, fences.

    Cut at a fence, or at a heading of the third level; empty if there are none, or if a thinking block never ends.
    """
    answer = _THINKING_ENDS.split(text)[-1]
    if answer == text and _THINKING_STARTS.match(text):
        return ""
    answer = _HEADINGS.sub("", answer.replace("\r\n", "\n"))
    return _COMMENT_SIGN.sub("", _WORDS_END.split(answer)[0]).strip()


def last_said(text: str) -> str:
    """Return what a chat's reply ends with: the last code fence, or else the last line, without backticks.

    Empty if a thinking block never ends.
    """
    answer = _THINKING_ENDS.split(text)[-1]
    if answer == text and _THINKING_STARTS.match(text):
        return ""
    fences = list(_fences(answer))
    lines = [line for line in answer.splitlines() if line.strip()]
    return (fences[-1].source if fences else lines[-1].strip().strip("`") if lines else "").strip()


def extract(text: str, entry_point: str | None = None) -> Extraction:
    """Take the program out of a model's reply; never raises, and extracting once more changes nothing.

    Where a reply holds several programs, the last that defines ``entry_point`` is taken, or else the last: the one
    after it is often an example of its use.
    """
    if _is_program(text):
        return Extraction(text, "whole")
    answer = _THINKING_ENDS.split(text)[-1]
    if answer == text:
        return Extraction("", "none") if _THINKING_STARTS.match(text) else _from_answer(text, entry_point)
    found = _from_answer(answer, entry_point)
    return Extraction(found.source, found.rule if found.rule == "none" else f"thinking+{found.rule}")


def _from_answer(answer: str, entry_point: str | None) -> Extraction:
    fences = list(_fences(answer))
    body = next((fence.source for fence in reversed(fences) if _holds_code(fence.source)), answer)
    programs = [found for found in _candidates(answer, fences, body) if _is_program(found.source)]
    if programs:
        return next((found for found in programs if _defines(found.source, entry_point)), programs[0])
    return Extraction(body, "unparsable") if _holds_code(body) else Extraction("", "none")


def _candidates(answer: str, fences: Sequence[Extraction], body: str) -> Iterator[Extraction]:
    """Yield what may be the program, most likely first."""
    yield Extraction(answer, "whole")
    for rule in ("fence", "open fence"):
        yield from (fence for fence in reversed(fences) if fence.rule == rule)
    yield Extraction(_between_prose(body.split("\n")), "lines")
    if fences and fences[-1].rule == "open fence":
        yield Extraction(_longest_suffix(fences[-1].source.split("\n")), "suffix")


def _fences(text: str) -> Iterator[Extraction]:
    """Yield what stands in each code fence; one is open if it ends with the text, or where another names a language."""
    inside: list[str] | None = None
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if not fence:
            if inside is not None:
                inside.append(line)
            continue
        if inside is not None:
            yield _fence(inside, "open fence" if fence["language"].strip() else "fence")
        inside = [] if inside is None or fence["language"].strip() else None
    if inside is not None:
        yield _fence(inside, "open fence")


def _fence(lines: Sequence[str], rule: str) -> Extraction:
    return Extraction(textwrap.dedent("".join(f"{line}\n" for line in lines)), rule)


def _longest_suffix(lines: Sequence[str]) -> str:
    """Return the longest end of the lines that is a program and begins with a definition or an import."""
    starts = [number for number, line in enumerate(lines) if _DEFINES.match(line)]
    ends = (textwrap.dedent("\n".join(lines[start:])) for start in starts[:_MOST_ENDS])
    return next(filter(_is_program, ends), "")


def _between_prose(lines: Sequence[str]) -> str:
    """Return the program between lines of prose: from the first line of code to where prose begins again.

    Empty if what follows is not prose but the rest of broken code: a line of code, a deeper one, closing brackets, or
    a definition or an import anywhere.
    """
    start = next((number for number, line in enumerate(lines) if _is_code(line)), len(lines))
    end = _longest_end(lines, start)
    after = [line for line in lines[end:] if line.strip()]
    if after and (_goes_on(after[0], lines[start]) or any(map(_DEFINES.match, after))):
        return ""
    piece = "\n".join(lines[start:end])
    return piece if _is_program(piece) else ""


def _goes_on(line: str, first: str) -> bool:
    """Tell whether a line that does not parse is the rest of the code that began with ``first``."""
    return _is_code(line) or _BRACKETS.match(line) is not None or _indent(line) > _indent(first)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


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
    """Tell code from prose; ``for example:`` and ``the result = 4`` are prose, since no Python reads so."""
    if _DEFINES.match(line) or _PLAIN_CODE.match(line):
        return True
    if _HEADER.match(line):
        return _syntax_error(f"{line.strip()}\n pass") is None
    assignment = _ASSIGNMENT.match(line)
    return assignment is not None and _syntax_error(f"{assignment['target']} = 0") is None


def _defines(source: str, name: str | None) -> bool:
    """Tell whether a program defines the name: a function, method, class or variable."""
    tree = _parse(source)
    nodes = ast.walk(tree) if isinstance(tree, ast.Module) else ()
    return name is None or any(name == getattr(node, "name", None) or _binds(node, name) for node in nodes)


def _binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)


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
