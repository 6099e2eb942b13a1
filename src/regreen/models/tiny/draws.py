"""How the rows of a batch choose their next tokens: the rule of ``hf:``, in NumPy.

The nucleus needs the likeliest tokens in order, but never all of them. Tokens of a share below ``(1 - top_p) / V`` add
up to less than ``1 - top_p``, so the others hold the nucleus: only they are sorted, and the result is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regreen.models import Request, Token
from regreen.models.writing import uniforms_of

Array = np.ndarray[Any, np.dtype[Any]]


class Draws:
    """Each row's temperature, nucleus and random numbers, one for each token that it may write."""

    def __init__(self, requests: Sequence[Request], tokens: int) -> None:
        self._uniforms_BT = np.stack([uniforms_of(request.seed, tokens) for request in requests])
        self._temperature_B = np.array([request.temperature for request in requests], dtype=np.float64)
        self._top_p_B = np.array([request.top_p for request in requests], dtype=np.float64)
        self._step = 0

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order."""
        self._uniforms_BT = self._uniforms_BT[rows]
        self._temperature_B, self._top_p_B = self._temperature_B[rows], self._top_p_B[rows]

    def next(self, logits_BV: Array) -> list[Token]:
        """Return each row's next token, from float32 logits."""
        tokens_B = logits_BV.argmax(-1)
        every_B = np.arange(len(tokens_B))
        peaks_B = logits_BV[every_B, tokens_B]
        drawn = np.flatnonzero(self._temperature_B > 0)
        if len(drawn):
            shares_RV = _softmax(logits_BV[drawn], self._temperature_B[drawn])
            tokens_B[drawn] = self._drawn(shares_RV, drawn)
        self._step += 1
        rest_BV = logits_BV - peaks_B[:, None]
        sums_B = np.exp(rest_BV, out=rest_BV).sum(-1, dtype=np.float64)
        logprobs_B = logits_BV[every_B, tokens_B] - peaks_B - np.log(sums_B)
        tempered_B = logprobs_B.copy()
        if len(drawn):
            tempered_B[drawn] = np.log(shares_RV[np.arange(len(drawn)), tokens_B[drawn]])
        return list(map(Token, tokens_B.tolist(), logprobs_B.tolist(), tempered_B.tolist()))

    def _drawn(self, shares_RV: Array, rows: Array) -> Array:
        top_p_R = self._top_p_B[rows]
        if (top_p_R < 1).any():
            shares_RV = nucleus(shares_RV, top_p_R)
        # Tokens stand in the order of the vocabulary, not of their shares: two that tie cannot change places.
        sums_RV = shares_RV.cumsum(-1)
        at_R = self._uniforms_BT[rows, self._step] * sums_RV[:, -1]
        return np.asarray((sums_RV <= at_R[:, None]).sum(-1))


def _softmax(logits_RV: Array, temperature_R: Array) -> Array:
    shares_RV = logits_RV.astype(np.float64)
    shares_RV -= shares_RV.max(-1, keepdims=True)
    shares_RV /= temperature_R[:, None]
    np.exp(shares_RV, out=shares_RV)
    shares_RV /= shares_RV.sum(-1, keepdims=True)
    return shares_RV


def nucleus(shares_RV: Array, top_p_R: Array) -> Array:
    """Keep the fewest tokens whose shares reach ``top_p`` together, at least one; the others become zero."""
    kept_RV = np.zeros_like(shares_RV)
    least_R = (1 - top_p_R) / shares_RV.shape[1]
    for kept_V, shares_V, least, top_p in zip(kept_RV, shares_RV, least_R, top_p_R, strict=True):
        held = np.flatnonzero(shares_V >= least)
        ranked = held[np.argsort(-shares_V[held], kind="stable")]
        before = np.cumsum(shares_V[ranked]) - shares_V[ranked]
        chosen = ranked[: max(1, int(np.searchsorted(before, top_p)))]
        kept_V[chosen] = shares_V[chosen]
    return kept_RV
