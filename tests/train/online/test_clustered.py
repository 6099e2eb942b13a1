"""Programs of an online training that are written, and judged, on the nodes of a Ray cluster."""

import os
import signal
import subprocess
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("ray")

from regreen.train.config import RltfConfig  # noqa: E402
from regreen.train.rltf import rltf  # noqa: E402
from tests.sandbox import clusters  # noqa: E402
from tests.train.online.training import JUDGING, metrics, records, told  # noqa: E402


@pytest.fixture(scope="module")
def address():
    with clusters.started(2) as made:
        yield made.address


def trained(problems, out, address, **tables):
    config = RltfConfig.model_validate(told(problems, **tables))
    return rltf(config, judging=replace(JUDGING, cluster=address), out=out)


def written(run):
    return [(line["problem"], line["index"], line["role"], line["step"], line["text"]) for line in records(run)]


def test_a_training_on_a_cluster_has_the_course_of_one_here(whole, problems, address, tmp_path):
    out, here = whole
    found = trained(problems, tmp_path / "run", address)
    assert written(tmp_path / "run/draws.jsonl") == written(out / "draws.jsonl")
    for theirs, ours in zip(metrics(tmp_path / "run"), metrics(out), strict=True):
        assert theirs == pytest.approx(ours, rel=1e-3, abs=1e-5)
    assert (found["step"], found["drawn"]) == (here["step"], here["drawn"])


def test_adapters_alone_travel_and_what_they_write_is_what_the_learner_has(problems, address, tmp_path):
    tables = {
        "lora": {"rank": 4},
        "optimizer": {"lr": 1e-2},
        "buffer": {"refresh": 1, "size": 9},
        "batch": {"steps": 3},
    }
    trained(problems, tmp_path / "run", address, **tables)
    steps = [step for step in metrics(tmp_path / "run") if "loss" in step]
    assert [step["drawn"] for step in steps] == [9, 9, 9]
    assert all(step["staleness"] == 0 and step["drift"] < 1e-3 for step in steps)


def test_a_copy_that_is_lost_beside_the_learner_loses_no_program_and_doubles_none(problems, address, tmp_path):
    with ThreadPoolExecutor(1) as beside:
        lost = beside.submit(lose_a_copy)
        trained(problems, tmp_path / "run", address, buffer={"mode": "asynchronous"}, batch={"steps": 12})
    assert lost.result()
    indices = defaultdict(list)
    for problem, index, role, *_ in written(tmp_path / "run/draws.jsonl"):
        indices[problem, role].append(index)
    samples = {key: sorted(of) for key, of in indices.items() if key[1] == "sample"}
    assert samples
    assert all(of == list(range(len(of))) for of in samples.values())


def lose_a_copy():
    """Kill the process of one copy as soon as there is one."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        done = subprocess.run(["pgrep", "-f", "ray::Taught.sample"], capture_output=True, text=True, check=False)
        if done.stdout:
            os.kill(int(done.stdout.split()[0]), signal.SIGKILL)
            return True
        time.sleep(0.01)
    return False
