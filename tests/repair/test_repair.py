"""Repair trees on scripted models: what is recorded, told, controlled, resumed and refused."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from regreen import InfrastructureError, InputError
from regreen.evaluate import Choice, Judging, Sampling, evaluate
from regreen.models import Completion, open_model
from regreen.records import read_records
from regreen.repair import Repairing, repair
from regreen.report import Prices, RepairView, every_table, render, report
from regreen.run import read_manifest
from tests.refine.models import RIGHT, Writer, write, wrong
from tests.repair.models import Planned
from tests.toy import BAD, GOOD, PROBLEMS, interrupt_asking, write_problems

JUDGING = Judging(timeout=2.0, sandbox="local:C")
TWO = Sampling(n=2, temperatures=(0.8,))
ALONE = Repairing(nfr=2, controls=(), again=0)


@pytest.fixture
def toy(tmp_path):
    return str(write_problems(tmp_path))


def repaired(tmp_path, toy, model, repairing=ALONE, *, sampling=TWO, out="run", **more):
    return repair(toy, model, sampling=sampling, repairing=repairing, judging=JUDGING, out=tmp_path / out, **more)


def lines(tmp_path, name, out="run"):
    return [record for _, record in read_records(tmp_path / out / name)]


def by_node(tmp_path, out="run", without=()):
    nodes = lines(tmp_path, "trees.jsonl", out)
    return {(n["problem"], n["node"]): {k: v for k, v in n.items() if k not in without} for n in nodes}


def test_a_node_knows_its_text_source_tokens_seed_and_outcome(tmp_path, toy):
    repaired(tmp_path, toy, Planned({"toy/add": {"0.1"}}))
    nodes = {(record["problem"], record["node"]): record for record in lines(tmp_path, "trees.jsonl")}
    node = nodes["toy/add", "0.1"]
    assert (node["kind"], node["parent"], node["outcome"], node["model"]) == ("joint", "0", "passed", "planned")
    assert (node["tokens"], node["prompt_tokens"], node["checks"]) == (10, 100, 2)
    assert node["source"].startswith("def add(a, b):")
    assert "It fails, says 0.1." in node["text"]
    assert 0 < nodes["toy/add", "0"]["kept_tokens"] < node["kept_tokens"] < 10
    assert len({record["seed"] for record in nodes.values()}) == len(nodes)
    assert nodes["toy/first", "1.0"]["outcome"] == "exception"


def test_parents_stand_before_their_children(tmp_path, toy):
    repaired(tmp_path, toy, Planned({}), Repairing(nf=1, nr=2, depth=2, controls=(), again=0))
    seen = set()
    for record in lines(tmp_path, "trees.jsonl"):
        assert record["parent"] is None or (record["problem"], record["parent"]) in seen
        seen.add((record["problem"], record["node"]))


def test_a_wider_repair_asks_for_the_rest_alone_and_comes_to_what_it_would_have_been_at_once(tmp_path, toy):
    right = {"toy/add": {"0.1"}, "toy/first": {"1", "0.2"}}
    few, many = Repairing(nfr=1, full=True), Repairing(nfr=3, full=True)
    model = Planned(right)
    repaired(tmp_path, toy, model, few)
    asked = Counter(model.asked)
    repaired(tmp_path, toy, model, many, sampling=Sampling(n=3, temperatures=(0.8,)))
    repeated = [key for key, times in Counter(model.asked).items() if times > 1]
    assert repeated == []
    assert set(asked) <= set(model.asked)
    repaired(tmp_path, toy, Planned(right), many, sampling=Sampling(n=3, temperatures=(0.8,)), out="whole")
    assert by_node(tmp_path) == by_node(tmp_path, "whole")
    with pytest.raises(InputError, match="nf is 3 there, 1 here"):
        repaired(tmp_path, toy, model, few, sampling=Sampling(n=3, temperatures=(0.8,)))


@pytest.mark.parametrize("calls", [1, 7, 20])
def test_what_was_grown_before_a_model_fails_is_kept_and_the_same_call_goes_on(tmp_path, toy, calls):
    right = {"toy/add": {"0.1"}, "toy/first": {"1.0"}, "toy/echo": {"control:resample 1"}}
    with pytest.raises(InfrastructureError, match="the model is gone"):
        repaired(tmp_path, toy, Planned(right, fail_after=calls, batch=1), Repairing(nfr=2))
    kept = {(r["problem"], r["index"], r["role"]) for r in lines(tmp_path, "programs.jsonl")}
    assert len(kept) == calls
    again = Planned(right, batch=1)
    repaired(tmp_path, toy, again, Repairing(nfr=2))
    repaired(tmp_path, toy, Planned(right), Repairing(nfr=2), out="whole")
    assert by_node(tmp_path) == by_node(tmp_path, "whole")
    every = {(r["problem"], r["index"], r["role"]) for r in lines(tmp_path, "programs.jsonl", "whole")}
    assert len(again.asked) == len(every) - calls


def test_kill_9_in_the_middle_of_a_tree_loses_nothing_that_was_answered(tmp_path, toy):
    (tmp_path / "slow_models.py").write_text("from tests.repair.models import Logging as make\n")
    command = [sys.executable, "-m", "regreen.cli", "repair", toy, "-m", "slow_models:make", "--np", "4", "--nfr", "3"]
    command += ["--full", "--sandbox", "local:C", "-q", "-o"]
    path = f"{tmp_path}:{':'.join(sys.path)}"
    environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "ASKED": str(tmp_path / "asked")}

    def grown(out):
        return len((tmp_path / out / "trees.jsonl").read_bytes().splitlines()) if (tmp_path / out).exists() else 0

    def run_to_end(out):
        quiet = {"stdout": subprocess.DEVNULL, "timeout": 60, "check": True}
        subprocess.run([*command, out], cwd=tmp_path, env=environment, **quiet)

    for least in (9, 25):
        process = subprocess.Popen([*command, "run"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and (not (tmp_path / "run" / "trees.jsonl").exists() or grown("run") < least):
            time.sleep(0.01)
        process.kill()
        process.wait()
    run_to_end("run")
    asked = Counter((tmp_path / "asked").read_text().splitlines())
    assert sum(asked.values()) - len(asked) <= 2 * 4, "only what was in flight at the kills was asked for again"
    (tmp_path / "asked").unlink()
    run_to_end("whole")
    assert by_node(tmp_path) == by_node(tmp_path, "whole")
    keys = [(r["problem"], r["index"], r["role"]) for r in lines(tmp_path, "verdicts.jsonl")]
    assert len(keys) == len(set(keys)) == len(lines(tmp_path, "verdicts.jsonl", "whole"))


def test_ctrl_c_in_the_middle_exits_with_130(tmp_path, toy):
    code, err = interrupt_asking(tmp_path, "repair", toy)
    assert code == 130, err
    assert "type the same command again to go on" in err


def test_fresh_programs_cost_what_the_tree_cost_beyond_its_first_ones_and_stop_as_it_does(tmp_path, toy):
    right = {"toy/add": {"control:resample 1"}, "toy/first": {"1"}}
    right["toy/add"] = {"1 control:resample"}
    repaired(tmp_path, toy, Planned(right), Repairing(nfr=2, controls=("resample",), again=0))
    fresh = [r for r in lines(tmp_path, "programs.jsonl") if r["role"] == "control:resample"]
    count = Counter(record["problem"] for record in fresh)
    assert count == {"toy/add": 2, "toy/echo": 4}, "four repairs of ten tokens; a pass ends it; no repair, no control"
    seeds = [record["seed"] for record in lines(tmp_path, "programs.jsonl")]
    assert len(seeds) == len(set(seeds))


def test_trees_stand_beside_fresh_programs_for_as_many_tokens_with_and_without_the_scoring_checks(tmp_path, toy):
    right = {"toy/add": {"1.1"}, "toy/first": {"0 control:resample"}}
    repaired(tmp_path, toy, Planned(right), Repairing(nfr=2, controls=("resample",), again=0, full=True))
    found = report([tmp_path / "run"])["repair"]["as_grown"]
    assert found["resample"]["tokens"] == [3 * 60, 3 * 60]
    oracle, deployable = found["resample"]["oracle"], found["resample"]["deployable"]
    assert oracle["trees"]["value"] == oracle["other"]["value"] == pytest.approx(1 / 3)
    assert deployable["trees"]["value"] == deployable["other"]["value"] == 0, "nothing is shown: the first is taken"
    assert (oracle["verdict"], found["with_shown"]) == ("not distinguishable", 0)


@pytest.mark.parametrize(("full", "solved"), [(False, 0), (True, 1)])
def test_what_could_be_deployed_is_the_first_written_depth_first_too(tmp_path, full, solved):
    """A repair that the shown checks alone let pass comes before the next first program, unless trees are full."""
    fails_what_is_shown = "    return 1\n"
    model = Writer({("p0", "0"): fails_what_is_shown, ("p0", "0.0"): wrong(5), ("p0", "1"): RIGHT})
    repairing = Repairing("none", nr=1, order="dfs", full=full, controls=("resample",), again=0)
    sampling = replace(TWO, prompt="codex")
    repaired(tmp_path, str(write(tmp_path, 1)), model, repairing, sampling=sampling)
    found = report([tmp_path / "run"])["repair"]["as_grown"]["resample"]
    assert found["oracle"]["trees"]["value"] == 1
    assert found["deployable"]["trees"]["value"] == solved


def test_another_model_that_explains_also_writes_programs_alone_for_all_that_the_tree_cost(tmp_path, toy):
    explainer = Planned({"toy/echo": {"1 control:alone"}}, name="explainer")
    repairing = Repairing("openai:explainer", nf=1, nr=1, controls=("resample",), again=0)
    repaired(tmp_path, toy, Planned({"toy/add": {"0.0.0"}}), repairing, explainer=explainer)
    alone = Counter(problem for problem, key in explainer.asked if "alone" in key)
    assert alone == {"toy/add": 6, "toy/first": 6, "toy/echo": 2}, "two programs and two repairs of 10, two words of 7"
    found = report([tmp_path / "run"])["repair"]["as_grown"]["alone"]["oracle"]
    assert found["trees"]["value"] == found["other"]["value"] == pytest.approx(1 / 3)


def test_with_prices_the_explaining_model_alone_is_cut_at_the_price_of_the_tree(tmp_path, toy):
    """What a dearer model writes for as many tokens costs more than the tree: some of it must not count."""
    explainer = Planned({"toy/echo": {"1 control:alone"}, "toy/first": {"5 control:alone"}}, name="dear")
    repairing = Repairing("openai:dear", nf=1, nr=1, controls=("resample",), again=0)
    repaired(tmp_path, toy, Planned({"toy/add": {"0.0.0"}}, name="cheap"), repairing, explainer=explainer)
    for dear, price, solved, short in ((3.0, (246, 240), 1, 0), (0.1, (124.2, 14), 2, 1)):
        prices = {"cheap": Prices(0, 0, 1.0), "dear": Prices(0, 0, dear)}
        found = report([tmp_path / "run"], repair_view=RepairView(prices=prices))["repair"]["as_grown"]["alone"]
        assert [1e6 * side for side in found["price"]] == pytest.approx(price)
        assert found["oracle"]["other"]["value"] == pytest.approx(solved / 3)
        assert found["short"] == short
    assert report([tmp_path / "run"])["repair"]["as_grown"]["alone"]["price"] is None


def test_swapped_repairs_are_told_what_was_said_of_another_problem(tmp_path, toy):
    model = Planned({})
    repaired(tmp_path, toy, model, Repairing(nf=1, nr=1, controls=("swapped",), again=0), sampling=Sampling(1, (0.8,)))
    swapped = {problem: text for (problem, key), text in model.prompts.items() if key.startswith("0 control:swapped")}
    assert sorted(swapped) == ["toy/add", "toy/echo", "toy/first"]
    for problem, prompt in swapped.items():
        assert prompt.count("It is wrong at 0.0.") == 1
        own = next(p["statement"] for p in PROBLEMS if p["id"] == problem)
        assert own in prompt


def test_an_equal_share_is_judged_again_and_the_first_verdict_stands(tmp_path, toy):
    repaired(tmp_path, toy, Planned({"toy/add": {"0"}}), Repairing(nfr=2, controls=(), again=1.0))
    again = {(r["problem"], r["index"], r["role"]): r["outcome"] for r in lines(tmp_path, "rejudged.jsonl")}
    first = {(r["problem"], r["index"], r["role"]): r["outcome"] for r in lines(tmp_path, "verdicts.jsonl")}
    assert again == first
    repaired(tmp_path, toy, Planned({}), Repairing(nfr=2, controls=(), again=0.3), out="some")
    share = len(lines(tmp_path, "rejudged.jsonl", "some")) / len(lines(tmp_path, "verdicts.jsonl", "some"))
    assert 0 < share < 0.7


def test_first_programs_may_be_those_of_another_run(tmp_path, toy):
    evaluate(toy, Planned({"toy/add": {"1"}}), sampling=TWO, judging=JUDGING, out=tmp_path / "samples")
    model = Planned({})
    repaired(tmp_path, toy, model, programs=tmp_path / "samples")
    assert not any("." not in key for _, key in model.asked)
    assert by_node(tmp_path)["toy/add", "1"]["outcome"] == "passed"


def test_a_budget_of_tokens_stops_the_growing_and_a_larger_one_goes_on(tmp_path, toy):
    stopped = repaired(tmp_path, toy, Planned({}, batch=1, parallel=1), sampling=Sampling(2, (0.8,), total=60))
    assert any("--max-tokens-total" in note for note in stopped["notes"])
    assert len(lines(tmp_path, "programs.jsonl")) <= 7
    assert repaired(tmp_path, toy, Planned({}))["notes"] == []
    repaired(tmp_path, toy, Planned({}), out="whole")
    assert by_node(tmp_path) == by_node(tmp_path, "whole")


class Refusing(Planned):
    """Refuses what a test names, by role or node."""

    def __init__(self, *refused, right=()):
        super().__init__(dict(right))
        self.refused = refused

    def _answer(self, request):
        answer = super()._answer(request)
        refused = self.asked[-1][1].partition(" ")[2] in self.refused or self.asked[-1] in self.refused
        return Completion("", tokens=0, finish="error", error="no") if refused else answer


def test_a_model_that_refuses_a_control_is_not_asked_once_for_each_token(tmp_path, toy):
    model = Refusing("control:alone")
    explained = Repairing("openai:explainer", nf=1, nr=1, controls=("resample",), again=0)
    repaired(tmp_path, toy, Planned({}), explained, explainer=model)
    asked = Counter(problem for problem, key in model.asked if "control:alone" in key)
    assert set(asked.values()) == {3}


def test_a_refused_first_program_fails_with_all_that_could_be_made_of_it(tmp_path, toy):
    wide = Repairing(nfr=2, full=True, controls=(), again=0)
    repaired(tmp_path, toy, Refusing(("toy/add", "1"), right={"toy/first": {"0.1"}}.items()), wide)
    found = report([tmp_path / "run"], repair_view=RepairView(n_p=(2,), n_fr=(2,)))
    (cell,) = (cell for cell in found["grid"] if cell["n_fr"] == 2)
    assert cell["pass"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("order", ["bfs", "dfs"])
def test_first_programs_that_are_drawn_until_one_passes_raise_no_pass_rate(tmp_path, toy, order):
    right = {"toy/add": {"1"}, "toy/echo": {"0"}, "toy/first": {"0.1"}}
    how = Repairing(nfr=2, order=order, controls=(), again=0)
    repaired(tmp_path, toy, Planned(right), how, sampling=Sampling(3, (0.8,)))
    found = report([tmp_path / "run"])
    assert found["scores"]["pass@1"]["value"] == pytest.approx(1 / 3), "one in three passes at once"
    assert found["grid"][0]["pass"] in (None, pytest.approx(1 / 3)), "no first repair does, where each has one"
    printed = render(every_table(found))
    assert "drawn until one passed: of each problem the first" in printed
    shares = [
        float(share) for share in re.findall(r"\d+ \((\d+\.\d) %\)", printed.split("Outcomes")[1].split("\n\n")[1])
    ]
    assert sum(shares) == pytest.approx(100, abs=0.2), "all that was drawn is in the outcomes"


def test_a_recorded_repair_can_be_replayed(tmp_path, toy):
    right = {"toy/add": {"0.1"}, "toy/echo": {"1"}}
    repaired(tmp_path, toy, Planned(right), Repairing(nfr=2))
    repaired(tmp_path, toy, open_model(f"replay:{tmp_path / 'run'}"), Repairing(nfr=2), out="again")
    theirs = ("model", "prompt_tokens")
    assert by_node(tmp_path, "again", theirs) == by_node(tmp_path, "run", theirs)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nfr": 1, "nf": 2}, "--nfr counts explanations together"),
        ({"controls": ("placebo",)}, "--control placebo: expected resample,swapped"),
    ],
)
def test_options_that_contradict_are_one_clear_line(given, said):
    with pytest.raises(InputError, match=said):
        Repairing(**given)


def test_several_temperatures_are_refused(tmp_path, toy):
    with pytest.raises(InputError, match="give one --temperature"):
        repaired(tmp_path, toy, Planned({}), sampling=Sampling(2, (0.2, 0.8)))


def test_only_the_problems_chosen_are_grown(tmp_path, toy):
    repaired(tmp_path, toy, Planned({}), choice=Choice(only=("toy/add",)))
    assert {problem for problem, _ in by_node(tmp_path)} == {"toy/add"}
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["command"] == "repair"


class Short(Planned):
    """Refuses whatever comes after a first program, as a server does whose context is too short for it."""

    def _answer(self, request):
        if request.role == "sample":
            return super()._answer(request)
        return Completion("", tokens=0, finish="error", error="exceeds the context of 512 tokens")


def test_repairs_that_are_refused_are_counted_and_the_reason_is_told(tmp_path, toy):
    """A repair that was never written must not look like one that failed."""
    found = repaired(tmp_path, toy, Short({}))
    assert (found["refused"], found["refused_later"]) == (0, 12)
    assert found["notes"] == [f"{name}: refused: exceeds the context of 512 tokens" for name in sorted(BAD)]
    printed = render(every_table(report([tmp_path / "run"])))
    assert "explanations, repairs and controls refused by their backend: 12" in printed


def test_who_was_asked_to_continue_text_is_asked_so_for_repairs_too(tmp_path, toy):
    """A server does not say whether its model chats: what the first prompt is decides for all that follow."""
    model = Continuing({})
    one = Choice(only=("toy/add",))
    repaired(tmp_path, toy, model, sampling=replace(TWO, prompt="codex"), choice=one)
    assert {type(prompt) for prompt in model.prompts.values()} == {str}
    manifest = read_manifest(tmp_path / "run")
    assert manifest["settings"]["templates"]["repair"].startswith("joint-p")


class Continuing(Planned):
    """Says that it chats, and remembers what it is given."""

    def _answer(self, request):
        self.prompts[request.problem, request.index, request.role] = request.prompt
        return Completion(f"    return {request.seed}\n", tokens=5)


class Spelling(Planned):
    """Explains in words and with the whole program."""

    def _answer(self, request):
        answer = super()._answer(request)
        if not request.role.startswith("feedback"):
            return answer
        return replace(answer, text=f"{answer.text}\n```python\n{GOOD[request.problem]}```\n")


@pytest.mark.parametrize("control", ["within", "swapped"])
def test_a_control_is_told_in_the_form_of_the_trees_own_repairs(tmp_path, toy, control):
    (tmp_path / "notes.jsonl").write_text('{"problem": "toy/add", "text": "Mind the sign."}\n')
    model = Spelling({})
    repairing = Repairing(f"self+notes:{tmp_path / 'notes.jsonl'}", nf=1, nr=1, controls=(control,), again=0)
    repaired(tmp_path, toy, model, repairing)
    for place in ("0.0.0", f"0 control:{control}:0"):
        prompt = model.prompts["toy/add", place]
        assert GOOD["toy/add"] not in prompt, "of an explanation the words alone are told"
        assert "Mind the sign." in prompt, "and what else is said of the program"


def test_a_repair_may_be_given_the_words_on_another_wrong_program_of_its_problem(tmp_path, toy):
    model = Planned({"toy/add": {"0.0.0"}})
    repairing = Repairing(nf=1, nr=1, controls=("within",), again=0)
    repaired(tmp_path, toy, model, repairing)
    told = model.prompts["toy/add", "0 control:within:0"]
    assert "It is wrong at 1.0." in told
    assert "It is wrong at 0.0." in model.prompts["toy/add", "0.0.0"]
    assert f"{BAD['toy/add']}# 0\n" in told, "the program shown is its own"
    found = report([tmp_path / "run"])["repair"]["controls"]["within"]
    assert (found["programs"], found["passed"], found["own"]["passed"]) == (6, 0, 1)
    assert "repairs with another wrong program's feedback" in render(every_table(report([tmp_path / "run"])))
