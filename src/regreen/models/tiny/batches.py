"""Rows that are written side by side after their prompts, which are read and kept once for all rows that share one.

All rows of a batch begin together, so what they have written is equally long and needs no mask. What they have read is
not: rows of one prompt stand beside each other, and neighbouring prompts of equally many rows are seen in one product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from regreen.models.tiny.llama import Array, Caches, Llama, read, softmax

_AT_ONCE = 512  # tokens of prompts read side by side: more are no faster, and take memory
_FIRST_ROOM = 32  # tokens that fit in the cache at first; it doubles


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Neighbouring prompts of equally many rows; keys and values by layer, of shape (G, P, T, E), padded at the end.

    ``hidden_PT`` is added to scores: minus infinity where a prompt has ended, or None where none ends early.
    """

    prompts: tuple[int, ...]
    keys_values: list[tuple[Array, Array]]
    hidden_PT: Array | None
    length: int


class Batch:
    """Rows after their prompts; ``logits_BV`` are those of each row's next token."""

    refills = False

    def __init__(self, model: Llama, prompts: Sequence[Sequence[int]]) -> None:
        self._model = model
        self._lengths_P = np.array([len(prompt) for prompt in prompts])
        self._caches: Caches = [[] for _ in range(model.shape.layers)]
        last: list[Array] = []
        for some in _chunks(prompts):
            hidden, caches = read(model, some)
            last += [x_TD[-1] for x_TD in hidden]
            for layer, more in zip(self._caches, caches, strict=True):
                layer += more
        self.logits_BV = model.logits(np.stack(last))
        self._prompt_B = np.arange(len(prompts))
        self._written = 0
        self._own: list[Array] = []  # by layer: keys and values of shape (2, G, B, T, E)
        self._look()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order, those of one prompt beside each other."""
        self._prompt_B, self.logits_BV = self._prompt_B[rows], self.logits_BV[rows]
        self._own = [own[:, :, rows] for own in self._own]
        self._look()

    def feed(self, tokens: Sequence[int]) -> None:
        """Let the model read one more token of each row."""
        self._make_room()
        positions_B = self._lengths_P[self._prompt_B] + self._written
        self._written += 1
        self.logits_BV = self._model.logits(self._model.hidden(np.array(tokens), positions_B, self._attend))

    def _look(self) -> None:
        """Find the stretches of the rows; those that were there before are kept."""
        counts = [(prompt, len(list(same))) for prompt, same in groupby(self._prompt_B.tolist())]
        known = {stretch.prompts: stretch for stretch, _ in getattr(self, "_stretches", ())}
        self._stretches: list[tuple[_Stretch, int]] = []
        for count, some in groupby(counts, key=lambda pair: pair[1]):
            prompts = tuple(prompt for prompt, _ in some)
            self._stretches.append((known.get(prompts) or self._stretch(prompts), count))
        self._longest = max(stretch.length for stretch, _ in self._stretches)

    def _stretch(self, prompts: tuple[int, ...]) -> _Stretch:
        lengths_P = self._lengths_P[list(prompts)]
        length = int(lengths_P.max())
        ended_PT = np.arange(length) >= lengths_P[:, None]
        hidden_PT = np.where(ended_PT, np.float32(-np.inf), np.float32(0)) if ended_PT.any() else None
        keys_values = [
            (_padded([layer[p][0] for p in prompts], length), _padded([layer[p][1] for p in prompts], length))
            for layer in self._caches
        ]
        return _Stretch(prompts, keys_values, hidden_PT, length)

    def _make_room(self) -> None:
        shape = self._model.shape
        if not self._own:
            size = (2, shape.groups, len(self._prompt_B), _FIRST_ROOM, shape.head)
            self._own = [np.empty(size, np.float32) for _ in range(shape.layers)]
        if self._written == self._own[0].shape[3]:
            self._own = [np.concatenate([own, np.empty_like(own)], axis=3) for own in self._own]

    def _attend(self, number: int, q_BGHE: Array, k_BGE: Array, v_BGE: Array) -> Array:
        """Let each row's new token see the row's prompt, what the row has written, and itself."""
        own = self._own[number][:, :, :, : self._written]
        own[0, :, :, -1], own[1, :, :, -1] = k_BGE.swapaxes(0, 1), v_BGE.swapaxes(0, 1)
        q_GBHE = np.ascontiguousarray(q_BGHE.swapaxes(0, 1))
        scores_GBHT = np.empty((*q_GBHE.shape[:3], self._longest + self._written), np.float32)
        np.matmul(q_GBHE, own[0].swapaxes(-1, -2), out=scores_GBHT[..., self._longest :])
        for stretch, rows, count in self._spans():
            self._score(stretch, number, q_GBHE[:, rows], scores_GBHT[:, rows, :, : self._longest], count)
        sums_GBH = softmax(scores_GBHT)
        seen_GBHE = scores_GBHT[..., self._longest :] @ own[1]
        for stretch, rows, count in self._spans():
            self._gather(stretch, number, scores_GBHT[:, rows, :, : stretch.length], seen_GBHE[:, rows], count)
        seen_GBHE /= sums_GBH
        return np.asarray(seen_GBHE.swapaxes(0, 1).reshape(len(k_BGE), -1))

    def _spans(self) -> Iterator[tuple[_Stretch, slice, int]]:
        start = 0
        for stretch, count in self._stretches:
            end = start + count * len(stretch.prompts)
            yield stretch, slice(start, end), count
            start = end

    def _score(self, stretch: _Stretch, number: int, q_GBHE: Array, scores_GBHT: Array, count: int) -> None:
        keys_GPTE = stretch.keys_values[number][0]
        groups, _, heads, size = q_GBHE.shape
        q_GPHE = q_GBHE.reshape(groups, len(stretch.prompts), count * heads, size)
        found_GPHT = q_GPHE @ keys_GPTE.swapaxes(-1, -2)
        if stretch.hidden_PT is not None:
            found_GPHT += stretch.hidden_PT[:, None]
        scores_GBHT[..., : stretch.length] = found_GPHT.reshape(*q_GBHE.shape[:3], stretch.length)
        scores_GBHT[..., stretch.length :] = -np.inf

    def _gather(self, stretch: _Stretch, number: int, shares_GBHT: Array, seen_GBHE: Array, count: int) -> None:
        values_GPTE = stretch.keys_values[number][1]
        groups, _, heads, length = shares_GBHT.shape
        shares_GPHT = shares_GBHT.reshape(groups, len(stretch.prompts), count * heads, length)
        seen_GBHE += (shares_GPHT @ values_GPTE).reshape(seen_GBHE.shape)


def _chunks(prompts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Part the prompts, in order, into lists of at most so many tokens, or of one prompt."""
    some: list[Sequence[int]] = []
    for prompt in prompts:
        if some and sum(map(len, some)) + len(prompt) > _AT_ONCE:
            yield some
            some = []
        some.append(prompt)
    yield some


def _padded(parts: Sequence[Array], length: int) -> Array:
    """Return arrays of shape (G, T, E) as one of shape (G, P, T, E), zeros where one is shorter."""
    if len(parts) == 1:
        return parts[0][:, None]
    groups, _, size = parts[0].shape
    whole_GPTE = np.zeros((groups, len(parts), length, size), np.float32)
    for at, part in enumerate(parts):
        whole_GPTE[:, at, : part.shape[1]] = part
    return whole_GPTE
