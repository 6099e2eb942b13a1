"""Who writes the programs of an online training: the policy itself, a copy that lags behind, a server, or copies on a
cluster (:mod:`regreen.train.online.clustered`).
"""

from __future__ import annotations

import asyncio
import copy
import shutil
import threading
from pathlib import Path
from typing import Any, Protocol

from regreen.cluster import has_gpus
from regreen.errors import InputError
from regreen.models import Model
from regreen.models.hf import HFModel
from regreen.train.config import ServerConfig
from regreen.train.crew import crew
from regreen.train.policy import Policy

SERVED = "served"  # a folder of a training: the weights that a server was told to read


class Writer(Protocol):
    """A model, and how it comes by the policy's weights: they are published by who learns, and taken by who draws."""

    @property
    def model(self) -> Model:
        """Who writes; asked for after something was published."""
        ...

    def publish(self, step: int) -> None:
        """Hand out the policy's weights after so many steps."""
        ...

    def take(self) -> int:
        """Write with the newest weights that were handed out, and return after how many steps they were."""
        ...

    def close(self) -> None:
        """End what writes beside this process."""
        ...


class _Here:
    """What all writers have in common that begin nothing elsewhere."""

    def close(self) -> None:
        """There is nothing to end."""


class Itself(_Here):
    """The policy, as it is whenever it is asked."""

    def __init__(self, policy: Policy) -> None:
        self.model: Model = policy.sampler()
        self._step = 0

    def publish(self, step: int) -> None:
        """Note the step."""
        self._step = step

    def take(self) -> int:
        """Return the step."""
        return self._step


class Copy(_Here):
    """A copy beside the policy, so that one may write while the other learns."""

    def __init__(self, policy: Policy) -> None:
        self._policy, self._module = policy, copy.deepcopy(policy.module)
        self.model: Model = HFModel((self._module, policy.tokenizer), arithmetic=policy.arithmetic)
        self._newest: tuple[int, dict[str, Any] | None] = (0, None)
        self._hold = threading.Lock()

    def publish(self, step: int) -> None:
        """Keep the weights as they are now."""
        weights = {name: value.detach().clone() for name, value in self._policy.module.state_dict().items()}
        with self._hold:
            self._newest = step, weights

    def take(self) -> int:
        """Load the weights that were kept last."""
        with self._hold:
            (step, weights), self._newest = self._newest, (self._newest[0], None)
        if weights is not None:
            self._module.load_state_dict(weights)
        return step


class Served(_Here):
    """A server that reads each checkpoint it is given; it must see the training's folder under the same path."""

    def __init__(self, policy: Policy, told: ServerConfig, folder: Path) -> None:
        from regreen.models.reloading import ReloadingModel

        self._policy, self._folder = policy, folder / SERVED
        self._server = ReloadingModel(told.model, engine=told.engine, base_url=told.base_url)
        self.model: Model = self._server
        self._newest: tuple[int, Path | None] = (0, None)
        self._loaded: Path | None = None
        self._hold = threading.Lock()

    def publish(self, step: int) -> None:
        """Write a checkpoint; those that nobody will read any more are removed."""
        place = self._folder / f"step-{step:06d}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        self._policy.save(place)
        with self._hold:
            self._newest = step, place
            kept = {place, self._loaded}
            for old in self._folder.iterdir():
                if old not in kept:
                    shutil.rmtree(old)

    def take(self) -> int:
        """Have the server read the newest checkpoint."""
        with self._hold:
            (step, place), self._newest = self._newest, (self._newest[0], None)
            self._loaded = place or self._loaded
        if place is not None:
            asyncio.run(self._server.reload(place))
        return step


def writer_of(
    policy: Policy, server: ServerConfig | None, cluster: str | None, folder: Path, *, beside: bool
) -> Writer:
    """Return who writes: a server if there is one, a cluster, a copy ``beside`` the policy, or itself.

    A cluster without GPUs writes for a policy that has none either: else it judges alone.
    """
    if server is not None:
        return Served(policy, server, folder)
    if cluster is not None and (policy.device.type == "cpu" or has_gpus(cluster)):
        from regreen.train.online.clustered import Clustered

        return Clustered(policy, cluster)
    if beside and crew().several:
        words = "is for one process; with several take 'interleaved', --cluster or [draw.server]"
        raise InputError(f"[buffer] mode = 'asynchronous' {words}")
    return Copy(policy) if beside else Itself(policy)
