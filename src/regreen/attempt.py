"""Ask, extract, judge: one program at once, or many streamed into a run.

``Asking`` is an iterator of programs as a model writes them, ``judge_programs`` takes programs from wherever they come;
put together they ask and judge at the same time, and both go on where a killed process stopped.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType

from regreen.extract import Extraction
from regreen.models import Completion, Model, Request
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Key
from regreen.run import Run
from regreen.sandbox import Limits, LocalSandbox
from regreen.verdict import CheckResult, Outcome, Verdict

_REMEMBERED = 1 << 18  # sources whose duplicates are recognised: some 30 MB, however many programs there are

_UNJUDGED = 1024  # programs that may wait for the judge before the model is kept waiting

_shared: LocalSandbox | None = None
_guard = threading.Lock()


def judge(problem: Problem, source: str) -> Verdict:
    """Judge one program in this machine's sandbox, under the default limits.

    The sandbox starts at the first call and ends with the process.

    Raises:
        TierError: this machine cannot isolate programs.
        InfrastructureError: the sandbox broke down.
    """
    with _guard:
        sandbox = _shared_sandbox()
    return sandbox.judge_now(problem, source)


def judge_programs(rows: Iterable[tuple[Problem, Program]], sandbox: LocalSandbox, run: Run) -> Iterator[Key]:
    """Judge every program that the run has no verdict on, and record each verdict as it comes.

    Equal sources for one problem are judged once, and each keeps its own record. Memory does not grow with the rows.

    Args:
        rows: problems and their programs; read only as fast as they are judged.
        sandbox: where they are judged.
        run: what has been done, and where the rest is recorded.

    Returns:
        The key of each program judged, as its verdict is recorded.
    """
    queue = _Queue(rows, run, sandbox.tier)
    with closing(_results(sandbox, queue)) as verdicts:  # none may come after the run is closed
        for position, verdict in verdicts:
            yield queue.settle(position, verdict)


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


def no_program(problem: Problem, tier: str) -> Verdict:
    """Return the verdict on a text from which no program could be extracted."""
    message = "no program in the text"
    checks = [CheckResult(i, Outcome.SYNTAX_ERROR, message=message) for i in range(len(problem.checks))]
    return Verdict(Outcome.SYNTAX_ERROR, tuple(checks), tier=tier)


@dataclass(slots=True)
class _InFlight:
    """A source being judged, and the keys of all programs that have it."""

    digest: int
    keys: list[Key] = field(default_factory=list)


class _Queue:
    """Chooses what must be judged, and hands each verdict to every program that it speaks of.

    The sandbox takes from :meth:`waiting` in its own threads while verdicts are settled in the caller's.
    """

    def __init__(self, rows: Iterable[tuple[Problem, Program]], run: Run, tier: str) -> None:
        self._rows = rows
        self._run = run
        self._tier = tier
        self._lock = threading.Lock()
        self._known: dict[int, Key] = {}
        self._by_digest: dict[int, _InFlight] = {}
        self._by_position: dict[int, _InFlight] = {}

    def waiting(self) -> Iterator[tuple[Problem, str]]:
        """Yield what is to be judged; all else is recorded on the way."""
        position = 0
        for problem, program in self._rows:
            with self._lock:
                wanted = self._take(problem, program, position)
            if wanted:
                yield problem, program.source
                position += 1

    def settle(self, position: int, verdict: Verdict) -> Key:
        """Record a verdict for all programs of one source."""
        with self._lock:
            entry = self._by_position.pop(position)
            del self._by_digest[entry.digest]
            for key in entry.keys:
                self._run.add_verdict(key, verdict)
            self._remember(entry.digest, entry.keys[0])
            return entry.keys[0]

    def _take(self, problem: Problem, program: Program, position: int) -> bool:
        """Record a program; True if it is to be judged."""
        self._run.add_problem(problem)
        self._run.add_program(program)
        digest = _digest(program)
        if self._is_settled(problem, program, digest):
            return False
        self._by_digest[digest] = self._by_position[position] = _InFlight(digest, [program.key])
        return True

    def _is_settled(self, problem: Problem, program: Program, digest: int) -> bool:
        """True if the program needs no judging of its own."""
        if program.error is not None:
            return True
        if self._run.has_verdict(program.key):
            self._remember(digest, program.key)
            return True
        if program.extraction == "none":
            self._run.add_verdict(program.key, no_program(problem, self._tier))
            return True
        return self._is_duplicate(program.key, digest)

    def _is_duplicate(self, key: Key, digest: int) -> bool:
        if digest in self._by_digest:
            keys = self._by_digest[digest].keys
            if key not in keys:
                keys.append(key)
            return True
        known = self._known.get(digest)
        verdict = self._run.verdict(known) if known else None
        if verdict is not None:
            self._run.add_verdict(key, verdict)
        return verdict is not None

    def _remember(self, digest: int, key: Key) -> None:
        if len(self._known) < _REMEMBERED:
            self._known.setdefault(digest, key)


def _results(sandbox: LocalSandbox, queue: _Queue) -> Generator[tuple[int, Verdict], None, None]:
    yield from sandbox.judge_all(queue.waiting())


def _digest(program: Program) -> int:
    text = f"{program.problem}\0{program.source}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def _shared_sandbox() -> LocalSandbox:
    global _shared
    if _shared is None:
        _shared = LocalSandbox(Limits(), jobs=1).__enter__()
        atexit.register(_shared.__exit__, None, None, None)
    return _shared
