"""Sixteen thousand programs on clusters that lose a node in the middle come to what one machine makes of them."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from regreen import benchmarks, formats
from regreen.evaluate import Samples, score
from regreen.extract import STOP_SETS, stop_at
from regreen.options import Choice, Judging
from tests.sandbox import clusters

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.data]

RECORDED = Path("recorded", "codet", "codegen16b_humaneval_samples_0-49.jsonl.gz")
SECONDS = 1.0
DRAWN = ("HumanEval/38", "HumanEval/50")  # their checks draw texts anew each time, and verdicts tell of them


@pytest.fixture(scope="module")
def samples(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 8,200 recorded samples of CodeGen-16B, and each once more as another program."""
    problems = list(benchmarks.load("humaneval", data=data_root).problems())
    rows = formats.open_samples(
        data_root / RECORDED, problems=problems, cut=lambda text: stop_at(text, STOP_SETS["humaneval"])
    ).rows()
    programs = [row.program for row in rows]
    path = tmp_path_factory.mktemp("samples") / "samples.jsonl"
    with path.open("w") as file:
        for mark in ("", "\n# again\n"):
            for program in programs:
                file.write(json.dumps({"task_id": program.problem, "solution": program.source + mark}) + "\n")
    return path


def judged(samples: Path, data_root: Path, run: Path, **where: Any) -> dict[str, Any]:
    judging = Judging(timeout=SECONDS, **where)
    return score(Samples(samples), "humaneval", choice=Choice(data_root), judging=judging, out=run)


def verdicts(run: Path) -> dict[tuple[str, int], Any]:
    """Every verdict but its clocks; none stands twice."""
    rows = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
    keys = Counter((row["problem"], row["index"]) for row in rows)
    assert set(keys.values()) == {1}
    return {(row["problem"], row["index"]): unclocked(row) for row in rows}


def unclocked(row: dict[str, Any]) -> dict[str, Any]:
    left_out = ("cpu", "wall", *(("got", "expected", "message") if row["problem"] in DRAWN else ()))
    checks = [{name: value for name, value in check.items() if name not in left_out} for check in row["checks"]]
    return {**{name: value for name, value in row.items() if name not in ("cpu", "wall")}, "checks": checks}


@pytest.fixture(scope="module")
def alone(samples: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    run = tmp_path_factory.mktemp("alone") / "run"
    return judged(samples, data_root, run, jobs=2), run


@pytest.mark.parametrize("nodes", [2, 4])
def test_a_node_killed_in_the_middle_changes_no_verdict_and_no_score(
    nodes: int, alone: tuple[dict[str, Any], Path], samples: Path, data_root: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with clusters.started(nodes) as made:
        killer = threading.Thread(target=kill_after, args=(made, run / "verdicts.jsonl", 6000))
        killer.start()
        scored = judged(samples, data_root, run, cluster=made.address)
        killer.join()
        assert len(made.list_all_nodes()) == nodes - 1, "one was killed"
    there, here = verdicts(run), verdicts(alone[1])
    assert len(there) == scored["programs"] == 16400
    print(f"{nodes} nodes, one killed: {scored['seconds']:.0f} s; one machine: {alone[0]['seconds']:.0f} s")
    assert {key: (here[key], there[key]) for key in here if here[key] != there[key]} == {}
    unlike = ("run", "seconds")
    assert {k: v for k, v in scored.items() if k not in unlike} == {
        k: v for k, v in alone[0].items() if k not in unlike
    }


def result(scored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scored.items() if name not in ("run", "seconds")}


def kill_after(made: Any, verdicts: Path, lines: int) -> None:
    while not verdicts.exists() or verdicts.read_bytes().count(b"\n") < lines:
        time.sleep(0.2)
    clusters.killed(made, next(iter(made.worker_nodes)))
