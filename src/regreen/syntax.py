"""Parse Python that others wrote: no warnings, no exceptions."""

from __future__ import annotations

import ast
import warnings


def parse(source: str) -> ast.Module | None:
    """Return the tree, or None where the source does not parse, or is too deep to."""
    with warnings.catch_warnings():  # published solutions hold escapes such as "\\d", of which Python warns
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def syntax_of(source: str) -> str | None:
    """Return the tree as text, the same for programs of one syntax; None where there is none, or it is too deep."""
    tree = parse(source)
    try:
        return None if tree is None else ast.dump(tree)
    except (RecursionError, MemoryError):  # what can be parsed may be too deep to walk
        return None
