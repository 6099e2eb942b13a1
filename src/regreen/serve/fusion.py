"""SandboxFusion's ``run_code``: run a program over standard input, return its status and what it wrote.

Source: the interface of https://github.com/bytedance/SandboxFusion (``POST /run_code``).

Differences from SandboxFusion:

- Only ``language`` "python"; no ``files``, ``fetch_files`` or ``args``. What is not there is refused with 422.
- ``run_timeout`` is CPU seconds, wall time being four times that. It and ``memory_limit_MB`` may only lower the
  server's limits: what is above them is lowered to them, since clients send 10 s by default.
- There is no ``compile_result``: as with Python there, a syntax error is a run that exits with 1.
- A program that writes more than the output limit "Failed" with return code -25, the signal (SIGXFSZ) of a process that
  writes too large a file.
- A full queue is 503 with ``Retry-After``, where SandboxFusion goes on taking in.
"""

from __future__ import annotations

import signal
from typing import Any

from regreen.sandbox import Limits
from regreen.sandbox.lane import Execution
from regreen.serve.bodies import Refused

_KINDS: dict[str, tuple[type, ...]] = {
    "code": (str,),
    "language": (str,),
    "stdin": (str, type(None)),
    "run_timeout": (int, float),
    "compile_timeout": (int, float),
    "memory_limit_MB": (int,),
    "files": (dict,),
    "fetch_files": (list,),
    "args": (list,),
}
_EMPTY = ("files", "fetch_files", "args")


def read_order(given: Any, most: Limits) -> tuple[str, str, Limits]:
    """Return the code, its standard input and the limits that a request asks for; raises Refused."""
    if not isinstance(given, dict) or not {"code", "language"} <= set(given):
        raise Refused(422, "expected an object with 'code' and 'language'")
    for name, value in given.items():
        if name not in _KINDS:
            raise Refused(422, f"unknown field {name!r}; there are {', '.join(_KINDS)}")
        if type(value) not in _KINDS[name]:
            raise Refused(422, f"field {name!r} must be {' or '.join(kind.__name__ for kind in _KINDS[name])}")
        if name in _EMPTY and value:
            raise Refused(422, f"field {name!r}: not done here; leave it empty")
    if given["language"] != "python":
        raise Refused(422, f"language {given['language'][:40]!r}: only 'python' is run here")
    return given["code"], given.get("stdin") or "", _limits(given, most)


def _limits(given: dict[str, Any], most: Limits) -> Limits:
    """Lower the server's limits to those asked for."""
    timeout, megabytes = given.get("run_timeout", most.timeout), given.get("memory_limit_MB", -1)
    if not timeout > 0 or megabytes == 0 or megabytes < -1:
        raise Refused(422, "'run_timeout' must be above 0, and 'memory_limit_MB' too, or -1 for the server's own")
    memory = most.memory if megabytes == -1 else min(most.memory, megabytes << 20)
    return most._replace(timeout=min(most.timeout, timeout), memory=memory)


def answer(done: Execution) -> dict[str, Any]:
    """Return what came of a run in SandboxFusion's form."""
    status = -int(signal.SIGXFSZ) if done.outcome == "output_limit" else done.status
    return {
        "status": "Success" if status == 0 else "Failed",
        "message": "",
        "compile_result": None,
        "run_result": {
            "status": "TimeLimitExceeded" if done.outcome == "timeout" else "Finished",
            "execution_time": round(done.wall, 6),
            "return_code": status,
            "stdout": done.stdout,
            "stderr": done.stderr,
        },
        "executor_pod_name": None,
        "files": {},
    }


def broken(why: str) -> dict[str, Any]:
    """Return in SandboxFusion's form that the sandbox failed, not the program."""
    return {"status": "SandboxError", "message": why, "compile_result": None, "run_result": None, "files": {}}
