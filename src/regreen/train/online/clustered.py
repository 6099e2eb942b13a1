"""Copies of a policy on the machines of a Ray cluster, which write an online training's programs.

The module travels once, the weights that are trained with every publication, through Ray's object store: a copy asks
for them when a call says that there are newer ones than its own. So the nodes need no file of the training's, and a
copy that takes the place of a lost one writes with the right weights.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from regreen import cluster
from regreen.models import Completion, Model, Request
from regreen.models.hf import HFModel
from regreen.models.ray import RayModel, Sampler
from regreen.train.policy import Policy, arithmetic_of


@dataclass(frozen=True, slots=True)
class _Weights:
    """Which weights are to write: those of a step, and where they lie in Ray's object store."""

    step: int
    ref: Any


@dataclass(frozen=True, slots=True)
class _Pair:
    """Module and tokenizer, and the arithmetic that they are trained in; opened where it is called."""

    module: Any
    tokenizer: Any
    dtype: str

    def __call__(self) -> HFModel:
        module = self.module.to("cuda" if torch.cuda.is_available() else "cpu")
        return HFModel((module, self.tokenizer), arithmetic=partial(arithmetic_of, module.device, self.dtype))


class Taught(Sampler):
    """A copy whose weights are renewed, and which tells all that it generated: it is learned from."""

    _step: int | None = None

    def sample(self, requests: Sequence[Request], newest: _Weights | None = None) -> list[Completion]:
        """Answer a call with the newest weights."""
        import ray

        if newest is not None and newest.step != self._step:
            self._model.module.load_state_dict(ray.get(newest.ref), strict=False)
            self._step = newest.step
        return asyncio.run(self._model.sample(requests))


class Clustered:
    """Copies of the policy on a cluster's GPUs, or on its cores; there are none before programs are wanted."""

    def __init__(self, policy: Policy, where: str) -> None:
        self._policy, self._where, self._ray = policy, where, cluster.join(where)
        self._copies: RayModel | None = None
        self._newest: _Weights | None = None

    @property
    def model(self) -> Model:
        """The copies."""
        if self._copies is None:
            self._copies = self._opened()
        return self._copies

    def publish(self, step: int) -> None:
        """Put the trained weights into the store."""
        module = self._policy.entire.module
        trained = {name for name, weight in module.named_parameters() if weight.requires_grad}
        weights = {name: value.cpu() for name, value in module.state_dict().items() if name in trained}
        self._newest = _Weights(step, self._ray.put(weights))
        _ = self.model  # opened by who learns, who alone may gather weights

    def take(self) -> int:
        """Have the copies write with the weights that were put there last."""
        newest = self._newest
        assert newest is not None
        assert self._copies is not None  # as there is since something was published
        self._copies.more = (newest,)
        return newest.step

    def close(self) -> None:
        """End the copies."""
        if self._copies is not None:
            self._copies.close()
            self._copies = None

    def _opened(self) -> RayModel:
        whole = self._policy.entire
        device = whole.module.device
        try:  # what travels must not ask for a GPU where there is none
            pair = _Pair(whole.module.cpu(), whole.tokenizer, whole.dtype)
            return RayModel(self._policy.name, self._where, pair, sampler=Taught)
        finally:
            whole.module.to(device)
