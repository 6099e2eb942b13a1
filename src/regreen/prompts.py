"""Problem to prompt: named Jinja templates, each of which also says how a program is taken from the answer.

    template = load("austin")
    prompt = template.render(problem, examples=choose_examples(solved, ids=template.examples))
    found = template.source(problem, text)  # what the model wrote

A template sees a :class:`View` of a problem, in which there are only the checks that may be shown: no template, not
even a user's own, can display a hidden check or the problem's own solution.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from random import Random
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast, get_args
from uuid import uuid4

from regreen.errors import InputError
from regreen.extract import Extraction, extract, stop_at
from regreen.problem import Assert, Call, Check, Problem, Stdio, check_text

if TYPE_CHECKING:
    import jinja2

__all__ = [
    "Form",
    "Message",
    "Prompt",
    "Role",
    "ShownCheck",
    "SolvedView",
    "Template",
    "View",
    "choose_examples",
    "default_for",
    "load",
    "names",
]

Role = Literal["system", "user", "assistant"]
Form = Literal["continuation", "program", "reply"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    text: str


Prompt = str | tuple[Message, ...]

_FOLDER = Path(__file__).with_name("templates")
_HEADER = re.compile(r"\{#(?P<facts>.*?)#\}")
_MESSAGE = re.compile(rf"^=== ({'|'.join(get_args(Role))}) ===[ \t]*\n", re.MULTILINE)
_MARK = uuid4().hex  # stands before a message's role while rendering: no problem's text can hold it
_FACTS: Mapping[str, Any] = {"form": str, "stops": list, "about": str, "pool": str, "examples": list}


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
    that the program reads standard input.
    """

    id: str
    statement: str
    question: str
    starter_code: str
    prompt: str
    entry_point: str | None
    stdin: bool
    shown: tuple[ShownCheck, ...]


@dataclass(frozen=True, slots=True)
class SolvedView(View):
    """What a template sees of a solved example: its solution too."""

    solution: str


@dataclass(frozen=True, slots=True)
class Template:
    """How a problem becomes a prompt, and what a model's text then means.

    ``hash`` is eight hexadecimal digits of the file's SHA-256. ``form`` is "continuation" (the text goes on where the
    prompt's block ``stem`` ends), "program" (the text up to a stop string is a whole program) or "reply" (a chat's
    answer, out of which the program is taken). ``pool`` and ``examples`` name the benchmark and the ids of the solved
    examples that the template shows unless others are given.
    """

    name: str
    hash: str
    form: Form
    stops: tuple[str, ...]
    about: str
    pool: str | None
    examples: tuple[str, ...]
    _where: str
    _compiled: jinja2.Template

    def __repr__(self) -> str:
        return f"<Template {self.name} {self.hash}, {self.form}>"

    def render(self, problem: Problem, *, examples: Iterable[Problem] = ()) -> Prompt:
        """Return the prompt for a problem, after solved examples; never one with the problem's own solution.

        Raises:
            InputError: the template uses what is not there, or cannot be used for this problem.
        """
        solved = tuple(_solved_view(example) for example in examples if example.id != problem.id)
        text = self._run(self._compiled.root_render_func, problem, solved)
        return _messages(text) if self.form == "reply" else text

    def source(self, problem: Problem, text: str) -> Extraction:
        """Return the program in what a model wrote after the prompt, and the rule that found it."""
        answer = stop_at(text, self.stops)
        if self.form == "reply":
            return extract(answer, problem.entry_point)
        if not answer.strip():
            return Extraction("", "none")
        stem = self._run(self._compiled.blocks["stem"], problem, ()) if self.form == "continuation" else ""
        return Extraction(stem + answer, self.form)

    def _run(self, function: Any, problem: Problem, examples: Sequence[SolvedView]) -> str:
        context = self._compiled.new_context({"problem": _view(problem), "examples": examples})
        try:
            return "".join(function(context))
        except Exception as error:  # a user's template may fail in any way
            line = _line_of(error, self._compiled, self._where)
            raise InputError(f"{self._where}:{line}: problem {problem.id!r}: {_one_line(error)}") from error


def names() -> list[str]:
    """Return the names of the templates that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.jinja"))


def load(name: str | Path) -> Template:
    """Return a template by its name, or by the path of a file ``*.jinja``.

    Raises:
        InputError: no such template or file, or one that cannot be used: file and line are named.
    """
    if str(name) in names():
        path = _FOLDER / f"{name}.jinja"
        return _template(path.name, path.stem, path.read_text(encoding="utf-8"))
    path = Path(name)
    if path.suffix != ".jinja":
        raise InputError(_unknown("prompt", str(name), names(), "and any file *.jinja"))
    try:
        return _template(str(path), path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a template ({_one_line(error)}); give a text file") from error


def default_for(problem: Problem, chat: bool) -> str:
    """Return the name of the template that fits a problem, for a chat model or for one that continues text."""
    if chat:
        return "chat"
    if _opens_function(problem):
        return "codex"
    if problem.meta.get("source") == "mathqa":
        return "mathqa"
    return "apps" if "starter_code" in problem.meta or _reads_stdin(problem) else "austin"


def choose_examples(
    problems: Iterable[Problem], *, ids: Sequence[str] = (), count: int = 0, seed: int = 0, without: str | None = None
) -> tuple[Problem, ...]:
    """Return solved problems to show before the question: those named, or some drawn at random.

    Args:
        problems: where to choose from; those without a solution are passed over in drawing.
        ids: which ones, in this order; ``count`` and ``seed`` then say nothing.
        count: how many to draw.
        seed: of the draw. All problems asked see the same examples, but for one that was drawn itself.
        without: the id of the problem asked, which is never its own example.

    Raises:
        InputError: an id that is not there or has no solution, or fewer solved problems than ``count``.
    """
    solved = {problem.id: problem for problem in problems if problem.solution}
    if ids:
        return tuple(_example(solved, id) for id in ids if id != without)
    if count > len(solved) - (without in solved):
        raise InputError(f"{count} examples asked, but only {len(solved)} solved problems to choose from; ask for less")
    drawn = Random(seed).sample(sorted(solved), min(count + 1, len(solved)))
    return tuple(solved[id] for id in [id for id in drawn if id != without][:count])


def _template(where: str, name: str, text: str) -> Template:
    facts = _facts(where, text)
    compiled = _compile(where, _MESSAGE.sub(rf"{_MARK}\1\n", text))
    needed = {"continuation": "stem" in compiled.blocks, "reply": _MESSAGE.search(text) is not None}
    if not needed.get(facts["form"], True):
        told = {"continuation": "{% block stem %}", "reply": "a line '=== user ==='"}[facts["form"]]
        raise InputError(f"{where}: the form {facts['form']!r} needs {told}; see docs/concepts/prompts.md")
    return Template(
        name=name,
        hash=hashlib.sha256(text.encode()).hexdigest()[:8],
        form=facts["form"],
        stops=tuple(facts.get("stops", ())),
        about=facts.get("about", ""),
        pool=facts.get("pool"),
        examples=tuple(facts.get("examples", ())),
        _where=where,
        _compiled=compiled,
    )


def _facts(where: str, text: str) -> dict[str, Any]:
    """Read the JSON object in the comment that a template begins with."""
    header = _HEADER.match(text)
    try:
        facts = json.loads(header["facts"]) if header else None
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("form") not in get_args(Form):
        raise InputError(
            f'{where}:1: no header; expected {{# {{"form": "{"|".join(get_args(Form))}", "stops": []}} #}}'
        )
    for name, value in facts.items():
        if name not in _FACTS:
            raise InputError(f"{where}:1: unknown field {name!r} in the header; known are {', '.join(_FACTS)}")
        if not isinstance(value, _FACTS[name]) or (
            type(value) is list and any(type(item) is not str for item in value)
        ):
            kind = "a string" if _FACTS[name] is str else "a list of strings"
            raise InputError(f"{where}:1: field {name!r} in the header must be {kind}")
    return facts


def _compile(where: str, text: str) -> jinja2.Template:
    import jinja2

    environment = _environment()
    try:
        code = environment.compile(text, filename=where)
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"{where}:{error.lineno}: {_one_line(error)}") from error
    return jinja2.Template.from_code(environment, code, environment.globals)


@functools.cache
def _environment() -> jinja2.Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.globals["fail"] = _fail
    environment.filters["comment"] = _comment
    return environment


def _fail(message: str) -> NoReturn:
    raise InputError(message)


def _comment(text: str) -> str:
    return "\n".join(line if line.startswith("#") else f"# {line}".rstrip() for line in text.split("\n"))


def _messages(text: str) -> tuple[Message, ...]:
    parts = (part.partition("\n") for part in text.split(_MARK)[1:])
    return tuple(Message(cast(Role, role), said.strip()) for role, _, said in parts if said.strip())


def _view(problem: Problem) -> View:
    return View(**_visible(problem))


def _solved_view(problem: Problem) -> SolvedView:
    return SolvedView(**_visible(problem), solution=_tidy(problem.solution or ""))


def _visible(problem: Problem) -> dict[str, Any]:
    statement, starter = _unix(problem.statement), _unix(str(problem.meta.get("starter_code", "")))
    ends_so = bool(starter.strip()) and statement.rstrip().endswith(starter.strip())
    return {
        "id": problem.id,
        "statement": statement,
        "question": statement.rstrip().removesuffix(starter.strip()).rstrip() if ends_so else statement,
        "starter_code": starter if ends_so else "",
        "prompt": problem.prompt if _opens_function(problem) else "",
        "entry_point": problem.entry_point,
        "stdin": _reads_stdin(problem),
        "shown": tuple(_shown(problem.checks[at], problem.entry_point) for at in problem.shown),
    }


def _shown(check: Check, entry_point: str | None) -> ShownCheck:
    match check:
        case Assert(code):
            return ShownCheck("assert", _unix(code).strip())
        case Call():
            return ShownCheck("call", f"assert {check_text(check, entry_point)}")
        case Stdio(stdin, expected):
            stdin, expected = _unix(stdin).strip(), _unix(expected).strip()
            return ShownCheck("stdio", f"Input:\n{stdin}\nOutput:\n{expected}", stdin, expected)


def _opens_function(problem: Problem) -> bool:
    """Tell whether the published prompt ends inside the function that is asked for, as HumanEval's does."""
    definition = rf"^(?:async\s+)?def\s+{re.escape(problem.entry_point or '')}\b"
    return problem.entry_point is not None and re.search(definition, problem.prompt, re.MULTILINE) is not None


def _reads_stdin(problem: Problem) -> bool:
    return all(isinstance(check, Stdio) for check in problem.checks)


def _tidy(source: str) -> str:
    """Return a solution as a model should see it: one kind of line end, spaces for indentation, none at the end.

    Some published programs hold carriage returns and tabs; tabs stay where one stands in a text over several lines.
    """
    plain = _unix(source).strip("\n").rstrip()
    spaced = re.sub(r"^[ \t]+", lambda space: space[0].expandtabs(4), plain, flags=re.MULTILINE)
    return spaced if spaced == plain or _tree(spaced) == _tree(plain) else plain


def _tree(source: str) -> str | None:
    try:
        with warnings.catch_warnings():  # published solutions hold escapes such as "\\d", of which Python warns
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _example(solved: Mapping[str, Problem], id: str) -> Problem:
    if id not in solved:
        raise InputError(_unknown("example", id, solved, "with a solution"))
    return solved[id]


def _unknown(kind: str, name: str, known: Iterable[str], besides: str) -> str:
    known = list(known)
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}? " if close else ""
    some = ", ".join([*known[:8], "..."] if len(known) > 8 else known) or "none"
    return f"unknown {kind} {name!r}: {hint}known are {some}, {besides}"


def _line_of(error: BaseException, template: jinja2.Template, where: str) -> int:
    """Return the line of the template at which rendering failed."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == where]
    return template.get_corresponding_lineno(lines[-1]) if lines else 1


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
