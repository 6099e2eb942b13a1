"""Docstrings' Sphinx written as Markdown before they are read: roles become links, and `::` a colon."""

import re

import griffe

_ROLE = re.compile(r":(?:mod|class|func|meth|attr|data):`~?([\w.]+)`")
_LITERAL = re.compile(r"::$", re.MULTILINE)


class Roles(griffe.Extension):
    """A role is a link where this site has what it names, and a name in code otherwise."""

    def on_object(self, *, obj: griffe.Object, **_about: object) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = _LITERAL.sub(":", _ROLE.sub(_link, obj.docstring.value))


def _link(role: re.Match[str]) -> str:
    return f'<autoref identifier="{role[1]}" optional><code>{role[1]}</code></autoref>'
