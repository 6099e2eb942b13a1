"""What runs in the candidate's process: load the program, make the calls, send back plain values.

Nothing here is trusted once foreign code runs beside it. It holds arguments, never expected values, and all it can do
is to say what the program returned; a program that tampers with it only changes its own answers.
"""

from __future__ import annotations

import builtins
import functools
import gc
import marshal
import os
import random
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from regreen.sandbox import wire
from regreen.sandbox.checks import recorder
from regreen.sandbox.plain import CannotCross, Decoder, Encoder

PROGRAM_FILE = "<program>"
RESULTS = 3  # the descriptor on which results leave
RESULTS_CAP = 8 << 20
_MESSAGE_CAP = 2000

# Taken now, so that a program which patches a module changes nothing here by accident.
_write, _exit, _cpu, _clock = os.write, os._exit, time.thread_time, time.perf_counter
_dumps, _loads, _pack_length = marshal.dumps, marshal.loads, wire.FRAME.pack
_modules = sys.modules
_collect = gc.enable
_fresh = {name: types.ModuleType(name) for name in ("program", "__main__")}


def run(job: bytes) -> None:
    """Do what ``job`` says and end the process.

    The job is marshalled by the judge: the mode, the prelude's code or None, the program's source, and the work.
    """
    mode, prelude, source, work = _loads(job)
    _collect()  # the zygote does not, but programs that make cycles would run out of memory
    modes[mode](prelude, source, work)
    _flush()
    _exit(0)


def load(prelude: types.CodeType | None, source: str, name: str) -> dict[str, Any]:
    """Run ``prelude`` and ``source`` in the module ``name``, made beforehand, and return its namespace."""
    _modules[name] = _fresh[name]
    namespace = _fresh[name].__dict__
    if prelude is not None:
        exec(prelude, namespace)
    exec(compile(source.removeprefix("\ufeff"), PROGRAM_FILE, "exec", 0, True), namespace)
    return namespace


def describe(error: BaseException) -> dict[str, Any]:
    """Return the exception as plain data: type, the built-in types it derives from, message, the program's line."""
    kind = type(error)
    try:
        message = str(error)[:_MESSAGE_CAP]
    except BaseException:
        message = ""
    bases = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
    return {"type": kind.__name__, "bases": bases, "message": message, "line": _line_of(error)}


def _line_of(error: BaseException) -> int | None:
    """The innermost line of the program that the exception passed; for a syntax error, where the text is wrong."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == PROGRAM_FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == PROGRAM_FILE:
        line = error.lineno
    return line


def _send(message: Any) -> None:
    data = _dumps(message, wire.VERSION)
    _write(RESULTS, _pack_length(len(data)) + data)


def _load_or_say(prelude: types.CodeType | None, source: str) -> dict[str, Any] | None:
    """Load the program and say how that went."""
    try:
        namespace = load(prelude, source, "program")
    except BaseException as error:
        _send(("load", describe(error), not _passed_program(error)))
        return None
    _send(("load", None, False))
    return namespace


def _passed_program(error: BaseException) -> bool:
    """True if the program was running when the exception came, False if it did not compile."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in (PROGRAM_FILE, "<prelude>"):
            return True
        trace = trace.tb_next
    return False


def _make_calls(
    prelude: types.CodeType | None, source: str, calls: list[tuple[str, types.CodeType | bytes | None]]
) -> None:
    """Make all calls of a plan, each on arguments of its own, and write each result as it comes."""
    namespace = _load_or_say(prelude, source)
    if namespace is None:
        return
    functions: dict[str, Any] = {}
    sent = 0
    for name, arguments in calls:
        cpu, wall = _cpu(), _clock()
        try:
            if name not in functions or arguments is None:
                functions[name] = _resolve(namespace, name)
            value = functions[name]
            if arguments is not None:
                args, kwargs = _loads(arguments) if type(arguments) is bytes else eval(arguments, {})
                value = value(*args, **kwargs)
            clocks = (_cpu() - cpu, _clock() - wall)
            data = _pack(value, clocks)
        except BaseException as error:
            data = _dumps(("error", describe(error), (_cpu() - cpu, _clock() - wall)), wire.VERSION)
        sent += len(data)
        if sent > RESULTS_CAP:
            _send(("huge", "the results are too large", (0.0, 0.0)))
            return
        _write(RESULTS, _pack_length(len(data)) + data)


def _pack(value: Any, clocks: tuple[float, float]) -> bytes:
    """Marshal a result, exact plain types directly and all else packed; raises :class:`CannotCross`."""
    # marshal takes numpy's values for bytes, and bytearrays too, which equal the bytes they are taken for.
    if "numpy" not in _modules:
        try:
            return _dumps(("value", value, clocks), wire.VERSION)
        except ValueError:
            pass
    try:
        return _dumps(("packed", Encoder(_name_only).pack(value), clocks), wire.VERSION)
    except (CannotCross, ValueError) as error:
        return _dumps(("huge", str(error), clocks), wire.VERSION)


def _resolve(namespace: dict[str, Any], name: str) -> Any:
    """Find ``f``, or ``Solution.method``: a method is taken from a new object of the class.

    Where there is no function of that name but a class ``Solution``, as LeetCode has it, its method is meant.
    """
    first, *rest = name.split(".")
    if first not in namespace:
        if not rest and hasattr(namespace.get("Solution"), first):
            return getattr(namespace["Solution"](), first)
        raise NameError(f"name {first!r} is not defined")
    value = namespace[first]
    for attribute in rest:
        value = getattr(value() if isinstance(value, type) else value, attribute)
    return value


def _name_only(value: Any) -> list[Any]:
    return [0, type(value).__name__]


def _plain_arguments(error: BaseException) -> Any:
    """What an exception of a built-in type was made with, packed; None where that is no plain data."""
    try:
        return Encoder().pack(list(error.args)) if type(error).__module__ == "builtins" else None
    except CannotCross:
        return None


class _Server:
    """Answers the checks' requests about one program, keeping what is not plain data here under a number."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}

    def opaque(self, value: Any) -> list[Any]:
        number = self._numbers.setdefault(id(value), len(self._objects))
        if number == len(self._objects):
            self._objects.append(value)
        return [number, type(value).__name__]

    def _known(self, described: list[Any]) -> Any:
        """An object of the program's, or (a negative number) a function of the check's."""
        number = described[0]
        return self._objects[number] if number >= 0 else functools.partial(self._call_back, number)

    def _call_back(self, number: int, *args: Any, **kwargs: Any) -> Any:
        """Have the check's function called on its own side, and return or raise what it does."""
        encoder = Encoder(self.opaque)
        _send(("callback", [number, encoder.pack(args), encoder.pack(tuple(kwargs.items()))], []))
        while (request := wire.read_frame(RESULTS)) is not None:
            verb, *body = _loads(request)
            if verb == "answer":
                return Decoder(self._known).unpack(body[0])
            if verb == "raise":
                raise getattr(builtins, body[0], RuntimeError)(body[1])
            wire.write_all(RESULTS, wire.frame(self.answer([verb, *body])))  # the function asks in its turn
        _exit(0)

    def answer(self, request: list[Any]) -> Any:
        verb, *parts = request
        decoder = Decoder(self._known)
        parts = [decoder.unpack(part) for part in parts]
        try:
            value = getattr(self, "do_" + verb)(*parts)
            encoder = Encoder(self.opaque, decoder.made)
            return ("packed", encoder.pack(value), [encoder.pack_contents(c) for c in decoder.made])
        except CannotCross as error:
            return ("huge", str(error), [])
        except BaseException as error:
            return ("error", {**describe(error), "args": _plain_arguments(error)}, self._contents(decoder.made))

    def _contents(self, known: list[Any]) -> list[Any]:
        encoder = Encoder(self.opaque, known)
        try:
            return [encoder.pack_contents(container) for container in known]
        except CannotCross:
            return []

    def do_find(self, name: str, entry_point: str | None) -> Any:
        """What the program defines under ``name``: a module only by its name, so that checks use the real one."""
        if name == entry_point or name not in self._namespace:
            return ("value", _resolve(self._namespace, name))
        value = self._namespace[name]
        return ("module", value.__name__) if isinstance(value, types.ModuleType) else ("value", value)

    def do_call(self, target: Any, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> Any:
        return target(*args, **dict(kwargs))

    def do_get(self, target: Any, name: str) -> Any:
        return getattr(target, name)

    def do_set(self, target: Any, name: str, value: Any) -> None:
        setattr(target, name, value)

    def do_item(self, target: Any, key: Any) -> Any:
        return target[key]

    def do_put(self, target: Any, key: Any, value: Any) -> None:
        target[key] = value

    def do_size(self, target: Any) -> int:
        return len(target)

    def do_truth(self, target: Any) -> bool:
        return bool(target)

    def do_iter(self, target: Any) -> Any:
        return iter(target)

    def do_next(self, target: Any) -> Any:
        return next(target)

    def do_text(self, target: Any) -> str:
        return str(target)


def _serve(prelude: types.CodeType | None, source: str, _: None) -> None:
    """Answer requests on the results descriptor, a socket here, until the other end closes."""
    namespace = _load_or_say(prelude, source)
    if namespace is None:
        return
    server = _Server(namespace)
    while True:
        request = wire.read_frame(RESULTS)
        if request is None:
            return
        wire.write_all(RESULTS, wire.frame(server.answer(_loads(request))))


def _run_stdio(prelude: types.CodeType | None, source: str, traced: bool | None) -> None:
    """Run the program as ``__main__`` with real standard streams, and end as Python would.

    Only where it is ``traced`` does an exception leave its trace on standard error: nobody reads it otherwise.
    """
    builtins.open = _open_standard
    error: BaseException | None = None
    compiling = False
    try:
        load(prelude, source, "__main__")
    except BaseException as raised:
        error, compiling = raised, not _passed_program(raised)
        if traced:
            _print_trace(raised)
    last = _finish_streams()
    if traced:
        _flush("stderr")
    if isinstance(error, SystemExit):
        _exit(_exit_status(error))
    if error or last:
        _send(("load", describe(error or last or SystemExit()), compiling))
        _exit(1)


def _print_trace(error: BaseException) -> None:
    """Say how the program ended, as Python does: its own frames, or what it gave to ``sys.exit``."""
    if isinstance(error, SystemExit):
        if error.code is not None and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
        return
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != PROGRAM_FILE:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_open = open


def _open_standard(file: Any, *args: Any, **kwargs: Any) -> Any:
    """Open a file; the names of the standard streams mean the descriptors, since there is no /proc behind them."""
    return _open(_STANDARD.get(file, file) if type(file) is str else file, *args, **kwargs)


def _finish_streams() -> BaseException | None:
    """What Python does at its end: wait for threads, run exit functions, flush."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        if not sys.stdout.closed:
            sys.stdout.flush()
    except BaseException as error:
        return error
    return None


def _share(prelude: types.CodeType | None, source: str, work: tuple[str | None, list[Any]]) -> None:
    """Run the checks' own code here, beside the program: only for problems that ask for it."""
    namespace = _load_or_say(prelude, source)
    if namespace is None:
        return
    entry_point, checks = work
    for check in checks:
        note = recorder.Recorder()
        names = {**namespace, "__regreen__": note}
        try:
            if entry_point is not None:
                names[entry_point] = _resolve(namespace, entry_point)
            if isinstance(check, types.CodeType):
                exec(check, names)
            else:
                recorder.call(check, names, entry_point, note)
            outcome: dict[str, Any] = {"outcome": "passed"}
        except BaseException as error:
            outcome = _explain_shared(error)
        _send({**outcome, **recorder.summary(note, outcome["outcome"] == "wrong_answer")})


def _explain_shared(error: BaseException) -> dict[str, Any]:
    if _line_of(error) is None:
        return recorder.explain(error)
    described = describe(error)
    return {"outcome": recorder.outcome_of(described), "error": described}


def _flush(stream: str = "stdout") -> None:
    """Let out what the program printed; it is shown to people, and decides nothing."""
    try:
        getattr(sys, stream).flush()
    except BaseException:
        return


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code & 255 if isinstance(error.code, int) else 1


modes: dict[str, Callable[[Any, str, Any], None]] = {
    "calls": _make_calls,
    "serve": _serve,
    "shared": _share,
    "stdio": _run_stdio,
}


def warm_up() -> None:
    """Prepare in the zygote what every child would else do for itself, each at the price of some copied pages.

    The code here is run until it is specialised, and a program's luck is seeded: it is the same every time.
    """
    for _ in range(40):
        for source in ("def f(x):\n    return [x]\n", "def f(x):\n    return x / 0\n", "def f(x)\n"):
            _make_calls(None, source, [("f", _dumps(([1], {})))])
    _fresh["program"] = types.ModuleType("program")
    random.seed(0)
