"""Judging one program, and streaming many into a run."""

import subprocess
import sys

import pytest

import regreen
from regreen import Assert, Outcome, Problem, Program
from regreen.attempt import judge_programs
from regreen.records import read_records
from regreen.run import Run, Settings
from regreen.sandbox import Limits, LocalSandbox

ADD = Problem(
    "add", "add two numbers", (Assert("assert add(1, 2) == 3"), Assert("assert add(0, 0) == 0")), entry_point="add"
)
NEG = Problem("neg", "negate a number", (Assert("assert neg(1) == -1"),), entry_point="neg")
RIGHT, WRONG = "def add(a, b):\n    return a + b\n", "def add(a, b):\n    return a - b\n"
SETTINGS = Settings("score", "toy", {}, {"n": None})


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(Limits(timeout=2.0), jobs=2, tier="C") as sandbox:
        yield sandbox


class Watched:
    """The real sandbox, and a list of what it was asked to judge."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self.tier = sandbox.tier
        self.asked = []

    def judge_all(self, pairs):
        def noted():
            for problem, source in pairs:
                self.asked.append((problem.id, source))
                yield problem, source

        return self._sandbox.judge_all(noted())


def test_one_program_is_judged_by_one_call():
    assert regreen.judge(ADD, RIGHT).passed
    failed = regreen.judge(ADD, WRONG)
    assert failed.outcome is Outcome.WRONG_ANSWER
    assert (failed.failure.got, failed.failure.expected) == ("-1", "3")


def test_the_shared_sandbox_ends_with_the_process():
    code = """
import regreen
problem = regreen.Problem("p", "", (regreen.Assert("assert f() == 1"),), entry_point="f")
print(regreen.judge(problem, "def f(): return 1").outcome)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("passed\n", "")


def test_every_program_gets_its_verdict_and_equal_ones_are_judged_once(tmp_path, sandbox):
    sources = [RIGHT, WRONG, RIGHT, WRONG, WRONG, RIGHT] * 20
    rows = [(ADD, Program("add", index, source)) for index, source in enumerate(sources)]
    watched = Watched(sandbox)
    with Run(tmp_path / "r", SETTINGS) as run:
        list(judge_programs(rows, watched, run))
        assert sorted(watched.asked) == [("add", RIGHT), ("add", WRONG)]
        found = [run.verdict(("add", index, "sample")).passed for index in range(len(sources))]
    assert found == [source == RIGHT for source in sources]


def test_equal_sources_for_two_problems_are_two_programs(tmp_path, sandbox):
    source = "def add(a, b):\n    return a + b\n\ndef neg(a):\n    return -a\n"
    rows = [(ADD, Program("add", 0, source)), (NEG, Program("neg", 0, source))]
    watched = Watched(sandbox)
    with Run(tmp_path / "r", SETTINGS) as run:
        list(judge_programs(rows, watched, run))
    assert len(watched.asked) == 2


def test_what_was_judged_before_is_not_judged_again_nor_are_its_duplicates(tmp_path, sandbox):
    rows = [(ADD, Program("add", index, RIGHT if index % 2 else WRONG)) for index in range(6)]
    with Run(tmp_path / "r", SETTINGS) as run:
        list(judge_programs(rows[:2], sandbox, run))
    watched = Watched(sandbox)
    with Run(tmp_path / "r", SETTINGS) as run:
        list(judge_programs(rows, watched, run))
        assert run.counts.outcomes == {"passed": 3, "wrong_answer": 3}
    assert watched.asked == []


def test_a_refused_sample_has_no_verdict_and_a_text_without_program_is_a_syntax_error(tmp_path, sandbox):
    rows = [
        (ADD, Program("add", 0, "", error="context too long")),
        (ADD, Program("add", 1, "", extraction="none", text="I cannot help with that.")),
    ]
    watched = Watched(sandbox)
    with Run(tmp_path / "r", SETTINGS) as run:
        list(judge_programs(rows, watched, run))
        assert not run.has_verdict(("add", 0, "sample"))
        assert run.verdict(("add", 1, "sample")).outcome is Outcome.SYNTAX_ERROR
        assert (run.counts.refused, run.counts.no_program, run.counts.programs) == (1, 1, 2)
    assert watched.asked == []


def test_rows_are_read_no_faster_than_they_are_judged(tmp_path, sandbox):
    taken = 0

    def rows():
        nonlocal taken
        for index in range(10_000):
            taken += 1
            yield ADD, Program("add", index, f"{RIGHT}# {index}\n")

    with Run(tmp_path / "r", SETTINGS) as run:
        judging = judge_programs(rows(), sandbox, run)
        for _ in range(5):
            next(judging)
        judging.close()
        assert taken < 200


def test_a_program_is_recorded_before_its_verdict(tmp_path, sandbox):
    rows = [(ADD, Program("add", index, f"{RIGHT}# {index}\n")) for index in range(50)]
    with Run(tmp_path / "r", SETTINGS) as run:
        for key in judge_programs(rows, sandbox, run):
            programs = {record["index"] for _, record in read_records(tmp_path / "r" / "programs.jsonl")}
            assert key[1] in programs


def test_an_error_in_the_rows_reaches_the_caller(tmp_path, sandbox):
    def rows():
        yield ADD, Program("add", 0, RIGHT)
        raise regreen.InputError("line 2 is torn")

    with Run(tmp_path / "r", SETTINGS) as run, pytest.raises(regreen.InputError, match="line 2"):
        list(judge_programs(rows(), sandbox, run))
