"""The text of the program that a SandboxFusion runs: our guest with all that it needs, and its job.

It leaves what the program printed on standard output, and results, a line of base64 for each, on standard error; the
program's own standard error goes nowhere.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
import zlib
from pathlib import Path

_PACKAGES = ("regreen", "regreen.sandbox", "regreen.sandbox.checks")
_MODULES = (  # what the guest imports, before it
    "regreen.sandbox.plain",
    "regreen.sandbox.wire",
    "regreen.sandbox.checks.text",
    "regreen.sandbox.checks.compare",
    "regreen.sandbox.checks.recorder",
    "regreen.sandbox.guest",
)
_PROGRAM = """\
import base64, json, os, sys, types, zlib

def unpack(text):
    return zlib.decompress(base64.b64decode(text))

for name, source in json.loads(unpack({modules!r})).items():
    module = sys.modules[name] = types.ModuleType(name)
    if source is None:
        module.__path__ = []
    exec(compile(source or "", f"<{{name}}>", "exec"), module.__dict__)
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)

def hand_over(guest, write=os.write, encode=base64.b64encode):
    guest._write = lambda results, data: write(results, encode(data) + b"\\n")
    os.dup2(2, guest.RESULTS)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    guest.random.seed(0)
    guest.run(unpack({job!r}))

hand_over(sys.modules["regreen.sandbox.guest"])
"""


def program(job: bytes) -> str:
    """Return the text to run for a job, as :func:`regreen.sandbox.guest.run` takes it."""
    return _PROGRAM.format(modules=_modules(), job=_packed(job))


def results(errors: str) -> bytes:
    """Return what the guest wrote as results, out of the standard error of such a run."""
    found = []
    for line in errors.splitlines():
        try:
            found.append(base64.b64decode(line, validate=True))
        except ValueError:
            continue
    return b"".join(found)


@functools.cache
def _modules() -> str:
    sources: dict[str, str | None] = dict.fromkeys(_PACKAGES)
    for name in _MODULES:
        spec = importlib.util.find_spec(name)
        sources[name] = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else None
    return _packed(json.dumps(sources).encode())


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()
