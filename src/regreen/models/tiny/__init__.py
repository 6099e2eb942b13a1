"""``tiny-base`` and ``tiny:FOLDER``: small Llama checkpoints, sampled in NumPy without torch.

    model = shipped("tiny-base")
    (completion,) = await model.sample([Request("def add(a, b):\\n", seed=1, temperature=0.8, stop=("\\ndef",))])

The same seeds give the draws of ``hf:`` in float32, up to the order of floating-point sums, and so do
log-probabilities.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from regreen.models import Request
from regreen.models.shipped import folder_of
from regreen.models.texts import Texts
from regreen.models.tiny import loading
from regreen.models.tiny.batches import Batch
from regreen.models.tiny.draws import Draws
from regreen.models.tiny.llama import read
from regreen.models.writing import Writer

__all__ = ["TinyModel", "shipped"]

_THREADS = ThreadpoolController()  # products are small: more threads wait for each other four times as long


class TinyModel(Writer):
    """A Llama checkpoint on this machine's processor, in float32; it writes ``batch`` rows side by side."""

    def __init__(self, place: str | Path, *, batch: int = 64) -> None:
        """Load a checkpoint.

        Args:
            place: a folder that ``save_pretrained`` wrote: a Llama model in float16 or float32, a tokenizer.json.
            batch: rows written side by side.

        Raises:
            InputError: the folder is no checkpoint, or one of another architecture, type or vocabulary.
        """
        folder = Path(place)
        self.name = f"tiny:{place}"
        self._model, tokens, facts = loading.load(folder)
        self.facts: Mapping[str, Any] = facts
        self.chat = bool(tokens.chat_template)
        self.decides: Mapping[str, Any] = {"dtype": "float32", "weights": loading.checksum(folder)}
        self.batch = self.rows = batch
        super().__init__(Texts(tokens, self.name, continues=True), loading.ends_of(folder, tokens))
        self._lock = threading.Lock()

    def _start(self, prompts: Sequence[Sequence[int]]) -> Batch:
        return Batch(self._model, prompts)

    def _draws(self, requests: Sequence[Request], tokens: int) -> Draws:
        return Draws(requests, tokens)

    def _score(self, before: Sequence[int], after: Sequence[int]) -> float:
        ([x_TD], _) = read(self._model, [[*before, *after]])
        logits_TV = self._model.logits(x_TD[-len(after) - 1 : -1]).astype(np.float64)
        logits_TV -= logits_TV.max(-1, keepdims=True)
        chosen_T = logits_TV[np.arange(len(after)), list(after)]
        return float((chosen_T - np.log(np.exp(logits_TV).sum(-1))).sum())

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Hold the model alone; what overflows in a gate or is no number in the weights shows in the logits."""
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        with self._lock, _THREADS.limit(limits=1), quiet:
            yield


def shipped(name: str, *, batch: int = 64) -> TinyModel:
    """Return a checkpoint that comes with the package, by its name."""
    model = TinyModel(folder_of(name), batch=batch)
    model.name = name
    return model
