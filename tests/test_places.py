"""Files whose place a command must not take, and numbers that it must not take."""

import json

import pytest

from regreen.cli import main
from regreen.run import Run, Settings


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Run(tmp_path / "run", Settings("score", "toy", {"missing": "skip"})) as run:
        run.complete()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.json").write_text(json.dumps({"study": "x", "tables": [{}], "plots": []}))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "a.py").write_text("x = 1\n")
    (tmp_path / "texts.jsonl").write_text("kept")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("export run --to sft -o .", "a folder; give a file"),
        ("export run --to sft -o nowhere/x", "there is no folder nowhere"),
        ("export run --to grpo -o run/manifest.json", "a file of a run"),
        ("report run --html x.html -o x.html", "given twice"),
        ("report run --html run/manifest.json", "a file of a run"),
        ("report run --seed -1", "greater than or equal to 0"),
        ("report study", "not what a study writes"),
        ("curate corpus sources -o texts.jsonl --largest 1", "no file is kept (1 too large)"),
        ("curate corpus sources -o sources/a.py", "a source file of sources"),
        ("study chained -m tiny -o run", "holds a run, not a study"),
        ("study scaling run run --parameters nan,1B", "at least one parameter"),
    ],
)
def test_it_is_refused_in_one_line_and_nothing_is_lost(command, said, here, capsys):
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in before} == before
