"""A node's judge as the driver sees it: what it holds, what it knows, and how much it should have ahead of it."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from regreen import cluster
from regreen.errors import InputError
from regreen.problem import Problem
from regreen.sandbox.elsewhere import Row
from regreen.sandbox.lane import PROBLEMS_KEPT, needed_of
from regreen.sandbox.limits import Limits
from regreen.sandbox.ray.node import Answer, Bundle, NodeJudge

_CALLS = 4  # that a node answers at once: rows in, answers out, and a word between
_STOCK = 0.2  # seconds of work that a node has ahead of it: rows that are lost with it, or wait while others are idle
_LEAST, MOST = 2, 64  # rows ahead for each job
_KEPT = 64 << 20  # bytes of problems that a node keeps


class Post:
    """The judge of one node, begun as this is made; it ends with :meth:`kill`, or with this process."""

    def __init__(self, ray: Any, node: cluster.Node, limits: Limits, tier: str, jobs: int) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        # It reserves no core: it is one on a node, takes the cores that are there, and waits for nobody's.
        options = {"num_cpus": 0, "max_concurrency": _CALLS, "max_restarts": 0, "scheduling_strategy": there}
        self.node, self.jobs = node, jobs
        self.about: dict[str, Any] = {}
        self.held: dict[int, Row] = {}
        self._ray = ray
        self._judge = ray.remote(NodeJudge).options(**options).remote(tuple(limits), tier, jobs)
        self._shelf = _Shelf()
        self._tickets = count()
        self._rate, self._noted = 0.0, time.monotonic()
        self.room = asyncio.Event()
        self.room.set()

    async def open(self) -> None:
        """Wait until it judges; raises Gone, and TierError if it cannot confine programs as asked."""
        self.about = await cluster.answer(self._judge.open.remote())

    @property
    def free(self) -> int:
        """How many rows more it should have ahead of it."""
        ahead = min(MOST * self.jobs, int(self._rate * _STOCK))
        return max(_LEAST * self.jobs, ahead) - len(self.held)

    async def put(self, rows: Sequence[Row], refuse: Callable[[Row, InputError], None]) -> None:
        """Hand rows over, which are held until they are answered; ``refuse`` those that cannot be sent."""
        packed: list[tuple[int, int, str]] = []
        problems: dict[int, bytes] = {}
        drop: list[int] = []
        for row in rows:
            try:
                number = self._shelf.number(row.problem, problems, drop)
            except (TypeError, ValueError, AttributeError, RecursionError, pickle.PicklingError) as error:
                refuse(row, InputError(f"problem {row.problem.id}: cannot be sent to a node: {error}"))
                continue
            ticket = next(self._tickets)
            self.held[ticket] = row
            packed.append((ticket, number, row.source))
        self._see_room()
        # One call at a time: two could overtake each other, and the second speak of a problem that the first brings.
        await cluster.answer(self._judge.put.remote(Bundle(packed, problems, drop)))

    async def take(self) -> list[tuple[Row, Any]]:
        """Return rows that are answered, and their answers; perhaps none, after a while."""
        answers: list[Answer] = await cluster.answer(self._judge.take.remote())
        found = [(self.held.pop(ticket), answer) for ticket, answer in answers]
        self._note(len(answers))
        self._see_room()
        return found

    def _see_room(self) -> None:
        if self.free > 0:
            self.room.set()
        else:
            self.room.clear()

    def _note(self, answers: int) -> None:
        now = time.monotonic()
        self._rate = (self._rate + answers / max(now - self._noted, 1e-6)) / 2
        self._noted = now

    def forget(self) -> None:
        """Have it leave out the rows for which nobody waits any more."""
        if tickets := [ticket for ticket, row in self.held.items() if row.verdict.done()]:
            self._judge.forget.remote(tickets)

    def close(self) -> Any:
        """Have it end its processes; return what can be waited for."""
        return self._judge.close.remote()

    def kill(self) -> None:
        """End the actor, if it has not ended."""
        with contextlib.suppress(Exception):  # whatever Ray may say of one that is gone
            self._ray.kill(self._judge)


class _Shelf:
    """Which problems a node knows, under which numbers."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Problem, int, int]] = OrderedDict()  # by id, with number and size
        self._numbers = count()
        self._size = 0

    def number(self, problem: Problem, new: dict[int, bytes], drop: list[int]) -> int:
        """Return the problem's number; where the node does not know it, add it to what is new, and what to drop."""
        if id(problem) not in self._known:
            self._put(problem, pickle.dumps(needed_of(problem)), new, drop)
        self._known.move_to_end(id(problem))
        return self._known[id(problem)][1]

    def _put(self, problem: Problem, packed: bytes, new: dict[int, bytes], drop: list[int]) -> None:
        self._size += len(packed)
        while self._known and (len(self._known) >= PROBLEMS_KEPT or self._size > _KEPT):
            _, (_, number, size) = self._known.popitem(last=False)
            self._size -= size
            drop.append(number)
        number = next(self._numbers)
        new[number] = packed
        self._known[id(problem)] = (problem, number, len(packed))
