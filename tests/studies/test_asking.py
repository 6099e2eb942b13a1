"""Studies that ask a model: conditions as runs of one folder, tables, figures, resumption."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regreen import InputError
from regreen.cli import main
from regreen.evaluate import Choice, Sampling
from regreen.models import open_model
from regreen.report import draw, every_table, render, report
from regreen.studies.asking import Study
from regreen.studies.finding import plot
from regreen.studies.temperature import temperature


def study(name, out, benchmark="katas:test", *, n=2, temperatures=(0.8,), limit=4, **more):
    """A study of the tiny model on a few katas."""
    sampling = Sampling(n, temperatures, max_tokens=80)
    return Study(name, benchmark, open_model("tiny"), sampling, Choice(limit=limit), out=out, **more)


def test_temperatures_are_compared_at_every_budget_and_the_best_is_chosen_on_other_problems(tmp_path):
    found = temperature(study("temperature", tmp_path / "s", n=3, temperatures=(0.2, 1.0)))
    assert list(found["grid"]) == ["0.2", "1"]
    assert {"pass@1", "pass@2"} == set(found["grid"]["1"])
    assert found["best"]["pass@1"]["chosen_on"] + found["best"]["pass@1"]["problems"] == found["problems"] == 4
    assert found["programs"] == 4 * 3 * 2
    again = temperature(study("temperature", tmp_path / "s", n=3, temperatures=(0.2, 1.0)))
    assert again == found, "what is there is read, not asked for again"
    assert render(every_table(report([tmp_path / "s"])), "text").count("pass@1") == 1


@pytest.mark.parametrize(
    ("temperatures", "ks", "said"), [((0.5,), (), "give several"), ((0.5, 1.0), (3,), "-k 3 needs -n 3")]
)
def test_what_cannot_be_compared_is_refused_before_anything_is_asked(tmp_path, temperatures, ks, said):
    with pytest.raises(InputError, match=said):
        temperature(study("temperature", tmp_path / "s", temperatures=temperatures), ks=ks)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("name", ["figure.bmp", "nowhere/figure.svg"])
def test_a_figure_that_cannot_be_drawn_is_refused_before_anything_is_asked(name, tmp_path, capsys):
    command = ["study", "chained", "-m", "tiny", "--figure", str(tmp_path / name), "-o", str(tmp_path / "s")]
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 2
    assert name.rpartition("/")[2] in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_the_command_prints_a_table_draws_a_figure_and_names_its_folder_after_what_it_asks(tmp_path):
    command = [sys.executable, "-m", "regreen.cli", "study", "temperature", "katas:test", "-m", "tiny"]
    asked = [*command, "--limit", "2", "-n", "2", "--temperature", "0.2,0.8", "--max-tokens", "60", "-q"]
    done = subprocess.run(
        [*asked, "--figure", "f.svg"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert "Temperature and budget" in done.stdout
    assert "<svg" in Path(tmp_path, "f.svg").read_text()
    folder = Path(tmp_path, done.stdout.split("regreen report ")[1].strip())
    assert folder.name.startswith("study-temperature-katas-test-")
    found = subprocess.run(
        [*command[:3], "report", str(folder), "--json"], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(found.stdout)["study"] == "temperature"


def test_the_same_numbers_give_the_same_figure_and_another_form_is_refused(tmp_path):
    plots = [
        plot("a", {"b": [(1, 0.5), (2, 0.25)]}, x="x", y="y"),
        plot("c", {"d": [("e", 1)]}, x="", y="", kind="bar"),
    ]
    for name in ("one.svg", "two.svg"):
        draw(plots, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    draw(plots, tmp_path / "three.png")
    with pytest.raises(InputError, match=r"\*\.svg, \*\.png or \*\.pdf"):
        draw(plots, tmp_path / "four.txt")
    with pytest.raises(InputError, match="nothing to draw"):
        draw([], tmp_path / "five.svg")
