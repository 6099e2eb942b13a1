"""The command line, through real processes: what is printed where, and how it exits."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.toy import BAD, GOOD, PROBLEMS, hear_signals, programs, write_problems, write_samples

LOCAL = ("--sandbox", "local:C", "--timeout", "2")


@pytest.fixture
def regreen(tmp_path):
    def run(*arguments, **more):
        command = [sys.executable, "-m", "regreen.cli", *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "REGREEN_DATA"}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, timeout=120, env=environment, check=False, **more
        )

    return run


@pytest.fixture
def files(tmp_path):
    return write_samples(tmp_path, programs(4, 2, 0)), write_problems(tmp_path)


def score(regreen, files, *more):
    return regreen("score", files[0], "--benchmark", files[1], *LOCAL, *more)


def is_one_line(stderr):
    return stderr.startswith("regreen: ") and stderr.count("\n") == 1 and "Traceback" not in stderr


def test_score_prints_one_json_object_and_nothing_else(regreen, files):
    done = score(regreen, files, "--json", "-k", "1,2", "-o", "out")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["scores"]["pass@1"]["value"] == 0.5
    assert set(found["scores"]["pass@2"]) >= {"value", "low", "high"}
    assert set(found) >= {"benchmark", "problems", "programs", "scores", "outcomes", "run", "seconds"}
    assert found["run"] == "out"
    assert json.loads(regreen("report", "out", "--json").stdout)["scores"] == found["scores"]


def test_score_prints_tables_and_where_the_run_lies(regreen, files, tmp_path):
    done = score(regreen, files)
    assert done.returncode == 0
    assert "50.0 % [" in done.stdout
    assert "read as evalplus: completion continues the prompt, solution is a whole program\n" in done.stdout
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.startswith("score-toy-")
    assert done.stdout.endswith(f"regreen report runs/{run.name}\nregreen show runs/{run.name} ID\n")
    assert "regreen report" in score(regreen, files, "-k", "2").stdout
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_bad_lines_exit_with_2_after_the_good_ones_are_printed(regreen, files):
    with files[0].open("a") as file:
        file.write("{\n")
    done = score(regreen, files, "--json")
    assert done.returncode == 2
    assert is_one_line(done.stderr)
    assert f"{files[0]}:13" in done.stderr
    found = json.loads(done.stdout)
    assert (found["programs"], found["skipped"]) == (12, 1)


def test_of_very_many_bad_lines_the_first_are_said_and_all_are_kept(regreen, files, tmp_path):
    with files[0].open("a") as file:
        file.write("{\n" * 1000)
    done = score(regreen, files, "-o", "out")
    said = done.stderr.splitlines()
    assert (done.returncode, len(said)) == (2, 21)
    assert said[-1] == 'regreen: and 980 more; all are under "bad_lines" in out/scores.json'
    assert len(json.loads((tmp_path / "out" / "scores.json").read_text())["bad_lines"]) == 1000


def test_check_says_how_many_problems_have_no_solution(regreen, tmp_path):
    unsolved = {name: value for name, value in PROBLEMS[1].items() if name != "solution"}
    done = regreen("check", write_problems(tmp_path, [PROBLEMS[0], unsolved]), *LOCAL)
    assert done.returncode == 0
    assert "1 of 1 solutions green, 1 separate\n  1 more without a solution\n" in done.stdout


def test_check_exits_with_1_if_a_solution_is_not_green(regreen, tmp_path):
    good = regreen("check", write_problems(tmp_path), "--json", *LOCAL)
    assert (good.returncode, json.loads(good.stdout)["passed"]) == (0, 3)
    broken = [PROBLEMS[0], {**PROBLEMS[1], "solution": BAD["toy/first"]}]
    bad = regreen("check", write_problems(tmp_path, broken), *LOCAL)
    assert bad.returncode == 1
    assert "1 of 2 solutions green" in bad.stdout
    assert "toy/first: exception" in bad.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command"),
        (["score"], "Missing argument 'SAMPLES'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["score", "nowhere.jsonl", "--benchmark", "toy.jsonl"], "nowhere.jsonl"),
        (["score", "samples.jsonl", "--benchmark", "humanevil"], "did you mean humaneval"),
        (["score", "samples.jsonl", "--benchmark", "humaneval"], "humaneval: no data found"),
        (["score", "samples.jsonl", "--benchmark", "none.jsonl"], "none.jsonl: no such file"),
        (["score", "samples.jsonl"], "--benchmark"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "-k", "0"], "every k must be at least 1"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "-k", "ten"], "write it as 1,10,100"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "-n", "0"], "'-n'"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--memory", "much"], "write bytes, or 512M"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--model-cutoff", "May"], "write it as 2024-05-31"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--sandbox", "moon"], "expected local"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--timeout", "-1"], "must be more than 0"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--timeout", "nan"], "at most 86400 seconds"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--timeout", "1e9"], "at most 86400 seconds"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--memory", "1e30"], "at most 17592186044416 bytes"),
        (["check", "toy.jsonl", "--output-limit", "0"], "--output-limit 0: must be more than 0"),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "--only", "toy/none"], "no such problem"),
        (
            ["score", "samples.jsonl", "--benchmark", "toy.jsonl", "-o", "toy.jsonl"],
            "cannot be used as a run directory",
        ),
        (["score", "samples.jsonl", "--benchmark", "toy.jsonl", "-o", "."], "other files and no manifest.json"),
        (["score", "empty.jsonl", "--benchmark", "toy.jsonl"], "empty"),
        (["score", "latin1.jsonl", "--benchmark", "toy.jsonl"], "latin1.jsonl:1"),
        (["check", "torn.jsonl"], "torn.jsonl:1"),
        (["report", "."], "not a run directory"),
        (["report"], "Missing argument"),
        (["report", "x", "--md", "--csv"], "exclude each other"),
        (["show", "nowhere", "toy/add"], "not a run directory"),
        (["list", "horses"], "horses"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(regreen, files, tmp_path, arguments, said):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "latin1.jsonl").write_bytes('{"task_id": "toy/add", "solution": "é"}\n'.encode("latin-1"))
    (tmp_path / "torn.jsonl").write_text('{"id": "a", "statement"\n')
    done = regreen(*arguments)
    assert done.returncode == 2, done.stderr
    assert is_one_line(done.stderr), done.stderr
    assert said in done.stderr
    assert done.stdout == ""


def test_other_settings_and_a_locked_run_exit_with_2(regreen, files, tmp_path):
    score(regreen, files, "-o", "out")
    done = score(regreen, files, "-o", "out", "--timeout", "3")
    assert done.returncode == 2
    assert is_one_line(done.stderr)
    assert "timeout is 2.0 there, 3.0 here" in done.stderr
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LOCK], cwd=tmp_path, stdout=subprocess.PIPE)
    holder.stdout.readline()
    done = score(regreen, files, "-o", "out")
    holder.kill()
    holder.communicate()
    assert (done.returncode, is_one_line(done.stderr)) == (2, True)
    assert "is writing there" in done.stderr
    assert score(regreen, files, "-o", "out").returncode == 0


HOLD_LOCK = """
import fcntl, time
file = open("out/.lock", "r+")
fcntl.flock(file, fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""


def long_job(tmp_path):
    rows = [("toy/add", f"{GOOD['toy/add']}# {i}\n") for i in range(200)]
    rows += [("toy/echo", f"import time\ntime.sleep(0.2)\nprint(input())  # {i}\n") for i in range(60)]
    samples, problems = write_samples(tmp_path, rows, name="many.jsonl"), write_problems(tmp_path)
    return [
        sys.executable,
        "-m",
        "regreen.cli",
        "score",
        samples,
        "--benchmark",
        problems,
        *LOCAL,
        "-o",
        "out",
        "--json",
    ]


def started(command, cwd):
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_signals
    )
    verdicts = cwd / "out" / "verdicts.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (verdicts.exists() and verdicts.stat().st_size > 30_000):
        time.sleep(0.01)
    return process


def assert_finishes(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcomes"]["passed"] == 260
    records = [json.loads(line) for line in (cwd / "out" / "verdicts.jsonl").read_text().splitlines()]
    assert len({(record["problem"], record["index"]) for record in records}) == len(records) == 260


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_its_like_exit_with_130_say_how_to_go_on_and_going_on_finishes(tmp_path, ending):
    command = long_job(tmp_path)
    process = started(command, tmp_path)
    process.send_signal(ending)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert is_one_line(err), err
    assert "type the same command again" in err
    assert_finishes(command, tmp_path)


def test_after_kill_9_the_same_command_finishes_the_run(tmp_path):
    command = long_job(tmp_path)
    process = started(command, tmp_path)
    process.kill()
    process.communicate()
    assert_finishes(command, tmp_path)


def test_report_compares_two_runs_and_writes_a_file(regreen, files, tmp_path):
    score(regreen, files, "-o", "a")
    write_samples(tmp_path, programs(4, 4, 1))
    score(regreen, files, "-o", "b")
    done = regreen("report", "a", "b", "--md", "-o", "tables.md")
    assert (done.returncode, done.stdout) == (0, "")
    assert "not distinguishable" in (tmp_path / "tables.md").read_text()
    assert "+25.0 %" in regreen("report", "a", "b").stdout


def test_show_prints_the_failing_line_and_check(regreen, files):
    score(regreen, files, "-o", "out")
    done = regreen("show", "out", "toy/first")
    assert done.returncode == 0
    assert ">    2 |     return items[9]" in done.stdout
    assert "first([4, 5]) == 4" in done.stdout
    assert "IndexError" in done.stdout
    assert json.loads(regreen("show", "out", "toy/first", "--json").stdout)["program"]["index"] == 2


def test_differences_from_recorded_verdicts_are_named_on_request(regreen, tmp_path, files):
    write_samples(tmp_path, programs(1, 1, n=1), passed=[True, False])
    assert "toy/first [0]: recorded failed, ours passed" in score(regreen, files, "-v").stdout


def test_doctor_exits_with_1_below_the_tier_asked(regreen):
    found = json.loads(regreen("doctor", "--json").stdout)
    assert found["tier"] in "ABC"
    for tier in "ABC":
        done = regreen("doctor", "--sandbox", f"local:{tier}")
        assert done.returncode == (0 if found["tier"] <= tier else 1)
        assert f"tier {found['tier']}" in done.stdout


def test_list_names_benchmarks(regreen):
    done = regreen("list", "benchmarks")
    assert (done.returncode, "humaneval" in done.stdout) == (0, True)
    assert "mbpp" in {line["name"] for line in json.loads(regreen("list", "benchmarks", "--json").stdout)}


@pytest.mark.parametrize("command", [("report", "out"), ("list", "benchmarks"), ("show", "out", "toy/add")])
@pytest.mark.parametrize("closed", ["pipe", "from the start"])
def test_a_closed_standard_output_is_no_error(files, tmp_path, regreen, command, closed):
    score(regreen, files, "-o", "out")
    ours, theirs = os.pipe()
    os.close(ours)
    shell = 'exec "$@"' + (" >&-" if closed == "from the start" else "")
    arguments = ["sh", "-c", shell, "sh", sys.executable, "-m", "regreen.cli", *command]
    done = subprocess.run(
        arguments, cwd=tmp_path, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_that_does_not_know_a_letter_gets_another(files, tmp_path):
    command = [sys.executable, "-m", "regreen.cli", "score", files[0], "--benchmark", files[1], *LOCAL]
    known = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=tmp_path, env=known, capture_output=True, timeout=60, check=True)
    assert b"Scores" in done.stdout
    assert "─".encode() not in done.stdout


def test_on_a_terminal_progress_is_shown_on_stderr_alone(files, tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "regreen.cli", "score", files[0], "--benchmark", files[1], *LOCAL, "--json"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    assert json.loads(done.stdout)["programs"] == 12
    os.close(ours)
