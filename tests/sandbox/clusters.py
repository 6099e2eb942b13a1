"""Ray clusters on this machine, of nodes with one core each."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regreen import cluster
from regreen.verdict import Verdict

BESIDE = Path(__file__).parent

for name, value in cluster._QUIET.items():  # here too Ray must find them when it is loaded
    os.environ.setdefault(name, value)
os.environ.setdefault("RAY_worker_niceness", "0")  # or a node gets next to nothing beside other tests


@contextlib.contextmanager
def started(nodes: int) -> Iterator[Any]:
    """A cluster of so many nodes, the first being the head; this process leaves it at the end, and then it ends."""
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            made.add_node(num_cpus=1)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def killed(made: Any, node: Any) -> None:
    """End all of a node's processes at once, as a power cut does."""
    made.remove_node(node, allow_graceful=False)


@contextlib.contextmanager
def contained(address: str) -> Iterator[None]:
    """A node more, in what a container's default profile allows."""
    ray = Path(sys.executable).with_name("ray")
    start = [str(ray), "start", f"--address={address}", "--num-cpus=1", "--block", "--disable-usage-stats"]
    command = [sys.executable, str(BESIDE / "container.py"), *start]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:  # type: ignore[call-overload]
        try:
            yield
        finally:
            process.terminate()


def outcomes(verdict: Verdict) -> tuple[Any, ...]:
    """All of a verdict but its clocks."""
    checks = [(c.index, c.outcome, c.got, c.expected, c.error_type, c.message, c.line) for c in verdict.checks]
    return verdict.outcome, verdict.mode, verdict.tier, checks
