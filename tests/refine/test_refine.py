"""Chains of refinements on scripted models: what is kept, shown, controlled, resumed and refused."""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from regreen import InfrastructureError, InputError
from regreen.evaluate import Choice, Judging, Sampling
from regreen.records import read_records
from regreen.refine import Refining, Telling, refine
from regreen.report import every_table, render, report
from regreen.run import read_manifest
from tests.refine.models import RIGHT, Coin, Writer, write, wrong
from tests.repair.models import Planned
from tests.toy import write_problems

JUDGING = Judging(timeout=2.0, sandbox="local:C")
ALONE = Refining(rounds=3, until="problem", controls=())


def refined(tmp_path, model, refining=ALONE, *, n=1, count=3, out="run", **more):
    sampling = Sampling(n, (0.2,), prompt="codex")
    benchmark = str(write(tmp_path, count))
    return refine(benchmark, model, sampling=sampling, refining=refining, judging=JUDGING, out=tmp_path / out, **more)


def lines(tmp_path, name, out="run"):
    return [record for _, record in read_records(tmp_path / out / name)]


def nodes(tmp_path, out="run"):
    return {(line["problem"], line["node"]): line for line in lines(tmp_path, "trees.jsonl", out)}


def test_a_program_that_passes_is_kept_and_the_newest_wrong_one_alone_is_shown(tmp_path):
    model = Writer({("p0", "0"): wrong(5), ("p0", "0.0"): wrong(6), ("p0", "0.0.0"): RIGHT, ("p1", "0"): RIGHT})
    refined(tmp_path, model)
    found = nodes(tmp_path)
    assert [node for problem, node in found if problem == "p0"] == ["0", "0.0", "0.0.0"]
    assert [node for problem, node in found if problem == "p1"] == ["0"]
    assert [node for problem, node in found if problem == "p2"] == ["0", "0.0", "0.0.0", "0.0.0.0"]
    assert (found["p0", "0.0.0"]["kind"], found["p0", "0.0.0"]["outcome"]) == ("repair", "passed")
    prompt = model.prompts["p0", "0.0.0"]
    assert "# return 6 * x" in prompt
    assert "return 5" not in prompt
    assert "# For the input f0(50) the program returned 300, but 100 was expected." in prompt
    assert prompt.count("### Bad Solution:") == 1


def test_hidden_checks_are_never_told_of(tmp_path):
    model = Writer()
    refined(tmp_path, model, Refining(rounds=1, reveal="shown", controls=()))
    assert "# The program fails a check that is not shown." in model.prompts["p0", "0.0"]
    assert not any("returned" in prompt for prompt in model.prompts.values())


def test_rounds_end_when_the_benchmark_no_longer_gains_or_go_on_problem_by_problem(tmp_path):
    bodies = {("p0", "0.0"): RIGHT, ("p1", "0.0.0.0"): RIGHT}
    refined(tmp_path, Writer(bodies), Refining(rounds=4, controls=()), out="benchmark")
    refined(tmp_path, Writer(bodies), Refining(rounds=4, until="problem", controls=()), out="problem")
    assert max(node.count(".") for _, node in nodes(tmp_path, "benchmark")) == 2, "the second round brought nothing"
    ends = dict(nodes(tmp_path, "problem").keys())
    assert ends == {"p0": "0.0", "p1": "0.0.0.0", "p2": "0.0.0.0.0"}


def test_each_stage_has_its_temperature_and_its_seeds(tmp_path):
    refining = Refining(rounds=1, temperature=0.6, resample_temperature=0.9, controls=("resample", "untold"))
    refined(tmp_path, Writer(), refining, n=2)
    heats = {(record["role"], record["temperature"]) for record in lines(tmp_path, "programs.jsonl")}
    assert heats == {("sample", 0.2), ("repair:0", 0.6), ("control:resample:1", 0.9), ("control:untold:0", 0.6)}
    seeds = [record["seed"] for record in lines(tmp_path, "programs.jsonl")]
    assert len(seeds) == len(set(seeds)) == 3 * 2 * 4


def test_fresh_programs_are_as_many_as_rounds_and_end_at_a_pass(tmp_path):
    model = Writer({("p0", "0 control:resample:2"): RIGHT, ("p1", "0"): RIGHT})
    refined(tmp_path, model, Refining(rounds=3, until="problem", controls=("resample",)))
    fresh = Counter(problem for problem, place in model.prompts if "resample" in place)
    assert fresh == {"p0": 2, "p2": 3}
    assert model.prompts["p0", "0 control:resample:1"] == model.prompts["p0", "0"]


def test_every_control_shows_what_it_says_and_nothing_else_differs(tmp_path):
    model = Writer({("p0", "0"): wrong(5), ("p0", "1"): wrong(6), ("p1", "0"): wrong(7), ("p1", "1"): RIGHT})
    refined(tmp_path, model, Refining(rounds=1), n=2, count=2)
    blocks = {key: prompt.partition("### Bad Solution:")[2] for key, prompt in model.prompts.items()}
    true = blocks["p0", "0.0"]
    told = "# For the input f0(50) the program returned 250, but 100 was expected."
    assert told in true
    assert blocks["p0", "0 control:untold:0"] == true.replace(told, "#")
    assert blocks["p0", "0 control:named:0"] == true.replace(told, "# AssertionError")
    others = (6, *(fresh_factor(model, "p0", index) for index in (0, 1)))
    within = {true.replace("returned 250", f"returned {50 * by}") for by in others}
    assert blocks["p0", "0 control:within:0"] in within
    assert blocks["p0", "0 control:swapped:0"] == true.replace(
        told, "# For the input f1(51) the program returned 357, but 102 was expected."
    )
    assert blocks["p0", "0 control:stranger:0"] == true.replace("return 5 * x", "return 7 * x")
    assert {problem for problem, place in model.prompts if "control" in place and place[0] == "1"} == {"p0"}


def fresh_factor(model, problem, index):
    place = f"{index} control:resample:1"
    return int(model.body(problem, place).split()[1])


def test_no_code_no_feedback_and_several_checks_are_told_as_asked(tmp_path):
    for telling, there, gone in (
        (Telling(code=False), "returned", "# return"),
        (Telling("none"), "# return", "returned"),
        (Telling("name"), "# AssertionError", "returned"),
    ):
        model = Writer()
        refined(tmp_path, model, Refining(1, controls=(), telling=telling), out=f"{telling.feedback}{telling.code}")
        assert there in model.prompts["p0", "0.0"]
        assert gone not in model.prompts["p0", "0.0"]
    model = Writer()
    refined(tmp_path, model, Refining(1, controls=(), telling=Telling(checks=3), reveal="all"), out="three")
    assert [f"f0({x})" in model.prompts["p0", "0.0"] for x in (50, 7, 9)] == [True, True, True]


def test_after_the_model_is_gone_the_same_call_goes_on_without_asking_again(tmp_path):
    every = Coin()
    refined(tmp_path, every, Refining(rounds=2, until="problem"), n=3, count=4, out="whole")
    for calls in (5, 20, len(every.prompts) - 2):
        first = Coin(fail_after=calls)
        with pytest.raises(InfrastructureError):
            refined(tmp_path, first, Refining(rounds=2, until="problem"), n=3, count=4, out=f"run-{calls}")
        again = Coin()
        refined(tmp_path, again, Refining(rounds=2, until="problem"), n=3, count=4, out=f"run-{calls}")
        recorded = len(every.prompts) - len(again.prompts)
        assert calls - 6 <= recorded <= calls, "what was in flight alone is asked again"
        assert nodes(tmp_path, f"run-{calls}") == nodes(tmp_path, "whole")
        assert keys(tmp_path, f"run-{calls}") == keys(tmp_path, "whole")


def keys(tmp_path, out):
    return sorted((r["problem"], r["index"], r["role"], r["outcome"]) for r in lines(tmp_path, "verdicts.jsonl", out))


def test_more_chains_and_more_rounds_ask_for_the_rest_alone(tmp_path):
    few = Coin()
    refined(tmp_path, few, Refining(rounds=1, until="problem", controls=("resample",)), n=1)
    more = Coin()
    refined(tmp_path, more, Refining(rounds=3, until="problem", controls=("resample",)), n=2)
    assert not set(few.prompts) & set(more.prompts)
    refined(tmp_path, Coin(), Refining(rounds=3, until="problem", controls=("resample",)), n=2, out="whole")
    assert nodes(tmp_path) == nodes(tmp_path, "whole")
    with pytest.raises(InputError, match="rounds is 3 there, 2 here, and may only grow"):
        refined(tmp_path, Coin(), Refining(rounds=2, until="problem", controls=("resample",)), n=2)


def test_kill_9_loses_nothing_that_was_answered(tmp_path):
    (tmp_path / "slow_models.py").write_text("from tests.refine.models import Logging as make\n")
    write(tmp_path, 6)
    command = [sys.executable, "-m", "regreen.cli", "refine", "doubles.jsonl", "-m", "slow_models:make", "-n", "3"]
    command += ["--prompt", "codex", "--rounds", "2", "--until", "problem", "--sandbox", "local:C", "-q", "-o"]
    path = f"{tmp_path}:{':'.join(sys.path)}"
    environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "ASKED": str(tmp_path / "asked")}

    def written(out):
        file = tmp_path / out / "programs.jsonl"
        return len(file.read_bytes().splitlines()) if file.exists() else 0

    for least in (10, 40):
        process = subprocess.Popen([*command, "run"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and written("run") < least:
            time.sleep(0.01)
        process.kill()
        process.wait()
    quiet = {"stdout": subprocess.DEVNULL, "timeout": 60, "check": True}
    subprocess.run([*command, "run"], cwd=tmp_path, env=environment, **quiet)
    asked = Counter((tmp_path / "asked").read_text().splitlines())
    assert sum(asked.values()) - len(asked) <= 2 * 4, "only what was in flight at the kills was asked for again"
    subprocess.run([*command, "whole"], cwd=tmp_path, env=environment, **quiet)
    assert nodes(tmp_path) == nodes(tmp_path, "whole")
    assert keys(tmp_path, "run") == keys(tmp_path, "whole")


def test_a_refinement_that_is_refused_ends_its_chain_and_is_counted(tmp_path):
    class Short(Writer):
        def body(self, problem, place):
            return None if "." in place else super().body(problem, place)

    found = refined(tmp_path, Short(), Refining(rounds=3, until="problem", controls=("resample",)))
    assert (found["refused"], found["refused_later"]) == (0, 3)
    assert found["notes"][0] == "p0: refused: the prompt has 9999 tokens"
    assert nodes(tmp_path)["p0", "0.0"]["outcome"] == "refused"
    assert not any(node == "0.0.0" for _, node in nodes(tmp_path))


def test_an_exact_copy_has_the_verdict_of_what_it_copies(tmp_path):
    coin = "    import os\n    os.coin = getattr(os, 'coin', os.urandom(1)[0] < 128)\n    return 2 * x * os.coin\n"

    class Copying(Writer):
        def body(self, problem, place):
            return coin

    refined(tmp_path, Copying(), count=12)
    assert "passed" not in {line["outcome"] for line in lines(tmp_path, "trees.jsonl") if line["parent"]}


def test_what_a_budget_of_tokens_stopped_is_not_finished_and_its_control_not_counted(tmp_path):
    few, how = Sampling(1, (0.2,), prompt="codex", total=30), Refining(rounds=3, until="problem")
    told = {"refining": how, "judging": JUDGING, "out": tmp_path / "run"}
    stopped = refine(str(write(tmp_path)), Writer(), sampling=few, **told)
    assert read_manifest(tmp_path / "run")["finished"] is None
    (said,) = (note for note in stopped["notes"] if note.startswith("stopped after"))
    assert said in render(every_table(report([tmp_path / "run"])))
    assert report([tmp_path / "run"])["refine"]["rounds"][-1]["resampled"] is None
    refine(str(write(tmp_path)), Writer(), sampling=replace(few, total=None), **told)
    assert report([tmp_path / "run"])["refine"]["rounds"][-1]["resampled"] is not None
    assert "stopped after" not in render(every_table(report([tmp_path / "run"])))


def test_refinements_may_be_greedy_but_not_the_fresh_programs_that_they_are_held_against(tmp_path):
    refined(tmp_path, Writer(), Refining(rounds=2, temperature=0.0, until="problem", controls=()), n=2)
    with pytest.raises(InputError, match=r"are one program, however many: .* give --resample-temperature 0.6"):
        refined(tmp_path, Writer(), Refining(rounds=2, temperature=0.0, controls=("resample",)), out="other")
    fresh = Refining(rounds=2, temperature=0.0, controls=("resample",), resample_temperature=0.6)
    refined(tmp_path, Writer(), fresh, n=2, out="fresh")


def test_a_chat_model_is_asked_to_refine_in_a_chat_and_programs_without_headers_serve(tmp_path):
    model = Planned({"toy/add": {"0.0"}, "toy/echo": {"0"}})
    refining = Refining(rounds=2, until="problem", reveal="all")
    found = refine(
        str(write_problems(tmp_path)), model, sampling=Sampling(2, (0.2,)), refining=refining, judging=JUDGING,
        out=tmp_path / "run",
    )  # fmt: skip
    assert found["notes"] == []
    ends = {(problem, node[0]): line["outcome"] for (problem, node), line in nodes(tmp_path).items()}
    assert ends["toy/add", "0"] == ends["toy/echo", "0"] == "passed"
    assert ends["toy/add", "1"] == "wrong_answer"
    shown = model.prompts["toy/add", "1 control:swapped:0"]
    assert "### INCORRECT PYTHON CODE" in shown
    assert "hello" in shown, "the words of the only other problem whose program gave a wrong answer"


def test_only_the_problems_chosen_are_refined(tmp_path):
    refined(tmp_path, Writer(), choice=Choice(only=("p1",)))
    assert {problem for problem, _ in nodes(tmp_path)} == {"p1"}


def command(tmp_path, *options):
    return subprocess.run(
        [sys.executable, "-m", "regreen.cli", "refine", str(write(tmp_path)), *options],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_command_prints_one_json_object_and_tables(tmp_path):
    (tmp_path / "answers.jsonl").write_text(json.dumps({"text": wrong(3)}) + "\n")
    options = [
        "-m",
        "scripted:answers.jsonl",
        "--prompt",
        "codex",
        "-n",
        "2",
        "--sandbox",
        "local:C",
        "-q",
        "-o",
        "run",
    ]
    done = command(tmp_path, *options, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [line["programs"] for line in found["refine"]["rounds"]] == [6, 6]
    assert found["refine"]["copies"][0]["syntax"]["value"] == 1
    assert {"baseline", "grid", "repair_success_rate"} <= set(found)
    printed = command(tmp_path, *options).stdout
    for title in ("Refinement", "Controls", "Copies", "Outcomes before and after"):
        assert title in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--control", "nothing"], "expected resample,swapped,within"),
        (["--temperature", "0.2,0.8"], "give one"),
        (["--refine-prompt", "refin"], "did you mean refine?"),
        (["-n", "2", "--temperature", "0"], "gives one program 2 times"),
        (["--rounds", "0"], "--rounds"),
    ],
)
def test_what_cannot_be_refined_is_one_clear_line(tmp_path, options, said):
    (tmp_path / "answers.jsonl").write_text(json.dumps({"text": wrong(3)}) + "\n")
    done = command(tmp_path, "-m", "scripted:answers.jsonl", "--prompt", "codex", "-o", "run", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert said in done.stderr
