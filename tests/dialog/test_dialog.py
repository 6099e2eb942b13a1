"""Dialog: hints from a file, a model and a person at a terminal; the transcript is a tree."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from regreen import InfrastructureError, InputError
from regreen.dialog import FileHinter, ModelHinter, dialog
from regreen.evaluate import Choice, Judging, Sampling
from regreen.metrics import holm
from regreen.models import Completion
from regreen.records import read_records
from regreen.report import every_table, figures, render, report
from tests.refine.models import Writer
from tests.repair.models import Planned
from tests.toy import GOOD, PROBLEMS, hear_signals, write_problems

JUDGING = Judging(timeout=2.0, sandbox="local:C")


@pytest.fixture
def toy(tmp_path):
    return str(write_problems(tmp_path))


def write_hints(tmp_path, *hints):
    path = tmp_path / "hints.jsonl"
    path.write_text("".join(json.dumps(hint) + "\n" for hint in hints))
    return path


def talked(tmp_path, toy, model, opener, out="run", **more):
    return dialog(toy, model, opener, judging=JUDGING, out=tmp_path / out, **more)


def nodes(tmp_path, out="run"):
    return {(r["problem"], r["node"]): r for _, r in read_records(tmp_path / out / "trees.jsonl")}


HINTS = [
    {"problem": "toy/add", "text": "Add the numbers."},
    {"problem": "toy/add", "text": "Both of them."},
    {"problem": "toy/first", "text": "The first one has index 0.", "turn": 1},
]


def test_hints_from_a_file_are_given_turn_by_turn_and_the_transcript_is_a_tree(tmp_path, toy):
    model = Planned({"toy/add": {"0.0.0.0.0"}, "toy/echo": {"0"}})
    hints = write_hints(tmp_path, *HINTS)
    talked(tmp_path, toy, model, lambda problems: FileHinter(hints, problems))
    found = nodes(tmp_path)
    kinds = [found["toy/add", name]["kind"] for name in ("0", "0.0", "0.0.0", "0.0.0.0", "0.0.0.0.0")]
    assert kinds == ["program", "hint", "repair", "hint", "repair"]
    assert found["toy/add", "0.0.0.0"]["text"] == "Both of them."
    assert found["toy/add", "0.0.0.0.0"]["outcome"] == "passed"
    assert [name for problem, name in found if problem == "toy/first"] == ["0", "0.0", "0.0.0"], "no second hint"
    assert [name for problem, name in found if problem == "toy/echo"] == ["0"], "passed at once"
    last = model.prompts["toy/add", "0.0.0.0.0"]
    assert last.index("says 0.") < last.index("Add the numbers.") < last.index("says 0.0.0.") < last.index("Both of")


def test_no_more_programs_than_turns_are_written(tmp_path, toy):
    hints = write_hints(tmp_path, *({"problem": "toy/add", "text": f"Hint {n}."} for n in range(9)))
    model = Planned({})
    talked(tmp_path, toy, model, lambda p: FileHinter(hints, p), turns=3, choice=Choice(only=("toy/add",)))
    assert [key for _, key in model.asked if "control" not in key] == ["0", "0.0.0", "0.0.0.0.0"]


def test_as_many_fresh_programs_as_turns_stand_beside_and_the_curve_says_what_hints_did(tmp_path, toy):
    model = Planned({"toy/add": {"0.0.0"}, "toy/first": {"0 control:resample"}, "toy/echo": {"0"}})
    every = write_hints(tmp_path, *({"problem": name, "text": "Again."} for name in GOOD for _ in range(3)))
    talked(tmp_path, toy, model, lambda problems: FileHinter(every, problems))
    curve = report([tmp_path / "run"])["dialog"]["turns"]
    assert [line["pass"]["value"] for line in curve] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert [line["control"]["value"] for line in curve] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert [line["p_holm"] for line in curve] == [None, *holm([line["p"] for line in curve[1:]])]
    assert "corrected for all turns" in render(every_table(report([tmp_path / "run"])))
    fresh = [key for problem, key in model.asked if problem == "toy/add" and "control" in key]
    assert fresh == [f"{n} control:resample" for n in range(3)]


@pytest.mark.parametrize("form", ["text", "csv"])
def test_a_run_whose_model_never_answered_is_reported_as_empty(tmp_path, toy, form):
    gone = Planned({}, fail_after=0)
    with pytest.raises(InfrastructureError):
        talked(tmp_path, toy, gone, lambda problems: FileHinter(write_hints(tmp_path), problems))
    found = report([tmp_path / "run"])
    assert (found["dialog"]["turns"], figures(found)) == ([], [])
    printed = render(every_table(found), form)
    assert ("nothing is there yet" in printed) == (form == "text")


def test_problems_of_one_cluster_are_drawn_together_in_the_curve(tmp_path):
    rows = [problem | {"meta": {"cluster": "one"}} for problem in PROBLEMS]
    clustered = str(write_problems(tmp_path, rows))
    hints = write_hints(tmp_path, *HINTS)
    talked(tmp_path, clustered, Planned({"toy/echo": {"0"}}), lambda problems: FileHinter(hints, problems), turns=2)
    last = report([tmp_path / "run"])["dialog"]["turns"][-1]
    for name in ("pass", "control", "difference"):
        assert last[name]["interval"] == "exact", "all problems are of one cluster"


def test_a_model_hints_and_its_tokens_are_counted(tmp_path, toy):
    hinter = Planned({}, name="hinter")
    model = Planned({"toy/add": {"0.0.0"}})
    choice = Choice(only=("toy/add",))
    talked(tmp_path, toy, model, lambda problems: ModelHinter(hinter, problems[0]), choice=choice)
    hint = nodes(tmp_path)["toy/add", "0.0"]
    assert (hint["kind"], hint["text"], hint["tokens"], hint["model"]) == ("hint", "It is wrong at 0.0.", 7, "hinter")
    assert "It is wrong at 0.0." in model.prompts["toy/add", "0.0.0"]


class Silent(Planned):
    """Has no hint to give."""

    def _answer(self, request):
        super()._answer(request)
        return Completion("", tokens=1)


def test_a_dialog_that_an_empty_hint_ended_has_ended_for_the_next_call_too(tmp_path, toy):
    for _ in range(2):
        model, hinter = Planned({}), Silent({}, name="hinter")
        talked(tmp_path, toy, model, lambda problems, hinter=hinter: ModelHinter(hinter, problems[0]))
        assert not any(key.startswith("0.0") for _, key in model.asked)
    assert hinter.asked == []


def test_a_model_that_continues_is_shown_no_more_after_a_hint_than_before(tmp_path, toy):
    hints = write_hints(tmp_path, HINTS[0])
    for show, shown in (("none", False), ("all", True)):
        model, sampling = Writer(), Sampling(1, (0.2,), show=show, examples=0)
        talked(tmp_path, toy, model, lambda problems: FileHinter(hints, problems), out=show, sampling=sampling)
        assert "Add the numbers." in model.prompts["toy/add", "0.0.0"]
        for place in ("0", "0.0.0"):
            assert ("assert add" in model.prompts["toy/add", place]) == shown


def test_a_dialog_goes_on_where_it_stopped(tmp_path, toy):
    few = write_hints(tmp_path, HINTS[0])
    model = Planned({"toy/add": {"0.0.0.0.0"}})
    talked(tmp_path, toy, model, lambda problems: FileHinter(few, problems))
    asked = len(model.asked)
    more = write_hints(tmp_path, *HINTS[:2])
    talked(tmp_path, toy, model, lambda problems: FileHinter(more, problems))
    assert nodes(tmp_path)["toy/add", "0.0.0.0.0"]["outcome"] == "passed"
    assert len(model.asked) - asked == len(set(model.asked)) - asked, "nothing was asked twice"


def test_hints_without_a_turn_take_those_that_are_free_wherever_they_stand(tmp_path, toy):
    free = [{"problem": "toy/add", "text": text} for text in ("First free.", "Second free.")]
    named = [{"problem": "toy/add", "text": f"Of turn {turn}.", "turn": turn} for turn in (3, 1)]
    hints = write_hints(tmp_path, free[0], *named, free[1])
    talked(tmp_path, toy, Planned({}), lambda problems: FileHinter(hints, problems), turns=5)
    found = nodes(tmp_path)
    texts = [found["toy/add", ".".join("0" * length)]["text"] for length in (2, 4, 6, 8)]
    assert texts == ["Of turn 1.", "First free.", "Of turn 3.", "Second free."]


@pytest.mark.parametrize("other", [[HINTS[0] | {"text": "Subtract them."}], HINTS[1:], HINTS[2:]])
def test_a_dialog_does_not_go_on_with_a_file_that_says_something_else(tmp_path, toy, other):
    """Settings know a file by its name: the words that the run has must be the file's."""
    first = write_hints(tmp_path, *HINTS)
    talked(tmp_path, toy, Planned({}), lambda problems: FileHinter(first, problems))
    (tmp_path / "elsewhere").mkdir()
    second, model = write_hints(tmp_path / "elsewhere", *other), Planned({})
    with pytest.raises(InputError, match=r"elsewhere/hints.jsonl: the run has another hint for turn 1 of toy/add"):
        talked(tmp_path, toy, model, lambda problems: FileHinter(second, problems))
    assert model.asked == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"problem": "toy/nothing", "text": "x"}', "hints.jsonl:1: no problem 'toy/nothing'"),
        ('{"problem": "toy/add"}', "hints.jsonl:1: expected"),
        ('{"problem": "toy/add", "text": "x", "turn": 0}', "hints.jsonl:1: expected"),
        ('{"problem": "toy/add", "text": "x", "turn": -3}', "hints.jsonl:1: expected"),
        ('{"problem": "toy/add", "text": "x", "turn": true}', "hints.jsonl:1: expected"),
        (
            '{"problem": "toy/add", "text": "x", "turn": 2}\n\n{"problem": "toy/add", "text": "y", "turn": 2}',
            "hints.jsonl:3: turn 2 of toy/add has a hint already",
        ),
        ("not json", "hints.jsonl:1: not JSON"),
    ],
)
def test_a_hint_that_cannot_be_used_is_named(tmp_path, toy, line, said):
    (tmp_path / "hints.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=said):
        talked(tmp_path, toy, Planned({}), lambda problems: FileHinter(tmp_path / "hints.jsonl", problems))


class Terminal:
    """A command at a pseudo-terminal."""

    def __init__(self, command, folder):
        ours, theirs = pty.openpty()
        environment = {"PYTHONPATH": f"{folder}:{':'.join(sys.path)}", "PATH": "/usr/bin:/bin", "TERM": "dumb"}
        self._file = ours
        self.text = ""
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=hear_signals
        )
        os.close(theirs)

    def wait_for(self, pattern, seconds=40):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.text}"
            if select.select([self._file], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self._file, 1 << 16).decode(errors="replace")
                except OSError:  # the command ended
                    assert re.search(pattern, self.text), self.text
        before, self.text = self.text, ""
        return before

    def type(self, text):
        os.write(self._file, f"{text}\n".encode())


FACTORY = """
from tests.repair.models import Planned
def make():
    return Planned({"toy/add": {"0.0.0.0.0"}})
"""


def person(tmp_path, toy, *more):
    (tmp_path / "my_models.py").write_text(FACTORY)
    command = [sys.executable, "-m", "regreen.cli", "dialog", toy, "-m", "my_models:make", "--sandbox", "local:C"]
    return Terminal([*command, "-o", "run", *more], tmp_path)


def test_a_person_sees_statement_program_and_failure_and_types_hints_at_a_terminal(tmp_path, toy):
    terminal = person(tmp_path, toy, "toy/add")
    seen = terminal.wait_for("hint> ")
    assert "Write add(a, b)." in seen
    assert "return 3" in seen
    assert "add(0, 0)" in seen, "a person sees the failing check, which prompts may not show"
    terminal.type("")
    assert "/quit" in terminal.wait_for("hint> ")
    terminal.type("/show")
    assert "Write add(a, b)." in terminal.wait_for("hint> ")
    terminal.type("/what")
    assert "no /what" in terminal.wait_for("hint> ")
    terminal.type("Use both numbers.")
    assert "program 2" in terminal.wait_for("hint> ")
    terminal.type("Add them.")
    assert "toy/add: passed" in terminal.wait_for("passed\r\n[^%]*%")
    assert terminal.process.wait(20) == 0
    assert [nodes(tmp_path)["toy/add", name].get("text") for name in ("0.0", "0.0.0.0")] == [
        "Use both numbers.",
        "Add them.",
    ]


def test_a_person_may_leave_and_come_back(tmp_path, toy):
    terminal = person(tmp_path, toy, "toy/add")
    terminal.wait_for("hint> ")
    terminal.type("Use both numbers.")
    terminal.wait_for("hint> ")
    time.sleep(0.5)  # a person takes that long: a signal between the prompt and the reading would wait for a line
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for("type the same command again to go on")
    assert terminal.process.wait(20) == 130
    terminal = person(tmp_path, toy, "toy/add")
    assert "program 2" in terminal.wait_for("hint> ")
    terminal.type("/quit")
    terminal.wait_for("%")
    assert terminal.process.wait(20) == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "give the ID of the problem"),
        (["toy/none"], "--only toy/none: no such problem"),
        (["toy/add", "--json"], "leave it out"),
        (["--hints", "h", "--hinter", "m"], "exclude each other"),
        (["--hints", "nowhere.jsonl"], "nowhere.jsonl: cannot be read as hints"),
    ],
)
def test_what_cannot_be_talked_about_is_one_clear_line(tmp_path, toy, more, said):
    terminal = person(tmp_path, toy, *more)
    assert re.search(rf"regreen: .*{re.escape(said)}", terminal.wait_for("regreen: [^\n]*\n").replace("\r", ""))
    assert terminal.process.wait(20) == 2
