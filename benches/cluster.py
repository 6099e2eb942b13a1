"""What it costs to judge on a Ray cluster, beside judging here, in one run on the same processors.

The cluster has ``--nodes`` nodes of one core each on this machine, and a head that judges nothing; the direct judge has
as many jobs. So driver, nodes and programs share the processors that the direct judge has for itself, and what Ray
takes is seen. CPU time is that of this process and all that come from it, Ray's own among them, and says more than wall
time where others use the machine. Contenders take turns in rounds, since a machine's speed drifts; ratios are taken
within a round, and the table gives medians and, in brackets, the lowest and highest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import workloads

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["PYTHONPATH"] = str(ROOT / "src")  # of the nodes

from regreen.problem import Assert, Problem  # noqa: E402
from regreen.sandbox import LocalSandbox, RaySandbox, Sandbox  # noqa: E402

HERE, CLUSTER = "here", "cluster"
Pair = tuple[Problem, str]


@dataclass(frozen=True)
class Figure:
    """Milliseconds for a program."""

    wall: float
    cpu: float


def main() -> None:
    options = _options()
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, {options.nodes} nodes of one core, {options.programs} programs a round"
    )
    works = {"trivial": _pairs(workloads.trivial(options.programs))}
    if options.data.is_dir():
        works["humaneval"] = _pairs(workloads.humaneval(options.programs, options.data))
    with _cluster(options.nodes) as address, LocalSandbox(jobs=options.nodes) as local, RaySandbox(address) as nodes:
        for name, pairs in works.items():
            contenders: dict[str, Sandbox] = {HERE: local, CLUSTER: nodes}
            for sandbox in contenders.values():
                _figure(sandbox, pairs[:200])
            rounds = [_round(contenders, pairs) for _ in range(options.rounds)]
            print(_table(name, rounds), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=3000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("REGREEN_DATA", ROOT.parent / "shared" / "data"))
    )
    return parser.parse_args()


def _pairs(items: list[workloads.Item]) -> list[Pair]:
    """Each program with its problem; programs of one test share it."""
    problems: dict[str, Problem] = {}
    pairs = []
    for item in items:
        check = Assert(f"{item['tests']}\n\ncheck({item['entry_point']})\n")
        made = Problem(f"p{len(problems)}", "", (check,), entry_point=item["entry_point"], prelude=item["prelude"])
        pairs.append((problems.setdefault(check.code, made), item["program"]))
    return pairs


@contextmanager
def _cluster(nodes: int) -> Iterator[str]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(nodes):
        cluster.add_node(num_cpus=1)
    try:
        yield cluster.address
    finally:
        import ray

        ray.shutdown()
        cluster.shutdown()


def _round(contenders: dict[str, Sandbox], pairs: list[Pair]) -> dict[str, Figure]:
    return {name: _figure(sandbox, pairs) for name, sandbox in contenders.items()}


def _figure(sandbox: Sandbox, pairs: list[Pair]) -> Figure:
    """Judge all programs, which must pass."""
    wall, cpu = time.perf_counter(), _cpu()
    passed = sum(verdict.passed for _, verdict in sandbox.judge_all(pairs))
    assert passed == len(pairs), f"{passed} of {len(pairs)}"
    return Figure(1000 * (time.perf_counter() - wall) / len(pairs), 1000 * (_cpu() - cpu) / len(pairs))


def _cpu() -> float:
    """Seconds of CPU that this process and its descendants have had, and those that they waited for."""
    parents, ticks = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            fields = path.read_text().rpartition(") ")[2].split()
            parents[int(path.parent.name)], ticks[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(ticks[pid] for pid in ours) / os.sysconf("SC_CLK_TCK")


def _table(name: str, rounds: list[dict[str, Figure]]) -> str:
    lines = [f"\n{name:10} {'wall ms a program':>22} {'CPU ms a program':>22}  cluster / here: wall, CPU"]
    for contender in rounds[0]:
        texts = [_three([getattr(figures[contender], what) for figures in rounds]) for what in ("wall", "cpu")]
        ratios = [
            _three([getattr(figures[CLUSTER], what) / getattr(figures[HERE], what) for figures in rounds])
            for what in ("wall", "cpu")
        ]
        said = "  ".join(ratios) if contender == CLUSTER else ""
        lines.append(f"{contender:10} {texts[0]:>22} {texts[1]:>22}  {said}".rstrip())
    return "\n".join(lines)


def _three(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


if __name__ == "__main__":
    main()
