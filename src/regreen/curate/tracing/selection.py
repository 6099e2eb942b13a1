"""What a function needs of its package, so that it stands alone: imports, constants and helpers, name by name.

Names are followed through the package's own imports into its other modules. What is found keeps the order in which it
stood in each module, and a module comes before those that import from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from regreen.curate.tally import Unfit
from regreen.curate.tracing.modules import (
    FunctionNode,
    Library,
    Module,
    Statement,
    is_given,
    is_standard,
    names_in,
    resolve,
)

FOREIGN = "needs a package that is not standard"
WHOLE_MODULE = "needs a module of its package as a whole"
NOT_FOUND = "needs a name that is nowhere bound"
COLLIDE = "needs two things of one name"
TANGLED = "needs modules that import each other"

_FUTURE = "from __future__ import annotations"


class Selection:
    """Collects what a function needs.

    ``bare`` leaves the function's annotations out, which then need ``from __future__ import annotations`` above it.
    """

    def __init__(self, library: Library, module: Module, entry: FunctionNode, *, bare: bool) -> None:
        """Follow all names; raises :class:`Unfit` where the function cannot stand alone."""
        self.entry = entry
        self.bare = bare
        self.statements: dict[Statement, Module] = {}
        self.imports: dict[str, str] = {}  # what each name is imported as: a module, or a module and a name of it
        self._library = library
        self._home = module
        self._asked: set[tuple[str, str]] = set()
        self._lines: dict[str, str] = {}  # the imports themselves
        self._renamed: dict[str, dict[str, str]] = {}  # by module, what its names are called elsewhere
        self._before: dict[str, set[str]] = {module.name: set()}
        _require_imports(entry)
        self._need(module, names_in(entry, bare=bare)[1])
        while self._take_changes():
            pass
        self._require_one_meaning()

    @property
    def nodes(self) -> list[ast.stmt]:
        """The function, and all that it needs but imports."""
        return [self.entry, *(statement.node for statement in self.statements)]

    def prelude(self) -> str:
        """Return the code that must run before the function."""
        future = [_FUTURE] if any(statement.bare for statement in self.statements) else []
        blocks = ["\n".join([*future, *sorted(self._lines.values())])]
        for name in self._in_order():
            mine = sorted((s for s, module in self.statements.items() if module.name == name), key=_line)
            blocks += [statement.text for statement in mine]
            blocks += [f"{new} = {old}" for new, old in self._renamed.get(name, {}).items()]
        return "\n\n".join(filter(None, blocks))

    def _need(self, module: Module, names: Iterable[str]) -> None:
        for name in sorted(names):
            if (module.name, name) not in self._asked and not self._is_entry(module, name):
                self._asked.add((module.name, name))
                for statement in self._binders(module, name):
                    self._take(module, statement, name)

    def _is_entry(self, module: Module, name: str) -> bool:
        return module is self._home and name == self.entry.name

    def _binders(self, module: Module, name: str) -> list[Statement]:
        found = module.binders.get(name)
        if found is None and is_given(name):
            return []
        if found is None and "*" not in module.binders:
            raise Unfit(NOT_FOUND)
        return found or module.binders["*"]

    def _take(self, module: Module, statement: Statement, name: str) -> None:
        match statement.node:
            case ast.Import(names=aliases):
                self._import(aliases, name)
            case ast.ImportFrom():
                self._import_from(module, statement.node, name)
            case _ if statement not in self.statements:
                _require_imports(statement.node)
                self.statements[statement] = module
                self._need(module, statement.uses)

    def _take_changes(self) -> bool:
        """Take what changes, as its module is loaded, something that was taken; False if there is nothing left."""
        before = len(self.statements)
        for module in dict.fromkeys(self.statements.values()):
            mine = (s for s, owner in self.statements.items() if owner is module)
            names = {name for s in mine if not (s.is_definition or s.is_fixed) for name in s.binds}
            for statement in module.changes(names):
                self._take(module, statement, "")
        return len(self.statements) > before

    def _import(self, aliases: list[ast.alias], name: str) -> None:
        for alias in aliases:
            if (alias.asname or alias.name.partition(".")[0]) == name:
                if not is_standard(alias.name):
                    raise Unfit(FOREIGN if not self._is_own(alias.name) else WHOLE_MODULE)
                self._bind(name, alias.name if alias.asname else name, f"import {ast.unparse(alias)}")

    def _import_from(self, module: Module, node: ast.ImportFrom, name: str) -> None:
        source = resolve(module, node)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(source)
            elif (alias.asname or alias.name) == name and is_standard(source):
                self._bind(name, f"{source}.{alias.name}", f"from {source} import {ast.unparse(alias)}")
            elif (alias.asname or alias.name) == name:
                self._follow(module, source, alias)

    def _import_all(self, source: str) -> None:
        if not is_standard(source):
            raise Unfit(FOREIGN if not self._is_own(source) else NOT_FOUND)
        self._lines[f"* of {source}"] = f"from {source} import *"

    def _bind(self, name: str, meaning: str, line: str) -> None:
        if self.imports.setdefault(name, meaning) != meaning:
            raise Unfit(COLLIDE)
        self._lines[line] = line

    def _follow(self, module: Module, source: str, alias: ast.alias) -> None:
        """Go on in another module of the package, from which a name is imported."""
        target = self._library.sibling(module, source) if self._is_own(source) else None
        if target is None:
            raise Unfit(FOREIGN)
        if alias.name not in target.binders:
            raise Unfit(WHOLE_MODULE if self._library.sibling(module, f"{source}.{alias.name}") else NOT_FOUND)
        self._before.setdefault(module.name, set()).add(target.name)
        self._before.setdefault(target.name, set())
        self._need(target, [alias.name])
        if alias.asname not in (None, alias.name):
            self._renamed.setdefault(target.name, {})[str(alias.asname)] = alias.name

    def _is_own(self, name: str) -> bool:
        return name.partition(".")[0] == self._home.name.partition(".")[0]

    def _in_order(self) -> list[str]:
        try:
            return list(TopologicalSorter(self._before).static_order())
        except CycleError as error:
            raise Unfit(TANGLED) from error

    def _require_one_meaning(self) -> None:
        """Raise where two modules have different things under one name, since all stand in one module now."""
        owners = dict.fromkeys(self.imports, "an import") | {self.entry.name: self._home.name}
        bound = [(name, module.name) for statement, module in self.statements.items() for name in statement.binds]
        bound += [(new, module) for module, names in self._renamed.items() for new in names]
        for name, owner in bound:
            if owners.setdefault(name, owner) != owner:
                raise Unfit(COLLIDE)


def _line(statement: Statement) -> int:
    return statement.node.lineno


def _require_imports(node: ast.stmt) -> None:
    """Raise where an import inside a statement cannot be made elsewhere; under ``try`` one may fail."""
    for inner in ast.walk(node) if not isinstance(node, ast.Try) else ():
        if isinstance(inner, ast.ImportFrom) and inner.level:
            raise Unfit(WHOLE_MODULE)
        names = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
        names += [inner.module or ""] if isinstance(inner, ast.ImportFrom) else []
        if not all(map(is_standard, names)):
            raise Unfit(FOREIGN)


def select(library: Library, module: Module, entry: FunctionNode) -> Selection:
    """Return what a function needs, its annotations with it wherever they can be had; raises :class:`Unfit`."""
    try:
        return Selection(library, module, entry, bare=False)
    except Unfit:
        if not module.bare:
            raise
    return Selection(library, module, entry, bare=True)
