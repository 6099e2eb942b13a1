"""Requests answered by rows written side by side: all of a sampler on this machine but its arithmetic.

Every request has its own stream of random numbers: token ``t`` is drawn by inverting the distribution's cumulative sum
at the ``t``-th number of Philox under the request's seed. Order, grouping, batch size and a larger ``max_tokens``
change no draw.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from regreen.errors import InfrastructureError, InputError
from regreen.extract import stop_at
from regreen.models import Completion, Finish, Request, Token
from regreen.models.texts import Texts
from regreen.prompts import Prompt

_CROWD = 0.8  # when fewer than this share of a batch's rows are being written, the finished ones leave it
_OVERLAP = 8  # tokens looked at before the longest stop string: a character may be split over some


class Batch(Protocol):
    """Rows that a model reads side by side; ``logits_BV`` are those of each row's next token, in float32.

    One that ``refills`` also has ``replace(rows, other)``, which puts the rows of another batch in the place of these,
    and its draws have ``replace(rows, requests)``, which lets these requests begin there.
    """

    logits_BV: Any

    @property
    def refills(self) -> bool:
        """Whether rows that wait can take the place of finished ones."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order; before the first ``feed`` a row may stand more than once."""
        ...

    def feed(self, tokens: Sequence[int]) -> None:
        """Let the model read one more token of each row."""
        ...


class Draws(Protocol):
    """How the rows of a batch choose their next tokens."""

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order."""
        ...

    def next(self, logits_BV: Any) -> list[Token]:
        """Return each row's next token."""
        ...


class Writer:
    """A model on this machine that writes ``rows`` texts side by side; a subclass brings the arithmetic.

    ``facts["context"]`` is how many tokens a row may hold, or None; ``apart`` says that prompt and answer are counted
    each on its own, as a sequence-to-sequence model does.
    """

    name: str
    chat: bool
    decides: Mapping[str, Any]
    facts: Mapping[str, Any]
    batch: int
    rows: int
    parallel = 1

    def __init__(self, texts: Texts, ends: frozenset[int], *, apart: bool = False) -> None:
        self._texts, self._ends, self._apart = texts, ends, apart

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order; the work is done in a thread beside the event loop.

        Raises:
            InputError: a prompt is a chat, and the tokenizer has no chat template.
            InfrastructureError: the model's logits are not numbers.
        """
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(self._sample, requests, cancelled)
        finally:
            cancelled.set()

    async def logprob(self, prompt: Prompt, text: str) -> float:
        """Return the log-probability of a text after a prompt, untempered; that the text ends there is not part of it.

        Raises:
            InputError: the two do not fit in the model's context.
        """
        return await asyncio.to_thread(self._logprob, prompt, text)

    def _start(self, prompts: Sequence[Sequence[int]]) -> Batch:
        """Let the model read the prompts, and return a batch with one row for each."""
        raise NotImplementedError

    def _draws(self, requests: Sequence[Request], tokens: int) -> Draws:
        """Return what chooses up to so many tokens for each request."""
        raise NotImplementedError

    def _score(self, before: Sequence[int], after: Sequence[int]) -> float:
        """Return the log-probability of some tokens after others."""
        raise NotImplementedError

    def _at_work(self) -> AbstractContextManager[None]:
        """Hold the model alone."""
        raise NotImplementedError

    def _sample(self, requests: Sequence[Request], cancelled: threading.Event) -> list[Completion]:
        with self._at_work():
            rows = [self._row(request) for request in requests]
            waiting = sorted((row for row in rows if row.finish is None), key=lambda row: (len(row.prompt), row.prompt))
            queue = deque(waiting)
            while queue and not cancelled.is_set():
                self._write(queue, cancelled)
            return [self._completion(row) for row in rows]

    def _row(self, request: Request) -> Row:
        prompt, context = self._texts.prompt(request.prompt), self.facts["context"]
        if context is None:
            return Row(request, prompt, request.max_tokens)
        if len(prompt) > context - (not self._apart):  # where the two share it, one token more needs a place
            error = f"the prompt has {len(prompt)} tokens, and the model's context holds {context}"
            return Row(request, prompt, 0, finish="error", error=error)
        return Row(request, prompt, min(request.max_tokens, context - (0 if self._apart else len(prompt))))

    def _write(self, queue: deque[Row], cancelled: threading.Event) -> None:
        """Write rows side by side until each is finished; where the batch refills, others take their places."""
        tokens_most = max(row.room for row in queue)
        rows = [queue.popleft() for _ in range(min(self.rows, len(queue)))]
        batch, draws = self._begin(rows), self._draws([row.request for row in rows], tokens_most)
        while not cancelled.is_set():
            tokens = draws.next(batch.logits_BV)
            self._take(rows, tokens)
            live = [at for at, row in enumerate(rows) if row.finish is None]
            if not live:
                break
            refilled = batch.refills and bool(queue)
            if len(live) < _CROWD * len(rows) and not refilled:
                rows, tokens = [rows[at] for at in live], [tokens[at] for at in live]
                batch.keep(live)
                draws.keep(live)
            batch.feed([token.id for token in tokens])
            if refilled and len(live) <= _CROWD * len(rows):
                self._refill(rows, batch, draws, queue)

    def _begin(self, rows: Sequence[Row]) -> Batch:
        """Let the model read the rows' prompts, each that differs once."""
        prompts = sorted({tuple(row.prompt) for row in rows}, key=lambda prompt: (len(prompt), prompt))
        places = {prompt: at for at, prompt in enumerate(prompts)}
        batch = self._start(prompts)
        batch.keep([places[tuple(row.prompt)] for row in rows])
        return batch

    def _refill(self, rows: list[Row], batch: Any, draws: Any, queue: deque[Row]) -> None:
        """Put rows that wait in the place of finished ones."""
        free = [at for at, row in enumerate(rows) if row.finish is not None][: len(queue)]
        fresh = [queue.popleft() for _ in free]
        batch.replace(free, self._begin(fresh))
        draws.replace(free, [row.request for row in fresh])
        for at, row in zip(free, fresh, strict=True):
            rows[at] = row

    def _take(self, rows: Sequence[Row], tokens: Sequence[Token]) -> None:
        """Add its token to each row that is not finished, and see which are finished by it."""
        live = [at for at, row in enumerate(rows) if row.finish is None]
        if not all(math.isfinite(tokens[at].logprob) for at in live):
            raise InfrastructureError(f"{self.name}: its logits are not numbers in {self.facts['dtype']}; use float32")
        for at in live:
            rows[at].take(tokens[at], self._ends)
        self._stop([rows[at] for at in live if rows[at].request.stop])

    def _stop(self, rows: Sequence[Row]) -> None:
        """Finish the rows whose text now holds a stop string; the whole text is read only if its tail seems to."""
        tails = self._texts.decode([row.tail for row in rows])
        found = [row for row, tail in zip(rows, tails, strict=True) if stop_at(tail, row.request.stop) != tail]
        for row, text in zip(found, self._texts.decode([row.ids for row in found]), strict=True):
            if stop_at(text, row.request.stop) != text:
                row.finish = "stop"

    def _completion(self, row: Row) -> Completion:
        written = [token for token in row.ids if token not in self._ends]
        (text,) = self._texts.decode([written])
        kept = stop_at(text, row.request.stop)
        count = len(written) if kept == text else self._texts.reach(written, kept)
        return Completion(
            text=kept,
            tokens=len(row.tokens),
            token_logprobs=None if row.error else tuple(token.logprob for token in row.tokens[:count]),
            finish=row.finish or "length",
            prompt_tokens=len(row.prompt),
            error=row.error,
            generated=None if row.error else tuple(row.tokens),
        )

    def _logprob(self, prompt: Prompt, text: str) -> float:
        before, after = self._texts.prompt(prompt), self._texts.tokens(text)
        longest = max(len(before), len(after)) if self._apart else len(before) + len(after)
        if self.facts["context"] is not None and longest > self.facts["context"]:
            raise InputError(
                f"{self.name}: prompt and text have {longest} tokens, and the model's context holds "
                f"{self.facts['context']}; leave this text out"
            )
        if not after:
            return 0.0
        with self._at_work():
            return self._score(before, after)


@dataclass(slots=True)
class Row:
    """A request that is being answered; it may write ``room`` tokens."""

    request: Request
    prompt: list[int]
    room: int
    tokens: list[Token] = field(default_factory=list)
    finish: Finish | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if self.room <= 0:
            self.finish = self.finish or "length"

    @property
    def ids(self) -> list[int]:
        """The tokens that were written, as numbers."""
        return [token.id for token in self.tokens]

    @property
    def tail(self) -> list[int]:
        """The last tokens, as many as a stop string may span that the newest one completes."""
        longest = max(len(stop.encode()) for stop in self.request.stop)
        return [token.id for token in self.tokens[-longest - _OVERLAP :]]

    def take(self, token: Token, ends: frozenset[int]) -> None:
        """Add a token."""
        self.tokens.append(token)
        if token.id in ends:
            self.finish = "stop"
        elif len(self.tokens) >= self.room:
            self.finish = "length"


def uniforms_of(seed: int, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the first numbers of a seed's stream, in [0, 1); Philox promises the same bits in every version."""
    bits = np.random.Philox(key=seed % 2**64).random_raw(count)
    return np.asarray((bits >> np.uint64(12)) * 2.0**-52, dtype=np.float64)
