"""A module whose weights, gradients and optimizer's state are sharded over all processes that train: PyTorch's FSDP2.

Zhao et al. 2023 (arXiv 2304.11277), as ``torch.distributed.fsdp.fully_shard``: a process keeps its part of every
weight, layers are made whole when they are passed, forwards and backwards, and gradients are summed where their part
is. Whatever is here is done by all processes at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def shard(module: Any) -> None:
    """Shard a module of transformers, layer by layer; gradients are sums over processes, not means."""
    mesh = init_device_mesh(module.device.type, (dist.get_world_size(),))
    for layer in [*_layers(module), module]:  # the innermost first, as fully_shard wants it
        fully_shard(layer, mesh=mesh)
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)  # gloo knows no other


def _layers(module: Any) -> Iterator[Any]:
    """Yield the parts that a model wants in one piece: its blocks."""
    names = {name for part in module.modules() for name in getattr(part, "_no_split_modules", None) or ()}
    return (part for part in reversed(list(module.modules())) if type(part).__name__ in names)


@torch.no_grad()
def gather(module: Any, whole: Any) -> None:
    """Give a whole module of the same make the weights of a sharded one."""
    module.reshard()  # a pass without gradients leaves what lies outside of layers whole
    ours = dict(whole.named_parameters())
    for name, weight in module.named_parameters():
        ours[name].copy_(weight.full_tensor())


@torch.no_grad()
def scatter(module: Any, whole: Any) -> None:
    """Give a sharded module the weights of the first process's whole one; the others' is not looked at."""
    module.reshard()
    first = dict(whole.named_parameters()) if dist.get_rank() == 0 else {}
    for name, weight in module.named_parameters():
        weight.to_local().copy_(part_of(weight, first.get(name)).to_local())


def part_of(weight: DTensor, whole: Tensor | None) -> DTensor:
    """Return a tensor of the first process's, sharded as a weight of its shape is; from the others None is wanted."""
    given = torch.empty(weight.shape, dtype=weight.dtype) if whole is None else whole.detach()
    return distribute_tensor(given.to(weight.device), weight.device_mesh, weight.placements)


def whole_of(value: Any) -> Any:
    """Return a tensor as the first process keeps it, whole; None to the others. What is not sharded, stays."""
    if not isinstance(value, DTensor):
        return value
    whole = value.full_tensor()
    return whole.cpu() if dist.get_rank() == 0 else None
