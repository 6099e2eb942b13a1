"""How the rows of a batch choose their next tokens; each has a stream of random numbers of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from regreen.models import Request, Token
from regreen.models.writing import uniforms_of

_FEW = 64  # tokens that mostly hold the nucleus


class Draws:
    """Each row's temperature, nucleus and random numbers, one for each token that it may write."""

    def __init__(self, requests: Sequence[Request], tokens: int, device: torch.device) -> None:
        uniforms = np.stack([uniforms_of(request.seed, tokens) for request in requests])
        self._uniforms_BT = torch.from_numpy(uniforms).to(device)
        self._written_B = torch.zeros(len(requests), dtype=torch.long, device=device)
        self._temperature_B = torch.tensor([request.temperature for request in requests], device=device).double()
        self._top_p_B = torch.tensor([request.top_p for request in requests], device=device).double()
        self._look()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order."""
        index = torch.tensor(rows, device=self._uniforms_BT.device)
        self._uniforms_BT, self._written_B = self._uniforms_BT[index], self._written_B[index]
        self._temperature_B, self._top_p_B = self._temperature_B[index], self._top_p_B[index]
        self._look()

    def replace(self, rows: Sequence[int], requests: Sequence[Request]) -> None:
        """Let these requests begin in the place of these rows."""
        index = torch.tensor(rows, device=self._uniforms_BT.device)
        other = Draws(requests, self._uniforms_BT.shape[1], self._uniforms_BT.device)
        for mine, theirs in zip(self._parts, other._parts, strict=True):
            mine[index] = theirs
        self._look()

    def next(self, logits_BV: torch.Tensor) -> list[Token]:
        """Return each row's next token, from float32 logits."""
        tokens_B = logits_BV.argmax(-1)
        if self._any_drawn:
            shares_BV = self._shares(logits_BV)
            tokens_B = torch.where(self._temperature_B > 0, self._drawn(shares_BV), tokens_B)
        self._written_B += 1
        logprobs_B = tempered_B = _of(logits_BV.log_softmax(-1), tokens_B)
        if self._any_tempered:
            tempered_B = torch.where(self._temperature_B > 0, _of(shares_BV, tokens_B).log(), logprobs_B)
        return list(map(Token, tokens_B.tolist(), logprobs_B.tolist(), tempered_B.tolist()))

    @property
    def _parts(self) -> tuple[torch.Tensor, ...]:
        return self._uniforms_BT, self._written_B, self._temperature_B, self._top_p_B

    def _look(self) -> None:
        """Note once what would else be asked of the device at every token."""
        self._any_drawn = bool((self._temperature_B > 0).any())
        self._any_tempered = bool(((self._temperature_B > 0) & (self._temperature_B != 1)).any())
        self._any_nucleus = bool((self._top_p_B < 1).any())

    def _shares(self, logits_BV: torch.Tensor) -> torch.Tensor:
        heat_B = torch.where(self._temperature_B > 0, self._temperature_B, 1.0)
        return (logits_BV.double() / heat_B[:, None]).softmax(-1)

    def _drawn(self, shares_BV: torch.Tensor) -> torch.Tensor:
        if self._any_nucleus:
            shares_BV = nucleus(shares_BV, self._top_p_B)
        # Tokens stand in the order of the vocabulary, not of their shares: two that tie cannot change places.
        sums_BV = shares_BV.cumsum(-1)
        step_B = self._written_B.clamp(max=self._uniforms_BT.shape[1] - 1)  # a finished row may still be here
        at_B = self._uniforms_BT.gather(1, step_B[:, None])[:, 0] * sums_BV[:, -1]
        return torch.searchsorted(sums_BV, at_B[:, None], right=True)[:, 0].clamp(max=sums_BV.shape[1] - 1)


def _of(values_BV: torch.Tensor, tokens_B: torch.Tensor) -> torch.Tensor:
    """Return each row's value of its token."""
    return values_BV.gather(-1, tokens_B[:, None])[:, 0]


def nucleus(shares_BV: torch.Tensor, top_p_B: torch.Tensor) -> torch.Tensor:
    """Keep the fewest tokens whose shares reach ``top_p`` together, at least one; the others become zero.

    Of equal shares the first in the vocabulary are kept.
    """
    ranked_BR = _ranked(shares_BV, top_p_B)
    before_BR = ranked_BR.cumsum(-1) - ranked_BR
    count_B1 = (before_BR < top_p_B[:, None]).sum(-1, keepdim=True).clamp(min=1)
    least_B1 = ranked_BR.gather(-1, count_B1 - 1)
    above_BV, level_BV = shares_BV > least_B1, shares_BV == least_B1
    ties_B1 = count_B1 - above_BV.sum(-1, keepdim=True)
    return shares_BV * (above_BV | level_BV & (level_BV.cumsum(-1) <= ties_B1))


def _ranked(shares_BV: torch.Tensor, top_p_B: torch.Tensor) -> torch.Tensor:
    """Return the greatest shares in order: a few where these hold every nucleus, since sorting all takes longer."""
    few_BR = shares_BV.topk(min(_FEW, shares_BV.shape[-1])).values
    if bool((few_BR.cumsum(-1)[:, -1] >= top_p_B).all()):
        return few_BR
    return shares_BV.sort(dim=-1, descending=True).values
