"""The documentation's pages and the blocks of code on them: found, parsed as the command line parses, and run."""

import ast
import asyncio
import doctest
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_FENCE = re.compile(r" *(`{3,})(\w*)\s*$")
_MARK = re.compile(r"<!-- no-run: (.+) -->\s*$")
_ITEM = re.compile(r"([-*]|\d+\.) ")
_CONTINUED = re.compile(r"\\\n\s*")
_SHELL = ("regreen ", "pip ", "export ")  # how a block begins that names no language and is for a shell


@dataclass(frozen=True)
class Block:
    """A block of code: its page, the line on which it begins, its text, and why it is not run, if it is not."""

    page: Path
    line: int
    told: str
    text: str
    no_run: str | None

    @property
    def language(self) -> str:
        """What the fence names; otherwise what the first line looks like."""
        if self.told:
            return self.told
        first = self.text.lstrip()
        return "bash" if first.startswith(_SHELL) else "python" if first.startswith(("import ", "from ")) else "text"

    @property
    def file(self) -> str | None:
        """The file that the block's first comment names."""
        found = re.match(r"# ([\w-]+\.\w+)$", self.text.partition("\n")[0])
        return found[1] if found else None

    @cached_property
    def commands(self) -> list[list[str]]:
        """The arguments of every ``regreen`` command in the block, whatever its language."""
        lines = _CONTINUED.sub(" ", self.text).splitlines()
        return [words_of(line) for line in lines if re.match("regreen [a-z]", line)]

    @property
    def name(self) -> str:
        """Where the block stands, as an editor reads it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, fenced or indented."""
    return list(_blocks(page, page.read_text().splitlines()))


def prose_of(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        start, fence = at, _FENCE.match(lines[at])
        if fence:
            ends = next(end for end in range(at + 1, len(lines)) if lines[end].strip() == fence[1])
            text, at = lines[at + 1 : ends], ends + 1
            yield Block(page, start + 1, fence[2], "\n".join(text) + "\n", _mark(lines, start))
        elif _begins_indented(lines, at):
            text = list(takewhile(lambda line: line.startswith("    ") or not line, lines[at:]))
            at += len(text)
            yield Block(page, start + 1, "", inspect.cleandoc("\n".join(text)) + "\n", _mark(lines, start))
        else:
            at += 1


def _begins_indented(lines: list[str], at: int) -> bool:
    """Say whether a block that is only indented begins here: after an empty line or a mark, and not in a list."""
    if not lines[at].startswith("    ") or (at and lines[at - 1].strip() and not _MARK.match(lines[at - 1])):
        return False
    above = next((line for line in reversed(lines[:at]) if line.strip() and not line.startswith(" ")), "")
    return not _ITEM.match(above)


def _mark(lines: list[str], at: int) -> str | None:
    """Return why the block that begins here is not run: the mark on the line above, or above an empty line."""
    above = [line for line in lines[max(at - 2, 0) : at] if line.strip()]
    found = _MARK.match(above[-1]) if above else None
    return found[1] if found else None


def words_of(line: str) -> list[str]:
    """Return a command's arguments; of ``a|b`` the first, of ``[--option N]`` the option, of ``RUN...`` one."""
    words = [word.strip("[]") for word in shlex.split(line, comments=True)][1:]
    ended = list(takewhile(lambda word: word not in ("|", ">", "&&", "2>"), words))
    return [re.sub(r"\.\.\.$", "", word).partition("|")[0] for word in ended if word != "..."]


def refusal(command: Any, words: list[str]) -> str | None:
    """Return why the command line refuses these arguments, or None: all is parsed and converted, and nothing is run."""
    usage_error: Any = typer.BadParameter.__mro__[1]  # typer does not name its class for usage errors
    while hasattr(command, "commands"):
        name, *words = words or [""]
        if name not in command.commands:
            return f"no command {name!r}"
        command = command.commands[name]
    try:
        command.make_context(name, ["1" if word == "N" else word for word in words]).close()
    except usage_error as error:
        return str(error.format_message())
    return None


def compiled(block: Block) -> list[Any]:
    """Return the code of a Python block; of a session, the code of each example."""
    if not block.text.startswith(">>> "):
        return [compile(block.text, block.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)]
    return [compile(each.source, block.name, "single") for each in doctest.DocTestParser().get_examples(block.text)]


def run_page(page: Path, folder: Path) -> list[str]:
    """Run a page's blocks in order, in one folder, and return the names of those that were run.

    Python blocks share their names, as in a notebook. What is installed is not installed here.

    Raises:
        AssertionError: a shell block ended with another exit code than 0.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    runners = {"bash": _run_bash, "python": _run_python, "toml": _write}
    todo = [block for block in blocks_of(page) if block.no_run is None and block.language in runners]
    with chdir(folder):
        for block in todo:
            runners[block.language](block, names)
    return [block.name for block in todo]


def _run_bash(block: Block, _names: dict[str, Any]) -> None:
    script = re.sub(r"^pip install .*$", "", block.text, flags=re.MULTILINE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    alike = {"COLUMNS": "100", "PYTHONPATH": str(ROOT / "src"), "PATH": path}
    done = subprocess.run(["bash", "-euc", script], env=os.environ | alike, capture_output=True, text=True)
    said = done.stdout[-2000:] + done.stderr[-2000:]
    assert done.returncode == 0, f"{block.name} ended with {done.returncode}\n{said}"


def _run_python(block: Block, names: dict[str, Any]) -> None:
    if block.text.startswith(">>> "):
        session = doctest.DocTestParser().get_doctest(block.text, names, block.name, str(block.page), block.line)
        assert doctest.DocTestRunner().run(session, clear_globs=False).failed == 0, block.name
        return
    (code,) = compiled(block)
    waiting = eval(code, names)
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)


def _write(block: Block, _names: dict[str, Any]) -> None:
    if block.file:
        Path(block.file).write_text(block.text)
