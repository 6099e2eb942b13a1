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
    """Keys and values of one layer, B by heads by T by width: the beginning of tensors with more places, ``rooms``."""

    rooms: tuple[torch.Tensor, torch.Tensor] | None = None
    _held = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the keys and values of new tokens, and return all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)  # type: ignore[no-untyped-call]
        start, end = self._held, self._held + key_states.shape[-2]
        if self.rooms is None or end > self.rooms[0].shape[-2]:
            keys, values = self._parts() if self.rooms else (key_states[..., :0, :], value_states[..., :0, :])
            self.rooms = _larger(keys, end + _ROOM), _larger(values, end + _ROOM)
        for room, new in zip(self.rooms, (key_states, value_states), strict=True):
            room[..., start:end, :] = new
        self._hold(end)
        return self._parts()

    @property
    def full(self) -> bool:
        """Whether there is no place for another token."""
        return self.rooms is not None and self._held == self.rooms[0].shape[-2]

    def move(self, first: int, before: int = 0) -> None:
        """Copy the tokens from the ``first`` on to a place with more room, behind ``before`` empty ones."""
        held = self._held - first + before
        keys, values = (_larger(part[..., first:, :], held + _ROOM, before) for part in self._parts())
        self.rooms = keys, values
        self._hold(held)

    def replace(self, index: torch.Tensor, other: RoomyLayer) -> None:
        """Put another layer's rows in the place of these, so that they end together."""
        for mine, theirs in zip(self._parts(), other._parts(), strict=True):
            mine[..., mine.shape[-2] - theirs.shape[-2] :, :].index_copy_(0, index, theirs)

    def wrote(self) -> None:
        """Count a token whose key and value already stand in the room."""
        self._hold(self._held + 1)

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Go on with these rows, in this order; their room comes with them."""
        if self.rooms is None:
            return
        keys, values = (room.index_select(0, beam_idx) for room in self.rooms)
        self.rooms = keys, values
        self._hold(self._held)

    def _hold(self, count: int) -> None:
        self._held = count
        self.keys, self.values = self._parts()

    def _parts(self) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.rooms is not None
        keys, values = (room[..., : self._held, :] for room in self.rooms)
        return keys, values


def _larger(held: torch.Tensor, places: int, before: int = 0) -> torch.Tensor:
    """Return a tensor of so many places which holds these tokens, behind ``before`` places of zeros."""
    room = held.new_empty((*held.shape[:-2], places, held.shape[-1]))
    room[..., :before, :] = 0  # they are masked, and what is no number would still show
    room[..., before : before + held.shape[-2], :] = held
    return room
