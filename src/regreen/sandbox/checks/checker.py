"""What runs in the checks' process, where checks are code: the checks against proxies of the program.

The program's functions are proxies here: a call sends its arguments over a socket and brings back plain data, an
exception of the same built-in type, and what became of arguments changed in place. What is not plain data stays with
the program, and a :class:`Remote` stands for it: it can be called, read, iterated and passed back, but it never equals
anything else, so that a lying ``__eq__`` is never asked.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import marshal
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from regreen.sandbox import wire
from regreen.sandbox.checks.recorder import Recorder, call, explain, summary
from regreen.sandbox.plain import CannotCross, Decoder, Encoder


class ProgramGone(BaseException):
    """The program's process ended while a check still asked; no check may catch this."""


class ProgramError(Exception):
    """An exception of the program's own type, for which no built-in type stands."""


class Connection:
    """Requests to the program's process, one at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._functions: list[Any] = []  # of the checks', which the program was given
        self._remotes: dict[int, Remote] = {}
        self.gone = False

    def hear(self) -> Any:
        """Return the program's next message, read with suspicion."""
        data = wire.read_frame(self._descriptor)
        if data is None:
            raise ProgramGone
        try:
            message = wire.read(data)
            kind, body, rest = message
        except (ValueError, TypeError) as error:
            raise ProgramGone from error
        return kind, body, rest

    def ask(self, verb: str, *parts: Any) -> Any:
        """Send a request and return its result; raises what the program raised."""
        try:
            return self._ask(verb, *parts)
        except ProgramGone:
            self.gone = True  # a check may say "except:" and mean nothing by it
            raise

    def _ask(self, verb: str, *parts: Any) -> Any:
        encoder = Encoder(self._describe)
        self._send([verb, *(encoder.pack(part) for part in parts)])
        kind, body, contents = self.hear()
        while kind == "callback":
            self._send(self._call_back(*body))
            kind, body, contents = self.hear()
        # In the order of packing: what is new in the result may be referred to by the arguments' new contents.
        decoder = Decoder(self._remote, encoder.kept)
        value = decoder.unpack(body) if kind == "packed" else None
        for number, content in enumerate(contents):
            decoder.refill(number, content)
        if kind == "packed":
            return value
        raise rebuild(body) if kind == "error" else CannotCross(str(body)[:200])

    def _send(self, message: list[Any]) -> None:
        data = marshal.dumps(message)
        try:
            wire.write_all(self._descriptor, wire.FRAME.pack(len(data)) + data)
        except OSError as error:
            raise ProgramGone from error

    def _call_back(self, number: int, args: Any, kwargs: Any) -> list[Any]:
        """Call a check's function for the program; the answer, or what it raised, is plain data again."""
        decoder = Decoder(self._remote)
        function = self._functions[-1 - number]
        try:
            result = function(*decoder.unpack(args), **dict(decoder.unpack(kwargs)))
            return ["answer", Encoder(self._describe).pack(result)]
        except Exception as error:
            return ["raise", type(error).__name__, str(error)]

    def _describe(self, value: Any) -> list[Any]:
        """What crosses for a value that is no plain data: a number of the program's, or a negative one of ours."""
        if isinstance(value, Remote):
            return [_number(value), ""]
        if callable(value):
            self._functions.append(value)
            return [-len(self._functions), ""]
        raise CannotCross(f"a check passes a {type(value).__name__}, which is no plain data, to the program")

    def _remote(self, described: list[Any]) -> Remote:
        number, kind = described
        return self._remotes.setdefault(number, Remote(self, number, kind))


def rebuild(body: Any) -> BaseException:
    """Return an exception of the built-in type that the program's exception is or derives from."""
    try:
        described = {name: body[name] for name in ("type", "bases", "message", "line")}
        kinds = [getattr(builtins, name, None) for name in described["bases"]]
        arguments = [described["message"]] if body["args"] is None else Decoder().unpack(body["args"])
    except (TypeError, KeyError, ValueError) as error:
        raise ProgramGone from error
    raised: BaseException = ProgramError(described["message"])
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseException):
            with contextlib.suppress(Exception):  # UnicodeDecodeError and its like take more than a message
                raised = kind(*arguments)
                break
    raised.from_program = described  # type: ignore[attr-defined]
    return raised


class Remote:
    """Stands for an object that stays in the program's process; equal to nothing but itself."""

    __slots__ = ("_connection", "_kind", "_number")

    def __init__(self, connection: Connection, number: int, kind: str) -> None:
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_kind')} object>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and _number(self) == _number(other)

    def __hash__(self) -> int:
        return hash(_number(self))

    def __bool__(self) -> bool:
        truth: bool = _exactly(bool, _ask(self, "truth"))
        return truth

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _ask(self, "call", args, tuple(kwargs.items()))

    def __getattr__(self, name: str) -> Any:
        return _ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "put", key, value)

    def __len__(self) -> int:
        size: int = _exactly(int, _ask(self, "size"))
        return size

    def __iter__(self) -> Any:
        return _ask(self, "iter")

    def __next__(self) -> Any:
        return _ask(self, "next")

    def __str__(self) -> str:
        text: str = _exactly(str, _ask(self, "text"))
        return text


def _number(remote: Remote) -> int:
    number: int = object.__getattribute__(remote, "_number")
    return number


def _ask(remote: Remote, verb: str, *parts: Any) -> Any:
    return object.__getattribute__(remote, "_connection").ask(verb, remote, *parts)


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


class Names(dict[str, Any]):
    """The checks' global names: their own first, then what the program defines, as proxies."""

    def __init__(self, connection: Connection, entry_point: str | None) -> None:
        super().__init__(__name__="check")
        self._connection = connection
        self._entry_point = entry_point

    def __missing__(self, name: str) -> Any:
        # Python's own names are the checks' own, whatever the program calls so; the entry point alone is excepted.
        if hasattr(builtins, name) and name != self._entry_point:
            return getattr(builtins, name)
        kind, value = self._connection.ask("find", name, self._entry_point)
        if kind == "module":
            # The program only says which; the real module is taken, never the program's.
            value = importlib.import_module(value) if value in sys.stdlib_module_names else None
        return value


def run_checks(descriptor: int, prelude: CodeType | None, checks: list[Any], entry_point: str | None) -> Iterator[Any]:
    """Run every check against the program behind ``descriptor``; yield one result each, or stop when it is gone.

    A check is rewritten code, or the dictionary of a call check.
    """
    connection = Connection(descriptor)
    try:
        opening = connection.hear()
    except ProgramGone:
        return
    yield opening
    if opening != ("load", None, False):
        return
    for check in checks:
        names = Names(connection, entry_point)
        try:
            if prelude is not None:
                exec(prelude, names)
            if entry_point is not None:
                names.pop(entry_point, None)  # the prelude's stub must not hide the program's function
            answer = _run_check(check, names, entry_point)
        except ProgramGone:
            return
        if connection.gone:
            return
        yield answer


def _run_check(check: Any, names: Names, entry_point: str | None) -> dict[str, Any]:
    recorder = Recorder()
    names["__regreen__"] = recorder
    try:
        if isinstance(check, CodeType):
            exec(check, names)
        else:
            call(check, names, entry_point, recorder)
        outcome: dict[str, Any] = {"outcome": "passed"}
    except ProgramGone:
        raise
    except BaseException as error:
        outcome = explain(error)
    return {**outcome, **summary(recorder, outcome["outcome"] == "wrong_answer")}
