"""What a template is given to see of a problem: what may be shown, and nothing besides."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from regreen.problem import Assert, Call, Check, Problem, Stdio, check_text
from regreen.stated import right_text
from regreen.syntax import parse


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """A check as a template sees it.

    ``kind`` is "assert", "call" or "stdio". ``text`` is what a person reads: an assert statement, or input and output
    under each other; ``stdin`` and ``expected`` hold those alone, and are empty for other kinds.
    """

    kind: str
    text: str
    stdin: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What a template sees of a problem.

    ``statement`` is the whole text; where it ends with starter code, ``question`` is what precedes it and
    ``starter_code`` the rest. ``prompt`` is the published header, signature and docstring, or empty. ``stdin`` says
    that the program reads standard input. ``indent`` is the white space before the body of the function that ``prompt``
    opens, or empty.
    """

    id: str
    statement: str
    question: str
    starter_code: str
    prompt: str
    entry_point: str | None
    stdin: bool
    shown: tuple[ShownCheck, ...]
    indent: str


@dataclass(frozen=True, slots=True)
class SolvedView(View):
    """What a template sees of a solved example: its solution too, or the value or formula that stands for it."""

    solution: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A program that failed, as a template sees it: its source, the sentence that says how, and words about it."""

    source: str
    error: str
    feedback: str = ""

    def tidied(self) -> Wrong:
        """Return the same with one kind of line end."""
        return Wrong(_unix(self.source), _unix(self.error), _unix(self.feedback))


def view_of(problem: Problem) -> View:
    """Return what a template sees of the problem asked."""
    return View(**_visible(problem))


def solved_view_of(problem: Problem) -> SolvedView:
    """Return what a template sees of a solved example."""
    return SolvedView(**_visible(problem), solution=tidy(right_text(problem)))


def docstring_of(problem: Problem) -> str:
    """Return what is said of a problem's program: the docstring of its prompt's function, or the statement."""
    tree = parse(f"{problem.prompt.rstrip()}\n    pass\n") if problem.prompt else None
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)] if tree else []
    named = [node for node in functions if node.name == problem.entry_point] or functions
    said = ast.get_docstring(named[-1]) if named else None
    return (said or problem.statement).strip()


def opens_function(problem: Problem) -> bool:
    """Tell whether the published prompt ends inside the function that is asked for, as HumanEval's does."""
    definition = rf"^(?:async\s+)?def\s+{re.escape(problem.entry_point or '')}\b"
    return problem.entry_point is not None and re.search(definition, problem.prompt, re.MULTILINE) is not None


def reads_stdin(problem: Problem) -> bool:
    """Tell whether programs read standard input."""
    return all(isinstance(check, Stdio) for check in problem.checks)


def _visible(problem: Problem) -> dict[str, Any]:
    statement, starter = _unix(problem.statement), _unix(str(problem.meta.get("starter_code", "")))
    ends_so = bool(starter.strip()) and statement.rstrip().endswith(starter.strip())
    return {
        "id": problem.id,
        "statement": statement,
        "question": statement.rstrip().removesuffix(starter.strip()).rstrip() if ends_so else statement,
        "starter_code": starter if ends_so else "",
        "prompt": problem.prompt if opens_function(problem) else "",
        "entry_point": problem.entry_point,
        "stdin": reads_stdin(problem),
        "shown": tuple(_shown(problem.checks[at], problem.entry_point) for at in problem.shown),
        "indent": _indent(problem.prompt) if opens_function(problem) else "",
    }


def _indent(prompt: str) -> str:
    """Return the white space before the last indented line: of the docstring's end, or of a long signature's."""
    return str((re.findall(r"^[ \t]+(?=\S)", prompt, re.MULTILINE) or ["    "])[-1])


def _shown(check: Check, entry_point: str | None) -> ShownCheck:
    match check:
        case Assert(code):
            return ShownCheck("assert", _unix(code).strip())
        case Call():
            return ShownCheck("call", f"assert {check_text(check, entry_point)}")
        case Stdio(stdin, expected):
            stdin, expected = _unix(stdin).strip(), _unix(expected).strip()
            return ShownCheck("stdio", f"Input:\n{stdin}\nOutput:\n{expected}", stdin, expected)


def tidy(source: str) -> str:
    """Return a solution as a model should see it: one kind of line end, spaces for indentation, none at the end.

    Some published programs hold carriage returns and tabs; tabs stay where one stands in a text over several lines.
    """
    plain = _unix(source).strip("\n").rstrip()
    spaced = re.sub(r"^[ \t]+", lambda space: space[0].expandtabs(4), plain, flags=re.MULTILINE)
    return spaced if spaced == plain or _tree(spaced) == _tree(plain) else plain


def _tree(source: str) -> str | None:
    tree = parse(source)
    return None if tree is None else ast.dump(tree)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
