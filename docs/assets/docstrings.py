"""Docstrings as Markdown wants them, before they are read: links for roles, and an empty line above a list."""

import re

import griffe

_ROLE = re.compile(r":(?:mod|class|func|meth|attr|data):`~?([\w.]+)`")
_LITERAL = re.compile(r"::$", re.MULTILINE)
_LIST = re.compile(r"^((?!- |\d\. )\S.*)\n(?=- |\d\. )", re.MULTILINE)


class Markdown(griffe.Extension):
    """A role is a link where this site has what it names, and a name in code otherwise."""

    def on_object(self, *, obj: griffe.Object, **_about: object) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            text = _LITERAL.sub(":", _ROLE.sub(_link, obj.docstring.value))
            obj.docstring.value = _LIST.sub(r"\1\n\n", text)


def _link(role: re.Match[str]) -> str:
    return f'<autoref identifier="{role[1]}" optional><code>{role[1]}</code></autoref>'
