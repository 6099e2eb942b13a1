"""Examples inside a docstring, as assert statements: doctests, and lines such as ``f(2) == 4`` or ``f(2) -> 4``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from regreen.problem import parse_literal

_ARROW = re.compile(r"\s*(?:==>|=>|==|->|➞|→|➔|,? should return\b|,? returns?\b)\s*")


def docstring_examples(prompt: str, entry_point: str) -> list[str]:
    """Return the examples in a function's docstring that parse, as assert statements in their order.

    They are the author's word, not a check: a few published docstrings contradict their own tests.
    """
    doc = _docstring(prompt, entry_point)
    found = [*_doctests(doc, entry_point), *_arrows(doc, entry_point)]
    return list(dict.fromkeys(found))


def _docstring(prompt: str, entry_point: str) -> str:
    try:
        tree = ast.parse(prompt.rstrip() + "\n    pass\n")
    except SyntaxError:
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            return ast.get_docstring(node) or ""
    return ""


def _doctests(doc: str, entry_point: str) -> Iterator[str]:
    import doctest  # here, since it brings the debugger and unittest along

    try:
        parsed = doctest.DocTestParser().get_examples(doc)
    except ValueError:
        return
    for example in parsed:
        call = _expression(example.source)
        if call is not None and _calls(call, entry_point):
            yield from _assertion(call, example.want)


def _assertion(call: ast.expr, want: str) -> Iterator[str]:
    if isinstance(call, ast.Compare):
        yield f"assert {ast.unparse(call)}"
    elif _is_literal(want):
        yield f"assert {ast.unparse(call)} == {want.strip()}"


def _arrows(doc: str, entry_point: str) -> Iterator[str]:
    for line in doc.splitlines():
        left, *right = _ARROW.split(line.strip().lstrip("-*•> "), maxsplit=1)
        call = _expression(left)
        if right and isinstance(call, ast.Call) and _calls(call, entry_point) and _has_literal_arguments(call):
            value = right[0].split(" #")[0].strip().rstrip(".;")
            if _is_literal(value):
                yield f"assert {ast.unparse(call)} == {value}"


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _calls(node: ast.expr, name: str) -> bool:
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name for n in ast.walk(node))


def _has_literal_arguments(call: ast.Call) -> bool:
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(_is_literal(ast.unparse(argument)) for argument in arguments)


def _is_literal(text: str) -> bool:
    try:
        parse_literal(text)
    except ValueError:
        return False
    return True
