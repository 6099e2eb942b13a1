"""ids: one problem, many spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.formats.form import BadRow
from regreen.formats.ids import Ids, parse_id
from regreen.problem import Assert, Problem


def ids(*names: str) -> Ids:
    return Ids({name: Problem(name, "", (Assert("assert True"),)) for name in names})


@pytest.mark.parametrize(
    ("known", "spelled"),
    [
        ("HumanEval/0", "HumanEval/0"),
        ("HumanEval/0", "HumanEval_0"),
        ("HumanEval/0", "humaneval/0"),
        ("HumanEval/0", "0"),
        ("HumanEval/0", 0),
        ("HumanEval/0", " HumanEval/0\n"),
        ("MBPP/11", "Mbpp/11"),
        ("MBPP/11", "11"),
        ("MBPP/11", "mbpp_11_remove_occ"),
        ("MBPP/798", "mbpp_798__sum"),
        ("11", "Mbpp/11"),
        ("sample_3", "3"),
        ("CRUXEval/3", "sample_3"),
        ("apps/test/12", "0012"),
        ("apps/test/12", "apps/12"),
        ("apps/test/12", "apps_test_12"),
    ],
)
def test_each_spelling_finds_its_problem(known: str, spelled: str | int) -> None:
    assert ids(known, "other-words/99").find(spelled).id == known


def test_an_exact_id_wins_over_other_readings() -> None:
    assert ids("11", "Mbpp/11").find("11").id == "11"


def test_an_id_that_may_mean_two_problems_is_refused() -> None:
    with pytest.raises(BadRow, match="id '1' may mean a/1 or b/1; write the whole id"):
        ids("a/1", "b/1").find("1")


@pytest.mark.parametrize("spelled", ["Mbpp/0", "HumanEval/7", "1873_B", "HumanEval", "", "0x", "HumanEval/-0"])
def test_an_id_of_another_problem_is_refused(spelled: str) -> None:
    with pytest.raises(BadRow, match="no problem"):
        ids("HumanEval/0", "1873_A").find(spelled)


def test_the_closest_id_is_named() -> None:
    with pytest.raises(BadRow, match="no problem 'HumanEvals/163' in the benchmark; the closest id is 'HumanEval/163'"):
        ids(*(f"HumanEval/{i}" for i in range(164))).find("HumanEvals/163")


def test_without_a_close_id_the_benchmark_s_spelling_is_shown() -> None:
    with pytest.raises(BadRow, match="its ids read like 'HumanEval/0'"):
        ids("HumanEval/0").find("two-sum")


def test_two_problems_of_one_contest_stay_apart() -> None:
    assert parse_id("1873_A") is None
    assert parse_id("abc301_a") is None
    assert parse_id("weekly-contest-345/2") is None


@given(st.text())
def test_any_text_is_read_or_refused_in_one_line(spelled: str) -> None:
    try:
        said = ids("HumanEval/0").find(spelled).id
    except BadRow as bad:
        said = str(bad)
    assert "HumanEval/0" in said
    assert "\n" not in said
