"""``hf:PATH_OR_NAME``: causal and sequence-to-sequence models of transformers, sampled by our own loop over the cache.

    model = HFModel("Qwen/Qwen2.5-Coder-0.5B")
    (completion,) = await model.sample([Request("def add(a, b):\\n", seed=1, temperature=0.8, stop=("\\ndef",))])

The same seeds give the same draws in every order, grouping and batch size (see :mod:`regreen.models.writing`). What
those do change is the shape of the tensors, and with it the order of floating-point sums. In float32 on a CPU
log-probabilities move by up to 1e-5, and a text can differ only where a draw, the nucleus's edge or a greedy tie lies
that close to another token: 3,200 samples of a tiny model (77,816 tokens, temperatures 0.2 to 1.5) were the same in
batches of 1 and 3, in any order, as in batches of 64; one differed in batches of 16, and one in batches of 64 in
another order. In bfloat16 sums move by about 1e-2, and more texts differ.

The distribution is the model's own: softmax of the logits over the temperature, then the nucleus ``top_p`` (Holtzman
et al. 2020, arXiv 1904.09751). A checkpoint's default generation settings stand in ``facts`` and are not applied.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from regreen.errors import InfrastructureError, InputError
from regreen.models import Completion, Request
from regreen.models.texts import Texts
from regreen.models.writing import Writer

try:
    import torch

    from regreen.models.hf import batches, draws, loading
except ImportError as error:
    _REASON = f"{error.name} is not installed" if error.name else str(error).split("\n")[0]
    raise InputError(f"{_REASON} (pip install 'regreen[local]')") from error

__all__ = ["HFModel"]

_CALL = 4  # times as many requests in a call as rows: what waits takes the places of what has ended


class HFModel(Writer):
    """A model of transformers, on this machine; it writes ``batch`` rows side by side.

    Requests of one prompt share its first pass through the model.
    """

    def __init__(
        self,
        place: str | Path | tuple[Any, Any],
        *,
        device: str | None = None,
        dtype: str | None = None,
        batch: int = 64,
        arithmetic: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        """Load a checkpoint, or take a live one.

        Args:
            place: a folder that ``save_pretrained`` wrote, a name on the hub, or a pair of module and tokenizer, which
                stay where and as they are.
            device: where to put the weights, as torch names it; by default a GPU if there is one.
            dtype: float32, bfloat16 or float16; by default bfloat16 on a GPU and float32 elsewhere.
            batch: rows written side by side.
            arithmetic: in which it writes, such as autocast for a module that is trained so.

        Raises:
            InputError: torch or transformers is not installed, or the checkpoint cannot be loaded.
        """
        live = isinstance(place, tuple)
        self.module, self.tokenizer = place if isinstance(place, tuple) else loading.load(str(place), device, dtype)
        self.name = f"hf:{(self.module.config.name_or_path or 'live') if live else place}"
        self.facts: Mapping[str, Any] = loading.facts_of(self.module, self.tokenizer)
        self.chat = bool(getattr(self.tokenizer, "chat_template", None))
        self.decides: Mapping[str, Any] = {"dtype": str(self.facts["dtype"])}
        if not live:  # a live one changes
            self.decides = {**self.decides, "weights": loading.checksum(self.module)}
        both = batches.is_encoder_decoder(self.module)
        self.rows, self.batch = batch, batch if both else _CALL * batch
        texts = Texts(self.tokenizer, self.name, continues=not both)
        super().__init__(texts, loading.ends_of(self.module, self.tokenizer), apart=both)
        self._steps = None if live else batches.steps_of(self.module)
        self._lock, self._arithmetic = threading.Lock(), arithmetic

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order; torch runs in a thread beside the event loop.

        Raises:
            InputError: a prompt is a chat, and the tokenizer has no chat template.
            InfrastructureError: the device's memory is too small, or the model's logits are not numbers.
        """
        try:
            return await super().sample(requests)
        except torch.OutOfMemoryError as error:
            raise InfrastructureError(f"{self.name}: no memory for {self.rows} rows side by side; use fewer") from error

    def _start(self, prompts: Sequence[Sequence[int]]) -> batches.Batch:
        return batches.start(self.module, prompts, self._steps)

    def _draws(self, requests: Sequence[Request], tokens: int) -> draws.Draws:
        return draws.Draws(requests, tokens, self.module.device)

    def _score(self, before: Sequence[int], after: Sequence[int]) -> float:
        logprobs_TV = batches.logits_of(self.module, before, after).log_softmax(-1)
        return float(logprobs_TV.gather(-1, batches.tensor(self.module, after)[:, None]).double().sum())

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Hold the model alone, in evaluation mode and without gradients; then it is as it was."""
        with self._lock, torch.no_grad(), self._arithmetic():
            training = [part for part in self.module.modules() if part.training]
            self.module.eval()
            try:
                yield
            finally:
                for part in training:
                    part.training = True
