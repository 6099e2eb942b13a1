"""Several processes that train together: the first leads, the others do their share of what it does.

Started by a launcher (``accelerate launch``, ``torchrun``), every process runs the same command. The first does all
that it would do alone: it reads the problems, writes the run directory, judges, decides. Whenever its learner steps or
its sampler samples, it says so to the others, and each takes a share: lessons of the step, texts to write. Gradients
are summed over all processes, so that the step is the one that a single process would take, but for the order of sums;
texts have seeds of their own, whoever writes them. The others keep nothing on disk: how many there are decides nothing,
and may change when a killed training goes on.

Every process holds the whole model, its gradients and its optimizer's state; or, where the launcher asks for FSDP, a
part of each (:mod:`regreen.train.sharded`), and the whole model once more to write with.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, ParamSpec

from regreen.errors import InputError, RegreenError
from regreen.models import Completion, Model, Request
from regreen.records import Record

if TYPE_CHECKING:
    from torch import Tensor

P = ParamSpec("P")
_SHARDS = "ACCELERATE_USE_FSDP"  # how accelerate's launcher says that the model is to be sharded
_UNKNOWN = ("DEEPSPEED", "MEGATRON_LM")  # other ways of its to shard one
_LONG = timedelta(days=7)  # that the others wait for a word of the first, which may judge for hours


class Crew:
    """This process and those beside it: its ``rank`` among ``size``; ``shards`` says that they shard the model."""

    def __init__(self) -> None:
        self.rank, self.size = 0, int(os.environ.get("WORLD_SIZE", "1"))
        self._held: dict[int, Any] = {}  # policies, learners, samplers; the first process holds them weakly
        self._let_go: list[int] = []  # of them, what the first holds no more, and the others are not told of yet
        self._numbers = count()
        self._lock = threading.RLock()
        self._follows = False
        wanted = os.environ.pop(_SHARDS, "").lower() == "true"  # or accelerate shards too, in its own way
        self.shards = wanted and self.several
        if self.several:
            self.rank = int(os.environ["RANK"])
            self._dist, self._words = _joined(shards=self.shards)

    @property
    def leads(self) -> bool:
        """Whether this is the first process, or the only one."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.size > 1

    @property
    def commands(self) -> bool:
        """Whether others wait for this process's orders.

        Raises InputError in one that waits for none and does not lead: the others would wait for it forever.
        """
        if self.several and not self.leads and not self._follows:
            raise InputError("this process follows no training; in several, call sft, cycle, rltf, ... in each")
        return self.several and self.leads

    # ---- what all do together ----

    def share(self, things: Sequence[Any]) -> list[Any]:
        """Return this process's part of what all have."""
        return list(things[self.rank :: self.size])

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Make each tensor its sum over all processes."""
        for tensor in tensors if self.several else ():
            self._dist.all_reduce(tensor)

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Make each tensor what it is in the first process."""
        for tensor in tensors if self.several else ():
            self._dist.broadcast(tensor, 0)

    def told(self, value: Any) -> Any:
        """Return what the first process says; of the others' values nothing is heard."""
        said = [value]
        self._dist.broadcast_object_list(said, src=0, group=self._words)
        return said[0]

    def gathered(self, value: Any) -> list[Any]:
        """Return every process's value, in the order of their ranks, to the first; nothing to the others."""
        found: list[Any] | None = [None] * self.size if self.leads else None
        self._dist.gather_object(value, found, dst=0, group=self._words)
        return found or []

    def summed(self, *numbers: float) -> list[float]:
        """Return numbers summed over all processes, to each of them."""
        if not self.several:
            return list(numbers)
        found: list[Any] = [None] * self.size
        self._dist.all_gather_object(found, numbers, group=self._words)
        return [sum(column) for column in zip(*found, strict=True)]

    def most(self, number: int) -> int:
        """Return the largest of all processes' numbers, to each of them."""
        found = [0] * self.size
        self._dist.all_gather_object(found, number, group=self._words)
        return max(found)

    # ---- what the first says, and the others do ----

    def hold(self, thing: Any, make: Callable[..., Any], *args: Any) -> int:
        """Have every other process make its own of what the first holds; return the number that stands for both."""
        with self._lock:
            number = next(self._numbers)
            self._tell(("hold", number, make, args))
            self._held[number] = weakref.ref(thing, lambda _: self._let_go.append(number))
            return number

    def held(self, number: int) -> Any:
        """Return what a number stands for in this process."""
        found = self._held[number]
        return found() if self.leads else found

    def all(self, number: int, work: Callable[..., Any], *args: Any) -> Any:
        """Do work on a thing in every process at once; ``work`` is a function of a module, called with the thing."""
        with self._lock:
            self._tell(("do", number, work, args))
            return work(self.held(number), *args)

    def _tell(self, order: tuple[Any, ...]) -> None:
        """Give the others an order, and tell them what they need no longer hold."""
        let_go, self._let_go = self._let_go, []
        self.told((let_go, order))
        for number in let_go:
            del self._held[number]

    def follow(self) -> None:
        """Do what the first process says, until it has done."""
        self._follows = True
        while (said := self.told(None)) is not None:
            let_go, (kind, number, work, args) = said
            for each in let_go:
                del self._held[each]
            if kind == "hold":
                self._held[number] = work(*args)
            else:
                with contextlib.suppress(RegreenError):  # the first has the same, or is told, and says so
                    work(self._held[number], *args)
        self._held.clear()

    def dismiss(self) -> None:
        """Let the others go."""
        with self._lock:
            self._held.clear()
            self._let_go.clear()
            if self.several:
                self.told(None)


def _joined(*, shards: bool) -> tuple[Any, Any]:
    """Join the other processes; return torch's module for that, and the group in which words are passed."""
    if unknown := [name for name in _UNKNOWN if os.environ.get(f"ACCELERATE_USE_{name}", "").lower() == "true"]:
        raise InputError(f"{unknown[0]}: models are sharded by FSDP alone; launch with --use_fsdp, or without")
    try:
        import accelerate  # type: ignore[import-untyped]
        import torch.distributed as dist
    except ImportError as error:
        raise InputError(f"{error.name} is not installed (pip install 'regreen[train]')") from error
    if shards and not _can_shard():
        raise InputError("FSDP needs a newer torch (pip install -U torch); or launch without --use_fsdp")
    accelerate.PartialState(timeout=_LONG)
    atexit.register(dist.destroy_process_group)  # or gloo's threads now and then abort a process that ends
    return dist, dist.new_group(backend="gloo", timeout=_LONG)


def _can_shard() -> bool:
    """Say whether this torch can shard a model so that gradients are summed on any machine."""
    try:
        from torch.distributed.fsdp import FSDPModule
    except ImportError:
        return False
    return hasattr(FSDPModule, "set_force_sum_reduction_for_comms")


@functools.cache
def crew() -> Crew:
    """Return the crew that this process belongs to."""
    return Crew()


def led(training: Callable[P, Record]) -> Callable[P, Record]:
    """Make a training one that the first process leads, and in which the others follow and return nothing."""

    @functools.wraps(training)
    def run(*args: P.args, **kwargs: P.kwargs) -> Record:
        here = crew()
        if not here.leads:
            here.follow()
            return {}
        # Raised between two orders, or by all at once; after any other error this process ends, and so do they.
        try:
            found = training(*args, **kwargs)
        except RegreenError:
            here.dismiss()
            raise
        here.dismiss()
        return found

    return run


def shared(make: Callable[..., Model], *args: Any) -> Model:
    """Return the model that ``make`` makes; where there are several processes, one whose texts all of them write."""
    model, here = make(*args), crew()
    return SharedSampler(model, here.hold(model, make, *args)) if here.commands else model


class SharedSampler:
    """A model whose texts all processes write, each its share; a model like any other to whoever asks."""

    def __init__(self, model: Model, number: int) -> None:
        self._model, self._number = model, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each request."""
        return await asyncio.to_thread(crew().all, self._number, write, list(requests))


def write(model: Model, requests: Sequence[Request]) -> list[Completion]:
    """Write this process's share of some texts; the first gets all."""
    here = crew()
    found: list[Any] = [None] * len(requests)
    for rank, part in enumerate(here.gathered(_written(model, here.share(requests)))):
        if isinstance(part, RegreenError):
            raise part
        found[rank :: here.size] = part
    return found


def _written(model: Model, requests: Sequence[Request]) -> list[Completion] | RegreenError:
    """Write texts, and hand an error on as what came of it: the others wait to hear."""
    try:
        return asyncio.run(model.sample(requests))
    except RegreenError as error:
        return error
