"""A cache with room: what the model has read is not copied for every token that it writes."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from transformers.cache_utils import DynamicLayer

_ROOM = 64  # tokens that fit before everything is copied to a place with more room


def roomy(cache: transformers.DynamicCache) -> transformers.DynamicCache:
    """Give the layers of a new cache room; those that hold but a window, or no tokens at all, stay as they are."""
    cache.layers = [
        RoomyLayer() if type(layer) is DynamicLayer else layer  # type: ignore[no-untyped-call]
        for layer in cache.layers
    ]
    return cache


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer, B by heads by T by width: the beginning of tensors with more places."""

    _rooms: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the keys and values of new tokens, and return all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)  # type: ignore[no-untyped-call]
        held = self.get_seq_length()
        end = held + key_states.shape[-2]
        if self._rooms is None or end > self._rooms[0].shape[-2]:
            self._rooms = _larger(self.keys, key_states, held), _larger(self.values, value_states, held)
        for room, new in zip(self._rooms, (key_states, value_states), strict=True):
            room[..., held:end, :] = new
        self.keys, self.values = (room[..., :end, :] for room in self._rooms)
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Go on with these rows, in this order; their room comes with them."""
        if self._rooms is None:
            return
        held = self.get_seq_length()
        keys, values = (room.index_select(0, beam_idx) for room in self._rooms)
        self._rooms = keys, values
        self.keys, self.values = (room[..., :held, :] for room in self._rooms)


def _larger(held: Any, new: torch.Tensor, count: int) -> torch.Tensor:
    """Return a tensor with room that begins with the ``count`` tokens held."""
    room = new.new_empty((*new.shape[:-2], count + new.shape[-2] + _ROOM, new.shape[-1]))
    if count:
        room[..., :count, :] = held
    return room
