"""A Ray cluster, which a process joins once and stays in: for judges and models on many machines."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regreen.errors import InfrastructureError, InputError

LOCAL = "ray"
_REACHED = 5.0  # seconds in which whoever listens at an address answers; Ray itself would try for many minutes
# Before Ray is loaded: nobody is told of it, and what it says of lost nodes does not get between our lines of output.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
}
_joined: list[str] = []  # by this process, the last one being where it is


class Gone(Exception):
    """An actor, or the machine that it was on, is no more."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster: Ray's name for it, its address, and how many cores and GPUs it lends."""

    id: str
    address: str
    cpus: int
    gpus: int


def join(where: str) -> Any:
    """Join a cluster, unless this process has, and return Ray's module.

    Args:
        where: ``ray``, which is the cluster that runs on this machine, or else one started here for this process alone;
            or ``HOST:PORT``, where ``ray start --head`` said that it listens, and which this machine must belong to.

    Raises:
        InputError: Ray is not installed, ``where`` is no address, or the process is in another cluster.
        InfrastructureError: nobody answers there, or this machine does not belong to the cluster.
    """
    _check(where)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise InputError(f"--cluster {where}: {error.name} is not installed (pip install 'regreen[ray]')") from error
    if not ray.is_initialized():
        _start(ray, where)
        _joined.append(where)
    elif where not in (LOCAL, *_joined[-1:]) and _joined:
        raise InputError(f"--cluster {where}: this process is in the cluster at {_joined[-1]} already; give that one")
    return ray


def _check(where: str) -> None:
    host, _, port = where.rpartition(":")
    if where != LOCAL and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise InputError(f"--cluster {where}: expected ray, or HOST:PORT as 'ray start --head' printed it")


def _start(ray: Any, where: str) -> None:
    here = {"include_dashboard": False} if where == LOCAL else {"address": where}
    if where != LOCAL:
        _reach(where)
    try:
        with _own_signals():
            ray.init(**here, log_to_driver=False, logging_level="error")
    except (RuntimeError, ValueError, OSError) as error:  # what ray.init raises has no root of its own
        reason = " ".join(str(error).split())[:200]
        belong = "" if where == LOCAL else f"; this machine must belong to it: ray start --address={where} --num-cpus=0"
        raise InfrastructureError(f"--cluster {where}: cannot be joined ({reason}){belong}") from error


def _reach(where: str) -> None:
    """Knock at an address; raises InfrastructureError if nobody opens."""
    host, _, port = where.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED).close()
    except OSError as error:
        words = f"nobody answers ({error.strerror or error}); start 'ray start --head' there"
        raise InfrastructureError(f"--cluster {where}: {words}, and type the same command again to go on") from error


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this process's way of ending: Ray would exit with a code of its own at SIGTERM."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # another thread than the main one, where Ray sets none
            for number, handler in before.items():
                signal.signal(number, handler)


def nodes(ray: Any) -> list[Node]:
    """Return the machines of the cluster that are alive, this one first."""
    here = ray.get_runtime_context().get_node_id()
    alive = [node for node in ray.nodes() if node["Alive"]]
    return [
        Node(
            node["NodeID"],
            node["NodeManagerAddress"],
            int(node["Resources"].get("CPU", 0)),
            int(node["Resources"].get("GPU", 0)),
        )
        for node in sorted(alive, key=lambda node: (node["NodeID"] != here, node["NodeID"]))
    ]


def has_gpus(where: str) -> bool:
    """Join a cluster, and say whether any of its machines lends a GPU; raises as :func:`join` does."""
    return any(node.gpus for node in nodes(join(where)))


async def answer(ref: Any) -> Any:
    """Return what an actor's method returns.

    Raises:
        Gone: the actor is no more.
        Exception: what the method raised, as it raised it.
    """
    with _as_raised():
        return await ref


def answer_now(ray: Any, ref: Any) -> Any:
    """Return what an actor's method returns, waiting for it; raises as :func:`answer` does."""
    with _as_raised():
        return ray.get(ref)


@contextlib.contextmanager
def _as_raised() -> Iterator[None]:
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except RayTaskError as error:
        raise (error.cause or error) from None
    except RayError as error:  # there are several ways to go
        raise Gone((str(error).strip().splitlines() or [type(error).__name__])[0]) from error
