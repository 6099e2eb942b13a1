"""The Jinja in templates: sandboxed, strict about names, with a few words of our own."""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from traceback import walk_tb
from typing import TYPE_CHECKING, NoReturn

from regreen.errors import InputError
from regreen.syntax import parse

if TYPE_CHECKING:
    import jinja2


_LINE_END = re.compile(r"\r\n|\r|\n")  # Python's own; splitlines() knows more


def compile_template(where: str, text: str) -> jinja2.Template:
    """Return the compiled text; ``where`` names it in the :class:`InputError` of a bad one."""
    import jinja2

    environment = _environment()
    try:
        code = environment.compile(text, filename=where)
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"{where}:{error.lineno}: {one_line(error)}") from error
    return jinja2.Template.from_code(environment, code, environment.globals)


def line_of(error: BaseException, template: jinja2.Template, where: str) -> int:
    """Return the line of the template at which rendering failed."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == where]
    return template.get_corresponding_lineno(lines[-1]) if lines else 1


def one_line(error: BaseException) -> str:
    """Return an exception's message without line ends."""
    return " ".join(str(error).split()) or type(error).__name__


@functools.cache
def _environment() -> jinja2.Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.globals["fail"] = _fail
    environment.filters.update(bare=_bare, comment=_comment, dedented=_dedented, fenced=_fenced, quoted=_quoted)
    return environment


def _fail(message: str) -> NoReturn:
    raise InputError(message)


def _comment(text: str) -> str:
    return "\n".join(line if line.startswith("#") else f"# {line}".rstrip() for line in text.split("\n"))


def _quoted(text: str, indent: str = "") -> str:
    """Return every line as a comment, those that are comments too."""
    return "\n".join(f"{indent}# {line}".rstrip() for line in _LINE_END.split(text.strip("\n")))


def _dedented(code: str) -> str:
    """Return code without blank lines around it and without the margin that its lines have in common."""
    return textwrap.dedent(code.strip("\n")).rstrip()


def _fenced(code: str) -> str:
    """Return code in a fence longer than any that it holds."""
    longest = max((len(ticks) for ticks in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{_dedented(code)}\n{fence}"


def _bare(source: str) -> str:
    """Return a program without the docstrings of its functions; one that does not parse as it is."""
    lines: list[str | None] = [*source.split("\n")]
    for node in ast.walk(parse(source) or ast.Module([], [])):
        if isinstance(node, ast.FunctionDef) and len(node.body) > 1 and ast.get_docstring(node) is not None:
            first, second = node.body[:2]
            end = first.end_lineno or first.lineno
            if node.lineno < first.lineno and end < second.lineno:  # it has its lines for itself
                lines[first.lineno - 1 : end] = [None] * (end - first.lineno + 1)
    return "\n".join(line for line in lines if line is not None)
