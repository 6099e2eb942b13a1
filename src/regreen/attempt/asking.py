"""Programs as a model writes them: an iterator that asks ahead of the judge."""

from __future__ import annotations

import asyncio
import hashlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType

from regreen.extract import Extraction
from regreen.models import Completion, Model, Request
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Key
from regreen.run import Run

_UNJUDGED = 1024  # programs that may wait for the judge before the model is kept waiting


def seed_of(run_seed: int, problem: str, index: int, stage: str) -> int:
    """Return a request's seed, which depends on nothing else: neither on order nor on how many are asked for."""
    text = f"{run_seed}\0{problem}\0{index}\0{stage}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class Ask:
    """A program wanted of a model: what to ask, and how to find the program in the answer."""

    problem: Problem
    request: Request
    source: Callable[[Problem, str], Extraction]
    prompt_key: str | None = None
    role: str = "sample"

    @property
    def key(self) -> Key:
        """The program's key in a run."""
        return self.problem.id, self.request.index, self.role

    def program(self, completion: Completion, model: str) -> Program:
        """Return the program that an answer holds."""
        failed = completion.finish == "error"
        found = Extraction("", "none") if failed else self.source(self.problem, completion.text)
        logprobs = completion.token_logprobs
        return Program(
            *(self.problem.id, self.request.index, found.source, self.role),
            text=completion.text,
            extraction=None if failed else found.rule,
            model=model,
            prompt=self.prompt_key,
            seed=self.request.seed,
            temperature=self.request.temperature,
            tokens=completion.tokens,
            text_tokens=None if logprobs is None else len(logprobs),
            logprob=None if logprobs is None else sum(logprobs),
            finish=completion.finish,
            reasoning=completion.reasoning,
            reasoning_tokens=completion.reasoning_tokens or None,
            prompt_tokens=completion.prompt_tokens or None,
            cached_tokens=completion.cached_tokens or None,
            error=(completion.error or "refused") if failed else None,
        )


class Asking:
    """Programs as a model writes them: an iterator, and a context manager that ends the asking.

    Every answer is in the run before it is handed on. What the run has already is handed on unless it has its verdict,
    and not asked for again. At most ``model.parallel`` calls are under way.

    Args:
        asks: what is wanted; read only as fast as it is asked.
        model: who is asked.
        run: what has been done, and where answers are recorded.
        tokens: generated tokens, those of earlier processes included, after which no more is asked; None: no end.

    Raises:
        InfrastructureError: the model cannot be reached; the same call goes on.
        InputError: the model refuses every request.
    """

    def __init__(self, asks: Iterable[Ask], model: Model, run: Run, *, tokens: int | None = None) -> None:
        self.out_of_tokens = False
        self._asks = asks
        self._model = model
        self._run = run
        self._tokens = tokens
        self._done: queue.Queue[tuple[Problem, Program] | BaseException | None] = queue.Queue(_UNJUDGED)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            self._empty()  # wakes a thread that waits for room
            self._thread.join(0.02)
        self._empty()
        self._done.put(None)  # wakes whoever still waits for a program

    def __iter__(self) -> Iterator[tuple[Problem, Program]]:
        while not self._stopped.is_set():
            item = self._done.get()
            if item is None or self._stopped.is_set():
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def _empty(self) -> None:
        while not self._done.empty():
            self._done.get()

    def _work(self) -> None:
        try:
            asyncio.run(self._ask_all())
            self._done.put(None)
        except BaseException as error:
            self._done.put(error)

    async def _ask_all(self) -> None:
        calls: set[asyncio.Task[None]] = set()
        try:
            missing = self._missing()
            while asks := list(islice(missing, self._model.batch)):
                calls.add(asyncio.create_task(self._ask(asks)))
                calls = await self._wait(calls, self._model.parallel - 1)
                if self._stopped.is_set() or self._spent():
                    break
            await self._wait(calls, 0)
        finally:
            for call in calls:
                call.cancel()

    async def _wait(self, calls: set[asyncio.Task[None]], most: int) -> set[asyncio.Task[None]]:
        """Wait until at most so many calls are under way; raises what a call raised."""
        while len(calls) > most and not self._stopped.is_set():
            done, calls = await asyncio.wait(calls, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
            for call in done:
                call.result()
        return calls

    async def _ask(self, asks: Sequence[Ask]) -> None:
        completions = await self._model.sample([ask.request for ask in asks])
        for ask, completion in zip(asks, completions, strict=True):
            program = ask.program(completion, self._model.name)
            self._run.add_problem(ask.problem)
            self._run.add_program(program)
            await self._hand_on((ask.problem, program))

    async def _hand_on(self, item: tuple[Problem, Program]) -> None:
        while not self._stopped.is_set():
            try:
                return self._done.put_nowait(item)
            except queue.Full:
                await asyncio.sleep(0.01)

    def _missing(self) -> Iterator[Ask]:
        """Yield what must be asked; hand on what was asked before and not judged."""
        for ask in self._asks:
            if not self._run.has_program(ask.key):
                yield ask
            elif not self._run.has_verdict(ask.key):
                program = self._run.program(ask.key)
                assert program is not None  # it has one
                self._done.put((ask.problem, program))

    def _spent(self) -> bool:
        self.out_of_tokens = self._tokens is not None and self._run.counts.tokens >= self._tokens
        return self.out_of_tokens
