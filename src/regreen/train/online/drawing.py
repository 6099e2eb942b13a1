"""Programs drawn of a policy while it is being trained: asked for, judged beside the asking, and kept line by line."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeVar

from regreen.attempt import seed_of
from regreen.attempt.judging import no_program
from regreen.extract import Extraction
from regreen.models import Completion, Model, Request
from regreen.models.texts import Texts
from regreen.problem import Problem
from regreen.prompts import Template
from regreen.records import Record
from regreen.sandbox import Sandbox
from regreen.train.config import DrawConfig
from regreen.tree import SAMPLE
from regreen.verdict import Verdict, verdict_from_line, verdict_to_line

DRAWS = "draws.jsonl"  # of a training: every program that was drawn
GREEDY = "greedy"
Role = Literal["sample", "greedy"]
Floats = tuple[float, ...]
Key = tuple[str, int, str]  # problem, index, role
_Ask = tuple[Problem, Request]
T = TypeVar("T")
_MORE = ("behaviour", "reference", "believed")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A program that the policy wrote after ``step`` steps, at temperature ``heat``.

    ``tokens`` are all that was generated, the end of text included, ``logprobs`` theirs, untempered, where the sampler
    tells them; together they read ``text``, which may end before them, at a stop string. What is known of the tokens
    besides, one number each where a method needs it: their log-probability at this temperature (``behaviour``), that
    of the model that the training began with (``reference``), and how much a critic believes in the verdict.
    """

    problem: str
    index: int
    role: Role
    step: int
    heat: float
    tokens: tuple[int, ...]
    logprobs: Floats | None
    text: str
    found: Extraction
    verdict: Verdict
    behaviour: Floats | None = None
    reference: Floats | None = None
    believed: Floats | None = None

    @property
    def key(self) -> Key:
        """Which program it is."""
        return self.problem, self.index, self.role

    @property
    def is_greedy(self) -> bool:
        """Whether it is one to compare with, not one to learn from."""
        return self.role == GREEDY

    def to_json(self) -> Record:
        """Return it as a line of ``draws.jsonl``."""
        verdict = verdict_to_line(self.verdict, self.problem, self.index, self.role)
        known = {name: verdict.pop(name) for name in ("v", "problem", "index", "role")}
        return {
            **known, "step": self.step, "heat": self.heat, "tokens": self.tokens, "logprobs": self.logprobs,
            "text": self.text, "source": self.found.source, "extraction": self.found.rule, "verdict": verdict,
            **{name: getattr(self, name) for name in _MORE},
        }  # fmt: skip


def drawn_from_line(line: Record) -> Drawn:
    """Rebuild a program from a line of ``draws.jsonl``."""
    own: Record = {name: line[name] for name in ("problem", "index", "role", "step", "heat", "text")}
    floats: Record = {name: line[name] and tuple(line[name]) for name in ("logprobs", *_MORE)}
    return Drawn(
        **own,
        **floats,
        tokens=tuple(line["tokens"]),
        found=Extraction(line["source"], line["extraction"]),
        verdict=verdict_from_line(line["verdict"]),
    )


@dataclass(slots=True)
class Spent:
    """Seconds by the clock: asking the policy, and waiting for verdicts when it had answered; and programs refused."""

    generating: float = 0.0
    judging: float = 0.0
    refused: int = 0

    def to_json(self) -> dict[str, float]:
        """Return it under the names that a training's metrics have."""
        clock = {"clock/generating": round(self.generating, 3), "clock/judging": round(self.judging, 3)}
        return {**clock, "refused": self.refused}


@dataclass(slots=True)
class Drawer:
    """Draws programs; which ones is a function of the policy, the seed and of what was drawn before.

    Args:
        template: what asks for a program.
        texts: of the policy's tokenizer.
        sandbox: where programs are judged.
        how: how many, how hot, how long.
        greedy: draw one more for each problem, at temperature 0.
        seed: of all draws.

    ``refusal`` says why the backend refused a program, where it did.
    """

    template: Template
    texts: Texts
    end: int | None
    sandbox: Sandbox
    how: DrawConfig
    greedy: bool
    seed: int
    spent: Spent = field(default_factory=Spent)
    refusal: str | None = None
    _visits: Counter[str] = field(default_factory=Counter)

    def draw(self, model: Model, problems: Sequence[Problem], step: int) -> list[Drawn]:
        """Return judged programs for problems, in the problems' order; those that the backend refused are left out.

        Raises:
            InfrastructureError: the backend or the judge broke down.
        """
        wanted = [ask for problem in problems for ask in self._asks(problem)]
        began = time.monotonic()
        with ThreadPoolExecutor(self.sandbox.jobs, "regreen-judge") as pool:
            judge = _Judge(self.sandbox, pool)
            waiting = asyncio.run(_answered(model, wanted, lambda ask, c: (ask, c, *self._judged(judge, ask[0], c))))
            asked = time.monotonic()
            found = [self._drawn(*row, step) for row in waiting if row[1].finish != "error"]
        self.spent.generating += asked - began
        self.spent.judging += time.monotonic() - asked
        self.spent.refused += len(wanted) - len(found)
        self.refusal = next((answer.error for _, answer, *_ in waiting if answer.error), self.refusal)
        return found

    def recall(self, problems: Sequence[Problem], drawn: Mapping[Key, Drawn]) -> list[Drawn]:
        """Return those of an earlier process's programs that :meth:`draw` would draw now, and go on behind them."""
        keys = [(request.problem, request.index, request.role) for each in problems for _, request in self._asks(each)]
        return [drawn[key] for key in keys if key in drawn]

    def settle(self) -> Spent:
        """Return what was spent since this was last called."""
        spent, self.spent = self.spent, Spent()
        return spent

    def _asks(self, problem: Problem) -> Iterator[tuple[Problem, Request]]:
        visit, n = self._visits[problem.id], self.how.n
        self._visits[problem.id] += 1
        if self.greedy:
            yield problem, self._request(problem, visit, GREEDY, 0.0)
        for index in range(visit * n, (visit + 1) * n):
            yield problem, self._request(problem, index, SAMPLE, self._heat(problem, index))

    def _heat(self, problem: Problem, index: int) -> float:
        given = self.how.temperature
        if isinstance(given, float):
            return given
        return round(Random(seed_of(self.seed, problem.id, index, "heat")).uniform(*given), 4)

    def _request(self, problem: Problem, index: int, role: str, heat: float) -> Request:
        return Request(
            self.template.render(problem),
            seed=seed_of(self.seed, problem.id, index, f"rltf:{role}"),
            temperature=heat,
            top_p=self.how.top_p,
            max_tokens=self.how.max_tokens,
            stop=self.template.stops,
            problem=problem.id,
            index=index,
            role=role,
        )

    def _judged(self, judge: _Judge, problem: Problem, answer: Completion) -> tuple[Extraction, Future[Verdict]]:
        """Return the program in an answer, and its verdict, which is on its way."""
        found = self.template.source(problem, answer.text)
        return found, judge(problem, None if found.rule == "none" else found.source)

    def _drawn(
        self, ask: tuple[Problem, Request], answer: Completion, found: Extraction, verdict: Future[Verdict], step: int
    ) -> Drawn:
        request = ask[1]
        role: Role = "greedy" if request.role == GREEDY else "sample"
        told = answer.generated
        return Drawn(
            request.problem,
            request.index,
            role,
            step,
            request.temperature,
            tokens=self._untold(answer) if told is None else tuple(token.id for token in told),
            logprobs=None if told is None else tuple(token.logprob for token in told),
            text=answer.text,
            found=found,
            verdict=verdict.result(),
            behaviour=None if told is None else tuple(token.tempered for token in told),
        )

    def _untold(self, answer: Completion) -> tuple[int, ...]:
        """Return what a backend generated that does not tell: it is taken to have used the tokenizer's own tokens."""
        known = answer.finish == "stop" and not self.template.stops  # or a stop string may have ended it
        return (*self.texts.tokens(answer.text), *([self.end] if known and self.end is not None else []))


def by_problem(drawn: Iterable[Drawn]) -> dict[str, list[Drawn]]:
    """Return programs by their problem, in order."""
    found: dict[str, list[Drawn]] = defaultdict(list)
    for each in drawn:
        found[each.problem].append(each)
    return found


def passes(group: Iterable[Drawn]) -> list[bool]:
    """Return whether each of a problem's programs passed, greedy ones left out."""
    return [each.verdict.passed for each in group if not each.is_greedy]


class _Judge:
    """Judges programs in threads beside the caller; of equal ones for a problem the first."""

    def __init__(self, sandbox: Sandbox, pool: ThreadPoolExecutor) -> None:
        self._sandbox, self._pool = sandbox, pool
        self._known: dict[tuple[str, str | None], Future[Verdict]] = {}

    def __call__(self, problem: Problem, source: str | None) -> Future[Verdict]:
        """Return the verdict to come on a program, or on a text that holds none."""
        key = problem.id, source
        if key not in self._known:
            self._known[key] = self._pool.submit(self._verdict, problem, source)
        return self._known[key]

    def _verdict(self, problem: Problem, source: str | None) -> Verdict:
        if source is None:
            return no_program(problem, self._sandbox.tier)
        return self._sandbox.judge_now(problem, source)


async def _answered(model: Model, wanted: Sequence[_Ask], hear: Callable[[_Ask, Completion], T]) -> list[T]:
    """Return what is made of each answer when it comes, in the order of the requests.

    Calls are as many at a time as the model likes, and as large, but small enough that there is one for each.
    """
    size = max(1, min(model.batch, math.ceil(len(wanted) / model.parallel)))
    limit = asyncio.Semaphore(model.parallel)

    async def call(some: Sequence[_Ask]) -> list[T]:
        async with limit:
            answers = await model.sample([request for _, request in some])
        return [hear(ask, answer) for ask, answer in zip(some, answers, strict=True)]

    calls = [wanted[at : at + size] for at in range(0, len(wanted), size)]
    return [made for some in await asyncio.gather(*map(call, calls)) for made in some]
