"""``regreen train rltf`` killed and gone on with, and with a server that writes: real processes, real HTTP."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regreen.models import Request
from regreen.models.shipped import folder_of

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from regreen.models.hf import HFModel  # noqa: E402
from regreen.train.config import RltfConfig  # noqa: E402
from regreen.train.rltf import rltf  # noqa: E402
from tests.models.engines import VllmServer  # noqa: E402
from tests.models.servers import text  # noqa: E402
from tests.train.online.training import JUDGING, metrics, records, told, weights_of  # noqa: E402

SOURCE = Path(__file__).parents[3] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}


def start(config, run):
    words = [sys.executable, "-m", "regreen.cli", "train", "rltf", str(config), "-q", "-o", str(run)]
    return subprocess.Popen(
        [*words, "--sandbox", "local:C"], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def toml(tables):
    top = [f"{name} = {json.dumps(value)}" for name, value in tables.items() if not isinstance(value, dict)]
    for name, values in tables.items():
        if isinstance(values, dict):
            top += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(top)


def test_after_kills_at_any_moment_the_same_command_comes_to_the_same_numbers_and_weights(problems, whole, tmp_path):
    out, _ = whole
    config = tmp_path / "train.toml"
    config.write_text(toml(told(problems)))
    run = tmp_path / "killed"
    moments = (
        lambda: (run / "checkpoints" / "last").exists() and (run / "draws.jsonl").exists(),
        lambda: len(records(run / "draws.jsonl")) > 30,
    )
    for reached in moments:
        process = start(config, run)
        deadline = time.monotonic() + 300
        while not reached() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert json.loads((run / "checkpoints/last/manifest.json").read_text())["step"] < 6
    process = start(config, run)
    assert process.communicate()[1] == ""
    assert metrics(run) == metrics(out)
    assert [line["text"] for line in records(run / "draws.jsonl")] == [
        line["text"] for line in records(out / "draws.jsonl")
    ]
    other = weights_of(run)
    assert all(torch.equal(weight, other[name]) for name, weight in weights_of(out).items())


def test_beside_the_learner_a_killed_training_goes_on_and_no_program_enters_twice(problems, tmp_path):
    config = tmp_path / "train.toml"
    config.write_text(toml(told(problems, buffer={"mode": "asynchronous"})))
    run = tmp_path / "run"
    process = start(config, run)
    deadline = time.monotonic() + 300
    while len(metrics(run)) < 4 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = start(config, run)
    assert done.communicate()[1] == ""
    assert done.returncode == 0
    keys = [(line["problem"], line["index"], line["role"]) for line in records(run / "draws.jsonl")]
    assert len(keys) == len(set(keys))
    steps = [record["step"] for record in metrics(run) if "loss" in record]
    assert steps == list(range(1, 7))


class Engine(VllmServer):
    """A server of vLLM's form that really reads the checkpoints it is told to, and writes by them."""

    def __init__(self):
        super().__init__()
        self.model, self.read = HFModel(folder_of("tiny-noisy"), batch=4), []

    def load(self, place):
        self.read.append(place)
        self.model = HFModel(place, batch=4)

    def write(self, body):
        request = Request(
            body["prompt"], seed=body["seed"], temperature=body["temperature"], max_tokens=body["max_tokens"],
            stop=tuple(body.get("stop") or ()),
        )  # fmt: skip
        with self.changed:
            (answer,) = asyncio.run(self.model.sample([request]))
        return text(answer.text)


@pytest.mark.parametrize("mode", ["interleaved", "asynchronous"])
def test_a_server_writes_by_the_checkpoints_that_it_is_told_to_read(mode, problems, tmp_path):
    with Engine() as server:
        where = {"model": server.served, "engine": "vllm", "base_url": server.base_url}
        tables = told(problems, draw={"server": where, "n": 2}, batch={"steps": 4}, buffer={"mode": mode})
        rltf(RltfConfig.model_validate(tables), judging=JUDGING, out=tmp_path / "run")
        lines = records(tmp_path / "run/draws.jsonl")
        steps = sorted({line["step"] for line in lines})
        assert steps[0] == 0
        assert [int(Path(place).name.removeprefix("step-")) for place in server.read][: len(steps)] == steps
    assert all(line["tokens"] and line["logprobs"] is None for line in lines if line["text"])
    assert all(len(line["behaviour"]) == len(line["tokens"]) for line in lines if line["role"] == "sample")
    assert len(list((tmp_path / "run/served").iterdir())) <= 2, "what nobody reads any more is removed"
