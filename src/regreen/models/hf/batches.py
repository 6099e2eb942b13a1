"""Batches of rows in a model of transformers: what it has read so far, and the logits of each row's next token."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import torch
import transformers
from transformers.modeling_outputs import BaseModelOutput

from regreen.models.hf.roomy import RoomyLayer, roomy
from regreen.models.hf.steps import Steps


class Batch:
    """Rows that a model reads side by side; ``logits_BV`` are those of each row's next token, in float32."""

    logits_BV: torch.Tensor

    @property
    def refills(self) -> bool:
        """Whether rows can take the place of finished ones."""
        return False

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order; a row may stand more than once."""
        raise NotImplementedError

    def feed(self, tokens: Sequence[int]) -> None:
        """Let the model read one more token of each row."""
        raise NotImplementedError


class Causal(Batch):
    """Rows of a causal model, their prompts padded on the left."""

    def __init__(self, module: Any, prompts: Sequence[Sequence[int]], steps: Steps | None = None) -> None:
        longest = max(map(len, prompts))
        self._module, self._steps = module, steps
        self._mask_BT = tensor(module, [[False] * (longest - len(p)) + [True] * len(p) for p in prompts])
        self._padded = not self._mask_BT.all()
        self._length_B = self._mask_BT.sum(-1)
        self._last = getattr(module.config.get_text_config(decoder=True), "max_position_embeddings", None)
        self._cache = roomy(transformers.DynamicCache(config=module.config.get_text_config(decoder=True)))
        padded = tensor(module, [[0] * (longest - len(p)) + [*p] for p in prompts])
        self.logits_BV = self._forward(padded, (self._mask_BT.cumsum(-1) - 1).clamp(min=0))
        layers = [layer for layer in self._cache.layers if isinstance(layer, RoomyLayer) and layer.rooms]
        self._layers = layers if len(layers) == len(self._cache.layers) else []

    @property
    def refills(self) -> bool:
        return bool(self._layers)  # each holds all that was read, and nothing else

    def keep(self, rows: Sequence[int]) -> None:
        index = tensor(self._module, rows)
        self._cache.reorder_cache(index)  # type: ignore[arg-type]
        self._mask_BT = self._mask_BT[index]
        self._length_B, self.logits_BV = self._length_B[index], self.logits_BV[index]

    def feed(self, tokens: Sequence[int]) -> None:
        tokens_B1 = tensor(self._module, tokens)[:, None]
        positions_B1 = self._length_B[:, None]
        if self._last is not None:  # a finished row that is still here may be at the context's end
            positions_B1 = positions_B1.clamp(max=self._last - 1)
        if self._layers and self._layers[0].full:
            self._move()
        self._mask_BT = torch.cat([self._mask_BT, torch.ones_like(tokens_B1, dtype=torch.bool)], -1)
        self.logits_BV = self._step(tokens_B1, positions_B1)
        self._length_B = self._length_B + 1

    def replace(self, rows: Sequence[int], other: Causal) -> None:
        """Put the rows of another batch in the place of these."""
        index, wider = tensor(self._module, rows), other._mask_BT.shape[1] - self._mask_BT.shape[1]
        if wider > 0:
            self._move(before=wider)
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            mine.replace(index, theirs)
        self._mask_BT[index] = torch.nn.functional.pad(other._mask_BT, (max(0, -wider), 0))
        self._length_B[index], self.logits_BV[index] = other._length_B, other.logits_BV
        self._padded = True

    def _move(self, before: int = 0) -> None:
        """Make room at the end, and ``before`` places at the beginning; what no row sees any more is left behind."""
        first = 0 if before else int(self._mask_BT.any(0).int().argmax())
        for layer in self._layers:
            layer.move(first, before)
        self._mask_BT = torch.nn.functional.pad(self._mask_BT, (before - first, 0))

    def _step(self, tokens_B1: torch.Tensor, positions_B1: torch.Tensor) -> torch.Tensor:
        if self._steps is None or not self._layers:
            return self._forward(tokens_B1, positions_B1)
        step = tokens_B1, positions_B1, self._mask_BT, self._layers
        logits_BV = self._steps.read(*step)
        if logits_BV is None:
            logits_BV = self._forward(tokens_B1, positions_B1)
            self._steps.took(logits_BV, *step)
        return logits_BV

    def _forward(self, tokens_BT: torch.Tensor, positions_BT: torch.Tensor) -> torch.Tensor:
        return call(
            self._module,
            input_ids=tokens_BT,
            attention_mask=self._mask_BT.long() if self._padded else None,
            position_ids=positions_BT,
            cache=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )[:, -1]


class EncoderDecoder(Batch):
    """Rows of a sequence-to-sequence model: the encoder has read the prompts, padded on the right."""

    def __init__(self, module: Any, prompts: Sequence[Sequence[int]]) -> None:
        longest = max(map(len, prompts))
        self._module = module
        self._mask_BT = tensor(module, [[1] * len(p) + [0] * (longest - len(p)) for p in prompts])
        padded = tensor(module, [[*p] + [0] * (longest - len(p)) for p in prompts])
        self._read_BTD = module.get_encoder()(input_ids=padded, attention_mask=self._mask_BT).last_hidden_state
        self._cache = transformers.EncoderDecoderCache(transformers.DynamicCache(), transformers.DynamicCache())
        self.feed([decoder_start(module)] * len(prompts))

    def keep(self, rows: Sequence[int]) -> None:
        index = tensor(self._module, rows)
        self._cache.reorder_cache(index)  # type: ignore[arg-type]
        self._mask_BT, self._read_BTD = self._mask_BT[index], self._read_BTD[index]
        self.logits_BV = self.logits_BV[index]

    def feed(self, tokens: Sequence[int]) -> None:
        tokens_B = tensor(self._module, tokens)
        self.logits_BV = call(
            self._module,
            encoder_outputs=BaseModelOutput(last_hidden_state=self._read_BTD),
            attention_mask=self._mask_BT,
            decoder_input_ids=tokens_B[:, None],
            cache=self._cache,
            use_cache=True,
        )[:, -1]


def start(module: Any, prompts: Sequence[Sequence[int]], steps: Steps | None = None) -> Batch:
    """Let the model read the prompts, token ids, and return the batch with one row for each."""
    return EncoderDecoder(module, prompts) if is_encoder_decoder(module) else Causal(module, prompts, steps)


def steps_of(module: Any) -> Steps | None:
    """Return how a module whose weights stay takes its steps; None where calling it is as fast, or was not measured."""
    if is_encoder_decoder(module) or module.device.type != "cpu":
        return None
    return Steps(module, call)


def logits_of(module: Any, before: Sequence[int], after: Sequence[int]) -> torch.Tensor:
    """Return the logits, tokens by vocabulary, from which each token of ``after`` is predicted."""
    if is_encoder_decoder(module):
        shifted = tensor(module, [[decoder_start(module), *after[:-1]]])
        return call(module, input_ids=tensor(module, [before]), decoder_input_ids=shifted, use_cache=False)[0]
    ids = tensor(module, [[*before, *after]])
    logits = call(module, input_ids=ids, use_cache=False, logits_to_keep=len(after) + 1)[0]
    return logits[-len(after) - 1 : -1]


def call(module: Any, **arguments: Any) -> torch.Tensor:
    """Return a module's logits in float32; of the arguments it gets those that its sort knows."""
    bare = module.get_base_model() if hasattr(module, "get_base_model") else module  # an adapter takes anything
    known = _known(type(bare))  # type: ignore[arg-type]
    if "cache" in arguments and "cache" not in known:  # as older versions of transformers name it
        arguments["past_key_values"] = arguments.pop("cache")
    for name in {"position_ids", "logits_to_keep"} - known:
        arguments.pop(name, None)
    logits: torch.Tensor = module(**arguments).logits
    return logits.float()


@functools.cache
def _known(sort: type) -> frozenset[str]:
    return frozenset(inspect.signature(sort.forward).parameters)  # type: ignore[attr-defined]


def tensor(module: Any, values: Sequence[Any]) -> torch.Tensor:
    """Return a tensor where the module is."""
    return torch.tensor(values, device=module.device)


def is_encoder_decoder(module: Any) -> bool:
    """Tell a sequence-to-sequence model from a causal one."""
    return bool(module.config.is_encoder_decoder)


def decoder_start(module: Any) -> int:
    """Return the token that a decoder reads first."""
    told = (getattr(c, "decoder_start_token_id", None) for c in (module.generation_config, module.config))
    return int(next((token for token in told if token is not None), module.config.pad_token_id))
