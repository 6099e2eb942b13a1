"""arms: how they are chosen and put together, and a person's notes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from regreen import Call, InputError, Problem
from regreen.arms import Static, open_arms, split_arms, words_of
from regreen.sandbox import LocalSandbox

SUM = Problem("own/sum", "", (Call(([1, 2],), 3),), revealed=(0,), entry_point="f", solution="f = sum\n")
WRONG = "def f(x):\n    y = x[0]\n    return nothing\n"


def said(choice: str, sandbox: LocalSandbox, source: str = WRONG, node: str | None = None) -> str:
    arms = open_arms(choice, sandbox, problems=["own/sum", "own/max"])
    return asyncio.run(words_of(arms, SUM, source, sandbox.judge_now(SUM, source), node=node))


def written(folder: Path, *notes: object) -> str:
    path = folder / "notes.jsonl"
    path.write_text("".join(f"{json.dumps(note)}\n\n" for note in notes))
    return f"notes:{path}"


def test_none_has_no_words(sandbox: LocalSandbox) -> None:
    assert said("none", sandbox) == ""


def test_arms_together_say_what_each_says_in_order_with_a_blank_line_between(
    sandbox: LocalSandbox, tmp_path: Path
) -> None:
    notes = written(tmp_path, {"problem": "own/sum", "text": "Add them."})
    single = [said(name, sandbox) for name in ("trace", notes, "static")]
    assert all(single)
    assert said(f"trace+{notes}+static", sandbox) == "\n\n".join(single)


def test_an_arm_without_words_leaves_no_blank_lines(sandbox: LocalSandbox, tmp_path: Path) -> None:
    notes = written(tmp_path, {"problem": "own/max", "text": "Another problem's."})
    assert said(f"{notes}+static", sandbox) == said("static", sandbox)


def test_parts_that_are_no_arms_are_the_engine_s_to_ask() -> None:
    assert split_arms("self+static+openai:gpt+notes:a.jsonl") == (["static", "notes:a.jsonl"], ["self", "openai:gpt"])
    assert split_arms("none") == (["none"], [])


@pytest.mark.parametrize("choice", ["", "static+", "none+static"])
def test_a_choice_that_says_nothing_is_refused(choice: str) -> None:
    with pytest.raises(InputError, match=r"expected parts joined by \+, as static\+trace, or none alone"):
        split_arms(choice)


def test_an_unknown_arm_is_named_with_the_known_ones(sandbox: LocalSandbox) -> None:
    with pytest.raises(InputError, match="unknown feedback 'orakel'; known are none, oracle, static, trace, not"):
        open_arms("static+orakel", sandbox)


def test_notes_are_on_a_problem_or_on_one_of_its_programs(sandbox: LocalSandbox, tmp_path: Path) -> None:
    notes = written(
        tmp_path,
        {"problem": "own/sum", "text": " Of all. \n"},
        {"problem": "own/sum", "node": "0.2", "text": "Of this one."},
        {"problem": "own/sum", "node": "1", "text": "Of another."},
    )
    assert said(notes, sandbox) == "Of all."
    assert said(notes, sandbox, node="0.2") == "Of all.\n\nOf this one."
    assert said(notes, sandbox, node="3") == "Of all."


@pytest.mark.parametrize(
    ("note", "message"),
    [
        (
            {"problem": "own/sun", "text": "x"},
            r"notes\.jsonl:3: unknown problem 'own/sun'; ids here are own/sum, own/m",
        ),
        ({"problem": "own/sum"}, r"notes\.jsonl:3: not a note; expected \{\"problem\""),
        ({"problem": "own/sum", "text": 3}, r"notes\.jsonl:3: not a note"),
        ([], r"notes\.jsonl:3: not a note"),
        ({"problem": "own/sum", "text": "x", "nod": "0"}, r"notes\.jsonl:3: unknown field 'nod' in a note; known are"),
    ],
)
def test_a_bad_note_is_one_line_with_its_place(
    sandbox: LocalSandbox, tmp_path: Path, note: object, message: str
) -> None:
    choice = written(tmp_path, {"problem": "own/sum", "text": "Good."}, note)
    with pytest.raises(InputError, match=message) as raised:
        said(choice, sandbox)
    assert "\n" not in str(raised.value)


def test_notes_that_are_not_there_are_named(sandbox: LocalSandbox, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: notes cannot be read"):
        said(f"notes:{tmp_path / 'none.jsonl'}", sandbox)


def test_static_without_ruff_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(InputError, match=r"ruff is not installed.*pip install 'regreen\[analysis\]'"):
        Static()
