from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import Benchmark, load, names
from regreen.errors import InputError, MissingDataError

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def one():\n",
    "entry_point": "one",
    "canonical_solution": "    return 1\n",
    "test": "def check(candidate):\n    assert candidate() == 1\n",
}


def mbpp(number: int) -> dict[str, Any]:
    return {
        "task_id": number,
        "text": "Return one.",
        "code": "def one():\r\n  return 1",
        "test_setup_code": "",
        "test_list": ["assert one() == 1"],
        "challenge_test_list": [],
    }


def own(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "statement": "s", "checks": [{"kind": "assert", "code": "assert f()"}], **fields}


def ids(benchmark: Benchmark) -> list[str]:
    return [problem.id for problem in benchmark.problems()]


def test_a_bare_name_means_all_test_or_train_by_purpose(write: Any) -> None:
    data = write("mbpp/mbpp.jsonl.gz", [mbpp(1), mbpp(11), mbpp(511), mbpp(601)])
    assert ids(load("mbpp", data=data)) == ["MBPP/1", "MBPP/11", "MBPP/511", "MBPP/601"]
    assert ids(load("mbpp", data=data, purpose="ask")) == ["MBPP/11"]
    assert ids(load("mbpp", data=data, purpose="train")) == ["MBPP/601"]
    assert load("mbpp", data=data, purpose="ask").name == "mbpp:test"
    assert load("mbpp", data=data).name == "mbpp"


def test_a_named_split_wins_over_the_purpose(write: Any) -> None:
    data = write("mbpp/mbpp.jsonl.gz", [mbpp(10), mbpp(510), mbpp(600), mbpp(974)])
    splits = {split: ids(load(f"mbpp:{split}", data=data, purpose="ask")) for split in ("prompt", "validation")}
    assert splits == {"prompt": ["MBPP/10"], "validation": ["MBPP/600"]}


def test_problems_can_be_read_more_than_once(write: Any) -> None:
    benchmark = load("humaneval", data=write("humaneval/HumanEval.jsonl", [HUMANEVAL]))
    assert ids(benchmark) == ids(benchmark) == ["HumanEval/0"]


def test_the_data_option_wins_over_the_environment(write: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write("option/humaneval/HumanEval.jsonl", [HUMANEVAL])
    write("variable/humaneval/HumanEval.jsonl", [{**HUMANEVAL, "task_id": "HumanEval/1"}])
    monkeypatch.setenv("REGREEN_DATA", str(tmp_path / "variable"))
    assert ids(load("humaneval", data=tmp_path / "option")) == ["HumanEval/0"]
    assert ids(load("humaneval")) == ["HumanEval/1"]
    assert ids(load("humaneval", data=tmp_path)) == ["HumanEval/1"]


def test_the_data_option_may_be_one_file_of_rows(write: Any) -> None:
    file = write("mine.jsonl", [HUMANEVAL]) / "mine.jsonl"
    assert ids(load("humaneval", data=file)) == ["HumanEval/0"]


def test_an_unknown_name_lists_the_names_and_the_closest() -> None:
    with pytest.raises(InputError, match=r"unknown benchmark 'humanevel': did you mean humaneval\? known are .*mbpp"):
        load("humanevel")


def test_an_unknown_split_lists_the_splits() -> None:
    with pytest.raises(InputError, match="mbpp has no split 'dev'; it has prompt, test, validation, train"):
        load("mbpp:dev")


def test_a_benchmark_without_training_problems_says_so() -> None:
    with pytest.raises(InputError, match="humaneval has no split 'train'; it has test"):
        load("humaneval", purpose="train")


def test_missing_data_names_what_where_and_what_to_type(write: Any) -> None:
    empty = write("other.jsonl", [HUMANEVAL])
    with pytest.raises(MissingDataError) as caught:
        load("humaneval", data=empty)
    message = str(caught.value)
    for part in ("HumanEval.jsonl", str(empty), "$REGREEN_DATA: not given", "openai/openai_humaneval", "Give --data"):
        assert part in message
    assert "\n" not in message


def test_the_variable_must_be_a_folder(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGREEN_DATA", str(write("mine.jsonl", [HUMANEVAL]) / "mine.jsonl"))
    with pytest.raises(InputError, match=r"\$REGREEN_DATA is the file .*mine\.jsonl; expected a folder"):
        load("humaneval")


def test_a_published_file_given_as_own_problems_is_told_how_to_be_read(write: Any) -> None:
    file = write("mine.jsonl", [HUMANEVAL]) / "mine.jsonl"
    with pytest.raises(InputError, match=r"mine\.jsonl:1: no field 'id'.* give its name, and --data .*mine\.jsonl$"):
        ids(load(str(file)))


def test_a_data_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--data .*nowhere: no such file or folder"):
        load("humaneval", data=tmp_path / "nowhere")


def test_a_file_of_problems_is_a_benchmark(write: Any) -> None:
    path = write("mine.jsonl.gz", [own("a"), own("b")]) / "mine.jsonl.gz"
    assert ids(load(str(path))) == ids(load(path)) == ["a", "b"]
    assert load(path).name == str(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: no such file"):
        load(str(tmp_path / "gone.jsonl"))


def test_a_bad_problem_names_its_file_and_line(write: Any) -> None:
    path = write("mine.jsonl", [own("a"), {"id": "b"}]) / "mine.jsonl"
    with pytest.raises(InputError, match=r"mine\.jsonl:2: no field 'statement'"):
        ids(load(path))


def test_an_id_that_is_there_twice_is_refused(write: Any) -> None:
    path = write("mine.jsonl", [own("a"), own("a")]) / "mine.jsonl"
    with pytest.raises(InputError, match="the id 'a' is there twice"):
        ids(load(path))


def test_dates_bound_the_problems_on_both_sides_inclusively(write: Any) -> None:
    days = ("2024-01-01", "2024-01-02", "2024-01-03T10:00:00")
    path = write("mine.jsonl", [own(day[:10], meta={"date": day}) for day in days]) / "mine.jsonl"
    assert ids(load(path, after=date(2024, 1, 2))) == ["2024-01-02", "2024-01-03"]
    assert ids(load(path, before=date(2024, 1, 2))) == ["2024-01-01", "2024-01-02"]


def test_a_date_filter_on_a_problem_without_a_date_is_an_error(write: Any) -> None:
    path = write("mine.jsonl", [own("a")]) / "mine.jsonl"
    with pytest.raises(InputError, match=r"problem 'a' has no date .*--after and --before need one"):
        ids(load(path, after=date(2024, 1, 1)))


def test_the_list_says_which_data_is_found(write: Any) -> None:
    data = write("humaneval/HumanEval.jsonl", [HUMANEVAL])
    found = {listing.name: listing.found for listing in names(data=data)}
    assert found["humaneval"] == data / "humaneval/HumanEval.jsonl"
    assert found["cruxeval"] is None
    assert {"humaneval+", "mbpp", "mbpp-sanitized", "mbpp+", "apps", "livecodebench", "leetcode"} <= set(found)


COUNTS: dict[str, int] = {
    "humaneval": 164,
    "mbpp": 974,
    "mbpp:test": 500,
    "mbpp:prompt": 10,
    "mbpp:validation": 90,
    "mbpp:train": 374,
    "mbpp-sanitized": 427,
    "mbpp-sanitized:test": 257,
    "cruxeval": 800,
    "apps:train": 5,
    "apps:test": 77,
    "codecontests": 83,
    "codeforces": 204,
    "leetcode": 827,
}


@pytest.mark.data
@pytest.mark.parametrize("spec", COUNTS)
def test_the_public_data_has_the_published_number_of_problems(spec: str, data_root: Path) -> None:
    assert len(ids(load(spec, data=data_root))) == COUNTS[spec]


def test_loading_benchmarks_imports_no_heavy_library(run_python: Callable[[str], str]) -> None:
    heavy = ("numpy", "datasets", "huggingface_hub", "pydantic", "httpx", "torch")
    code = f"import sys, regreen.benchmarks; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python(code).strip() == "[]"
