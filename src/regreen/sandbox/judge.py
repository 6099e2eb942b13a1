"""The judge's process: it alone holds the expected values, and makes the verdict.

For each program it has the zygote run a child, and then, with the child dead, reads what the child wrote and decides.
It runs no foreign code itself: checks that are code run in a child of this process, jailed like a program.
"""

from __future__ import annotations

import _socket
import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

from regreen.sandbox import guest, wire, zygote
from regreen.sandbox.checks.answers import Result, parse
from regreen.sandbox.confine import jail
from regreen.sandbox.memory_file import MemoryFile
from regreen.sandbox.trial import Prepared, Trial
from regreen.sandbox.zygote import End, Order

_NO_PROBLEM = Prepared({"entry_point": None, "stdio": [], "checks": [], "shared": False, "prelude": ""})


class Judge:
    """Judges one program after another on one core."""

    def __init__(
        self, engine: socket.socket, zygote_channel: _socket.socket, confinement: jail.Jail, proc: int | None
    ) -> None:
        self._engine = engine
        self._zygote = zygote_channel
        self._jail = confinement
        self._proc = proc
        self.null = os.open("/dev/null", os.O_RDWR)
        self._problems: dict[int, Prepared] = {}
        self._either = select.poll()
        self._either.register(zygote_channel, select.POLLIN)
        self._either.register(engine, select.POLLRDHUP)

    def serve(self) -> None:
        """Answer the engine until it closes its end."""
        while True:
            request = wire.receive(self._engine)
            if request is None:
                return
            for number in request["drop"]:
                del self._problems[number]
            if "execute" in request:
                source, stdin = request["execute"]
                wire.send(self._engine, self.execute(source, stdin, request["strict"]))
                continue
            try:
                if "spec" in request:
                    self._problems[request["problem"]] = Prepared(request["spec"])
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                wire.send(self._engine, {"refused": f"its prelude does not compile: {error}"})
                continue
            problem = self._problems[request["problem"]]
            wire.send(self._engine, self.judge(problem, request["source"], request["strict"]))

    def judge(self, problem: Prepared, source: str, strict: bool) -> Result:
        """Return the verdict on one program as plain data."""
        return Trial(self, problem, source, self._jail.limits, strict).verdict()

    def execute(self, source: str, stdin: str, strict: bool) -> Result:
        """Return what came of running a program, as plain data."""
        one = Trial(self, _NO_PROBLEM, source, self._jail.limits, strict)
        return {**one.execute(stdin), "cpu": one.cpu, "wall": one.wall, "late": not strict and one.late}

    def order(self, order: Order, descriptors: list[int]) -> None:
        zygote.ask(self._zygote, order, descriptors)

    def end(self) -> End:
        """Wait for the end of the run that was ordered; if the engine goes away meanwhile, end at once."""
        for fd, _ in self._either.poll():
            if fd == self._engine.fileno():
                os._exit(0)  # the zygote and its child die with their parent
        return zygote.hear(self._zygote)

    def in_child(
        self, order: Order, body: Callable[[], Iterator[Any]], keep: int | None = None
    ) -> tuple[End, list[Any]]:
        """Run ``body`` in a jailed child of this process and return how it ended and the plain data it yielded.

        The child has ``keep`` as descriptor 4.
        """
        with MemoryFile() as results:
            descriptors = [self.null, self.null, self.null, results.fd]
            if keep is not None:
                descriptors.append(keep)

            def child() -> None:
                jail.set_limits(self._jail.limits, threads=False)
                self._jail.confine_child(descriptors)
                for item in body():
                    wire.write_all(guest.RESULTS, wire.frame(item))
                os._exit(0)

            end = zygote.run_child(self._jail, order, self._proc, child)
            # What checks say is as good as the checks; still nothing but plain data is taken from them.
            return end, [parse(data) for data in wire.frames(results.read())]
