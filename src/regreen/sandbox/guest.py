"""What runs in the candidate's process: load the program, make the calls, send back plain values.

Nothing here is trusted once foreign code runs beside it. It holds arguments, never expected values, and all it can do
is to say what the program returned; a program that tampers with it only changes its own answers.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from regreen.sandbox.plain import CannotCross, Decoder, Encoder

PROGRAM_FILE = "<program>"
RESULTS = 3  # the descriptor on which results leave
RESULTS_CAP = 8 << 20
_MESSAGE_CAP = 2000
_FRAME = struct.Struct("=I")

# Taken now, so that a program which patches a module changes nothing here by accident.
_write, _exit, _cpu, _clock, _dumps = os.write, os._exit, time.thread_time, time.perf_counter, json.dumps


def run(job: bytes) -> None:
    """Do what ``job`` says and end the process; the job is two lines of JSON, the program and the work."""
    program_line, _, work_line = job.partition(b"\n")
    program = json.loads(program_line)
    random.seed(0)  # a program's luck is the same every time
    modes[program["mode"]](program, work_line)
    _flush()
    _exit(0)


def load(prelude: str, source: str, name: str) -> dict[str, Any]:
    """Run ``prelude`` and ``source`` in a new module and return its namespace."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    if prelude:
        exec(compile(prelude, "<prelude>", "exec", dont_inherit=True), module.__dict__)
    exec(compile(source, PROGRAM_FILE, "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


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


def _send(frame: dict[str, Any]) -> None:
    text = _dumps(frame).encode()
    _write(RESULTS, _FRAME.pack(len(text)) + text)


def _load_or_say(program: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Load the program and say how that went."""
    try:
        namespace = load(program["prelude"], program["source"], name)
    except BaseException as error:
        compiling = error.__traceback__ is not None and not _passed_program(error)
        _send({"load": describe(error), "compile": compiling})
        return None
    _send({"load": None})
    return namespace


def _passed_program(error: BaseException) -> bool:
    """True if the program was running when the exception came, False if it did not compile."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in (PROGRAM_FILE, "<prelude>"):
            return True
        trace = trace.tb_next
    return False


def _make_calls(program: dict[str, Any], work: bytes) -> None:
    """Make all calls of a plan, each on arguments of its own, and write each result as it comes."""
    namespace = _load_or_say(program, "program")
    if namespace is None:
        return
    sent = 0
    for name, args, kwargs in json.loads(work):
        cpu, wall = _cpu(), _clock()
        try:
            decoder = Decoder()
            positional, named = decoder.unpack(args), decoder.unpack(kwargs)
            frame = {"value": Encoder(_name_only).pack(_resolve(namespace, name)(*positional, **named))}
            text = _dumps(frame)
        except CannotCross as error:
            text = _dumps({"huge": str(error)})
        except BaseException as error:
            text = _dumps({"error": describe(error)})
        data = text.encode()
        sent += len(data)
        if sent > RESULTS_CAP:
            data = b'{"huge": "the results are too large"}'
        clocks = struct.pack("=dd", _cpu() - cpu, _clock() - wall)
        _write(RESULTS, _FRAME.pack(len(data)) + data + clocks)


def _resolve(namespace: dict[str, Any], name: str) -> Any:
    """Find ``f`` or ``Solution.method``: a method is taken from a new object of the class."""
    first, *rest = name.split(".")
    if first not in namespace:
        raise NameError(f"name {first!r} is not defined")
    value = namespace[first]
    for attribute in rest:
        value = getattr(value() if isinstance(value, type) else value, attribute)
    return value


def _name_only(value: Any) -> list[Any]:
    return [0, type(value).__name__]


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

    def answer(self, request: list[Any]) -> dict[str, Any]:
        verb, *body = request
        decoder = Decoder(lambda described: self._objects[described[0]])
        body = [decoder.unpack(part) for part in body]
        try:
            value = getattr(self, "do_" + verb)(*body)
            return self._reply(value, decoder.made)
        except CannotCross as error:
            return {"huge": str(error)}
        except BaseException as error:
            return {"error": describe(error), "refill": self._contents(decoder.made)}

    def _reply(self, value: Any, known: list[Any]) -> dict[str, Any]:
        encoder = Encoder(self.opaque, known)
        packed = encoder.pack(value)
        return {"value": packed, "refill": [encoder.pack_contents(c) for c in known]}

    def _contents(self, known: list[Any]) -> list[Any]:
        encoder = Encoder(self.opaque, known)
        try:
            return [encoder.pack_contents(container) for container in known]
        except CannotCross:
            return []

    def do_find(self, name: str) -> Any:
        """What the program defines under ``name``: a module only by its name, so that checks use the real one."""
        if name not in self._namespace:
            return None
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

    def do_list(self, target: Any) -> list[Any]:
        return list(target)

    def do_text(self, target: Any) -> str:
        return str(target)


def _serve(program: dict[str, Any], _: bytes) -> None:
    """Answer requests on the results descriptor, a socket here, until the other end closes."""
    namespace = _load_or_say(program, "program")
    if namespace is None:
        return
    server = _Server(namespace)
    while True:
        request = read_frame(RESULTS)
        if request is None:
            return
        _send(server.answer(request))


def read_frame(descriptor: int) -> Any:
    """Read one frame, or None at the end."""
    header = _read_exactly(descriptor, _FRAME.size)
    if header is None:
        return None
    text = _read_exactly(descriptor, _FRAME.unpack(header)[0])
    return None if text is None else json.loads(text)


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    data = os.read(descriptor, count)
    while data and len(data) < count:
        more = os.read(descriptor, count - len(data))
        if not more:
            return None
        data += more
    return data or None


def _run_stdio(program: dict[str, Any], _: bytes) -> None:
    """Run the program as ``__main__`` with real standard streams, and end as Python would."""
    error: BaseException | None = None
    try:
        load(program["prelude"], program["source"], "__main__")
    except BaseException as raised:
        error = raised
    problem = _finish_streams()
    if isinstance(error, SystemExit):
        _exit(_exit_status(error))
    error = error or problem
    if error is not None:
        _send({"load": describe(error), "compile": not _passed_program(error)})
        _exit(1)


def _finish_streams() -> BaseException | None:
    """What Python does at its end: wait for threads, run exit functions, flush."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()  # type: ignore[attr-defined]
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()  # type: ignore[attr-defined]
        sys.stdout.flush()
    except BaseException as error:
        return error
    return None


def _share(program: dict[str, Any], work: bytes) -> None:
    """Run the checks' own code here, beside the program: only for problems that ask for it."""
    from regreen.sandbox import checker

    namespace = _load_or_say(program, "program")
    if namespace is None:
        return
    entry_point, checks = json.loads(work)
    for check in checks:
        recorder = checker.Recorder()
        names = {**namespace, "__regreen__": recorder}
        try:
            if isinstance(check, str):
                checker.execute(check, names)
            else:
                checker.call(check, names, entry_point, recorder)
            outcome: dict[str, Any] = {"outcome": "passed"}
        except BaseException as error:
            outcome = _explain_shared(error)
        _send({**outcome, **checker.summary(recorder, outcome["outcome"] == "wrong_answer")})


def _explain_shared(error: BaseException) -> dict[str, Any]:
    from regreen.sandbox import checker

    if _line_of(error) is None:
        return checker.explain(error)
    described = describe(error)
    return {"outcome": checker.outcome_of(described), "error": described}


def _flush() -> None:
    """Let out what the program printed; it is shown with a failure, and decides nothing."""
    try:
        sys.stdout.flush()
    except BaseException:
        return


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code & 255 if isinstance(error.code, int) else 1


modes: dict[str, Callable[[Any, Any], None]] = {
    "calls": _make_calls,
    "serve": _serve,
    "shared": _share,
    "stdio": _run_stdio,
}
