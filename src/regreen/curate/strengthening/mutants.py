"""Mutants of a solution: the same program with one small slip, as people and models make them.

Source: DeMillo, Lipton and Sayward 1978 (Hints on test data selection), for the idea; the slips are ours.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from random import Random
from typing import Any

from regreen.syntax import parse

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.FloorDiv, ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip
_TWINS = {"min": "max", "max": "min", "any": "all", "all": "any", "lower": "upper", "upper": "lower"}
_TWINS |= {"lstrip": "strip", "rstrip": "strip", "find": "rfind", "isalpha": "isalnum", "isdigit": "isalnum"}


def mutants(source: str, count: int, *, seed: int | str) -> list[str]:
    """Return programs that differ from a program in one place, the same for one seed.

    Args:
        source: the program; of one that does not parse there are none.
        count: how many, at most.
        seed: of which ones, where there are more.
    """
    tree = parse(source)
    if tree is None:
        return []
    made = dict.fromkeys(_all(tree))
    made.pop(ast.unparse(tree), None)
    found = list(made)
    return sorted(Random(f"{seed}").sample(found, min(count, len(found))), key=found.index)


def _all(tree: ast.Module) -> Iterator[str]:
    """Yield every mutant: the tree is changed in place, printed, and put right again.

    Loops without a bound are left alone: most slips in them never end, and cost the judge its whole limit.
    """
    endless = {id(node) for loop in ast.walk(tree) if isinstance(loop, ast.While) for node in ast.walk(loop)}
    for node in ast.walk(tree):
        if id(node) in endless:
            continue
        for field, other in _slips(node):
            kept = getattr(node, field)
            setattr(node, field, other)
            yield ast.unparse(tree)
            setattr(node, field, kept)


def _slips(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Yield a field of a node, and what stands in it after a slip."""
    match node:
        case ast.Compare(_, [operator], _):
            yield "ops", [_COMPARISONS[type(operator)]()]
        case ast.BinOp(_, operator, _) if type(operator) in _OPERATORS:
            yield "op", _OPERATORS[type(operator)]()
        case ast.BoolOp(operator, _):
            yield "op", ast.Or() if isinstance(operator, ast.And) else ast.And()
        case ast.Constant(value) if type(value) is int:
            yield from (("value", value + step) for step in (1, -1))
        case ast.Constant(value) if type(value) is bool:
            yield "value", not value
        case ast.Name(name) if name in _TWINS:
            yield "id", _TWINS[name]
        case ast.Attribute(_, name) if name in _TWINS:
            yield "attr", _TWINS[name]
        case ast.If(test) | ast.IfExp(test):
            yield "test", ast.UnaryOp(ast.Not(), test)
        case ast.Slice(lower, upper):
            yield from ((name, None) for name, bound in (("lower", lower), ("upper", upper)) if bound is not None)
    for field in ("body", "orelse"):
        yield from _without_one(node, field)


def _without_one(node: ast.AST, field: str) -> Iterator[tuple[str, Any]]:
    """Yield a block without one of its statements, but for definitions, imports and docstrings."""
    block = getattr(node, field, None)
    if not isinstance(block, list) or isinstance(node, ast.Module):
        return
    for at, statement in enumerate(block):
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.If | ast.Return | ast.Break | ast.Continue):
            yield field, [*block[:at], ast.Pass(), *block[at + 1 :]]
