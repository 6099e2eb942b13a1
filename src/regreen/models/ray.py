"""A model on the machines of a Ray cluster: copies of it, with a GPU or a core each, and calls that go to who is free.

Calls are not divided: each is answered by one copy, as one machine would answer it, so a seed's text depends on what
was asked with it no more than there (see :mod:`regreen.models.hf`). A call whose copy is lost is made again elsewhere,
with the same seeds.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from regreen import cluster
from regreen.errors import InfrastructureError, InputError, RegreenError
from regreen.models import Completion, Request, open_model
from regreen.prompts import Prompt

__all__ = ["RayModel", "on_cluster"]

_LOOK = 0.2  # seconds between two looks at which copies are ready
_PATIENCE = 600.0  # seconds for a first copy to be ready: a checkpoint may have to be fetched
_LOSSES = 5  # of copies that had a call, until it is thought to be what ends them


class Sampler:
    """A copy of the model on a node."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._model: Any = None  # from when it is opened

    def open(self) -> dict[str, Any]:
        """Load the model, and say what it is."""
        self._model = model = self._make()
        return {
            "name": model.name,
            "chat": model.chat,
            "decides": dict(model.decides),
            "facts": dict(model.facts),
            "batch": model.batch,
        }

    def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Answer a call; each generated token by itself is too much to travel."""
        return [replace(completion, generated=None) for completion in asyncio.run(self._model.sample(requests))]

    def logprob(self, prompt: Prompt, text: str) -> float:
        """Return the model's own answer."""
        return float(asyncio.run(self._model.logprob(prompt, text)))


class _Copy:
    """An actor that loads the model when there is room for it, and then takes calls."""

    def __init__(self, ray: Any, sampler: type[Sampler], make: Any, share: Mapping[str, float]) -> None:
        self.actor = ray.remote(sampler).options(**share, max_restarts=0).remote(make)
        self.opening = self.actor.open.remote()
        self.about: dict[str, Any] = {}
        self.calls = 0

    @property
    def ready(self) -> bool:
        return bool(self.about)


class RayModel:
    """A model on every GPU of a Ray cluster, or on every core of one that has none.

    Copies that Ray has no room for are waited for by nobody: they take calls when they are ready, and so do those on
    nodes that join. ``parallel`` is how many are ready.

    Args:
        name: what it is called.
        where: ``ray`` or ``HOST:PORT``: see :func:`regreen.cluster.join`.
        make: opens it on a node; with what it holds it must be small enough for the memory of each.
        sampler: what a copy is.

    Attributes:
        more: what is given to a copy with every call to write, beside the requests.

    Raises:
        InputError: Ray is not installed, or the model cannot be opened.
        InfrastructureError: the cluster cannot be joined, or no node has room for the model.
    """

    def __init__(self, name: str, where: str, make: Callable[[], Any], *, sampler: type[Sampler] = Sampler) -> None:
        self._ray = ray = cluster.join(where)
        self.name, self._where, self._sampler, self._make = name, where, sampler, ray.put(make)
        self.more: tuple[Any, ...] = ()
        self._guard = threading.Lock()
        self._copies: list[_Copy] = []
        self.parallel = 1
        about = self._first()
        self.chat: bool = about["chat"]
        self.decides: Mapping[str, Any] = about["decides"]
        self.batch: int = about["batch"]
        self._facts = about["facts"]

    @property
    def facts(self) -> Mapping[str, Any]:
        """The first copy's own, and how many copies there are, on what."""
        return {**self._facts, "cluster": self._where, "copies": self.parallel}

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order, from one copy.

        Raises:
            InputError: the model refuses the requests.
            InfrastructureError: the copy breaks down, or there is none any more.
        """
        found: list[Completion] = await self._ask("sample", list(requests), *self.more)
        return found

    async def logprob(self, prompt: Prompt, text: str) -> float:
        """Return the log-probability of a text after a prompt, from one copy."""
        return float(await self._ask("logprob", prompt, text))

    async def _ask(self, method: str, *arguments: Any) -> Any:
        for _ in range(_LOSSES):
            copy = await asyncio.to_thread(self._free)
            try:
                return await cluster.answer(getattr(copy.actor, method).remote(*arguments))
            except cluster.Gone as gone:
                self._forget(copy)
                lost = gone
            finally:
                copy.calls -= 1
        words = f"{_LOSSES} copies were lost on a call ({lost}); use fewer rows side by side"
        raise InfrastructureError(f"--cluster {self._where}: {self.name}: {words}")

    def close(self) -> None:
        """End every copy, and give its GPU or core back."""
        with self._guard:
            for copy in self._copies:
                self._ray.kill(copy.actor)
            self._copies.clear()

    # ---- the copies ----

    def _first(self) -> dict[str, Any]:
        """Return what the first copy that is ready says of itself; the others may take as long again to be ready."""
        began = time.monotonic()
        first = self._free()
        first.calls -= 1
        end = 2 * time.monotonic() - began
        while time.monotonic() < end and not all(copy.ready for copy in self._copies):
            time.sleep(_LOOK)
            with self._guard:
                self._look()
        return first.about

    def _free(self) -> _Copy:
        """Return the copy with the fewest calls, which is one more for it; waits for one to be ready."""
        end = time.monotonic() + _PATIENCE
        while True:
            with self._guard:
                self._look()
                ready = [copy for copy in self._copies if copy.ready]
                if ready:
                    chosen = min(ready, key=lambda copy: copy.calls)
                    chosen.calls += 1
                    return chosen
            if time.monotonic() > end:
                words = f"no node had room for {self.name} in {_PATIENCE:g} s; 'ray status' says what is taken"
                raise InfrastructureError(f"--cluster {self._where}: {words}")
            time.sleep(_LOOK)

    def _look(self) -> None:
        """Want as many copies as the cluster has GPUs, or cores, and see which are ready."""
        nodes = cluster.nodes(self._ray)
        gpus, cpus = sum(node.gpus for node in nodes), sum(node.cpus for node in nodes)
        share = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        for _ in range(len(self._copies), gpus or cpus):
            self._copies.append(_Copy(self._ray, self._sampler, self._make, share))
        for copy in [copy for copy in self._copies if not copy.ready]:
            if self._ray.wait([copy.opening], timeout=0)[0]:
                self._opened(copy)
        self.parallel = max(1, sum(copy.ready for copy in self._copies))

    def _opened(self, copy: _Copy) -> None:
        try:
            about = cluster.answer_now(self._ray, copy.opening)
        except cluster.Gone:
            self._copies.remove(copy)
            return
        except RegreenError:
            raise
        except Exception as error:  # what a node cannot even import, for one
            words = f"a node cannot open it ({error}); install regreen there as it is here"
            raise InputError(f"--cluster {self._where}: {self.name}: {words}") from error
        first = next((other.about for other in self._copies if other.ready), about)
        if about["decides"] != first["decides"]:
            words = f"nodes hold different models ({about['decides']} and {first['decides']}); give them the same files"
            raise InputError(f"--cluster {self._where}: {self.name}: {words}")
        copy.about = about

    def _forget(self, copy: _Copy) -> None:
        """Count on a copy no more; another takes its place as soon as there is room."""
        with self._guard, contextlib.suppress(ValueError):  # another call saw it first
            self._copies.remove(copy)


def on_cluster(name: str, where: str, **options: Any) -> RayModel:
    """Return an ``hf:`` or ``tiny`` model on a cluster.

    Args:
        name: the model, as ``hf:PATH``; what it is loaded from must be found under this name on every node.
        where: ``ray`` or ``HOST:PORT``.
        options: what the backend takes, as ``dtype``.
    """
    return RayModel(name, where, partial(open_model, _absolute(name), **options))


def _absolute(name: str) -> str:
    """Return the name with a folder's whole path: actors work elsewhere."""
    kind, colon, place = name.partition(":")
    return f"{kind}:{Path(place).resolve()}" if colon and Path(place).exists() else name
