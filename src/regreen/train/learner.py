"""A learner: a policy, AdamW, and the one loss of all methods."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from regreen.errors import InfrastructureError, InputError
from regreen.train.batches import Batch, batched, stacked
from regreen.train.config import BETAS, CLIP, EPS, WEIGHT_DECAY
from regreen.train.crew import crew
from regreen.train.lessons import Lesson, supervised
from regreen.train.policy import Policy
from regreen.train.schedules import Schedule
from regreen.train.sharing import batched_shared

try:
    import accelerate  # type: ignore[import-untyped]
    import torch
    from torch import Tensor

    from regreen.train import adam
except ImportError as error:
    raise InputError(f"{error.name} is not installed (pip install 'regreen[train]')") from error

STATE = "state.pt"


@dataclass(frozen=True, slots=True)
class AdamW:
    """How weights step (Loshchilov and Hutter 2019, arXiv 1711.05101); only matrices decay, not biases and norms.

    ``lr`` is the peak of the schedule; ``clip`` the most that the gradients' norm may be, None for any.
    """

    lr: float
    betas: tuple[float, float] = BETAS
    eps: float = EPS
    weight_decay: float = WEIGHT_DECAY
    clip: float | None = CLIP


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did: the loss of each stream before it, the gradients' norm, the learning rate, and tokens read.

    Of the tokens whose log-probability was known from when they were written: ``drift``, by how much it has changed
    since, on average and without its sign, None if there are none; ``truncated``, the share whose importance weight was
    cut.
    """

    ce: float
    rl: float
    norm: float
    lr: float
    tokens: int
    drift: float | None = None
    truncated: float | None = None

    @property
    def loss(self) -> float:
        """What was made smaller."""
        return self.ce + self.rl


class Learner:
    """Steps a policy's weights on lessons.

    Args:
        policy: whose weights.
        optimizer: how.
        schedule: the learning rate's course.
        most: tokens in one pass through the model, those that fill rows included: gradients add up over the passes of a
            step, and the step does not depend on it but for the order of sums.
        ratio: the most that the importance weight of a token may be whose log-probability when it was written is known
            (see :func:`regreen.train.weighing.truncated`); None weighs none.
        beside: what is saved and restored with the policy.
        seed: of dropout.
    """

    def __init__(
        self,
        policy: Policy,
        optimizer: AdamW,
        schedule: Schedule,
        *,
        most: int = 4096,
        ratio: float | None = None,
        beside: Sequence[Kept] = (),
        seed: int = 0,
    ) -> None:
        self.policy, self.schedule, self.steps = policy, schedule, 0
        self._how, self._most, self._ratio, self._beside = optimizer, most, ratio, beside
        torch.manual_seed(seed)
        self._crew = crew()
        number = policy.number if self._crew.commands else None  # from here on its weights are those that are stepped
        self._accelerator = accelerate.Accelerator()
        stepping = torch.optim.AdamW(
            adam.decaying(policy.module, optimizer.weight_decay),
            lr=optimizer.lr, betas=optimizer.betas, eps=optimizer.eps, fused=True,
        )  # fmt: skip
        self._adam: Any = self._accelerator.prepare(stepping)
        self._number: int | None = None
        self._restored: Any = None
        if number is not None:
            self._number = self._crew.hold(self, learner_beside, number, optimizer, schedule, most, ratio, seed)

    def step(self, lessons: Sequence[Lesson]) -> Step:
        """Take one step on these lessons; raises InfrastructureError if the loss is not a number."""
        step: Step = self._together(Learner._step, lessons)
        return step

    def _together(self, work: Callable[..., Any], *args: Any) -> Any:
        """Do something in all processes that train, or in the only one."""
        return work(self, *args) if self._number is None else self._crew.all(self._number, work, *args)

    def _step(self, lessons: Sequence[Lesson]) -> Step:
        self.policy.module.train(self._ratio is None)  # dropout would make fresh programs look stale
        ce, rl, tokens, drift = self._gradients(lessons)
        lr = self._how.lr * self.schedule(self.steps)
        norm = self._clip()
        if not np.isfinite([ce, rl, norm]).all():
            raise InfrastructureError(f"step {self.steps}: the loss is not a number; lower the learning rate")
        for group in self._adam.param_groups:
            group["lr"] = lr
        self._adam.step()
        self._adam.zero_grad()
        self.steps += 1
        return Step(ce, rl, norm, lr, tokens, drift.mean, drift.truncated)

    def loss(self, lessons: Sequence[Lesson]) -> float:
        """Return the loss on lessons, without learning from them."""
        return float(self._together(Learner._loss, lessons))

    def _loss(self, lessons: Sequence[Lesson]) -> float:
        self.policy.module.eval()
        with torch.no_grad():
            mine = sum(float(ce + rl) for _, ce, rl in self._losses(lessons, _Drift(self._ratio)))
        return self._crew.summed(mine)[0]

    def save(self, folder: Path) -> None:
        """Write what, with the policy's checkpoint, goes on exactly: the optimizer's state and the generators'."""
        state = {"steps": self.steps, "adam": self._together(Learner._state), "generators": _generators()}
        torch.save(state, folder / STATE)
        for each in self._beside:
            each.save(folder)

    def restore(self, folder: Path) -> None:
        """Go on where :meth:`save` was called; the policy's weights are restored too."""
        self.policy.restore(folder)
        state = torch.load(folder / STATE, map_location="cpu", weights_only=False)
        self._restored = state["adam"]
        self._together(Learner._go_on, state["steps"], adam.hull_of(state["adam"]))
        for each in self._beside:
            each.restore(folder)
        _set_generators(state["generators"])

    def _state(self) -> adam.State:
        return adam.whole_state(self._adam)

    def _go_on(self, steps: int, hull: adam.State) -> None:
        """Go on after so many steps, with the first process's state of the optimizer, which looks so."""
        self.steps = steps
        adam.load(self._adam, self._restored, hull)
        self._restored = None

    def _gradients(self, lessons: Sequence[Lesson]) -> tuple[float, float, int, _Drift]:
        ces, rls, tokens, drift = 0.0, 0.0, 0, _Drift(self._ratio)
        for batch, ce, rl in self._losses(lessons, drift):
            self._accelerator.backward(ce + rl)
            ces, rls, tokens = ces + float(ce.detach()), rls + float(rl.detach()), tokens + batch.tokens
        gradients = list(adam.every_gradient(self._adam))
        if not self.policy.sharded:
            self._crew.add_up(gradients)
        ces, rls, every, *parts = self._crew.summed(ces, rls, tokens, *drift.sums)
        return ces, rls, int(every), _Drift(self._ratio, parts)

    def _losses(self, lessons: Sequence[Lesson], drift: _Drift) -> Any:
        """Yield each batch with its share of the two streams' losses."""
        ce_count = sum(lesson.ce_count for lesson in lessons)
        rl_count = sum(lesson.rl_count for lesson in lessons)
        weighing = [lesson for lesson in lessons if lesson.ce.any() or lesson.rl.any()]  # of others nothing is read
        if self._crew.several:
            weighing = self._crew.share(sorted(weighing, key=len, reverse=True))
        for batch in self._as_many(self._batches(weighing)):
            logprobs_M = self.policy.logprobs(batch)
            yield batch, *losses(logprobs_M, batch, ce_count, rl_count, drift.ratios(logprobs_M, batch))

    def _batches(self, lessons: Sequence[Lesson]) -> list[Batch]:
        if _share(lessons) and self.policy.shares:
            return batched_shared(lessons, self._most)
        return batched(lessons, self._most, apart=self.policy.apart)

    def _as_many(self, batches: list[Batch]) -> list[Batch]:
        """Return as many batches as other processes have, where a layer is whole only while all pass it."""
        if not self.policy.sharded:
            return batches
        return batches + [_NOTHING] * (self._crew.most(len(batches)) - len(batches))

    def _clip(self) -> float:
        most = self._how.clip if self._how.clip is not None else float("inf")
        norm = self._accelerator.clip_grad_norm_(adam.weights_of(self._adam), most)
        return float(norm.full_tensor() if self.policy.sharded else norm)


# A batch from which nothing is learned; the model is passed all the same.
_NOTHING = replace(stacked([supervised([0, 0], [0])]), ce_BT=np.zeros((1, 3), np.float32), tokens=0)


def losses(
    logprobs_M: Tensor, batch: Batch, ce_count: float, rl_count: float, ratios_M: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return a batch's share of the two streams' losses, as ``lessons`` defines them.

    Args:
        logprobs_M: log-probability of each token that weighs, in the order of ``batch.places``.
        batch: their weights.
        ce_count: of all lessons of the step, those of other batches included; 0 if the stream is empty.
        rl_count: the same for the other stream.
        ratios_M: each token's importance weight, by which its reinforcement weight is multiplied; None for 1.
    """
    ce = _stream(logprobs_M, _weights(logprobs_M, batch, batch.ce_BT), ce_count)
    rl_M = _weights(logprobs_M, batch, batch.rl_BT)
    return ce, _stream(logprobs_M, rl_M if ratios_M is None else rl_M * ratios_M, rl_count)


def _weights(logprobs_M: Tensor, batch: Batch, weights_BT: Any) -> Tensor:
    return torch.from_numpy(weights_BT.reshape(-1)[batch.places]).to(logprobs_M.device)


def _stream(logprobs_M: Tensor, weights_M: Tensor, count: float) -> Tensor:
    return -(weights_M * logprobs_M).sum() / (count or 1.0)


def _share(lessons: Sequence[Lesson]) -> bool:
    """Say whether any two lessons have one prompt."""
    return len({lesson.ids[: lesson.given].tobytes() for lesson in lessons}) < len(lessons)


class Kept(Protocol):
    """Whatever goes on exactly from what it has saved."""

    def save(self, folder: Path) -> None:
        """Write it into a checkpoint's folder."""
        ...

    def restore(self, folder: Path) -> None:
        """Read it there."""
        ...


class _Drift:
    """How far the policy has gone from where lessons were written, over the batches of a step."""

    def __init__(self, most: float | None, sums: Sequence[float] = (0.0, 0.0, 0.0)) -> None:
        self._most = most
        self._count, self._sum, self._cut = sums

    @property
    def sums(self) -> tuple[float, float, float]:
        """How many tokens were known, how far they went in sum, how many were cut."""
        return self._count, self._sum, self._cut

    @property
    def mean(self) -> float | None:
        return self._sum / self._count if self._count else None

    @property
    def truncated(self) -> float | None:
        return self._cut / self._count if self._count and self._most is not None else None

    def ratios(self, logprobs_M: Tensor, batch: Batch) -> Tensor | None:
        """Return the importance weight of each token, 1 for those of which nothing is known; None for none at all."""
        if batch.behaviour_BT is None:
            return None
        behaviour_M = _weights(logprobs_M, batch, batch.behaviour_BT)
        known_M = ~behaviour_M.isnan()
        gap_M = (logprobs_M.detach() - behaviour_M).where(known_M, 0.0)
        self._count += int(known_M.sum())
        self._sum += float(gap_M.abs().sum())
        if self._most is None:
            return None
        self._cut += float((gap_M > math.log(self._most)).sum())
        return gap_M.clamp(max=math.log(self._most)).exp()


def learner_beside(
    number: int, optimizer: AdamW, schedule: Schedule, most: int, ratio: float | None, seed: int
) -> Learner:
    """Return another process's learner, of its policy of this number."""
    here = crew()
    return Learner(here.held(number), optimizer, schedule, most=most, ratio=ratio, seed=seed + here.rank)


def _generators() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": np.random.get_state(), "python": random.getstate()}


def _set_generators(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"].cpu())
    torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
    np.random.set_state(state["numpy"])
    random.setstate(state["python"])
