"""What in a function's code makes its result depend on more than its arguments, or leaves traces outside.

The judge finds out whether results come again; what it cannot find is what comes again by chance: a date, a file that
is there on both sides, a line that is printed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from regreen.curate.tally import Unfit
from regreen.curate.tracing.modules import is_given, names_in

CHANCE = "draws at random"
CLOCK = "looks at the clock"
OUTSIDE = "reads or writes outside"

_PATH = "join|split|splitext|basename|dirname|normpath|normcase|commonprefix|commonpath|isabs"
_HARMLESS = re.compile(rf"os\.(?:fspath|sep|altsep|pardir|curdir|extsep|linesep|PathLike|path\.(?:{_PATH})|path|name)$")
_REASONS = {
    CHANCE: r"random|secrets|os\.u?random|uuid\.uuid[14]|\w+(?:\.\w+)*\.SystemRandom",
    CLOCK: r"time|datetime(?:\.\w+)*\.(?:now|today|utcnow|fromtimestamp|astimezone)",
    OUTSIDE: (
        r"print|input|open|breakpoint|exit|quit|io\.open|os|posix|subprocess|socket|ssl|shutil|tempfile|logging|signal"
        r"|threading|_thread|multiprocessing|concurrent|asyncio|glob|urllib\.request|http|sqlite3|getpass|platform|locale"
        r"|ctypes|gc|pathlib\.Path|sys\.(?:std\w+|argv|path|modules|exit|set\w+|settrace|_getframe|exc_info)"
        r"|warnings\.(?:simplefilter|filterwarnings|catch_warnings)"
    ),
}
_PATTERNS = {reason: re.compile(rf"(?:{pattern})(?:\.|$)") for reason, pattern in _REASONS.items()}


def require_harmless(nodes: Iterable[ast.stmt], imports: Mapping[str, str]) -> None:
    """Raise :class:`Unfit` for code that does what a function of its arguments alone does not.

    Args:
        nodes: the function, and all that it needs.
        imports: what each imported name stands for, as ``os.path``.
    """
    for node in nodes:
        meanings = _meanings(node, imports)
        for name in _dotted_names(node):
            first, dot, rest = name.partition(".")
            if first in meanings:
                _require_harmless(meanings[first] + dot + rest)


def _require_harmless(name: str) -> None:
    if not _HARMLESS.match(name):
        for reason, pattern in _PATTERNS.items():
            if pattern.match(name):
                raise Unfit(reason)


def _meanings(node: ast.stmt, imports: Mapping[str, str]) -> dict[str, str]:
    """Return what the names stand for that a statement has from outside: imported ones, and Python's own."""
    used = names_in(node, bare=True)[1]
    outer = {name: imports.get(name, name) for name in used if name in imports or is_given(name)}
    return {**outer, **_inner_imports(node)}


def _inner_imports(node: ast.stmt) -> dict[str, str]:
    found: dict[str, str] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            found |= {a.asname or _top(a.name): a.name if a.asname else _top(a.name) for a in inner.names}
        elif isinstance(inner, ast.ImportFrom):
            found |= {a.asname or a.name: f"{inner.module}.{a.name}" for a in inner.names}
    return found


def _top(name: str) -> str:
    return name.partition(".")[0]


def _dotted_names(node: ast.AST) -> Iterator[str]:
    """Yield names that are read, with the attributes that follow, as ``os.path.join``."""
    dotted = _dotted(node)
    if dotted is not None:
        yield dotted
        return
    for child in ast.iter_child_nodes(node):
        yield from _dotted_names(child)


def _dotted(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            return name
        case ast.Attribute(value=value, attr=attribute):
            before = _dotted(value)
            return None if before is None else f"{before}.{attribute}"
    return None
