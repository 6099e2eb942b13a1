"""The zygote: a small warm process that clones itself once per program, and watches over the clone.

It knows nothing of problems or verdicts: a job is a few descriptors and limits, the answer is how the child ended. A
child reads its job from a descriptor after the clone, so the zygote never holds a program's text either.
"""

from __future__ import annotations

import _socket
import contextlib
import functools
import os
import signal
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from regreen.sandbox import guest, native
from regreen.sandbox.confine import root
from regreen.sandbox.confine.jail import Jail

_ORDER = struct.Struct("=dd?")
_END = struct.Struct("=iBdd")
_RIGHTS = struct.Struct("=5i")  # descriptors: the job, which is read and closed; input, output, error, results
_SHORTEST_WAIT = 0.001
# A program that needs a little more than its time is let finish if the machine may be to blame, so that it can be
# judged again, alone: much more where it had to queue for a processor, for then caches were shared too.
_PATIENCE_CALM, _PATIENCE_LOADED = 1.1, 1.5
_LOADED = 0.1  # seconds in the queue for each second of CPU time
_GUESSED = 4.0  # the same where the kernel does not tell (tier B): sleepers use no CPU time, and so gain nothing
KILLED_BY = ("", "cpu", "wall")  # why the zygote killed a child


class Order(NamedTuple):
    """Limits of one run: seconds of CPU time and of wall time; ``strict`` kills at the CPU limit exactly."""

    cpu: float
    wall: float
    strict: bool


class End(NamedTuple):
    """How a child ended: its wait status, why it was killed if it was, and seconds of CPU and wall time."""

    status: int
    killed_by: str
    cpu: float
    wall: float

    @property
    def signal(self) -> int:
        """The signal that ended the child, 0 if it exited."""
        return self.status & 127

    @property
    def exit_status(self) -> int:
        """The status that the child exited with."""
        return self.status >> 8


def ask(channel: _socket.socket, order: Order, descriptors: list[int]) -> None:
    """Send an order: descriptors are the job, then the child's 0, 1, 2, 3."""
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, _RIGHTS.pack(*descriptors))
    channel.sendmsg([_ORDER.pack(*order)], [rights])


def hear(channel: _socket.socket) -> End:
    """Wait for the end of the child that was asked for; raises EOFError if the zygote is gone."""
    data = channel.recv(_END.size, _socket.MSG_WAITALL)
    if len(data) != _END.size:
        raise EOFError("the zygote is gone")
    status, killed_by, cpu, wall = _END.unpack(data)
    return End(status, KILLED_BY[killed_by], cpu, wall)


def serve(channel: _socket.socket, jail: Jail, proc: int | None, loop: native.Loop | None) -> None:
    """The zygote's work, until the judge closes its end: by the loop in C where there is one, else by this one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    if loop is not None:
        _serve_in_c(loop, channel, jail, proc)
        return
    clean = os.stat(jail.scratch).st_ctime_ns
    while True:
        packed, rights, _, _ = channel.recvmsg(_ORDER.size, _socket.CMSG_LEN(_RIGHTS.size))
        if not packed:
            return
        descriptors = _RIGHTS.unpack(rights[0][2])
        end = run_child(jail, Order(*_ORDER.unpack(packed)), proc, functools.partial(_child, jail, descriptors))
        for fd in descriptors:
            os.close(fd)
        if os.stat(jail.scratch).st_ctime_ns != clean:
            root.wipe(jail.scratch)
            clean = os.stat(jail.scratch).st_ctime_ns
        channel.send(_END.pack(end.status, KILLED_BY.index(end.killed_by), end.cpu, end.wall))


def _serve_in_c(loop: native.Loop, channel: _socket.socket, jail: Jail, proc: int | None) -> None:
    patience = native.pack_patience(_PATIENCE_CALM, _PATIENCE_LOADED, _LOADED, _GUESSED, _SHORTEST_WAIT)
    end = bytearray(_END.size)
    while True:
        job = loop.serve(channel.fileno(), proc, jail.fork_flags, jail.scratch, patience, end)
        if job >= 0:
            _run_confined(jail, job)
        if job != native.SCRATCH_USED:
            return
        root.wipe(jail.scratch)
        channel.send(end)


def _run_confined(jail: Jail, job: int) -> None:
    """In a child that the loop in C has confined."""
    try:
        jail.finish_child()
        text = os.pread(job, os.fstat(job).st_size, 0)
        os.close(job)
        guest.run(text)
    finally:
        os._exit(70)


def _child(jail: Jail, descriptors: tuple[int, ...]) -> None:
    job, *standard = descriptors
    text = os.pread(job, os.fstat(job).st_size, 0)
    jail.confine_child(standard)
    guest.run(text)


def run_child(jail: Jail, order: Order, proc: int | None, body: Callable[[], None]) -> End:
    """Clone, run ``body`` in the child, and watch it to its end. SIGCHLD must be blocked."""
    started = time.perf_counter()
    pid = jail.fork()
    if pid == 0:
        try:
            body()
        finally:
            os._exit(70)
    status, usage, killed_by = _watch(pid, jail, order, started, proc)
    if jail.tier == "C":
        _kill_group(pid)
    return End(status, killed_by, usage.ru_utime + usage.ru_stime, time.perf_counter() - started)


def _watch(pid: int, jail: Jail, order: Order, started: float, proc: int | None) -> tuple[int, Any, str]:
    """Wait until the child ends, or kill it when its time is up; return status, usage and which time it was."""
    wait = min(order.cpu, order.wall)
    clock = (~pid << 3) | 2  # the number of a process's CPU clock: see clock_getcpuclockid(3)
    while True:
        if signal.sigtimedwait({signal.SIGCHLD}, wait):
            # The signal may be an old one, of a child that was killed and waited for.
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if done:
                return status, usage, ""
        used = time.clock_gettime(clock)
        queued = _queued(pid, proc, otherwise=_GUESSED * used)
        limit = order.cpu * _patience(order, used, queued)
        idle = time.perf_counter() - started - queued
        if used >= limit or idle >= order.wall:
            _kill(pid, jail)
            _, status, usage = os.wait4(pid, 0)
            return status, usage, "cpu" if used >= limit else "wall"
        wait = max(min(limit - used, order.wall - idle), _SHORTEST_WAIT)


def _patience(order: Order, used: float, queued: float) -> float:
    if order.strict:
        return 1.0
    return _PATIENCE_LOADED if queued > _LOADED * used else _PATIENCE_CALM


def _queued(pid: int, proc: int | None, *, otherwise: float) -> float:
    """Seconds that the child was ready but had no processor, which must not count as sleep."""
    if proc is None:
        return otherwise
    try:
        fd = os.open(f"{pid}/schedstat", os.O_RDONLY, dir_fd=proc)
        try:
            return int(os.read(fd, 100).split()[1]) / 1e9
        finally:
            os.close(fd)
    except (OSError, IndexError, ValueError):
        return otherwise


def _kill(pid: int, jail: Jail) -> None:
    if jail.tier == "C":
        _kill_group(pid)
    os.kill(pid, signal.SIGKILL)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
