"""A module's source, statement by statement: which names each binds, and which it uses."""

from __future__ import annotations

import ast
import builtins
import copy
import symtable
import sys
import tokenize
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import dedent

from regreen.curate.tally import Unfit
from regreen.syntax import parse

NO_SOURCE = "its source is not to be had"
_DUNDERS = frozenset(("__name__", "__doc__", "__file__", "__package__", "__spec__", "__builtins__", "__debug__"))

_FIXED = (ast.Constant, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.Compare, ast.JoinedStr, ast.Lambda)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement of a module, at its top or under ``if TYPE_CHECKING``; ``bare`` leaves its annotations unused."""

    node: ast.stmt
    text: str
    bare: bool

    @cached_property
    def _names(self) -> tuple[frozenset[str], frozenset[str]]:
        return names_in(self.node, bare=self.bare)

    @property
    def binds(self) -> frozenset[str]:
        """The names that it binds; ``*`` for those of a star import."""
        return self._names[0]

    @property
    def uses(self) -> frozenset[str]:
        """The names of the module that it uses, now or when what it defines is called."""
        return self._names[1]

    @property
    def is_definition(self) -> bool:
        """True if it defines a function or a class."""
        return isinstance(self.node, FunctionNode | ast.ClassDef)

    @property
    def is_fixed(self) -> bool:
        """True if what it binds cannot change later: a number, a text, a tuple, a compiled pattern."""
        value = getattr(self.node, "value", None)
        if isinstance(value, ast.Call):
            return ast.unparse(value.func) in ("re.compile", "frozenset", "object", "namedtuple", "TypeVar")
        return isinstance(value, _FIXED)

    @property
    def runs(self) -> bool:
        """True if it does something as the module is loaded, through whatever it calls."""
        node = self.node
        called = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        return called or isinstance(node, ast.For | ast.While | ast.With)

    @property
    def fills(self) -> set[str]:
        """The names of what it assigns entries or attributes of, or deletes them."""
        match self.node:
            case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                return {name for target in targets if (name := _owner(target)) is not None}
            case ast.AugAssign(target=target) if (name := _owner(target)) is not None:
                return {name}
        return set()


class Module:
    """A module as it stands in its file."""

    def __init__(self, name: str, path: Path) -> None:
        """Read the file; raises :class:`Unfit` where that cannot be done."""
        self.name = name
        self.path = path
        self._lines = _read(path).splitlines(keepends=True)
        tree = parse("".join(self._lines))
        if tree is None:
            raise Unfit(NO_SOURCE)
        self._tree = tree
        self.bare = any(_is_bare(node) for node in tree.body)
        self.statements = [Statement(node, self.text(node), self.bare) for node in _flat(tree.body)]

    @cached_property
    def binders(self) -> dict[str, list[Statement]]:
        """The statements that bind each name."""
        found: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for name in statement.binds:
                found.setdefault(name, []).append(statement)
        return found

    def changes(self, names: AbstractSet[str]) -> list[Statement]:
        """Return the statements that may change what these names stand for, themselves or through functions."""
        return [s for s in self.statements if names & (self._reach(s) if s.runs else s.fills)]

    def _reach(self, statement: Statement) -> set[str]:
        """Return the names that a statement uses, and those that functions use which it may call."""
        reached, left = set(statement.uses), set(statement.uses)
        while left:
            binders = self.binders.get(left.pop(), ())
            new = {name for binder in binders if binder.is_definition for name in binder.uses} - reached
            reached |= new
            left |= new
        return reached

    def text(self, node: ast.stmt, *, until: int | None = None) -> str:
        """Return the source of a statement, with its decorators; up to a line, if one is given."""
        return dedent("".join(self._lines[first_line(node) - 1 : until or node.end_lineno])).rstrip()

    def function(self, name: str, line: int) -> FunctionNode | None:
        """Return the function that begins in a line, if it stands at the top and its name is bound by it alone."""
        binders = [statement.node for statement in self.binders.get(name, ())]
        if len(binders) == 1 and isinstance(binders[0], FunctionNode) and first_line(binders[0]) == line:
            return binders[0]
        return None


class Library:
    """The modules of one package, found from the file of one of them."""

    def __init__(self) -> None:
        self._modules: dict[tuple[Path, str], Module] = {}

    def module(self, name: str, file: Path) -> Module:
        """Return the module of this name in this file; raises :class:`Unfit`."""
        key = (file, name)
        if key not in self._modules:
            self._modules[key] = Module(name, file)
        return self._modules[key]

    def sibling(self, module: Module, name: str) -> Module | None:
        """Return another module of the same package by its full name, or None where there is none."""
        place = _root(module).joinpath(*name.split("."))
        for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if file.is_file():
                return self.module(name, file)
        return None


def resolve(module: Module, node: ast.ImportFrom) -> str:
    """Return the full name of the module that something is imported from."""
    parts = module.name.split(".")
    if node.level:
        parts = parts[: len(parts) - node.level + (module.path.name == "__init__.py")]
        return ".".join([*parts, *filter(None, [node.module])])
    return node.module or ""


def is_standard(name: str) -> bool:
    """True for the name of a module of the standard library."""
    return name.partition(".")[0] in sys.stdlib_module_names


def is_given(name: str) -> bool:
    """True for a name that every module has."""
    return hasattr(builtins, name) or name in _DUNDERS


def first_line(node: ast.stmt) -> int:
    """Return the line where a statement begins, or the first of its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def names_in(node: ast.stmt, *, bare: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a statement binds in its module, and those of the module that it uses at any time."""
    if bare:
        node = ast.fix_missing_locations(_Bare().visit(copy.deepcopy(node)))
    try:
        table = symtable.symtable(ast.unparse(node), "<statement>", "exec")
    except (SyntaxError, RecursionError, ValueError) as error:
        raise Unfit(NO_SOURCE) from error
    symbols = table.get_symbols()
    binds = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        binds.add("*")
    elif isinstance(node, ast.Delete):
        binds.clear()
    uses = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    return frozenset(binds), frozenset(uses.union(*map(_of_module, table.get_children())))


def _of_module(table: symtable.SymbolTable) -> set[str]:
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return own.union(*map(_of_module, table.get_children()))


class _Bare(ast.NodeTransformer):
    """Takes away annotations, which mean nothing when a program runs under ``from __future__ import annotations``."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        value = node.value or ast.Constant(None)
        return self.generic_visit(ast.Assign([node.target], value))


def _owner(target: ast.expr) -> str | None:
    """Return the name of what a target is a part of; None for a name itself."""
    inner = target
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) and inner is not target else None


def _read(path: Path) -> str:
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise Unfit(NO_SOURCE) from error


def _root(module: Module) -> Path:
    """Return the folder from which the module's full name leads to its file."""
    depth = module.name.count(".") + (module.path.name == "__init__.py")
    return module.path.parents[depth]


def _is_bare(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom(module="__future__", names=names):
            return any(alias.name == "annotations" for alias in names)
    return False


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield a module's statements; those for type checkers only as if they stood at the top, without overloads."""
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from node.body
        elif not any(ast.unparse(d) in ("overload", "typing.overload") for d in getattr(node, "decorator_list", ())):
            yield node
