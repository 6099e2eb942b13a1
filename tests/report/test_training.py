"""A training is reported by its metrics, whether it has ended or not."""

from __future__ import annotations

import json

import pytest

from regreen.records import write_json, write_lines
from regreen.report import every_table, render, report
from regreen.run import Run, Settings

CHECKS = [(0, 3.0, 0.1), (2, 2.0, 0.5), (4, 1.0, 0.5)]


def records(steps):
    """A check takes a second, a step half of one and reads a hundred tokens more each time."""
    told, seconds, tokens = [], 0.0, 0
    for step in range(steps + 1):
        if step:
            seconds, tokens = seconds + 0.5, tokens + 100 * step
            told.append({"v": 1, "step": step, "loss": 5.0 - step, "tokens": tokens, "seconds": seconds})
        for at, loss, rate in CHECKS:
            if at == step:
                seconds += 1
                told.append({"v": 1, "step": step, "validation_loss": loss, "pass@1": rate, "seconds": seconds})
    return told


def training(path, steps, *, monitor="pass@1", finished=True):
    decides = {
        "model": "hf:base",
        "prompt": "codex 6ed8c11b",
        "check": {"monitor": monitor},
        "batch": {"steps": None},
    }
    with Run(path, Settings("train-sft", "katas:train", decides)) as run:
        write_lines(path / "metrics.jsonl", records(steps))
        (path / "checkpoints/step-000002").mkdir(parents=True)
        (path / "checkpoints/best").symlink_to("step-000002")
        if finished:
            run.complete()
            run.write_scores({"steps": 4, "held_out": 6, "too_long": 1, "examples": True})
    return path


def test_a_training_is_summed_up_from_its_metrics(tmp_path):
    run = training(tmp_path / "run", 4)
    found = report([run])
    assert json.loads(json.dumps(found)) == found
    assert (found["steps"], found["of"], found["tokens"], found["seconds"]) == (4, 4, 1000, 5.0)
    assert found["tokens_per_second"] == pytest.approx(1000 / 2)  # the three checks took the other three seconds
    assert (found["first_loss"], found["last_loss"]) == (4.0, 1.0)
    assert [(c["step"], c["validation_loss"], c["pass@1"]) for c in found["checks"]] == CHECKS
    assert found["best"]["step"] == 2  # the first of two that are as good
    assert found["checkpoints"] == {"best": str(run / "checkpoints/best")}
    assert "scores" not in found


def test_the_best_check_is_marked_and_the_command_that_evaluates_it_is_printed(tmp_path):
    run = training(tmp_path / "a run", 4)
    text = render(every_table(report([run])), "text")
    (best,) = [line for line in text.splitlines() if line.rstrip().endswith(" best")]
    assert best.split() == ["2", "2.000", "0.500", "best"]
    place = run / "checkpoints/best"
    assert f"regreen evaluate BENCHMARK -m hf:'{place}' --prompt codex --examples 0" in text
    assert "Scores" not in text
    lowest = report([training(tmp_path / "lowest", 4, monitor="validation_loss")])
    assert lowest["best"]["step"] == 4


def test_a_training_that_goes_on_or_has_not_begun_can_be_looked_at(tmp_path):
    for steps in (0, 3):
        found = report([training(tmp_path / str(steps), steps, finished=False)])
        assert (found["steps"], found["of"], found["finished"]) == (steps, None, False)
        assert "its own command goes on" in render(every_table(found), "text")
    with Run(tmp_path / "new", Settings("train-sft", "katas:train", {})):
        pass
    found = report([tmp_path / "new"])
    assert (found["steps"], found["checks"], found["best"], found["tokens_per_second"]) == (0, [], None, None)
    assert "Training on katas:train" in render(every_table(found), "md")


def test_a_training_stands_beside_runs_of_other_kinds(tmp_path):
    one = training(tmp_path / "one", 4)
    with Run(tmp_path / "other", Settings("evaluate", "katas:test", {})) as run:
        run.complete()
    found = report([one, tmp_path / "other"])
    assert found["paired"] is None
    titles = [table.title for table in every_table(found)]
    assert titles[:1] + titles[-2:] == ["Scores", "Training on katas:train", "Checks"]
    assert every_table(report([one, one]))[2].title == "Training on katas:train"
    write_json(one / "scores.json", {"steps": 4})
    assert report([one])["of"] == 4


def test_of_an_online_training_what_it_drew_is_shown_from_first_to_last(tmp_path):
    run = training(tmp_path / "run", 4)
    told = records(30)
    for record in told:
        if "loss" in record and record["step"] % 2:
            record |= {"drawn": 12, "passed": record["step"] / 100, "entropy": 0.5, "reward/coarse": -0.1}
    write_lines(run / "metrics.jsonl", told)
    found = report([run])
    assert [draw["step"] for draw in found["draws"]] == list(range(1, 30, 2))
    (table,) = [table for table in every_table(found) if table.title == "Programs drawn"]
    steps = [int(row[0]) for row in table.rows]
    assert (len(steps), steps[0], steps[-1]) == (10, 1, 29)
    assert table.header == ["step", "passed", "entropy", "reward/coarse"]
    assert table.rows[0] == ["1", "0.010", "0.500", "-0.100"]
