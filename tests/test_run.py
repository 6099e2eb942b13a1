"""Run directories: continuing, refusing, surviving."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from regreen import Assert, Call, CheckResult, InputError, Outcome, Problem, Program, RunLockedError, Stdio, Verdict
from regreen.problem import check_text
from regreen.records import read_json, read_records, write_lines
from regreen.run import Run, Settings, read_manifest

PROBLEM = Problem("p", "add", (Assert("assert add(1, 2) == 3"),), meta={"date": "2024-01-01", "odd": {1}})
GREEN = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),), cpu=0.25)


def settings(**changed):
    return Settings("score", "toy", {"timeout": 3.0, "samples": "ab"} | changed, {"n": None, "limit": None})


def sized(n, limit=None):
    return Settings("score", "toy", {"timeout": 3.0}, {"n": n, "limit": limit})


def fill(run, *indices):
    run.add_problem(PROBLEM)
    for index in indices:
        program = Program("p", index, f"x = {index}")
        run.add_program(program)
        run.add_verdict(program.key, GREEN)


def test_what_is_recorded_is_there_when_the_run_is_opened_again(tmp_path):
    with Run(tmp_path / "r", settings()) as run:
        fill(run, 0, 1)
    with Run(tmp_path / "r", settings()) as run:
        assert run.verdict(("p", 1, "sample")) == GREEN
        assert run.has_verdict(("p", 0, "sample"))
        assert run.verdict(("p", 2, "sample")) is None
        assert run.counts.outcomes == {"passed": 2}
        fill(run, 2)
    assert len(list(read_records(tmp_path / "r" / "problems.jsonl"))) == 1
    assert len(list(read_records(tmp_path / "r" / "verdicts.jsonl"))) == 3


def test_what_a_run_remembers_outlives_a_kill_and_is_never_another(tmp_path):
    run = Run(tmp_path / "run", settings())
    assert run.remember("dtype", "float32") == "float32"
    assert read_manifest(tmp_path / "run")["dtype"] == "float32", "though nobody has closed it"
    run.close()
    with Run(tmp_path / "run", settings()) as again:
        assert again.remember("dtype", "bfloat16") == "float32"


def test_a_key_gets_one_verdict_and_one_program(tmp_path):
    with Run(tmp_path / "r", settings()) as run:
        fill(run, 0)
        run.add_program(Program("p", 0, "x = 0"))
        with pytest.raises(ValueError, match="verdict already"):
            run.add_verdict(("p", 0, "sample"), GREEN)
    assert len(list(read_records(tmp_path / "r" / "programs.jsonl"))) == 1


def test_other_settings_are_refused_by_name(tmp_path):
    Run(tmp_path / "r", settings()).close()
    with pytest.raises(InputError, match=r"timeout is 3\.0 there, 6\.0 here.*another -o"):
        Run(tmp_path / "r", settings(timeout=6.0))
    with pytest.raises(InputError, match='benchmark is "toy" there, "other" here'):
        Run(tmp_path / "r", Settings("score", "other", settings().decides, {"n": None, "limit": None}))
    with pytest.raises(InputError, match='extra is null there, "x" here'):
        Run(tmp_path / "r", settings(extra="x"))


def test_a_run_may_grow_but_not_shrink(tmp_path):
    with Run(tmp_path / "r", sized(5)) as run:
        run.complete()
        assert run.finished
    with Run(tmp_path / "r", sized(10)) as run:
        assert not run.finished
    with Run(tmp_path / "r", sized(None)):
        pass
    with pytest.raises(InputError, match="n is all there, 10 here, and may only grow"):
        Run(tmp_path / "r", sized(10))
    with pytest.raises(InputError, match="limit is all there, 3 here"):
        Run(tmp_path / "r", sized(None, limit=3))


def test_the_default_directory_names_command_benchmark_and_what_decides():
    assert settings().directory == Path("runs") / f"score-toy-{settings().hash}"
    assert settings().hash != settings(timeout=4.0).hash
    assert sized(1).hash == sized(9).hash
    assert Settings("score", "mbpp:test", {}).directory.name.startswith("score-mbpp-test-")


def test_a_second_process_is_kept_out_and_the_first_ones_death_lets_it_in(tmp_path):
    code = f"""
import time
from pathlib import Path
from regreen.run import Run, Settings
Run(Path({str(tmp_path / "r")!r}), Settings("score", "toy", {{"timeout": 3.0}}, {{"n": None, "limit": None}}))
print("open", flush=True)
time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(RunLockedError, match=f"process {holder.pid} is writing there"):
        Run(tmp_path / "r", sized(None))
    holder.kill()
    holder.communicate()
    Run(tmp_path / "r", sized(None)).close()


def test_a_folder_with_other_files_is_not_taken_over(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match=r"other files and no manifest\.json"):
        Run(tmp_path, settings())
    with pytest.raises(InputError, match="cannot be used as a run directory"):
        Run(tmp_path / "thesis.tex", settings())


def test_a_folder_that_is_no_run_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="not a run directory"):
        read_manifest(tmp_path)


def test_a_run_left_before_its_manifest_was_written_is_begun_again(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".lock").write_text("1")
    (tmp_path / "r" / "manifest.json.new").write_text("{")
    Run(tmp_path / "r", settings()).close()
    assert read_manifest(tmp_path / "r")["finished"] is None


def test_a_complete_run_keeps_its_time_and_writes_samples_in_human_evals_form(tmp_path):
    with Run(tmp_path / "r", settings()) as run:
        fill(run, 0)
        run.add_program(Program("p", 1, "", error="context too long"))
        run.complete()
        run.write_scores({"scores": {}})
    before = read_json(tmp_path / "r" / "manifest.json")
    time.sleep(0.05)
    with Run(tmp_path / "r", settings()) as run:
        assert run.finished
        run.complete()
    assert read_json(tmp_path / "r" / "manifest.json") == before
    samples = (tmp_path / "r" / "samples.jsonl").read_text().splitlines()
    assert list(map(json.loads, samples)) == [{"task_id": "p", "solution": "x = 0"}]


def test_a_problem_keeps_what_json_can_hold_and_its_checks_as_text(tmp_path):
    with Run(tmp_path / "r", settings()) as run:
        run.add_problem(PROBLEM)
    (_, record), *_ = read_records(tmp_path / "r" / "problems.jsonl")
    assert record["meta"] == {"date": "2024-01-01"}
    assert record["checks"] == ["assert add(1, 2) == 3"]


def test_a_check_is_written_as_a_person_reads_it():
    assert check_text(Call(([1],), 2, {"k": "v"}), "f") == "f([1], k='v') == 2"
    assert check_text(Stdio("1 2\n", "3"), None) == "1 2\n"
    assert "too long to print" in check_text(Call((10**5000,), 1), "f")


WRITER = """
import sys
from pathlib import Path
from regreen import Assert, CheckResult, Outcome, Problem, Program, Verdict
from regreen.run import Run, Settings

problem = Problem("p", "statement " * 50, (Assert("pass"),))
verdict = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED, got="x" * 3000),))
with Run(Path(sys.argv[1]), Settings("score", "toy", {}, {})) as run:
    for index in range(int(sys.argv[2])):
        program = Program("p", index, "x = 1\\n" * 200)
        run.add_problem(problem)
        run.add_program(program)
        if not run.has_verdict(program.key):
            run.add_verdict(program.key, verdict)
    run.complete()
"""


def survive(path, kills, programs, generator):
    """Start the writer again and again, killing it at random moments, then let it finish."""
    for _ in range(kills):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(programs)], stderr=subprocess.PIPE)
        time.sleep(generator.uniform(0.05, 0.6))
        seen = (path / "verdicts.jsonl").read_bytes() if (path / "verdicts.jsonl").exists() else b""
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        if seen:
            whole = seen[: seen.rfind(b"\n") + 1]
            assert (path / "verdicts.jsonl").read_bytes().startswith(whole), "a finished verdict was lost"
    subprocess.run([sys.executable, "-c", WRITER, str(path), str(programs)], check=True)


def assert_each_once(path, programs):
    for name in ("programs.jsonl", "verdicts.jsonl"):
        keys = Counter((record["problem"], record["index"]) for _, record in read_records(path / name))
        assert keys == {("p", index): 1 for index in range(programs)}


def test_nothing_finished_is_lost_or_doubled_by_kill_9(tmp_path):
    survive(tmp_path / "r", 4, 20_000, random.Random(0))
    assert_each_once(tmp_path / "r", 20_000)


def test_a_full_disk_is_one_error_that_names_the_file_and_the_run_goes_on(tmp_path):
    full = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n{WRITER}"
    writer = subprocess.run(
        [sys.executable, "-c", full, str(tmp_path / "r"), "99"], stderr=subprocess.PIPE, text=True, check=False
    )
    last = writer.stderr.splitlines()[-1]
    assert last.startswith("regreen.errors.InfrastructureError: ")
    assert "jsonl: cannot be written (File too large); what is finished is kept" in last
    survive(tmp_path / "r", 0, 99, random.Random(0))
    assert_each_once(tmp_path / "r", 99)


def test_a_place_where_nothing_can_be_written_is_bad_input_and_no_full_disk(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\); give a place where it can"):
        write_lines(tmp_path / "file" / "x.jsonl", [])


@pytest.mark.parametrize("name", ["programs.jsonl", "verdicts.jsonl"])
def test_a_record_that_is_there_twice_is_named(tmp_path, name):
    with Run(tmp_path / "r", settings()) as run:
        fill(run, 0)
    path = tmp_path / "r" / name
    path.write_text(path.read_text() * 2)
    with pytest.raises(InputError, match=rf"{name}: sample 0 of p is there twice; delete one of the lines"):
        Run(tmp_path / "r", settings())


def test_another_content_of_the_samples_is_said_without_digests(tmp_path):
    Run(tmp_path / "r", settings()).close()
    with pytest.raises(InputError, match="there, 9 here; the content of samples is another"):
        Run(tmp_path / "r", settings(timeout=9, samples="cd"))


def test_a_run_of_another_command_is_named_as_such_and_no_more(tmp_path):
    Run(tmp_path / "r", settings()).close()
    other = Settings("check", "mbpp", {"timeout": 9}, {})
    with pytest.raises(InputError, match=r"holds a run of 'score', not of 'check'; give another -o$"):
        Run(tmp_path / "r", other)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_nothing_finished_is_lost_or_doubled_by_many_kills(tmp_path, seed):
    survive(tmp_path / "r", 15, 60_000, random.Random(seed))
    assert_each_once(tmp_path / "r", 60_000)


@pytest.mark.slow
@pytest.mark.parametrize("cut", range(1, 400, 7))
def test_a_file_cut_at_any_byte_is_continued(tmp_path, cut):
    with Run(tmp_path / "r", settings()) as run:
        fill(run, 0, 1, 2)
    verdicts = tmp_path / "r" / "verdicts.jsonl"
    verdicts.write_bytes(verdicts.read_bytes()[:-cut])
    with Run(tmp_path / "r", settings()) as run:
        fill_missing = [i for i in range(3) if not run.has_verdict(("p", i, "sample"))]
        for index in fill_missing:
            run.add_verdict(("p", index, "sample"), GREEN)
    assert [record["index"] for _, record in read_records(verdicts)] == [0, 1, 2]
