"""The arm ``static``: what ruff and mypy find in a program, which is read and never run.

Ruff's rules are those of pyflakes and flake8-bugbear; imports that are not used are left out, since they make nothing
fail. mypy, where it is installed, checks the bodies of functions without annotations too. Neither reads a
configuration, nor comments in the program that would silence it.

:attr:`Static.decides` names the versions, since other versions find other things.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from regreen.errors import InputError
from regreen.problem import Problem
from regreen.verdict import Verdict

MOST = 8  # findings said
_SECONDS = 20.0  # a program that keeps a tool busy for longer has no findings of it
_FILE = "program.py"
_RULES = ("--select", "F,B", "--ignore", "F401,F403,F405")
_RUFF = ("check", "--isolated", "--no-cache", "--ignore-noqa", "--quiet", "--output-format", "json", *_RULES)
_MYPY = (
    "--config-file=", "--no-error-summary", "--show-error-codes", "--hide-error-context", "--no-color-output",
    "--disable-error-code=name-defined", "--disable-error-code=no-redef",  # ruff says it
    "--disable-error-code=var-annotated",  # makes nothing fail
    "--check-untyped-defs", "--ignore-missing-imports", "--follow-imports=silent", "--no-pretty",
)  # fmt: skip
_MYPY_LINE = re.compile(r"[^:]*:(?P<line>\d+): error: (?P<message>.*?)(?:\s+\[(?P<code>[\w-]+)\])?$")
_EARLIER = re.compile(r"\bline (\d+)")

Finding = tuple[int, str]


class Static:
    """Says what is found in a program's text."""

    name = "static"

    def __init__(self) -> None:
        """Raise InputError if ruff is not installed."""
        ruff = _tool("ruff")
        if ruff is None:
            raise InputError("ruff is not installed, which the arm static needs (pip install 'regreen[analysis]')")
        self._ruff = ruff
        self._mypy = _tool("mypy")
        self._folder = TemporaryDirectory(prefix="regreen-static-")  # mypy's cache lives as long as the arm

    def __repr__(self) -> str:
        return f"<Arm static, {', '.join(f'{name} {number}' for name, number in self.decides.items())}>"

    @property
    def decides(self) -> Mapping[str, str]:
        """The tools and their versions."""
        return {name: _version(name) for name in ("ruff", *(["mypy"] if self._mypy else []))}

    async def __call__(self, problem: Problem, source: str, verdict: Verdict, *, node: str | None = None) -> str:
        """Return a line for each finding in the program, none for those in the problem's prelude."""
        before = f"{problem.prelude.rstrip()}\n" if problem.prelude.strip() else ""
        skipped = before.count("\n")
        with TemporaryDirectory(dir=self._folder.name) as folder:
            Path(folder, _FILE).write_text(before + source, encoding="utf-8", errors="replace")
            found = await self._ruff_findings(folder)
            if self._mypy and not any("invalid-syntax" in text for _, text in found):
                found += await self._mypy_findings(folder)
        kept = sorted({(line, text) for line, text in found if line > skipped and not _of_prelude(text, skipped)})
        return "\n".join(_said(line, text, skipped) for line, text in kept[:MOST])

    async def _ruff_findings(self, folder: str) -> list[Finding]:
        with suppress(ValueError, KeyError, TypeError):  # it broke down: nothing was found
            rows = json.loads(await _output(folder, self._ruff, *_RUFF, _FILE) or "[]")
            found = [(row["location"]["row"], f"{row['message']} ({row['code']})") for row in rows]
            syntax = [finding for finding in found if "invalid-syntax" in finding[1]]
            return sorted(syntax[:1] or found)  # what follows a first error of syntax follows from it
        return []

    async def _mypy_findings(self, folder: str) -> list[Finding]:
        cache = f"--cache-dir={Path(self._folder.name, 'cache')}"
        lines = (await _output(folder, self._mypy or "", *_MYPY, cache, _FILE)).splitlines()
        found = [match for line in lines if (match := _MYPY_LINE.fullmatch(line))]
        return [(int(match["line"]), f"{match['message']} ({match['code'] or 'mypy'})") for match in found]


def _said(line: int, text: str, skipped: int) -> str:
    """Return a finding, its lines counted in the program alone."""
    return f"Line {line - skipped}: " + _EARLIER.sub(lambda earlier: f"line {int(earlier[1]) - skipped}", text)


def _of_prelude(text: str, skipped: int) -> bool:
    """Tell whether a name defined again is one of the prelude's: programs repeat its imports."""
    earlier = _EARLIER.search(text)
    return earlier is not None and int(earlier[1]) <= skipped


async def _output(folder: str, *command: str) -> str:
    """Run a tool and return what it prints; nothing if it takes too long."""
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    tool = await asyncio.create_subprocess_exec(*command, cwd=folder, stdin=null, stdout=pipe, stderr=null)
    try:
        return (await asyncio.wait_for(tool.communicate(), _SECONDS))[0].decode("utf-8", "replace")
    except TimeoutError:
        return ""
    finally:
        if tool.returncode is None:
            tool.kill()
            await tool.wait()


def _tool(name: str) -> str | None:
    """Return the path of a tool installed beside this Python, or else on the path."""
    return shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # installed elsewhere
        return "of an unknown version"
