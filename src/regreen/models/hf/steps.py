"""A step of decoding, traced: for a small model, or few rows, most of a step's time is Python's.

A step is the same few hundred operations every time, on tensors of other shapes. Once a model has been asked for many
of them, ``torch.jit.trace`` writes them down, and they are run without the modules around them: the same operations on
the same numbers. A trace holds for every step only if no number decides what is done; this is tried with tensors that
have shapes and no numbers, and then the trace's logits are held beside the module's. Where either fails, as with
experts that are chosen by a loop, the module is called as ever.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import transformers
from transformers.cache_utils import DynamicLayer

from regreen.models.hf.roomy import RoomyLayer

_PATIENCE = 200  # steps that are taken before a trace pays: it costs as much as a hundred of them
_EXAMPLE = 2, 3  # rows and tokens of the step that is traced

Call = Callable[..., torch.Tensor]  # a module and its arguments by name -> its logits


class Steps:
    """The steps of one module, whose weights stay as they are.

    Args:
        module: a causal model on the processor.
        call: of a module, ``input_ids``, ``attention_mask``, ``position_ids`` and ``cache``, returns its logits.
        patience: steps that are taken before one is traced.
    """

    def __init__(self, module: torch.nn.Module, call: Call, *, patience: int = _PATIENCE) -> None:
        self._step, self._left = _Step(module, call), patience
        self.trace: Any = None

    def read(
        self, tokens_B1: torch.Tensor, positions_B1: torch.Tensor, mask_BT: torch.Tensor, layers: list[RoomyLayer]
    ) -> torch.Tensor | None:
        """Return the logits after one more token of each row, B by V, or None where there is no trace.

        ``mask_BT`` counts the new token, and the layers have room for it.
        """
        if self.trace is None:
            return None
        logits_BV: torch.Tensor = self.trace(tokens_B1, positions_B1, mask_BT, *_rooms(layers))
        for layer in layers:
            layer.wrote()
        return logits_BV

    def took(
        self, logits_BV: torch.Tensor, tokens_B1: torch.Tensor, positions_B1: torch.Tensor, mask_BT: torch.Tensor,
        layers: list[RoomyLayer],
    ) -> None:  # fmt: skip
        """Hear of a step that the module took; after enough of them one is traced, and held beside it."""
        self._left -= 1
        if self._left == 0:
            trace = _traced(self._step, _rooms(layers))
            if trace is not None and _agrees(trace(tokens_B1, positions_B1, mask_BT, *_rooms(layers)), logits_BV):
                self.trace = trace


class _Step(torch.nn.Module):
    """A step as a function of tensors alone; it writes into the rooms."""

    def __init__(self, module: torch.nn.Module, call: Call) -> None:
        super().__init__()
        self._module, self._call = module, call

    def forward(
        self, tokens_B1: torch.Tensor, positions_B1: torch.Tensor, mask_BT: torch.Tensor, *rooms: torch.Tensor
    ) -> torch.Tensor:
        cache = transformers.DynamicCache()
        end = mask_BT.shape[-1]
        cache.layers = [_Written(keys, values, end) for keys, values in zip(rooms[::2], rooms[1::2], strict=True)]
        hidden_BT = torch.where(mask_BT, 0.0, torch.finfo(rooms[0].dtype).min).to(rooms[0].dtype)
        return self._call(
            self._module,
            input_ids=tokens_B1,
            attention_mask=hidden_BT[:, None, None],
            position_ids=positions_B1,
            cache=cache,
            use_cache=True,
            logits_to_keep=1,
        )[:, -1]


class _Written(DynamicLayer):
    """A layer whose room is given; the new token's place is the last of ``end``."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, end: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rooms, self._end, self.is_initialized = (keys, values), end, True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        for room, new in zip(self.rooms, (key_states, value_states), strict=True):
            room[:, :, self._end - 1 : self._end] = new
        keys, values = (room[:, :, : self._end] for room in self.rooms)
        return keys, values

    def get_seq_length(self) -> int:
        return self._end - 1


def _rooms(layers: list[RoomyLayer]) -> list[torch.Tensor]:
    return [room for layer in layers for room in layer.rooms or ()]


def _traced(step: _Step, rooms: list[torch.Tensor]) -> Any:
    """Return a trace, or None of a module that decides by numbers, or does what cannot be traced."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    count, tokens = _EXAMPLE
    ids = torch.ones(count, 1, dtype=torch.long)
    mask = torch.ones(count, tokens, dtype=torch.bool)
    example = (ids, ids, mask, *(room.new_zeros(count, room.shape[1], tokens + 1, room.shape[3]) for room in rooms))
    try:
        with _quiet():
            with FakeTensorMode(allow_non_fake_inputs=True) as fake:
                step(*(fake.from_tensor(part) for part in example))
            return torch.jit.trace(step, example, check_trace=False)  # type: ignore[no-untyped-call]
    except Exception:  # whatever a module does that has no trace; it can still be called
        return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of shapes that become numbers, of properties that are looked at, and that torch would compile."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _agrees(one_BV: torch.Tensor, other_BV: torch.Tensor) -> bool:
    within = torch.finfo(other_BV.dtype).eps ** 0.5 / 10 * float(other_BV.abs().max())
    return one_BV.shape == other_BV.shape and torch.allclose(one_BV, other_BV, rtol=0, atol=within)
