"""Template: how a problem becomes a prompt, and what a model's text then means."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from uuid import uuid4

from regreen.errors import InputError
from regreen.extract import Extraction, extract, last_said, stop_at, words_of
from regreen.problem import Problem
from regreen.prompts.choosing import unknown
from regreen.prompts.jinja import compile_template, line_of, one_line
from regreen.prompts.views import Wrong, solved_view_of, view_of
from regreen.stated import stated

if TYPE_CHECKING:
    import jinja2

Role = Literal["system", "user", "assistant"]
Form = Literal["continuation", "program", "reply", "words", "literal"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    text: str


Prompt = str | tuple[Message, ...]

_FOLDER = Path(__file__).parents[1] / "templates"
_HEADER = re.compile(r"\{#(?P<facts>.*?)#\}")
_MESSAGE = re.compile(rf"^=== ({'|'.join(get_args(Role))}) ===[ \t]*\n", re.MULTILINE)
_MARK = uuid4().hex  # stands before a message's role while rendering: no problem's text can hold it
_FACTS: Mapping[str, Any] = {"form": str, "stops": list, "about": str, "pool": str, "examples": list, "after": str}


@dataclass(frozen=True, slots=True)
class Template:
    """How a problem becomes a prompt, and what a model's text then means.

    ``hash`` is eight hexadecimal digits of the file's SHA-256. ``form`` is "continuation" (the text goes on where the
    prompt's block ``stem`` ends), "program" (the text up to a stop string is a whole program), "reply" (a chat's
    answer, out of which the program is taken), "words" (no program, but words about one) or "literal" (a value, or
    what else the problem says is written for it: :mod:`regreen.stated`). With ``after`` the program begins below
    the line that holds this heading, and the text before it is words. ``pool`` and ``examples`` name the benchmark
    and the ids of the solved examples that the template shows unless others are given.
    """

    name: str
    hash: str
    form: Form
    stops: tuple[str, ...]
    about: str
    pool: str | None
    examples: tuple[str, ...]
    after: str | None
    _chat: bool
    _where: str
    _compiled: jinja2.Template

    def __repr__(self) -> str:
        return f"<Template {self.name} {self.hash}, {self.form}>"

    @property
    def is_chat(self) -> bool:
        """True if prompts are messages."""
        return self._chat

    def render(
        self,
        problem: Problem,
        *,
        examples: Iterable[Problem] = (),
        wrong: Wrong | None = None,
        program: str | None = None,
        call: str | None = None,
    ) -> Prompt:
        """Return the prompt for a problem, after solved examples; never one with the problem's own solution.

        Args:
            problem: what is asked.
            examples: solved problems shown before it.
            wrong: a program that failed, for templates that ask what is wrong with it, or for a better one.
            program: one that need not be wrong, for templates that ask what it does.
            call: an expression, for templates that ask for its value under ``program``. What is asked for a problem
                is by default what its ``meta["asked"]`` holds under these names, and under ``said`` and ``worked``.

        Raises:
            InputError: the template uses what is not there, or cannot be used for this problem.
        """
        solved = tuple(solved_view_of(example) for example in examples if example.id != problem.id)
        asked = {name: value for name, value in (("program", program), ("call", call)) if value is not None}
        given = {"wrong": wrong and wrong.tidied(), **problem.meta.get("asked", {}), **asked}
        text = self._run(self._compiled.root_render_func, problem, examples=solved, **given)
        return _messages(text) if self._chat else text

    def source(self, problem: Problem, text: str) -> Extraction:
        """Return the program in what a model wrote after the prompt, and the rule that found it."""
        answer = stop_at(text, self.stops)
        if self.form == "reply":
            return extract(answer, problem.entry_point)
        if self.after is not None:
            answer = answer.partition(self.after)[2].partition("\n")[2]
        if self.form == "literal":
            found = stated(problem, last_said(answer) if self.is_chat else answer)
            return Extraction(found, "literal") if found else Extraction("", "none")
        if self.form == "words" or not answer.strip():
            return Extraction("", "none")
        stem = self._run(self._compiled.blocks["stem"], problem) if self.form == "continuation" else ""
        return Extraction(stem + answer, self.form)

    def words(self, text: str) -> str:
        """Return the words in what a model wrote: what precedes its program, or all; a literal as it is."""
        answer = stop_at(text, self.stops)
        return answer.strip() if self.form == "literal" else words_of(answer)

    def _run(self, function: Any, problem: Problem, **given: Any) -> str:
        nothing = {"examples": (), "wrong": None, "program": None, "call": None, "said": None, "worked": ()}
        context = self._compiled.new_context({"problem": view_of(problem), **nothing, **given})
        try:
            return "".join(function(context))
        except Exception as error:  # a user's template may fail in any way
            line = line_of(error, self._compiled, self._where)
            raise InputError(f"{self._where}:{line}: problem {problem.id!r}: {one_line(error)}") from error


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
        raise InputError(unknown("prompt", str(name), names(), "and any file *.jinja"))
    try:
        return _template(str(path), path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a template ({one_line(error)}); give a text file") from error


def _template(where: str, name: str, text: str) -> Template:
    facts = _facts(where, text)
    chat = facts["form"] not in ("continuation", "program") and _MESSAGE.search(text) is not None
    compiled = compile_template(where, _MESSAGE.sub(rf"{_MARK}\1\n", text) if chat else text)
    needed = {"continuation": "stem" in compiled.blocks, "reply": chat}
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
        after=facts.get("after"),
        _chat=chat,
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


def _messages(text: str) -> tuple[Message, ...]:
    parts = (part.partition("\n") for part in text.split(_MARK)[1:])
    return tuple(Message(cast(Role, role), said.strip()) for role, _, said in parts if said.strip())
