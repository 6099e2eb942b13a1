"""Grow trees: ask, extract, judge as coroutines, where what is asked next depends on verdicts.

    async def policy(problem):
        attempt = await grower.attempt(opening.ask(problem, 0, run), model)
        ...
    grower.grow(problems, policy, what="repairing", total=len(problems))

A policy awaits; the grower records every answer and every verdict as it comes, and finds there what an earlier process
recorded, so that a policy run again goes through what is done without asking. Answers of many problems' policies are
asked for together, ``model.batch`` a call.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from regreen.attempt.asking import Ask
from regreen.attempt.judging import digest_of, no_program
from regreen.models import Completion, Model
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Key
from regreen.run import Run
from regreen.sandbox import Sandbox
from regreen.track import Advance, progress
from regreen.tree import SAMPLE, Kind, is_node, key_of, node_name, node_of
from regreen.verdict import Verdict

_SPARE = 4  # problems grown at once for each place in a batch: while some are judged, others are asked about

T = TypeVar("T")
Policy = Callable[[Problem], Awaitable[None]]


class _Spent(Exception):
    """No more tokens may be generated."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A program and the verdict on it; there is none on what a backend would not write."""

    program: Program
    verdict: Verdict | None

    @property
    def node(self) -> str:
        """The name of its node in a tree."""
        return node_name(self.program.index, self.program.role)

    @property
    def passed(self) -> bool:
        """True if it passed every check."""
        return self.verdict is not None and self.verdict.passed

    @property
    def can_be_repaired(self) -> bool:
        """True for what was judged and failed."""
        return self.verdict is not None and not self.verdict.passed


class Grower:
    """Asks and judges for policies, and records what comes of it.

    Args:
        run: what has been done, and where the rest is recorded.
        sandbox: where programs are judged.
        models: who will be asked; problems enough to fill their batches are grown side by side.
        tokens: generated tokens, those of earlier processes included, after which no more is asked; None: no end.

    Raises:
        InfrastructureError: a model or the judge cannot be reached; the same call goes on.
        InputError: a model refuses every request.
    """

    def __init__(self, run: Run, sandbox: Sandbox, models: Iterable[Model], *, tokens: int | None = None) -> None:
        self.run = run
        self.sandbox = sandbox
        self.out_of_tokens = False
        self._tokens = tokens
        self._width = _SPARE * max(model.batch * model.parallel for model in models)
        self._desks: dict[int, _Desk] = {}
        self._verdicts: dict[tuple[str, str], asyncio.Task[Verdict]] = {}  # of the problems that are growing now
        self._twins: dict[int, Key] = {}  # the first program of each source

    def grow(
        self,
        problems: Iterable[Problem],
        policy: Policy,
        *,
        what: str,
        total: int,
        at_once: int | None = None,
        quiet: bool = True,
    ) -> None:
        """Run the policy on every problem, many at once, until all are done or the tokens are spent."""
        self._desks.clear()  # of an earlier event loop
        with progress(what, total=total, quiet=quiet) as advance, suppress(_Spent):
            asyncio.run(self._grow(iter(problems), policy, at_once or self._width, advance))

    async def attempt(self, ask: Ask, model: Model) -> Attempt:
        """Ask, extract, judge; what belongs to a tree is recorded as a node of it."""
        program = await self.ask(ask, model)
        verdict = await self.judge(ask.problem, program)
        if is_node(program.role):
            self.run.add_node(node_of(program, verdict))
        return Attempt(program, verdict)

    async def say(self, ask: Ask, model: Model) -> str:
        """Ask for words, which are not judged, recorded as a node; return the model's whole text."""
        return self.note(await self.ask(ask, model))

    def note(self, words: Program) -> str:
        """Record words as a node, whoever said them; return them."""
        self.run.add_program(words)
        self.run.add_node(node_of(words, None))
        return words.text or ""

    def known(self, problem: Problem, index: int, role: str = SAMPLE) -> Attempt:
        """Return an attempt that the run has."""
        program = self.run.program((problem.id, index, role))
        if program is None:
            raise LookupError(f"no {role} {index} of {problem.id}")
        return Attempt(program, self.run.verdict(program.key))

    async def ask(self, ask: Ask, model: Model) -> Program:
        """Return what the model answers, or what the run has of it."""
        known = self.run.program(ask.key)
        if known is not None:
            return known
        self.out_of_tokens = self._tokens is not None and self.run.counts.generated >= self._tokens
        if self.out_of_tokens:
            raise _Spent
        return await self._desk(model).ask(ask)

    async def judge(self, problem: Problem, program: Program) -> Verdict | None:
        """Return the verdict on a program; equal sources for one problem are judged once in a run."""
        if program.error is not None:
            return None
        twin = self._twins.setdefault(digest_of(program), program.key)
        verdict = self.run.verdict(program.key)
        if verdict is None:
            verdict = self.run.verdict(twin) or await self._judged(problem, program)
            self.run.add_verdict(program.key, verdict)
        return verdict

    def _desk(self, model: Model) -> _Desk:
        return self._desks.setdefault(id(model), _Desk(model, self.run))

    async def _judged(self, problem: Problem, program: Program) -> Verdict:
        if program.extraction == "none":
            return no_program(problem, self.sandbox.tier)
        key = problem.id, program.source
        if key not in self._verdicts:
            self._verdicts[key] = asyncio.create_task(self.sandbox.judge(problem, program.source))
        return await self._verdicts[key]

    async def _grow(self, problems: Iterable[Problem], policy: Policy, at_once: int, advance: Advance) -> None:
        done = 0

        async def work() -> None:
            nonlocal done
            for problem in problems:  # an iterator that all workers take from
                self.run.add_problem(problem)
                await policy(problem)
                self._forget(problem)
                done += 1
                advance(done, f"{self.run.counts.outcomes['passed']} first programs passed")

        await all_of(work() for _ in range(at_once))

    def _forget(self, problem: Problem) -> None:
        """Drop what was remembered of a problem's programs, which may be long."""
        for key in [key for key in self._verdicts if key[0] == problem.id]:
            del self._verdicts[key]


def spoken(problem: Problem, node: str, kind: Kind, text: str, speaker: str) -> Program:
    """Return words that no model generated, as a run records them at a node."""
    _, index, role = key_of(problem.id, node, kind)
    return Program(problem.id, index, "", role, text=text, extraction="words", model=speaker, tokens=0)


class _Desk:
    """Where one model's answers are asked for: at most ``model.parallel`` calls are under way."""

    def __init__(self, model: Model, run: Run) -> None:
        self._model = model
        self._run = run
        self._waiting: deque[tuple[Ask, asyncio.Future[Program]]] = deque()
        self._calls: set[asyncio.Task[None]] = set()

    async def ask(self, ask: Ask) -> Program:
        """Return the model's answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Program] = loop.create_future()
        self._waiting.append((ask, answer))
        loop.call_soon(self._send)  # when all who can ask now have asked: they fill one batch
        return await answer

    def _send(self) -> None:
        while self._waiting and len(self._calls) < self._model.parallel:
            batch = [self._waiting.popleft() for _ in range(min(self._model.batch, len(self._waiting)))]
            call = asyncio.create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._send()

    async def _call(self, batch: list[tuple[Ask, asyncio.Future[Program]]]) -> None:
        wanted = [(ask, answer) for ask, answer in batch if not answer.done()]  # some may have been given up
        try:
            completions = await self._model.sample([ask.request for ask, _ in wanted]) if wanted else []
        except Exception as error:
            for _, answer in wanted:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (ask, answer), completion in zip(wanted, completions, strict=True):
            self._record(ask, answer, completion)

    def _record(self, ask: Ask, answer: asyncio.Future[Program], completion: Completion) -> None:
        program = ask.program(completion, self._model.name)
        self._run.add_program(program)
        if not answer.done():
            answer.set_result(program)


async def all_of(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await all, and return what they return; the first that fails ends the others, and its exception is raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
