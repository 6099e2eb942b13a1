import base64
import json
import pickle
import zlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.benchmarks import load
from regreen.benchmarks.livecodebench import decompressed, unpickled_string
from regreen.errors import InputError
from regreen.problem import Call, Stdio


def compressed(tests: list[dict[str, str]], protocol: int = pickle.DEFAULT_PROTOCOL) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests), protocol))).decode()


def case(stdin: str, output: str, kind: str = "stdin") -> dict[str, str]:
    return {"input": stdin, "output": output, "testtype": kind}


STDIN = {
    "question_title": "A. Sum",
    "question_content": "Add them.",
    "platform": "codeforces",
    "question_id": "1873_A",
    "contest_id": "1873",
    "contest_date": "2023-08-21T00:00:00",
    "starter_code": "",
    "difficulty": "easy",
    "public_test_cases": json.dumps([case("1 2\n", "3\n")]),
    "private_test_cases": compressed([case("3 4\n", "7\n")]),
    "metadata": "{}",
}
FUNCTIONAL = {
    **STDIN,
    "question_id": "3000",
    "contest_date": "2024-02-01T00:00:00",
    "starter_code": "class Solution:\n    def add(self, xs: List[int], s: str) -> int:\n        ",
    "public_test_cases": json.dumps([case('[1, 2]\n"a"', "3", "functional")]),
    "private_test_cases": json.dumps([case('[]\n"b\\n"', "0", "functional")]),
    "metadata": json.dumps({"func_name": "add"}),
}


def loaded(write: Any, *rows: Any, **options: Any) -> list[Any]:
    return list(load("livecodebench", data=write("livecodebench/test.jsonl", rows), **options).problems())


def test_public_tests_are_shown_and_private_ones_hidden(write: Any) -> None:
    (problem,) = loaded(write, STDIN)
    assert problem.checks == (Stdio("1 2\n", "3\n"), Stdio("3 4\n", "7\n"))
    assert problem.shown == problem.revealed == (0,)
    assert (problem.id, problem.meta["date"], problem.meta["difficulty"]) == ("1873_A", "2023-08-21", "easy")


def test_functional_tests_are_calls_with_an_argument_a_line(write: Any) -> None:
    (problem,) = loaded(write, FUNCTIONAL)
    assert problem.checks == (Call(([1, 2], "a"), 3), Call(([], "b\n"), 0))
    assert problem.entry_point == "add"
    assert problem.statement.endswith("def add(self, xs: List[int], s: str) -> int:\n")


def test_the_prelude_runs_and_gives_the_starters_names(write: Any) -> None:
    (problem,) = loaded(write, FUNCTIONAL)
    names: dict[str, Any] = {}
    exec(problem.prelude.replace("sys.setrecursionlimit(50000)", ""), names)
    assert {"List", "heappush", "inf", "Counter", "sqrt"} <= set(names)
    assert names["open"] is open
    assert names["pow"] is pow


def test_dates_choose_the_problems(write: Any) -> None:
    assert [p.id for p in loaded(write, STDIN, FUNCTIONAL, after=date(2024, 1, 1))] == ["3000"]
    assert [p.id for p in loaded(write, STDIN, FUNCTIONAL, before=date(2023, 8, 21))] == ["1873_A"]


@given(st.text(), st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_a_pickled_string_is_read_without_running_the_pickle(text: str, protocol: int) -> None:
    assert unpickled_string(pickle.dumps(text, protocol)) == text


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("never",)


@pytest.mark.parametrize("value", [Evil(), 3, ["a"], ("a", "b"), {"a": 1}, b"bytes", None])
def test_any_other_pickle_is_refused_and_not_run(value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(ValueError, match="a pickle of one string was expected"):
            unpickled_string(pickle.dumps(value, protocol))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x04.", pickle.dumps("cut short")[:-4], b"nonsense"])
def test_a_broken_pickle_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the message is pickletools' own
        unpickled_string(data)


@pytest.mark.parametrize("text", ["%%%", "AAAA", base64.b64encode(b"no zlib").decode()])
def test_text_in_neither_form_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="neither JSON nor base64 of zlib"):
        decompressed(text)


def test_bad_private_tests_name_their_line_and_field(write: Any) -> None:
    evil = base64.b64encode(zlib.compress(pickle.dumps(Evil()))).decode()
    with pytest.raises(InputError, match=r"test\.jsonl:2: field 'private_test_cases': a pickle of one string"):
        loaded(write, STDIN, {**FUNCTIONAL, "private_test_cases": evil})
