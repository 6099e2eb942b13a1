"""What a name stands for in a program, read off its syntax tree: constants, and things of imported modules.

Values are sets: a name that is assigned twice has both. What cannot be told is :data:`UNKNOWN`. The order of statements
is not looked at, and nothing is run.
"""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Values = frozenset[Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """A thing of an imported module, by its full name: ``Crypto.Cipher.AES.MODE_ECB``."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a call of a thing of an imported module gives."""

    name: str
    call: ast.Call


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
_NOT_KNOWN: Values = frozenset({UNKNOWN})
_MODULE_NAMES = {*dir(builtins), "__name__", "__file__", "__doc__", "__builtins__", "__class__"}
_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.Pow: operator.pow,
}
_LARGEST = 1 << 16  # operands beyond are no key sizes, and could fill the memory
_DEEPEST = 50  # expressions in expressions, and names that stand for names
_MOST = 50  # values that an expression may have


@dataclass(slots=True)
class Scope:
    """The module or a function, and what is bound to each name there; None is what cannot be told.

    ``known`` holds the values of names once they were looked up, so that each is looked up once.
    """

    parent: Scope | None = None
    bound: dict[str, list[ast.expr | Ref | None]] = field(default_factory=dict)
    known: dict[str, Values] = field(default_factory=dict)
    has_star: bool = False

    def holder(self, name: str) -> Scope | None:
        """Return the innermost scope around that binds a name."""
        return self if name in self.bound else self.parent and self.parent.holder(name)

    def takes_all(self) -> bool:
        """Tell whether all names of some module were imported here or around."""
        return self.has_star or (self.parent is not None and self.parent.takes_all())


def nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield every node of a program with the scope that it stands in."""
    whole = Scope()
    _fill(whole, tree)
    waiting: list[tuple[ast.AST, Scope]] = [(tree, whole)]  # no recursion: a program may be nested deeply
    while waiting:
        node, scope = waiting.pop()
        yield node, scope
        inner = _inside(node, scope) if isinstance(node, Function) else scope
        waiting += ((child, inner) for child in reversed(list(ast.iter_child_nodes(node))))


def _inside(function: Function, scope: Scope) -> Scope:
    inner = Scope(scope)
    _bind_parameters(inner, function.args)
    _fill(inner, function)
    return inner


def is_unbound(node: ast.AST, scope: Scope) -> bool:
    """Tell whether a node reads a name that is bound nowhere around, which raises."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id in _MODULE_NAMES:
        return False
    return scope.holder(node.id) is None and not scope.takes_all()


def values(node: ast.expr, scope: Scope, depth: int = 0) -> Values:
    """Return what an expression may be, or :data:`UNKNOWN` among it."""
    found = _values(node, scope, depth) if depth < _DEEPEST else _NOT_KNOWN
    return found if len(found) <= _MOST else _NOT_KNOWN


def _values(node: ast.expr, scope: Scope, depth: int) -> Values:
    match node:
        case ast.Constant():
            return frozenset({node.value})
        case ast.Name():
            return _of_name(node.id, scope, depth)
        case ast.Attribute():
            return frozenset(_attribute(each, node.attr) for each in values(node.value, scope, depth + 1))
        case ast.Call():
            made = values(node.func, scope, depth + 1)
            return frozenset(Made(each.name, node) if isinstance(each, Ref) else UNKNOWN for each in made)
        case ast.BinOp():
            sides = (values(side, scope, depth + 1) for side in (node.left, node.right))
            return frozenset(_operate(node.op, left, right) for left, right in product(*sides))
        case ast.IfExp():
            return values(node.body, scope, depth + 1) | values(node.orelse, scope, depth + 1)
    return _NOT_KNOWN


def _of_name(name: str, scope: Scope, depth: int) -> Values:
    holder = scope.holder(name)
    if holder is None:
        return _NOT_KNOWN
    if name not in holder.known:
        holder.known[name] = _NOT_KNOWN  # for a name that stands for itself
        found = [_of_bound(bound, holder, depth) for bound in holder.bound[name]]
        holder.known[name] = frozenset().union(*found)
    return holder.known[name]


def _of_bound(bound: ast.expr | Ref | None, scope: Scope, depth: int) -> Values:
    if isinstance(bound, ast.expr):
        return values(bound, scope, depth + 1)
    return frozenset({UNKNOWN if bound is None else bound})


def _attribute(of: Any, name: str) -> Any:
    return Ref(f"{of.name}.{name}") if isinstance(of, Ref) else UNKNOWN


def _operate(kind: ast.operator, left: Any, right: Any) -> Any:
    """Return the result for small whole numbers, and for bytes times a number."""
    small = all(type(side) is int and abs(side) < _LARGEST for side in (left, right))
    repeated = {type(left), type(right)} == {bytes, int} and isinstance(kind, ast.Mult)
    if type(kind) not in _OPERATORS or not (small or (repeated and max(_size(left), _size(right)) < _LARGEST)):
        return UNKNOWN
    if isinstance(kind, ast.LShift | ast.Pow) and not 0 <= right <= 64:
        return UNKNOWN
    try:
        return _OPERATORS[type(kind)](left, right)
    except ArithmeticError:
        return UNKNOWN


def _size(side: int | bytes) -> int:
    return len(side) if isinstance(side, bytes) else side


def _fill(scope: Scope, node: ast.AST) -> None:
    """Bind what is bound below a node; a function's inside is its own, a class's is taken for its surrounding's."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        child = waiting.pop()
        _bind(scope, child)
        if not isinstance(child, Function):
            waiting += ast.iter_child_nodes(child)


def _bind(scope: Scope, node: ast.AST) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind_target(scope, target, value)
        case (
            ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            | ast.NamedExpr(target=ast.Name(id=name), value=value)
        ):
            _put(scope, name, value)
        case ast.Import() | ast.ImportFrom():
            _bind_imports(scope, node)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            _put(scope, name, None)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            _put(scope, name, None)
        case ast.MatchMapping(rest=str(name)):
            _put(scope, name, None)
        case ast.For() | ast.AsyncFor() | ast.comprehension() | ast.AugAssign() | ast.With() | ast.AsyncWith():
            _bind_unknown(scope, node)


def _bind_target(scope: Scope, target: ast.expr, value: ast.expr | None) -> None:
    """Bind the names of an assignment's target, to the parts of a tuple where both sides are one."""
    match target:
        case ast.Name(id=name):
            _put(scope, name, value)
        case ast.Tuple(elts=names) | ast.List(elts=names):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(names) else None
            for at, each in enumerate(names):
                _bind_target(scope, each, parts[at] if parts else None)
        case ast.Starred(value=each):
            _bind_target(scope, each, None)


def _bind_unknown(scope: Scope, node: ast.AST) -> None:
    targets = [getattr(node, "target", None), *(item.optional_vars for item in getattr(node, "items", ()))]
    for target in targets:
        if target is not None:
            _bind_target(scope, target, None)


def _bind_imports(scope: Scope, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            scope.has_star |= alias.name == "*"
            full: Ref | None = None if node.level else Ref(f"{node.module}.{alias.name}")
        else:
            full = Ref(alias.name if alias.asname else alias.name.partition(".")[0])
        _put(scope, alias.asname or alias.name.partition(".")[0], full)


def _bind_parameters(scope: Scope, given: ast.arguments) -> None:
    """Bind a function's parameters: to their defaults where they have one, as whoever calls may leave them out."""
    plain = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(plain) - len(given.defaults)), *given.defaults]
    for parameter, default in zip([*plain, *given.kwonlyargs], [*defaults, *given.kw_defaults], strict=True):
        _put(scope, parameter.arg, default)
    for rest in (given.vararg, given.kwarg):
        if rest is not None:
            _put(scope, rest.arg, None)


def _put(scope: Scope, name: str, value: ast.expr | Ref | None) -> None:
    scope.bound.setdefault(name, []).append(value)
