"""Recorded repairs become a run: their verdicts kept, ours beside them, and a kill changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from regreen.cli.recorded import TreeFormat
from regreen.errors import InputError
from regreen.evaluate import Choice, Judging, import_trees
from regreen.formats import TREE_FORMS
from regreen.records import RECORDED, TREES, read_records
from regreen.report import RepairView, every_table, html_page, render, report
from regreen.tree import read_trees
from tests.toy import BAD, GOOD, write_problems

LOCAL = Judging(timeout=2.0, sandbox="local:C", jobs=2)
RIGHT, WRONG = GOOD["toy/add"], BAD["toy/add"]
TEST = "def check(add):\n    assert add(1, 2) == 3\n    assert add(0, 0) == 0\n"


def chain(*programs, solved=True, name="toy/add", **more):
    row = {"task_id": name, "prompt": "def add(a, b):\n", "entry_point": "add", "test": TEST, "solution": programs[-1]}
    words = [f"program {at} is wrong" for at in range(1, len(programs))]
    return {**row, "implementations": programs, "reflections": words, "is_solved": solved, **more}


def write(folder, *rows):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(run, name=TREES):
    return [record for _, record in read_records(run / name)]


def test_recorded_verdicts_and_texts_are_kept_and_nothing_is_judged(tmp_path):
    path = write(tmp_path, chain(WRONG, RIGHT), chain(WRONG, solved=False, name="toy/other"))
    found = import_trees(path, "reflexion", out=tmp_path / "run")
    assert (found["problems"], found["nodes"]) == (2, {"program": 2, "feedback": 1, "repair": 1})
    assert list(found["verdicts"]) == ["recorded"]
    assert found["verdicts"]["recorded"]["last"]["rate"] == 0.5
    tree = read_trees(("", line) for line in lines(tmp_path / "run"))["toy/add"]
    assert [(n.text, n.recorded, n.outcome) for n in tree.nodes.values()] == [
        (WRONG, None, None),
        ("program 1 is wrong", None, None),
        (RIGHT, True, None),
    ]
    assert lines(tmp_path / "run", RECORDED) == [
        {"v": 1, "problem": "toy/add", "index": 0, "role": "repair:0.0", "passed": True},
        {"v": 1, "problem": "toy/other", "index": 0, "role": "sample", "passed": False},
    ]


def test_a_report_on_trees_that_lack_verdicts_says_what_it_can_and_what_is_missing(tmp_path):
    import_trees(write(tmp_path, chain(WRONG, RIGHT)), "reflexion", out=tmp_path / "run")
    found = report([tmp_path / "run"])
    said = render(every_table(found), "text")
    assert "first programs" in said
    assert "1 of 2 programs have no verdict (recorded)" in said
    assert "Scores" not in said, "nothing was judged"
    assert html_page([tmp_path / "run"], found).startswith("<!doctype html>")
    with pytest.raises(InputError, match="no verdict"):
        report([tmp_path / "run"], repair_view=RepairView(verdicts="recorded"))


def test_our_verdicts_stand_beside_the_recorded_ones_and_differences_are_named(tmp_path):
    path = write(tmp_path, chain(WRONG, RIGHT), chain(RIGHT, WRONG, name="toy/other"))
    found = import_trees(path, "reflexion", judge=True, judging=LOCAL, out=tmp_path / "run")
    ours = found["verdicts"]["ours"]
    assert (ours["first"]["rate"], ours["last"]["rate"], ours["gain"]["value"]) == (0.5, 0.5, 0.0)
    assert (ours["rounds"][1]["repaired"], ours["rounds"][1]["broken"]) == (1, 1)
    assert (found["recorded"]["agree"], found["recorded"]["differ"]) == (1, 1)
    (difference,) = found["recorded"]["differences"]
    assert (difference["problem"], difference["role"]) == ("toy/other", "repair:0.0")
    outcomes = {(line["problem"], line["node"]): line.get("outcome") for line in lines(tmp_path / "run")}
    assert outcomes["toy/add", "0"] == outcomes["toy/other", "0.0.0"] == "wrong_answer"
    assert outcomes["toy/add", "0.0"] is None
    assert outcomes["toy/add", "0.0.0"] == "passed"


def test_programs_that_were_not_recorded_are_not_judged_and_their_problems_are_named(tmp_path):
    row = chain(WRONG, RIGHT)
    del row["implementations"]
    found = import_trees(write(tmp_path, row), "reflexion", judge=True, judging=LOCAL, out=tmp_path / "run")
    assert found["not_recorded"] == 1
    assert found["verdicts"]["ours"]["first"] == {
        "passed": 0, "failed": 0, "unknown": 1, "rate": None, "bounds": [0.0, 1.0]
    }  # fmt: skip
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["missing"] == ["toy/add"]


def test_an_empty_program_is_a_syntax_error_of_ours(tmp_path):
    row = {"task_id": "toy/add", "completions": [{"executed_completion": "", "binary": False, "tokens_generated": 0}]}
    toy = str(write_problems(tmp_path))
    import_trees(write(tmp_path, row), "self-repair", toy, judge=True, judging=LOCAL, out=tmp_path / "run")
    (line,) = lines(tmp_path / "run")
    assert (line["outcome"], line["recorded"]) == ("syntax_error", False)


def test_trees_with_branches_are_judged_by_a_benchmark_and_keep_their_tokens(tmp_path):
    repairs = [{"explanation": "Sum.", "repaired_program": p, "binary": p == RIGHT, "tokens_generated": 9}
               for p in (RIGHT, WRONG, RIGHT)]  # fmt: skip
    first = {"executed_completion": WRONG, "binary": False, "tokens_generated": 5, "repairs": repairs}
    row = {"task_id": "toy/add", "completions": [first, {**first, "repairs": repairs[:2]}]}
    toy = str(write_problems(tmp_path))
    found = import_trees(write(tmp_path, row), "self-repair", toy, judge=True, judging=LOCAL, out=tmp_path / "run")
    assert found["benchmark"] == "toy"
    for verdicts in ("recorded", "ours"):
        counts = {name: (s["passed"], s["failed"]) for name, s in found["verdicts"][verdicts].items()}
        assert counts == {"first": (0, 2), "repairs": (3, 2)}
    assert [line["tokens"] for line in lines(tmp_path / "run")] == [5, 9, 9, 9, 5, 9, 9]


def test_the_same_call_goes_on_and_another_is_refused(tmp_path):
    path, run = write(tmp_path, chain(WRONG, RIGHT)), tmp_path / "run"
    first = import_trees(path, "reflexion", judge=True, judging=LOCAL, out=run)
    before = (run / TREES).read_bytes()
    assert import_trees(path, "reflexion", judge=True, judging=LOCAL, out=run) == first
    assert (run / TREES).read_bytes() == before
    with pytest.raises(InputError, match="judge is true there, false here"):
        import_trees(path, "reflexion", out=run)


def test_only_and_limit_pick_problems_and_a_larger_limit_extends_the_run(tmp_path):
    path = write(tmp_path, *(chain(WRONG, name=f"p{at}") for at in range(4)))
    assert import_trees(path, "reflexion", choice=Choice(limit=2), out=tmp_path / "a")["problems"] == 2
    assert import_trees(path, "reflexion", choice=Choice(limit=3), out=tmp_path / "a")["problems"] == 3
    assert import_trees(path, "reflexion", choice=Choice(only=("p3",)), out=tmp_path / "b")["problems"] == 1
    with pytest.raises(InputError, match="no row for the problems chosen; see --only and --limit"):
        import_trees(path, "reflexion", choice=Choice(only=("p9",)), out=tmp_path / "c")


def test_a_file_without_a_usable_row_begins_no_run(tmp_path):
    with pytest.raises(InputError, match=r"no row of .* can be imported \(1 bad lines\): .*rows.jsonl:1: no field"):
        import_trees(write(tmp_path, {"prompt": ""}), "reflexion", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_id_with_two_sets_of_checks_is_a_bad_line(tmp_path):
    path = write(tmp_path, chain(WRONG), chain(WRONG, test="def check(add):\n    pass\n"))
    found = import_trees(path, "reflexion", out=tmp_path / "run")
    assert (found["problems"], found["skipped"]) == (1, 1)
    assert "has other checks here than in an earlier row" in found["bad_lines"][0]


def command(folder, path, *more):
    return [sys.executable, "-m", "regreen.cli", "import", str(path), "--format", "reflexion", *more, "-o", str(folder)]


def test_the_command_prints_tables_names_bad_lines_and_exits_with_2(tmp_path):
    path = write(tmp_path, chain(WRONG, RIGHT), {"prompt": ""})
    done = subprocess.run(command(tmp_path / "run", path, "-q"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"regreen: {path}:2: no field 'solution'")
    assert "last programs 100.0 % (1 of 1)" in " ".join(done.stdout.split())
    assert "bad lines skipped: 1" in done.stdout
    assert done.stdout.endswith(f"regreen report {tmp_path / 'run'}\n")
    done = subprocess.run(command(tmp_path / "run", path, "--json"), capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["verdicts"]["recorded"]["last"]["rate"] == 1.0


def test_the_command_knows_every_form():
    assert [form.value for form in TreeFormat] == list(TREE_FORMS)


def test_a_kill_in_the_middle_changes_no_tree_and_no_verdict(tmp_path):
    slow = "import time\n\ndef add(a, b):\n    time.sleep(0.1)\n    return a + b - {}\n"
    path = write(tmp_path, *(chain(slow.format(at), RIGHT, name=f"p{at}") for at in range(12)))
    judged = ("--judge", "--sandbox", "local:C", "-j", "1")
    killed = subprocess.Popen(command(tmp_path / "a", path, *judged), stderr=subprocess.DEVNULL)
    trees = tmp_path / "a" / TREES
    until = time.monotonic() + 60
    while time.monotonic() < until and not (trees.exists() and trees.read_bytes().count(b"\n") > 6):
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert 6 < trees.read_bytes().count(b"\n") < 36
    subprocess.run(command(tmp_path / "a", path, *judged), check=True, capture_output=True)
    subprocess.run(command(tmp_path / "b", path, *judged), check=True, capture_output=True)
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
    judged_once = [(line["problem"], line["index"], line["role"]) for line in lines(tmp_path / "a", "verdicts.jsonl")]
    assert len(judged_once) == len(set(judged_once)) == 24


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "form", "programs", "feedback", "absent", "solved"),
    [
        ("reflexion/reflexion_humaneval_gpt-4", "reflexion", 358, 194, 194, 150),
        ("reflexion/reflexion_mbpp_gpt-4", "reflexion", 875, 478, 478, 306),
        ("reflexion/reflexion-ucs_humaneval_gpt-4", "reflexion-ucs", 214, 50, 50, 151),
        ("llmdebugger/ldb_humaneval_gpt-3.5-turbo-0613", "ldb", 413, 249, 0, 136),
        ("llmdebugger/ldb_mbpp_starcoder", "ldb", 2000, 1500, 0, 277),
    ],
)
def test_published_runs_are_read_whole(data_root, tmp_path, file, form, programs, feedback, absent, solved):
    found = import_trees(data_root / "recorded" / f"{file}.jsonl.gz", form, out=tmp_path / "run")
    nodes = found["nodes"]
    assert (nodes["program"] + nodes["repair"], nodes["feedback"], found["not_recorded"]) == (
        programs,
        feedback,
        absent,
    )
    assert found["verdicts"]["recorded"]["last"]["passed"] == solved
    assert found["skipped"] == 0


@pytest.mark.data
def test_published_chains_come_out_as_recorded_at_their_ends(data_root, tmp_path):
    path = data_root / "recorded" / "llmdebugger" / "ldb_humaneval_gpt-3.5-turbo-0613.jsonl.gz"
    judging = Judging(timeout=6.0, sandbox="local:C")
    found = import_trees(path, "ldb", judge=True, judging=judging, choice=Choice(limit=60), out=tmp_path / "run")
    assert (found["recorded"]["agree"], found["recorded"]["differ"]) == (60, 0)
    assert found["verdicts"]["ours"]["first"]["unknown"] == 0
