"""AdamW's weights and state: which weights decay, and how its state goes from one process to all, and back.

A state is what ``state_dict`` returns, and a checkpoint holds: whole, whether processes shard the model or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from regreen.train.crew import crew

State = dict[str, Any]


def decaying(module: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Return the weights that are trained, as an optimizer's groups: matrices decay, biases and norms do not."""
    trained = [weight for weight in module.parameters() if weight.requires_grad]
    return [
        {"params": [weight for weight in trained if weight.ndim >= 2], "weight_decay": weight_decay},
        {"params": [weight for weight in trained if weight.ndim < 2], "weight_decay": 0.0},
    ]


def weights_of(optimizer: Any) -> list[Tensor]:
    """Return every weight that is trained; a state counts them in this order."""
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def every_gradient(optimizer: Any) -> Iterator[Tensor]:
    """Yield the gradient of every weight that is trained, in their order; 0 where this process has none."""
    for weight in weights_of(optimizer):
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
        yield weight.grad


def whole_state(optimizer: Any) -> State:
    """Return the state, whole, to the first process; all that shard the model ask at once."""
    state: State = optimizer.state_dict()
    if not crew().shards:
        return state
    from regreen.train.sharded import whole_of

    return _mapped(whole_of, state)


def hull_of(state: State) -> State:
    """Return what a state looks like, without what it holds."""
    return _mapped(lambda value: value.to("meta"), state)


def load(optimizer: Any, state: State | None, hull: State) -> None:
    """Go on from the first process's state; in the others it is None, and what it looks like is known."""
    told = _mapped(_empty, hull) if state is None else state
    if crew().several:
        weights = weights_of(optimizer)
        for number, of in told["state"].items():
            of |= {name: _from_first(value, weights[number]) for name, value in of.items()}
    optimizer.load_state_dict(told)


def _from_first(value: Tensor, weight: Any) -> Tensor:
    """Return what the first process's optimizer knows of a weight: all of it, or of this process's part."""
    if crew().shards and value.ndim:
        from regreen.train.sharded import part_of

        return part_of(weight, value)
    value = value.to(weight.device)
    crew().spread([value])
    return value


def _mapped(change: Callable[[Any], Any], state: State) -> State:
    of_each = {number: {name: change(value) for name, value in of.items()} for number, of in state["state"].items()}
    return {**state, "state": of_each}


def _empty(hull: Tensor) -> Tensor:
    return torch.empty_like(hull, device="cpu")
