"""The Jinja in templates: sandboxed, strict about names, with a few words of our own."""

from __future__ import annotations

import functools
from traceback import walk_tb
from typing import TYPE_CHECKING, NoReturn

from regreen.errors import InputError

if TYPE_CHECKING:
    import jinja2


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
    environment.filters["comment"] = _comment
    return environment


def _fail(message: str) -> NoReturn:
    raise InputError(message)


def _comment(text: str) -> str:
    return "\n".join(line if line.startswith("#") else f"# {line}".rstrip() for line in text.split("\n"))
