"""A check's code with its asserts rewritten, so that they tell a recorder what they compared."""

from __future__ import annotations

import ast
from contextlib import suppress
from types import CodeType

CHECK_FILE = "<check>"

# What the comparisons of an assert are called in a verdict.
OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "equal", ast.NotEq: "not equal", ast.Is: "is", ast.IsNot: "is not", ast.Lt: "less", ast.LtE: "at most",
    ast.Gt: "greater", ast.GtE: "at least", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
WITHIN = "within"  # low <= x <= high, for literals low and high: x is read once


def between(test: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """Return the middle of ``low <= middle <= high`` and both ends as a tuple, if the ends are literals."""
    match test:
        case ast.Compare(low, [ast.LtE(), ast.LtE()], [middle, high]):
            ends = ast.Tuple([low, high], ast.Load())
            with suppress(ValueError, TypeError):
                ast.literal_eval(ends)
                return middle, ends
    return None


def rewrite(check: str) -> CodeType:
    """Return a check's code, its asserts rewritten; code that raises SyntaxError if the check is no Python."""
    try:
        return compile(RewriteAsserts().visit(ast.parse(check)), CHECK_FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return compile(f"raise SyntaxError({str(error)!r})", CHECK_FILE, "exec")


class RewriteAsserts(ast.NodeTransformer):
    """Turns each assert into one that tells the recorder what was compared."""

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        inside = between(node.test)
        match node.test:
            case _ if inside is not None:
                operation = ast.parse("lambda a, b: b[0] <= a <= b[1]", mode="eval").body
                test = _recorder_call("compare", [ast.Constant(True), ast.Constant(WITHIN), *inside, operation])
            case ast.Compare(left, [operator], [right]):
                operation = ast.parse("lambda a, b: a == b", mode="eval").body
                assert isinstance(operation, ast.Lambda)
                assert isinstance(operation.body, ast.Compare)
                operation.body.ops = [operator]
                arguments = [
                    ast.Constant(_has_call(left) or not _has_call(right)),
                    ast.Constant(OPERATORS[type(operator)]),
                    left,
                    right,
                    operation,
                ]
                test = _recorder_call("compare", arguments)
            case ast.UnaryOp(ast.Not(), operand):
                test = _recorder_call("truth", [operand, ast.Constant(False)])
            case other:
                test = _recorder_call("truth", [other, ast.Constant(True)])
        return ast.fix_missing_locations(ast.copy_location(ast.Assert(test, node.msg), node))


def _recorder_call(name: str, arguments: list[ast.expr]) -> ast.expr:
    begin = ast.Call(ast.Attribute(ast.Name("__regreen__", ast.Load()), "begin", ast.Load()), [], [])
    return ast.Call(ast.Attribute(begin, name, ast.Load()), arguments, [])


def _has_call(node: ast.expr) -> bool:
    return any(isinstance(child, ast.Call) for child in ast.walk(node))
