"""What runs in every Python process of a traced command: it writes down what goes into functions and what comes out.

It is copied out of the package and loaded as the interpreter starts, before anything of the project. Standard library
alone, no more of it than needed, and nothing imported from here. It reads plain data of exact types only, so that none
of the project's code runs because of it, and it stops looking at a function that was called often enough.

A line is written for each call that was looked at, and for each function whose calls are not::

    (file, module, qualified name, first line, "((args..), {kwargs})", "result")
    (file, module, qualified name, first line, reason)

and one, ``("python", version)``, for each process.

A profile function sees a frame that an exception unwinds return None. Which of the two it is, the frame's last
instruction tells: a return, or one that raised. ``sys.monitoring`` (from Python 3.12 on) has two events for the two,
and one for a call alone, so that a function nobody wants is asked about once.
"""

from __future__ import annotations

import os
import sys
import threading
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARIABLE = "REGREEN_TRACE"
FILE = "calls.txt"
NAME = "_regreen_recorder"  # of this file's copy
START = f"import {NAME}\n{NAME}.begin()\n"

METHOD, NESTED, LAMBDA, GENERATOR, COROUTINE = "a method", "nested in a function", "a lambda", "a generator", "async"
RAISED = "raised an exception"
CHANGED = "changes its arguments"
NOT_PLAIN, NOT_PLAIN_RESULT = "an argument is not plain data", "its result is not plain data"
TOO_LARGE = "its data are too large"
OTHER_RESULT = "other results for the same arguments"

_LOOKED_AT = 300  # calls of a function in one process
_MOST_NODES = 2_000  # of one value
_MOST_TEXT = 20_000  # characters of one value
_ATOMS = frozenset((bool, int, float, complex, type(None)))
_TEXTS = frozenset((str, bytes))
_LISTS = frozenset((list, tuple, set, frozenset))
_OPTIMISED, _VARARGS, _VARKEYWORDS = 0x1, 0x4, 0x8  # flags of code; without the first it is a module's or a class's
_GENERATORS, _COROUTINES = 0x20, 0x80 | 0x100 | 0x200
_RETURN_VALUE = 83  # of Python 3.11, the only one that is profiled
_NOT_PROJECT = frozenset(("site-packages", "dist-packages", "node_modules", "build", "docs"))

# Taken now: a test that replaces them changes nothing here.
_open, _write, _close = os.open, os.write, os.close


class Unusable(Exception):
    """A value cannot be written down; the message is the reason."""


class Watched:
    """A function whose calls are looked at."""

    __slots__ = ("_calls", "_head", "_most", "_ordinary", "code", "looked_at")

    def __init__(self, head: tuple[str, str, str, int], code: CodeType, most: int) -> None:
        self.code = code  # kept, so that its id stays its own
        self.looked_at = 0
        self._head = head
        self._most = most
        self._calls: dict[str, str] = {}
        self._ordinary = True

    @property
    def enough(self) -> bool:
        """True if no further call need be looked at."""
        return self.looked_at >= _LOOKED_AT or len(self._calls) >= self._most

    def note(self, *said: str) -> None:
        """Write a line on it."""
        _append(repr((*self._head, *said)))

    def add(self, call: str, result: str) -> None:
        """Note a call, unless it is known."""
        if call not in self._calls:
            self._calls[call] = result
            self.note(call, result)
        elif self._calls[call] != result and self._ordinary:
            self._ordinary = False
            self.note(OTHER_RESULT)


class Recorder:
    """Decides whose calls are looked at, and follows each of them from its beginning to its end.

    ``files`` says which files are of the project, ``known`` has what code it knows, by id; None is not watched.
    ``wanted`` says of a file and its module's name whether it is of the project. ``most`` calls are kept of a function.
    """

    def __init__(self, wanted: Callable[[str, str], bool], most: int) -> None:
        self.files: dict[str, bool] = {}
        self.known: dict[int, Watched | None] = {}
        self.calls: dict[int, tuple[Watched, Any, str]] = {}  # begun, by the frame's id; arguments, their text
        self._kept: list[CodeType] = []  # so that ids stay their own
        self._wanted = wanted
        self._most = most

    def meet(self, code: CodeType, frame: FrameType) -> Watched | None:
        """Return what is to be watched of code that is called for the first time, or None."""
        file, module = code.co_filename, str(frame.f_globals.get("__name__"))
        if file not in self.files:
            self.files[file] = self._wanted(_source_file(file, frame), module)
        if not self.files[file]:
            return None
        watched = Watched((_source_file(file, frame), module, code.co_qualname, code.co_firstlineno), code, self._most)
        reason = _why_not(code)
        if reason:
            watched.note(reason)
        self.known[id(code)] = None if reason is not None else watched
        self._kept.append(code)
        return self.known[id(code)]

    def begin(self, watched: Watched, frame: FrameType) -> None:
        """Take down a call's arguments."""
        watched.looked_at += 1
        given = _given(frame, watched.code)
        try:
            self.calls[id(frame)] = watched, given, text_of(given, NOT_PLAIN)
        except Unusable as why:
            watched.note(str(why))

    def end(self, frame: FrameType, value: Any, *, raised: bool) -> None:
        """Note a call that began earlier, with its result."""
        watched, given, before = self.calls.pop(id(frame), (None, None, ""))
        if watched is not None and watched.code is frame.f_code:
            try:
                watched.add(before, self._result(given, before, value, raised))
            except Unusable as why:
                watched.note(str(why))

    def _result(self, given: Any, before: str, value: Any, raised: bool) -> str:
        if raised:
            raise Unusable(RAISED)
        if text_of(given, CHANGED) != before:
            raise Unusable(CHANGED)
        return text_of(value, NOT_PLAIN_RESULT)


def text_of(value: Any, otherwise: str) -> str:
    """Return plain data as a literal; raises :class:`Unusable`, with this reason where it is not plain."""
    _require_plain(value, otherwise)
    try:
        return repr(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python prints, lists in lists in lists
        raise Unusable(TOO_LARGE) from None


def _require_plain(value: Any, otherwise: str) -> None:
    left, nodes, size = [value], 0, 0
    while left:
        item = left.pop()
        kind = type(item)
        if kind in _TEXTS:
            size += len(item)
        elif kind in _LISTS:
            nodes += len(item)
            left.extend(item if nodes <= _MOST_NODES else ())
        elif kind is dict:
            nodes += 2 * len(item)
            left.extend([*item, *item.values()] if nodes <= _MOST_NODES else ())
        elif kind not in _ATOMS:
            raise Unusable(otherwise)
        if nodes > _MOST_NODES or size > _MOST_TEXT:
            raise Unusable(TOO_LARGE)


def _given(frame: FrameType, code: CodeType) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return positional and named arguments that make the same call again; those left to their defaults stay so."""
    values, defaults = frame.f_locals, _defaults(frame, code)
    names = code.co_varnames
    count, only = code.co_argcount, code.co_kwonlyargcount
    at = count + only
    more = values[names[at]] if code.co_flags & _VARARGS else ()
    named = values[names[at + bool(code.co_flags & _VARARGS)]] if code.co_flags & _VARKEYWORDS else {}
    left_out = {name for name in names[:at] if name in defaults and values[name] is defaults[name]}
    first = count if more else next((i for i, name in enumerate(names[:count]) if name in left_out), count)
    if any(name not in left_out for name in names[first : code.co_posonlyargcount]):
        first = code.co_posonlyargcount
    later = {name: values[name] for name in names[first:at] if name not in left_out}
    return (*(values[name] for name in names[:first]), *more), {**later, **named}


def _defaults(frame: FrameType, code: CodeType) -> dict[str, Any]:
    """Return the values of parameters that have one, if the function is found under its name."""
    function: Any = frame.f_globals.get(code.co_name)
    while type(function) is not FunctionType or function.__code__ is not code:
        if type(function) is not FunctionType and type(function).__name__ != "_lru_cache_wrapper":
            return {}
        function = function.__dict__.get("__wrapped__")
    values = function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(values) : code.co_argcount]
    return {**dict(zip(names, values, strict=True)), **(function.__kwdefaults__ or {})}


def _why_not(code: CodeType) -> str | None:
    """Return why a function's calls are not looked at; nothing, "", for code that is no function."""
    name, flags = code.co_name, code.co_flags
    if not flags & _OPTIMISED or (name.startswith("<") and name != "<lambda>"):
        return ""
    if flags & _COROUTINES:
        return COROUTINE
    if flags & _GENERATORS:
        return GENERATOR
    if "<locals>" in code.co_qualname:
        return NESTED
    if name == "<lambda>":
        return LAMBDA
    return METHOD if "." in code.co_qualname else None


def _source_file(file: str, frame: FrameType) -> str:
    if file.startswith("<frozen"):
        file = str(frame.f_globals.get("__file__") or file)
    return file if file.startswith("<") else os.path.abspath(file)


def _append(line: str) -> None:
    """Add a line to the file that all processes share; opened each time, since a test may close what it finds open."""
    try:
        descriptor = _open(_file, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
    except OSError:  # out of reach, as under another root: this line is lost
        return
    try:
        _write(descriptor, line.encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        pass
    finally:
        _close(descriptor)


_file = ""


def _profile(recorder: Recorder) -> None:
    """Look at calls through a profile function, in this thread and in those that it starts."""
    files, known, calls = recorder.files, recorder.known, recorder.calls

    def profile(frame: FrameType, event: str, value: Any) -> None:
        if event == "call":
            code = frame.f_code
            if files.get(code.co_filename) is False:
                return
            watched = known[id(code)] if id(code) in known else recorder.meet(code, frame)
            if watched is not None and not watched.enough:
                recorder.begin(watched, frame)
        elif event == "return" and calls and id(frame) in calls:  # most often nothing has begun
            recorder.end(frame, value, raised=value is None and not _returns(frame))

    threading.setprofile(profile)
    sys.setprofile(profile)


def _returns(frame: FrameType) -> bool:
    return frame.f_code.co_code[frame.f_lasti] == _RETURN_VALUE


def _monitor(recorder: Recorder) -> None:
    """Look at calls through sys.monitoring, in all threads; a function that is not watched is asked about once."""
    watch: Any = sys.monitoring  # type: ignore[attr-defined]
    tool = next(number for number in (4, 3, 2, 1, 0) if watch.get_tool(number) is None)
    files, known = recorder.files, recorder.known

    def started(code: CodeType, offset: int) -> Any:
        if files.get(code.co_filename) is False:
            return watch.DISABLE
        frame = sys._getframe(1)
        watched = known[id(code)] if id(code) in known else recorder.meet(code, frame)
        if watched is None or watched.enough:
            return watch.DISABLE
        watch.set_local_events(tool, code, watch.events.PY_RETURN)
        return recorder.begin(watched, frame)

    def returned(code: CodeType, offset: int, value: Any) -> None:
        recorder.end(sys._getframe(1), value, raised=False)

    def unwound(code: CodeType, offset: int, error: BaseException) -> None:
        if id(code) in known:
            recorder.end(sys._getframe(1), None, raised=True)

    watch.use_tool_id(tool, "regreen")
    for event, callback in (("PY_START", started), ("PY_RETURN", returned), ("PY_UNWIND", unwound)):
        watch.register_callback(tool, getattr(watch.events, event), callback)
    watch.set_events(tool, watch.events.PY_START | watch.events.PY_UNWIND)


def _chooser(root: str, packages: Sequence[str]) -> Callable[[str, str], bool]:
    """Return what says whether a file belongs to the packages or, where none are named, lies below the root."""

    def of_package(file: str, module: str) -> bool:
        mine = any(module == name or module.startswith(f"{name}.") for name in packages)
        return mine and not any(map(_is_test, module.split(".")))

    def below_root(file: str, module: str) -> bool:
        if not file.startswith(root + os.sep):
            return False
        *folders, name = file[len(root) + 1 :].split(os.sep)
        strange = any(part.startswith(".") or part in _NOT_PROJECT for part in folders)
        return not strange and not any(map(_is_test, [*folders, name.removesuffix(".py")]))

    return of_package if packages else below_root


def _is_test(name: str) -> bool:
    return name.startswith("test_") or name.endswith("_test") or name in ("test", "tests", "conftest")


def begin() -> None:
    """Start, as the variable in the environment says; then load what else was to be loaded as Python starts."""
    global _file
    folder, root, packages, most = os.environ[VARIABLE].split("\n")
    _file = os.path.join(folder, FILE)
    _hand_on(folder)
    _append(repr(("python", sys.version.split()[0])))
    if sys.version_info < (3, 11):  # noqa: UP036 the project may have an older one than we do
        return None
    recorder = Recorder(_chooser(root, packages.split()), int(most))
    _monitor(recorder) if sys.version_info >= (3, 12) else _profile(recorder)
    return None


def _hand_on(folder: str) -> None:
    """Import the sitecustomize that this one hides, and leave no trace in the import path."""
    own = sys.modules.pop("sitecustomize", None)
    sys.path[:] = [place for place in sys.path if place != folder]
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        if own is not None:
            sys.modules.setdefault("sitecustomize", own)
