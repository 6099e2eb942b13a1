"""What runs in the program's own process to trace it: this file's text, and a call of :func:`main`, are the program.

It is as untrusted there as the program beside it. Standard library alone, nothing imported from here.

The report goes to standard output, each line after a marker; what the program itself prints goes nowhere. The first
steps of a run are written as they are made, so that they are there if the process is killed; a new run (the program
entered anew) wipes them, since the failing one is the last.
"""

from __future__ import annotations

import os
import reprlib
import sys
import types
from collections import deque
from typing import Any

FILE = "<traced>"
FIRST = LAST = 8  # steps kept of a run
MOST_STEPS = 10_000  # then the process ends: a loop without end is told by its first and last steps
WIDTH = 95  # characters of a step
_PLAIN = (int, float, complex, bool, str, bytes, type(None))


class _Short(reprlib.Repr):
    """Values in few characters; what is no plain data is named by its type, and its own code is not run."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 40, 40
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxdeque = 8

    def repr_instance(self, x: Any, level: int) -> str:
        return repr(x)[:40] if type(x) in _PLAIN else f"<{type(x).__name__}>"


class Tracer:
    """Collects the steps of the program's latest run and reports them."""

    def __init__(self, source: str, marker: str) -> None:
        self._lines = source.split("\n")
        self._marker = marker
        self._short = _Short()
        # Taken now: a program that replaces them changes nothing here by accident.
        self._write, self._exit, self._settrace, self._seek, self._cut = (
            os.write, os._exit, sys.settrace, os.lseek, os.ftruncate,
        )  # fmt: skip
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._total = 0
        self._raising: types.FrameType | None = None
        self._begin()

    def _begin(self) -> None:
        self._depth = self._count = 0
        self._last: deque[str] = deque(maxlen=LAST)
        self._seen: dict[types.FrameType, tuple[int, dict[str, str]]] = {}
        self._seek(self._out, 0, 0)
        self._cut(self._out, 0)

    def watch(self, on: bool) -> None:
        """Begin or end to note what happens."""
        self._settrace(self.trace if on else None)

    def trace(self, frame: types.FrameType, event: str, argument: Any) -> Any:
        """Note what happens in the program's frames, and only there."""
        if frame.f_code.co_filename != FILE:
            return None
        if event == "call":
            if self._depth == 0:
                self._begin()
            self._enter(frame)
        elif event in ("line", "return"):
            self._step(frame)
        if event == "return":
            self._leave(frame, argument)
        self._raising = frame if event == "exception" else None
        return self.trace

    def _enter(self, frame: types.FrameType) -> None:
        self._depth += 1
        values = self._values(frame)
        self._seen[frame] = (0, values)
        if frame.f_code.co_name != "<module>":
            self._note(f"{frame.f_code.co_name}({', '.join(f'{n}={v}' for n, v in values.items())})")

    def _leave(self, frame: types.FrameType, value: Any) -> None:
        self._seen.pop(frame, None)
        self._depth -= 1
        if frame.f_code.co_name != "<module>" and self._raising is not frame:
            self._note(f"{frame.f_code.co_name} gives {self._text(value)}", 1)

    def _step(self, frame: types.FrameType) -> None:
        """Note the line that was done, and the variables that it changed."""
        line, old = self._seen.get(frame, (0, {}))
        new = self._values(frame)
        changed = ", ".join(f"{name} = {text}" for name, text in new.items() if old.get(name) != text)
        self._seen[frame] = (frame.f_lineno, new)
        if line:
            code = self._lines[line - 1].strip() if line <= len(self._lines) else ""
            self._note(f"{line}: {code}" + (f"  # {changed}" if changed else ""))

    def _values(self, frame: types.FrameType) -> dict[str, str]:
        module = frame.f_code.co_name == "<module>"
        kept = (types.ModuleType, types.FunctionType, type)
        return {
            name: self._text(value)
            for name, value in list(frame.f_locals.items())
            if not name.startswith("__") and not (module and isinstance(value, kept))
        }

    def _text(self, value: Any) -> str:
        try:
            return self._short.repr(value)
        except BaseException:
            return f"<{type(value).__name__}>"

    def _note(self, text: str, out: int = 0) -> None:
        text = "  " * min(self._depth - 1 + out, 5) + " ".join(text.split(" "))
        text = text.replace("\r", " ").replace("\n", " ")
        text = text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."
        self._count += 1
        self._total += 1
        if self._count <= FIRST:
            self._say(text)
        else:
            self._last.append(text)
        if self._total > MOST_STEPS:
            self.finish(f"stopped after {MOST_STEPS} steps")

    def _say(self, text: str) -> None:
        self._write(self._out, f"{self._marker} {text}\n".encode("utf-8", "replace"))

    def finish(self, ending: str) -> None:
        """Report the last steps and how it ended, and end the process."""
        self.watch(False)
        skipped = self._count - FIRST - len(self._last)
        if skipped > 0:
            self._say(f"... {skipped} steps left out ...")
        for text in self._last:
            self._say(text)
        self._say(ending[: WIDTH * 2].replace("\n", " "))
        self._exit(0)


def resolve(names: dict[str, Any], name: str) -> Any:
    """Find ``f``, ``Solution.method``, or the method ``f`` of a class ``Solution``."""
    first, *rest = name.split(".")
    if first not in names and hasattr(names.get("Solution"), first):
        return getattr(names["Solution"](), first)
    value = names[first]
    for attribute in rest:
        value = getattr(value() if isinstance(value, type) else value, attribute)
    return value


def main(kind: str, prelude: str, source: str, entry_point: str | None, work: str, marker: str) -> None:
    """Run the program and what a check does with it, and report the latest run.

    ``kind`` is "stdio" (``work`` says nothing), "call" (``work`` holds the arguments: ``((1, 2), {"of": 3})``) or
    "assert" (``work`` is the check's code).
    """
    tracer = Tracer(source, marker)
    module = types.ModuleType("__main__" if kind == "stdio" else "program")
    sys.modules[module.__name__] = module
    names = module.__dict__
    ending = "the run ended without an exception"
    try:
        exec(compile(prelude, "<prelude>", "exec", 0, True), names)
        code = compile(source.removeprefix("\ufeff"), FILE, "exec", 0, True)
        tracer.watch(True)
        exec(code, names)
        if kind == "call":
            args, kwargs = eval(work, {"nan": float("nan"), "inf": float("inf")})
            resolve(names, entry_point or "")(*args, **kwargs)
        elif kind == "assert":
            given = dict(names)
            if entry_point is not None and entry_point not in given:
                given[entry_point] = resolve(names, entry_point)
            exec(compile(work, "<check>", "exec", 0, True), given)
    except BaseException as error:
        tracer.watch(False)
        ending = describe(error)
    tracer.finish(ending)


def describe(error: BaseException) -> str:
    """Return an exception's type and message; of a check's own assert, that it did not hold."""
    if isinstance(error, AssertionError) and not _passed_program(error):
        return "and the check does not hold"
    try:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    except BaseException:
        return type(error).__name__


def _passed_program(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
        trace = trace.tb_next
    return trace is not None
