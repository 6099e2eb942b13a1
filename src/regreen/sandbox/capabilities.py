"""What this machine can do to confine programs, point by point: tried, not guessed."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from typing import Any, NamedTuple


class Point(NamedTuple):
    """One means of confinement: whether it works here, and what was found."""

    name: str
    ok: bool
    detail: str
    tier: str


class Capabilities(NamedTuple):
    """The strongest tier of this machine, and every point that was tried."""

    tier: str
    points: tuple[Point, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data for a manifest."""
        return {"tier": self.tier, "points": {p.name: p.detail if p.ok else f"no: {p.detail}" for p in self.points}}


@functools.cache
def probe() -> Capabilities:
    """Try every point in a process of its own."""
    if sys.platform != "linux":
        return Capabilities("C", (Point("linux", False, f"this is {sys.platform}", "B"),))
    path = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.insert(0, {path!r}); from regreen.sandbox import capabilities; capabilities.main()"
    python = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run([python, "-s", "-S", "-P", "-c", code], capture_output=True, text=True, check=False, env={})
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Capabilities("C", (Point("probe", False, last, "B"),))
    points = tuple(Point(*row) for row in json.loads(done.stdout))
    return Capabilities(_tier(points), points)


def _tier(points: tuple[Point, ...]) -> str:
    for tier in ("A", "B"):
        if all(p.ok for p in points if tier in p.tier):
            return tier
    return "C"


def main() -> None:
    """Print the points as JSON: the child's half of :func:`probe`."""
    rows = [tuple(_try(*row)) for row in _TRIALS]
    print(json.dumps(rows))


def _try(name: str, tier: str, trial: Any) -> Point:
    """Run a trial in a forked child, so that what it does to the process stays there."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = "+" + (trial() or "works")
        except BaseException as error:
            text = f"-{error}"
        os.write(write, text.encode()[:500])
        os._exit(0)
    os.close(write)
    text = os.read(read, 500).decode()
    os.close(read)
    os.waitpid(pid, 0)
    return Point(name, text.startswith("+"), text[1:] or "the trial died", tier)


def _namespaces() -> str:
    from regreen.sandbox.confine import jail

    jail._enter_namespaces(())
    return "user, mount, network, ipc and host name of its own; private root"


def _process_namespace() -> str:
    from regreen.sandbox.confine import jail, linux

    jail._enter_namespaces(())
    pid = linux.fork(17 | linux.CLONE_NEWPID)
    if pid == 0:
        os._exit(0 if os.getpid() == 1 else 1)
    if os.waitpid(pid, 0)[1]:
        raise OSError("a clone did not become process 1")
    return "one for each program: killing it leaves nothing"


def _filter() -> str:
    from regreen.sandbox.confine import linux, seccomp

    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(seccomp.zygote_filter(fork_flags=17, memory_files=False, more_filters=False))
    return "system calls are filtered"


def _landlock() -> str:
    from regreen.sandbox.confine import landlock

    version = landlock.abi()
    if not version:
        raise OSError("the kernel has no Landlock")
    landlock.confine(readable=["/usr"], writable=[])
    signals = "" if version >= 6 else "; signals are held off by the filter alone"
    return f"version {version}{signals}"


def _memory_files() -> str:
    os.close(os.memfd_create("regreen"))
    return "works"


def _schedstat() -> str:
    with open("/proc/self/schedstat") as file:
        file.read()
    return "time in the queue for a processor is not counted as sleep"


def _fixed_addresses() -> str:
    from regreen.sandbox.confine import linux

    if not linux.no_address_randomization() and not linux.syscall("personality", 0xFFFFFFFF) & linux.ADDR_NO_RANDOMIZE:
        raise OSError("refused; the order of sets of functions or None may vary from run to run")
    return "addresses do not vary from run to run"


def _loop_in_c() -> str:
    from regreen.sandbox import native

    if native.load() is None:
        raise OSError("not built for this version (install again with a C compiler); a slower loop does the same")
    return "built: clones copy fewer pages"


_TRIALS = (
    ("namespaces", "A", _namespaces),
    ("process namespace", "A", _process_namespace),
    ("seccomp", "AB", _filter),
    ("landlock", "B", _landlock),
    ("memory files", "ABC", _memory_files),
    ("queue times", "", _schedstat),
    ("fixed addresses", "", _fixed_addresses),
    ("loop in C", "", _loop_in_c),
)
