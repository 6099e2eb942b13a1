"""Several processes that train together, as a launcher starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import katas
from regreen.problem import problem_to_line

pytest.importorskip("accelerate")
torch = pytest.importorskip("torch")

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src"), "OMP_NUM_THREADS": "1"}
CHECKED = {"optimizer": {"lr": 1e-3, "warmup": 1}, "check": {"every": 4, "n": 2, "temperature": 0.8, "max_tokens": 60}}
SUPERVISED: dict[str, Any] = {**CHECKED, "batch": {"tokens": 1024, "most": 512, "steps": 8}}
ADAPTED: dict[str, Any] = {**SUPERVISED, "lora": {"rank": 4}}
ONLINE: dict[str, Any] = {
    **CHECKED,
    "batch": {"programs": 8, "steps": 3},
    "draw": {"n": 4, "max_tokens": 60},
    "supervised": {"share": 0.0},
}
REFINING: dict[str, Any] = {
    **SUPERVISED,
    "batch": {"tokens": 1024, "steps": 3},
    "probe": {"n": 2, "temperature": 1.0, "max_tokens": 60},
    "mask": {"ratio": 0.3, "region": "code"},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("problems")
    every = [problem_to_line(problem) for problem in katas.generate("ambiguous-train", count=44)]
    for name, lines in (("problems", every[:40]), ("validation", every[40:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {name: str(folder / f"{name}.jsonl") for name in ("problems", "validation")}


def config(folder: Path, files: dict[str, str], **tables: Any) -> Path:
    """Write a training's file."""
    told = {"model": "tiny-base", "dtype": "float32", "seed": 1, **files}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items())
    for table, values in tables.items():
        text += f"[{table}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    path = folder / "train.toml"
    path.write_text(text)
    return path


@contextmanager
def launched(
    kind: str, file: Path, out: Path, processes: int, *, fsdp: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A training in so many processes, as ``accelerate launch --use_fsdp`` would if asked; one without a launcher."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    told = ["-m", "regreen", "train", kind, str(file), "-o", str(out), "-q", "-j", "1", "--json"]
    command = [sys.executable, *(launcher if processes > 1 else []), *told]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=ENVIRONMENT | ({"ACCELERATE_USE_FSDP": "true"} if fsdp else {}),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def train(kind: str, file: Path, out: Path, processes: int, *, fsdp: bool = False) -> dict[str, Any]:
    """Train to the end, and return what was printed: one object, by one process."""
    with launched(kind, file, out, processes, fsdp=fsdp) as process:
        said, complained = process.communicate(timeout=200)
    assert process.returncode == 0, complained
    return dict(json.loads(said))


def curve(run: Path) -> list[dict[str, float]]:
    """Return the numbers of every step and check, but for the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    clocks = ("clock/", "seconds", "generating", "judging", "per_second")
    return [
        {n: v for n, v in line.items() if v is not None and not any(clock in n for clock in clocks)} for line in lines
    ]


def alike(one: Path, other: Path) -> None:
    """Check that two trainings had the same course but for the order of sums."""
    for ours, theirs in zip(curve(one), curve(other), strict=True):
        assert theirs == pytest.approx(ours, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param({"processes": 2}, {"processes": 1}, id="a pair, then one"),
        pytest.param({"processes": 1}, {"processes": 2, "fsdp": True}, id="one, then a sharded pair"),
        pytest.param({"processes": 2, "fsdp": True}, {"processes": 1}, id="and back", marks=pytest.mark.slow),
        pytest.param({"processes": 2}, {"processes": 2}, id="pairs", marks=pytest.mark.slow),
    ],
)
def test_a_killed_training_is_gone_on_with_to_the_same_by_another_number_of_processes(
    first: dict[str, Any], then: dict[str, Any], tmp_path: Path, files: dict[str, str]
) -> None:
    file = config(tmp_path, files, **SUPERVISED)
    alone = train("sft", file, tmp_path / "one", 1)
    with launched("sft", file, tmp_path / "two", **first) as process:
        wait_for(tmp_path / "two", "checkpoints/step-000004", process)
        os.killpg(process.pid, signal.SIGKILL)
    assert len(curve(tmp_path / "two")) < len(curve(tmp_path / "one"))
    together = train("sft", file, tmp_path / "two", **then)
    alike(tmp_path / "one", tmp_path / "two")
    assert (together["steps"], together["tokens"]) == (alone["steps"], alone["tokens"])


def wait_for(run: Path, name: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 100
    while not (run / name).exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert (run / name).exists(), process.communicate()[1]


@pytest.mark.parametrize("fsdp", [False, True])
@pytest.mark.parametrize(
    ("kind", "tables"),
    [("sft", SUPERVISED), ("sft", ADAPTED), ("cycle", REFINING), ("rltf", ONLINE)],
    ids=["sft", "adapters", "cycle", "rltf"],
)
@pytest.mark.slow
def test_every_training_has_one_course_whoever_shares_it(
    kind: str, tables: dict[str, Any], fsdp: bool, tmp_path: Path, files: dict[str, str]
) -> None:
    file = config(tmp_path, files, **tables)
    train(kind, file, tmp_path / "1", 1)
    train(kind, file, tmp_path / "2", 2, fsdp=fsdp)
    alike(tmp_path / "1", tmp_path / "2")


@pytest.mark.parametrize("kind", ["llama", "t5"])
@pytest.mark.slow
def test_other_models_are_sharded_too_also_where_two_layers_share_weights(
    kind: str, small: Any, small_apart: Any, byte_level: Any, tmp_path: Path, files: dict[str, str]
) -> None:
    make = small if kind == "llama" else small_apart
    make(vocabulary=len(byte_level), tie_word_embeddings=True).save_pretrained(tmp_path / "model")
    byte_level.save_pretrained(tmp_path / "model")
    file = config(tmp_path, {**files, "model": f"hf:{tmp_path / 'model'}"}, **SUPERVISED)
    train("sft", file, tmp_path / "1", 1)
    train("sft", file, tmp_path / "2", 2, fsdp=True)
    alike(tmp_path / "1", tmp_path / "2")


def ran(script: str, processes: int = 2, *, fsdp: bool = False) -> Any:
    """Run a script from beside this file in so many processes, and return the object that it prints."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(launcher if processes > 1 else []), str(Path(__file__).with_name(script))]
    environment = ENVIRONMENT | ({"ACCELERATE_USE_FSDP": "true"} if fsdp else {})
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_step_on_nothing_is_that_of_one_process_also_where_the_model_is_sharded() -> None:
    alone, sharded = ran("stepping.py", 1), ran("stepping.py", 2, fsdp=True)
    assert alone["norms"][0] > 0
    assert alone["norms"][1:] == sharded["norms"][1:] == [0, 0]
    assert sharded["sum"] == pytest.approx(alone["sum"], rel=1e-7)
    assert sharded["norms"][0] == pytest.approx(alone["norms"][0], rel=1e-5)


def test_what_the_first_process_lets_go_of_the_others_do_too() -> None:
    for each in ran("letting_go.py"):
        assert (each["before"], each["after"]) == (each["numbers"], each["numbers"][1:])


@pytest.mark.parametrize("way", ["DEEPSPEED", "MEGATRON_LM"])
def test_other_ways_to_shard_a_model_are_refused(way: str, tmp_path: Path, files: dict[str, str]) -> None:
    environment = {"WORLD_SIZE": "2", "RANK": "0", f"ACCELERATE_USE_{way}": "true"}
    command = [sys.executable, "-m", "regreen", "train", "sft", str(config(tmp_path, files, **SUPERVISED)), "-q"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False, env=ENVIRONMENT | environment
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{way}: models are sharded by FSDP alone" in done.stderr
