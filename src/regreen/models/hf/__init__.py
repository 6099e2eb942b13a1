"""``hf:PATH_OR_NAME``: causal and sequence-to-sequence models of transformers, sampled by our own loop over the cache.

    model = HFModel("Qwen/Qwen2.5-Coder-0.5B")
    (completion,) = await model.sample([Request("def add(a, b):\\n", seed=1, temperature=0.8, stop=("\\ndef",))])

Every request has its own stream of random numbers: token ``t`` is drawn by inverting the distribution's cumulative sum
at the ``t``-th number of Philox under the request's seed. Order, grouping, batch size and a larger ``max_tokens``
change no draw. What they do change is the shape of the tensors, and with it the order of floating-point sums. In
float32 on a CPU log-probabilities move by up to 1e-5, and a text can differ only where a draw, the nucleus's edge or a
greedy tie lies that close to another token: 3,200 samples of a tiny model (77,816 tokens, temperatures 0.2 to 1.5)
were the same in batches of 1 and 3, in any order, as in batches of 64; one differed in batches of 16, and one in
batches of 64 in another order. In bfloat16 sums move by about 1e-2, and more texts differ.

The distribution is the model's own: softmax of the logits over the temperature, then the nucleus ``top_p`` (Holtzman
et al. 2020, arXiv 1904.09751). A checkpoint's default generation settings stand in ``facts`` and are not applied.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen.errors import InfrastructureError, InputError
from regreen.extract import stop_at
from regreen.models import Completion, Finish, Request
from regreen.prompts import Prompt

try:
    import torch

    from regreen.models.hf import batches, draws, loading, texts
except ImportError as error:
    _REASON = f"{error.name} is not installed" if error.name else str(error).split("\n")[0]
    raise InputError(f"{_REASON} (pip install 'regreen[local]')") from error

__all__ = ["HFModel"]

_CROWD = 0.9  # when fewer than this share of a batch's rows are being written, the finished ones leave it
_OVERLAP = 8  # tokens looked at before the longest stop string: a character may be split over some


class HFModel:
    """A model of transformers, on this machine; it writes ``batch`` rows side by side.

    Requests of one prompt share its first pass through the model.
    """

    parallel = 1

    def __init__(
        self,
        place: str | Path | tuple[Any, Any],
        *,
        device: str | None = None,
        dtype: str | None = None,
        batch: int = 64,
    ) -> None:
        """Load a checkpoint, or take a live one.

        Args:
            place: a folder that ``save_pretrained`` wrote, a name on the hub, or a pair of module and tokenizer, which
                stay where and as they are.
            device: where to put the weights, as torch names it; by default a GPU if there is one.
            dtype: float32, bfloat16 or float16; by default bfloat16 on a GPU and float32 elsewhere.
            batch: rows written side by side.

        Raises:
            InputError: torch or transformers is not installed, or the checkpoint cannot be loaded.
        """
        live = isinstance(place, tuple)
        self.module, self.tokenizer = place if isinstance(place, tuple) else loading.load(str(place), device, dtype)
        self.name = f"hf:{(self.module.config.name_or_path or 'live') if live else place}"
        self.batch = batch
        self.facts: Mapping[str, Any] = loading.facts_of(self.module, self.tokenizer)
        self.chat = bool(getattr(self.tokenizer, "chat_template", None))
        self.decides: Mapping[str, Any] = {"dtype": str(self.facts["dtype"])}
        if not live:  # a live one changes
            self.decides = {**self.decides, "weights": loading.checksum(self.module)}
        self._both = batches.is_encoder_decoder(self.module)
        self._texts = texts.Texts(self.tokenizer, self.name, continues=not self._both)
        self._ends = loading.ends_of(self.module, self.tokenizer)
        self._lock = threading.Lock()

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order; torch runs in a thread beside the event loop.

        Raises:
            InputError: a prompt is a chat, and the tokenizer has no chat template.
            InfrastructureError: the device's memory is too small, or the model's logits are not numbers.
        """
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(self._sample, requests, cancelled)
        except torch.OutOfMemoryError as error:
            raise InfrastructureError(
                f"{self.name}: no memory for {self.batch} rows side by side; use fewer"
            ) from error
        finally:
            cancelled.set()

    async def logprob(self, prompt: Prompt, text: str) -> float:
        """Return the log-probability of a text after a prompt, untempered; that the text ends there is not part of it.

        Raises:
            InputError: the two do not fit in the model's context.
        """
        return await asyncio.to_thread(self._logprob, prompt, text)

    def _sample(self, requests: Sequence[Request], cancelled: threading.Event) -> list[Completion]:
        with self._at_work():
            rows = [self._row(request) for request in requests]
            waiting = sorted((row for row in rows if row.finish is None), key=lambda row: (len(row.prompt), row.prompt))
            for start in range(0, len(waiting), self.batch):
                self._write(waiting[start : start + self.batch], cancelled)
            return [self._completion(row) for row in rows]

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Hold the model alone, in evaluation mode and without gradients; then it is as it was."""
        with self._lock, torch.no_grad():
            training = [part for part in self.module.modules() if part.training]
            self.module.eval()
            try:
                yield
            finally:
                for part in training:
                    part.training = True

    def _row(self, request: Request) -> _Row:
        prompt, context = self._texts.prompt(request.prompt), self.facts["context"]
        if context is None:
            return _Row(request, prompt, request.max_tokens)
        if len(prompt) > context - (not self._both):  # a causal model needs a place for one token more
            error = f"the prompt has {len(prompt)} tokens, and the model's context holds {context}"
            return _Row(request, prompt, 0, finish="error", error=error)
        return _Row(request, prompt, min(request.max_tokens, context - (0 if self._both else len(prompt))))

    def _write(self, rows: Sequence[_Row], cancelled: threading.Event) -> None:
        """Write rows side by side until each is finished."""
        prompts = sorted({tuple(row.prompt) for row in rows})
        batch = batches.start(self.module, prompts)
        batch.keep(self._index([prompts.index(tuple(row.prompt)) for row in rows]))
        choice = draws.Draws([row.request for row in rows], max(row.room for row in rows), self.module.device)
        while not cancelled.is_set():
            tokens, logprobs = choice.next(batch.logits_BV)
            self._take(rows, tokens.tolist(), logprobs.tolist())
            live = [at for at, row in enumerate(rows) if row.finish is None]
            if not live:
                break
            if len(live) < _CROWD * len(rows):
                rows, index = [rows[at] for at in live], self._index(live)
                tokens = tokens[index]
                batch.keep(index)
                choice.keep(index)
            batch.feed(tokens)

    def _index(self, numbers: Sequence[int]) -> torch.Tensor:
        return batches.tensor(self.module, numbers)

    def _take(self, rows: Sequence[_Row], tokens: Sequence[int], logprobs: Sequence[float]) -> None:
        """Add its token to each row that is not finished, and see which are finished by it."""
        live = [at for at, row in enumerate(rows) if row.finish is None]
        if not all(math.isfinite(logprobs[at]) for at in live):
            raise InfrastructureError(f"{self.name}: its logits are not numbers in {self.facts['dtype']}; use float32")
        for at in live:
            rows[at].take(tokens[at], logprobs[at], self._ends)
        self._stop([rows[at] for at in live if rows[at].request.stop])

    def _stop(self, rows: Sequence[_Row]) -> None:
        """Finish the rows whose text now holds a stop string; the whole text is read only if its tail seems to."""
        tails = self._texts.decode([row.tail for row in rows])
        found = [row for row, tail in zip(rows, tails, strict=True) if stop_at(tail, row.request.stop) != tail]
        for row, text in zip(found, self._texts.decode([row.tokens for row in found]), strict=True):
            if stop_at(text, row.request.stop) != text:
                row.finish = "stop"

    def _completion(self, row: _Row) -> Completion:
        written = [token for token in row.tokens if token not in self._ends]
        (text,) = self._texts.decode([written])
        kept = stop_at(text, row.request.stop)
        count = len(written) if kept == text else self._texts.reach(written, kept)
        return Completion(
            text=kept,
            tokens=len(row.tokens),
            token_logprobs=None if row.error else tuple(row.logprobs[:count]),
            finish=row.finish or "length",
            prompt_tokens=len(row.prompt),
            error=row.error,
        )

    def _logprob(self, prompt: Prompt, text: str) -> float:
        before, after = self._texts.prompt(prompt), self._texts.tokens(text)
        longest = max(len(before), len(after)) if self._both else len(before) + len(after)
        if self.facts["context"] is not None and longest > self.facts["context"]:
            raise InputError(
                f"{self.name}: prompt and text have {longest} tokens, and the model's context holds "
                f"{self.facts['context']}; leave this text out"
            )
        if not after:
            return 0.0
        with self._at_work():
            logprobs_TV = batches.logits_of(self.module, before, after).log_softmax(-1)
            return float(logprobs_TV.gather(-1, self._index(after)[:, None]).double().sum())


@dataclass(slots=True)
class _Row:
    """A request that is being answered; it may write ``room`` tokens."""

    request: Request
    prompt: list[int]
    room: int
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: Finish | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if self.room <= 0:
            self.finish = self.finish or "length"

    @property
    def tail(self) -> list[int]:
        """The last tokens, as many as a stop string may span that the newest one completes."""
        return self.tokens[-max(len(stop.encode()) for stop in self.request.stop) - _OVERLAP :]

    def take(self, token: int, logprob: float, ends: frozenset[int]) -> None:
        self.tokens.append(token)
        self.logprobs.append(logprob)
        if token in ends:
            self.finish = "stop"
        elif len(self.tokens) >= self.room:
            self.finish = "length"
