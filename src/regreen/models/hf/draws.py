"""How the rows of a batch choose their next tokens; each has a stream of random numbers of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from regreen.models import Request
from regreen.models.writing import uniforms_of


class Draws:
    """Each row's temperature, nucleus and random numbers, one for each token that it may write."""

    def __init__(self, requests: Sequence[Request], tokens: int, device: torch.device) -> None:
        uniforms = np.stack([uniforms_of(request.seed, tokens) for request in requests])
        self._uniforms_BT = torch.from_numpy(uniforms).to(device)
        self._temperature_B = torch.tensor([request.temperature for request in requests], device=device).double()
        self._top_p_B = torch.tensor([request.top_p for request in requests], device=device).double()
        self._step = 0
        self._look()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order."""
        index = torch.tensor(rows, device=self._uniforms_BT.device)
        self._uniforms_BT = self._uniforms_BT[index]
        self._temperature_B, self._top_p_B = self._temperature_B[index], self._top_p_B[index]
        self._look()

    def next(self, logits_BV: torch.Tensor) -> tuple[list[int], list[float]]:
        """Return each row's next token and its log-probability, untempered, from float32 logits."""
        tokens_B = logits_BV.argmax(-1)
        if self._any_drawn:
            tokens_B = torch.where(self._temperature_B > 0, self._drawn(logits_BV.double()), tokens_B)
        self._step += 1
        logprobs_B = logits_BV.log_softmax(-1).gather(-1, tokens_B[:, None])[:, 0]
        return tokens_B.tolist(), logprobs_B.tolist()

    def _look(self) -> None:
        """Note once what would else be asked of the device at every token."""
        self._any_drawn = bool((self._temperature_B > 0).any())
        self._any_nucleus = bool((self._top_p_B < 1).any())

    def _drawn(self, logits_BV: torch.Tensor) -> torch.Tensor:
        heat_B = torch.where(self._temperature_B > 0, self._temperature_B, 1.0)
        shares_BV = (logits_BV / heat_B[:, None]).softmax(-1)
        if self._any_nucleus:
            shares_BV = nucleus(shares_BV, self._top_p_B)
        # Tokens stand in the order of the vocabulary, not of their shares: two that tie cannot change places.
        sums_BV = shares_BV.cumsum(-1)
        at_B = self._uniforms_BT[:, self._step] * sums_BV[:, -1]
        return torch.searchsorted(sums_BV, at_B[:, None], right=True)[:, 0]


def nucleus(shares_BV: torch.Tensor, top_p_B: torch.Tensor) -> torch.Tensor:
    """Keep the fewest tokens whose shares reach ``top_p`` together, at least one; the others become zero."""
    ranked_BV, order_BV = shares_BV.sort(dim=-1, descending=True, stable=True)
    kept_BV = ranked_BV.cumsum(-1) - ranked_BV < top_p_B[:, None]
    kept_BV[:, 0] = True
    return torch.zeros_like(shares_BV).scatter(-1, order_BV, ranked_BV * kept_BV)
