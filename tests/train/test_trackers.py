"""Trackers show what metrics.jsonl has, step by step, and decide nothing."""

from __future__ import annotations

import json
import sqlite3
import struct
import sys
from collections import Counter
from pathlib import Path

import pytest

from regreen.errors import InputError
from regreen.records import read_records
from regreen.train.lessons import supervised
from regreen.train.trackers import require
from tests.models import tiny
from tests.train.test_sft import regreen, write_config

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from regreen.train.batches import Epochs  # noqa: E402
from regreen.train.config import SftConfig  # noqa: E402
from regreen.train.learner import AdamW, Learner  # noqa: E402
from regreen.train.loop import Pace, fit  # noqa: E402
from regreen.train.policy import Policy, tokens_of  # noqa: E402
from regreen.train.schedules import Schedule  # noqa: E402
from regreen.train.sft import split_of  # noqa: E402


@pytest.fixture
def train(small, tokenizer, tmp_path):
    """Train a fresh policy for 8 steps under a tracker, or be interrupted after one of them."""

    def run(track, interrupted_after=None):
        policy = Policy((small(len(tokenizer)), tokenizer), dtype="float32")
        learner = Learner(policy, AdamW(lr=1e-2), Schedule("constant", 8, warmup=0), seed=3)
        lessons = [supervised(*tokens_of(policy, *pair)) for pair in tiny._lessons()][:6]

        def advance(done, remark):
            if done == interrupted_after:
                raise KeyboardInterrupt

        fit(
            learner, Epochs(lessons, tokens=200, seed=1), pace=Pace(8, 5, "pass@1"), folder=tmp_path / "mine",
            check=lambda: {"pass@1": learner.steps / 10}, advance=advance, track=track,
        )  # fmt: skip
        return tmp_path / "mine"

    return run


def written(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what metrics.jsonl has, by name."""
    found: dict[str, list[tuple[int, float]]] = {}
    for _, record in read_records(run / "metrics.jsonl"):
        for name in record.keys() - {"v", "step"}:
            found.setdefault(name, []).append((record["step"], pytest.approx(record[name], rel=1e-6)))
    return found


def events(run: Path, *, purged: bool = True) -> dict[str, list[tuple[int, float]]]:
    """Return what TensorBoard reads in a run directory, by name."""
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reading.EventAccumulator(str(run), {"scalars": 0}, purge_orphaned_data=purged)
    found.Reload()
    return {name: [(one.step, one.value) for one in found.Scalars(name)] for name in found.Tags()["scalars"]}


def test_tensorboard_reads_in_the_run_directory_what_metrics_has(train):
    run = train("tensorboard")
    assert events(run) == written(run)
    assert [step for step, _ in events(run)["loss"]] == list(range(1, 9))
    assert [step for step, _ in events(run)["pass@1"]] == [0, 5, 8]


def test_steps_that_are_done_again_are_shown_again_under_the_same_steps(train):
    with pytest.raises(KeyboardInterrupt):
        train("tensorboard", interrupted_after=7)
    run = train("tensorboard")
    assert events(run) == written(run)
    assert Counter(step for step, _ in events(run, purged=False)["loss"]) == dict.fromkeys(range(1, 9), 1) | {
        6: 2,
        7: 2,
    }


def test_without_a_tracker_nothing_is_left_behind(train):
    assert sorted(path.name for path in train(None).iterdir()) == ["checkpoints", "metrics.jsonl"]


@pytest.fixture(scope="session")
def trackio_folder(tmp_path_factory):
    """Where trackio keeps what this process tracks: it asks once, when it is imported, as others may have done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKIO_DIR", str(tmp_path_factory.mktemp("trackio")))
        yield Path(pytest.importorskip("trackio.utils").TRACKIO_DIR)


def test_trackio_has_the_run_by_its_directory_s_name(train, trackio_folder, capfd):
    with pytest.raises(KeyboardInterrupt):
        train("trackio", interrupted_after=7)
    run = train("trackio")
    rows = trackio_rows(trackio_folder, "mine")
    losses = [(step, row["loss"]) for step, row in rows if "loss" in row]
    assert [step for step, _ in losses] == [1, 2, 3, 4, 5, 6, 7, 6, 7, 8]
    assert losses[:5] + losses[7:] == written(run)["loss"]
    assert [step for step, row in rows if "pass@1" in row] == [0, 5, 8]
    assert capfd.readouterr().out == ""


def trackio_rows(folder, name):
    """Return step and numbers of what trackio keeps of the one run in a folder."""
    (base,) = folder.glob("regreen*.db")
    with sqlite3.connect(base) as rows:
        kept = rows.execute("SELECT run_name, step, metrics FROM metrics ORDER BY id").fetchall()
    assert {run for run, _, _ in kept} == {name}
    return [(step, json.loads(numbers)) for _, step, numbers in kept]


def test_wandb_keeps_the_numbers_offline(train, tmp_path, monkeypatch, capfd):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = train("wandb")
    (kept,) = (run / "wandb").glob("offline-run-*/run-*.wandb")
    names, rows = wandb_rows(kept)
    assert names == ["mine"]
    assert [(row["_step"], row["loss"]) for row in rows if "loss" in row] == written(run)["loss"]
    assert [row["_step"] for row in rows if "pass@1" in row] == [0, 5, 8]
    assert capfd.readouterr().out == ""
    assert wandb.run is None


def wandb_rows(path):
    """Return names of runs, and the rows of their history, in a file of Weights & Biases."""
    from wandb.proto import wandb_internal_pb2

    names, rows = set(), []
    for raw in leveldb_records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(raw)
        names |= {record.run.display_name} - {""}
        if record.history.item:
            rows.append({(*item.nested_key, item.key)[0]: json.loads(item.value_json) for item in record.history.item})
    return sorted(names), rows


def leveldb_records(raw):
    """Yield the records of a file in LevelDB's log format: blocks of 32 KiB, headers of checksum, length and kind."""
    at, whole = 7, b""
    while at + 7 <= len(raw):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", raw, at + 4)
        whole += raw[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


@pytest.mark.usefixtures("trackio_folder")
def test_a_tracker_that_cannot_be_opened_is_one_line_and_nothing_is_trained(train, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_SERVER_URL", "nowhere")
    with pytest.raises(InputError, match=r'track = "trackio": ValueError: .*http.*; mend it, or leave') as raised:
        train("trackio")
    assert "\n" not in str(raised.value)
    assert (tmp_path / "mine/metrics.jsonl").read_text() == ""


@pytest.mark.parametrize(("name", "what"), [("tensorboard", r"'regreen\[track\]'"), ("wandb", "wandb")])
def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_made(name, what, monkeypatch, start_config):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=f'track = "{name}": not installed; pip install {what}, or leave track out'):
        split_of(start_config(track=name))
    require(None)


@pytest.fixture
def start_config():
    return lambda **more: SftConfig(model="no such folder", problems="no such file", **more)


def test_a_tracker_decides_nothing(start_config):
    assert start_config(track="wandb").model_dump() == start_config().model_dump()


def test_the_command_tells_a_tracker_and_keeps_standard_output_for_results(tmp_path, small, tokenizer):
    pytest.importorskip("trackio")
    small(len(tokenizer)).save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    write_config(tmp_path, "start", steps=2, limit=1, extra='track = "trackio"')
    done = regreen(tmp_path, "--json", "-q", "-o", "mine", TRACKIO_DIR=str(tmp_path / "trackio"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 2
    assert [step for step, row in trackio_rows(tmp_path / "trackio", "mine") if "loss" in row] == [1, 2]
