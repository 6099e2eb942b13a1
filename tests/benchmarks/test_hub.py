"""The hub's path, against a local folder in the hub's layout made on the spot."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regreen import benchmarks
from regreen.benchmarks import load
from regreen.benchmarks.rows import read_rows
from regreen.benchmarks.source import Source, find
from regreen.errors import MissingDataError

MBPP = {
    "task_id": 11,
    "text": "Return one.",
    "code": "def one():\n  return 1",
    "test_setup_code": "",
    "test_list": ["assert one() == 1"],
    "challenge_test_list": [],
}


@pytest.fixture(autouse=True)
def no_local_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGREEN_DATA", raising=False)


def at(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a named benchmark's hub be a local folder."""
    source = benchmarks._SOURCES[name]
    local = replace(source, hub=replace(source.hub, repo=str(folder)))
    monkeypatch.setitem(benchmarks._SOURCES, name, local)
    return local


def test_json_lines_of_the_hub_are_read_without_its_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(tmp_path, "cruxeval", monkeypatch)
    row = {"id": "sample_0", "code": "def f(x): return x", "input": "1", "output": "1"}
    (tmp_path / "test.jsonl").write_text(json.dumps(row) + "\n")
    assert [problem.id for problem in load("cruxeval").problems()] == ["sample_0"]


def test_parquet_of_the_hub_is_read_split_by_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="needs regreen[data]")
    at(tmp_path, "mbpp", monkeypatch)
    (tmp_path / "full").mkdir()
    for split, number in {"prompt": 1, "test": 11, "validation": 511, "train": 601}.items():
        rows = datasets.Dataset.from_list([{**MBPP, "task_id": number}])
        rows.to_parquet(str(tmp_path / "full" / f"{split}-00000-of-00001.parquet"))
    assert [problem.id for problem in load("mbpp:train").problems()] == ["MBPP/601"]
    assert [problem.id for problem in load("mbpp").problems()] == ["MBPP/1", "MBPP/11", "MBPP/511", "MBPP/601"]
    assert datasets.load_dataset(str(tmp_path / "full"), split="train")[0]["task_id"] == 601


def test_a_hub_without_the_split_is_missing_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = at(tmp_path, "mbpp", monkeypatch)
    with pytest.raises(MissingDataError, match=r"mbpp:test: .*holds no full/test-\*\.parquet"):
        find(source, ["test"], None)


@pytest.mark.skipif(bool(importlib.util.find_spec("huggingface_hub")), reason="the libraries are installed")
def test_without_the_libraries_the_error_says_what_to_install() -> None:
    with pytest.raises(MissingDataError, match=r"pip install 'regreen\[data\]'"):
        load("humaneval")


@pytest.mark.skipif(bool(importlib.util.find_spec("datasets")), reason="the libraries are installed")
def test_parquet_without_the_libraries_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingDataError, match=r"pip install 'regreen\[data\]'"):
        list(read_rows(tmp_path / "a.parquet"))


def test_a_hub_that_cannot_be_reached_is_missing_data() -> None:
    pytest.importorskip("huggingface_hub", reason="needs regreen[data]")
    with pytest.raises(MissingDataError, match=r"hub: openai/openai_humaneval: could not be fetched"):
        load("humaneval")


def test_every_hub_is_pinned_to_a_commit() -> None:
    sources = [source for source in benchmarks._SOURCES.values() if isinstance(source, Source)]
    hubs = [(source.hub, source.splits) for source in sources if source.hub is not None]
    assert all(len(hub.revision) == 40 and int(hub.revision, 16) for hub, _ in hubs)
    assert all(set(hub.files) == set(splits) for hub, splits in hubs)
    assert all(source.page.startswith("https://") for source in sources if source.hub is None)
