"""Asking and judging at once, with models that answer from files: what is recorded, resumed, refused and counted."""

import asyncio
import json
import time
from dataclasses import replace

import pytest

from regreen import InfrastructureError, InputError, Problem
from regreen.attempt import Ask, Asking, seed_of
from regreen.evaluate import Choice, Judging, Sampling, evaluate
from regreen.extract import Extraction
from regreen.models import Completion, Request, open_model
from regreen.records import read_records
from regreen.run import Run, Settings
from regreen.summary import View
from tests.toy import BAD, GOOD, interrupt_asking, write_problems

JUDGING = Judging(timeout=2.0, sandbox="local:C")
WARM = Sampling(temperatures=(0.5,), prompt="chat")


@pytest.fixture
def toy(tmp_path):
    return str(write_problems(tmp_path))


def write_lines(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def replay(tmp_path, *good_counts, n=4):
    """A model that answers each problem with so many right programs, then wrong ones, each in a fence."""
    lines = []
    for problem, good in zip(GOOD, good_counts, strict=False):
        texts = [f"Here it is.\n```python\n{(GOOD if i < good else BAD)[problem]}```\n" for i in range(n)]
        lines += [{"problem": problem, "index": i, "text": text, "tokens": 10} for i, text in enumerate(texts)]
    return open_model(f"replay:{write_lines(tmp_path / 'answers.jsonl', lines)}")


def evaluated(tmp_path, toy, model, *, n=4, out="run", sampling=WARM, **more):
    return evaluate(toy, model, sampling=replace(sampling, n=n), judging=JUDGING, out=tmp_path / out, **more)


def test_a_models_programs_are_asked_extracted_judged_and_counted(tmp_path, toy):
    found = evaluated(tmp_path, toy, replay(tmp_path, 4, 2, 0), view=View(ks=(1, 2)))
    assert found["scores"]["pass@1"]["value"] == 0.5
    assert found["scores"]["pass@2"]["value"] == pytest.approx((1 + 5 / 6 + 0) / 3)
    assert found["solved"]["value"] == pytest.approx(2 / 3)
    assert (found["problems"], found["programs"], found["tokens"]) == (3, 12, 120)
    record = next(record for _, record in read_records(tmp_path / "run" / "programs.jsonl"))
    assert (record["extraction"], record["temperature"], record["tokens"]) == ("fence", 0.5, 10)
    prompts = [record for _, record in read_records(tmp_path / "run" / "prompts.jsonl")]
    assert len(prompts) == 3
    assert record["prompt"] in {prompt["key"] for prompt in prompts}


def test_a_larger_n_asks_for_the_rest_alone_and_comes_to_what_it_would_have_been_at_once(tmp_path, toy):
    class Counting:
        """A model that remembers what it was asked."""

        def __init__(self, model):
            self._model, self.asked = model, []
            self.name, self.chat, self.decides, self.facts = model.name, True, {}, {}
            self.batch, self.parallel = 2, 3

        async def sample(self, requests):
            self.asked += [(request.problem, request.index) for request in requests]
            return await self._model.sample(requests)

    model = Counting(replay(tmp_path, 3, 1, 2))
    evaluated(tmp_path, toy, model, n=2)
    assert len(model.asked) == 6
    grown = evaluated(tmp_path, toy, model, n=4)
    assert len(model.asked) == len(set(model.asked)) == 12
    whole = evaluated(tmp_path, toy, model, n=4, out="whole")
    for found in (grown, whole):
        del found["run"], found["seconds"]
    assert grown == whole
    with pytest.raises(InputError, match="n is 4 there, 2 here"):
        evaluated(tmp_path, toy, model, n=2)


def test_samples_that_are_refused_are_counted_as_not_passed_and_named(tmp_path, toy):
    found = evaluated(tmp_path, toy, replay(tmp_path, 4, 4))
    assert (found["refused"], found["programs"]) == (4, 12)
    assert found["scores"]["pass@1"]["value"] == pytest.approx(2 / 3)
    errors = [record.get("error") for _, record in read_records(tmp_path / "run" / "programs.jsonl")]
    assert errors.count("no sample 0 of toy/echo is recorded") == 1


def test_several_temperatures_go_round_and_the_best_is_chosen_for_each_k(tmp_path, toy):
    # At index 0, 2 (temperature 0.2): add is right twice; at 1, 3 (0.8): first is right once.
    rights = {"toy/add": {0, 2}, "toy/first": {1}, "toy/echo": set()}
    lines = [
        {"problem": p, "index": i, "text": (GOOD if i in good else BAD)[p]}
        for p, good in rights.items()
        for i in range(4)
    ]
    model = open_model(f"replay:{write_lines(tmp_path / 'answers.jsonl', lines)}")
    sampling = replace(WARM, temperatures=(0.2, 0.8))
    found = evaluated(tmp_path, toy, model, n=2, sampling=sampling, view=View(ks=(1, 2)))
    values = {t: [e["value"] for e in scores.values()] for t, scores in found["by_temperature"].items()}
    assert values == {
        "0.2": [pytest.approx(1 / 3), pytest.approx(1 / 3)],
        "0.8": [pytest.approx(1 / 6), pytest.approx(1 / 3)],
    }
    assert [best["temperature"] for best in found["best_temperature"].values()] == [0.2, 0.2]
    temperatures = {
        (r["problem"], r["index"]): r["temperature"] for _, r in read_records(tmp_path / "run/programs.jsonl")
    }
    assert {index: temperatures["toy/add", index] for index in range(4)} == {0: 0.2, 1: 0.8, 2: 0.2, 3: 0.8}


def test_the_best_temperature_may_be_chosen_on_one_half_and_reported_on_the_other(tmp_path, toy):
    sampling = replace(WARM, temperatures=(0.2, 0.8))
    found = evaluated(tmp_path, toy, replay(tmp_path, 4, 4, 4), n=2, sampling=sampling, view=View(held_out=True))
    assert 0 < found["best_temperature"]["pass@1"]["problems"] < 3


def test_every_k_can_be_asked_for(tmp_path, toy):
    found = evaluated(tmp_path, toy, replay(tmp_path, 4, 2, 0), view=View(ks=()))
    assert list(found["scores"]) == ["pass@1", "pass@2", "pass@3", "pass@4"]


def test_a_budget_of_tokens_stops_the_asking_and_a_larger_one_goes_on(tmp_path, toy):
    model = replay(tmp_path, 4, 4, 4)
    model.parallel = 1
    few = evaluated(tmp_path, toy, model, sampling=replace(WARM, total=50))
    assert 5 <= few["programs"] <= 7
    assert any("--max-tokens-total" in note for note in few["notes"])
    assert evaluated(tmp_path, toy, model)["programs"] == 12


def test_seeds_depend_on_the_problem_the_index_and_the_stage_alone():
    seeds = {
        seed_of(run, p, i, stage) for run in (0, 1) for p in "ab" for i in range(5) for stage in ("sample", "repair")
    }
    assert len(seeds) == 40
    assert seed_of(0, "HumanEval/0", 0, "sample") == 0x3409BF41523B3296  # pinned: it must never change


def test_many_programs_at_temperature_0_are_refused():
    with pytest.raises(InputError, match="gives one program 5 times"):
        Sampling(n=5)


def test_a_script_answers_by_what_the_prompt_contains_and_says_where_none_fits(tmp_path, toy):
    lines = [
        {"contains": ["add("], "text": GOOD["toy/add"]},
        {"problem": "toy/first", "text": GOOD["toy/first"]},
        {"contains": ["Print"], "text": "I do not know."},
    ]
    model = open_model(f"scripted:{write_lines(tmp_path / 'script.jsonl', lines)}")
    found = evaluated(tmp_path, toy, model, n=1)
    assert found["scores"]["pass@1"]["value"] == pytest.approx(2 / 3)
    assert found["no_program"] == 1
    short = open_model(f"scripted:{write_lines(tmp_path / 'short.jsonl', lines[:1])}")
    with pytest.raises(InputError, match=r"no line fits the prompt for toy/(first|echo)"):
        evaluated(tmp_path, toy, short, n=1, out="other")


def test_the_run_of_a_model_that_continues_prompts_is_replayed_as_it_was(tmp_path):
    asked = {"sampling": Sampling(2, (0.8,), max_tokens=100), "choice": Choice(limit=4), "judging": JUDGING}
    first = evaluate("katas", open_model("tiny"), **asked, out=tmp_path / "run")
    texts: dict[str, list[str]] = {}
    for _, record in read_records(tmp_path / "run" / "programs.jsonl"):
        texts.setdefault(record["problem"], []).append(record["text"])
    write_lines(tmp_path / "codet.jsonl", [{"task_id": name, "samples": of} for name, of in texts.items()])
    for n, place in enumerate(("run", "run/programs.jsonl", "run/samples.jsonl", "codet.jsonl")):
        again = evaluate("katas", open_model(f"replay:{tmp_path / place}"), **asked, out=tmp_path / str(n))
        assert again["scores"] == first["scores"]
        assert again["scores"]["pass@1"]["value"] > 0


def test_a_cached_answer_is_not_asked_for_again(tmp_path, toy):
    answers = tmp_path / "answers.jsonl"
    replay(tmp_path, 4, 2, 0)
    first = evaluated(tmp_path, toy, open_model(f"replay:{answers}", cache=tmp_path / "cache.db"))
    answers.write_text('{"problem": "toy/add", "index": 0, "text": "nothing"}\n')
    again = evaluated(tmp_path, toy, open_model(f"replay:{answers}", cache=tmp_path / "cache.db"), out="again")
    assert again["scores"] == first["scores"]
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert manifest["model"]["cached"] == 12


def test_a_file_that_is_no_cache_is_refused(tmp_path):
    (tmp_path / "cache.db").write_text("not a database, and long enough to be taken for one" * 50)
    write_lines(tmp_path / "answers.jsonl", [])
    with pytest.raises(InputError, match="not a cache"):
        open_model(f"replay:{tmp_path / 'answers.jsonl'}", cache=tmp_path / "cache.db")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("", {}, "no model; give -m"),
        ("gpt", {}, "expected tiny"),
        ("nowhere:thing", {}, "No module named 'nowhere'"),
        ("json:nothing", {}, "no attribute 'nothing'"),
        ("json:dumps", {}, "calling it failed: TypeError"),
        ("os:getcwd", {}, "it made no model"),
        ("os:sep", {}, "not a function"),
        ("replay:nowhere.jsonl", {}, "nowhere.jsonl: no such file"),
        ("replay:answers.jsonl", {"base_url": "http://x"}, "takes no --base-url"),
    ],
)
def test_a_model_that_cannot_be_opened_is_one_clear_line(tmp_path, monkeypatch, name, options, said):
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "answers.jsonl", [])
    with pytest.raises(InputError, match=said):
        open_model(name, **options)


def test_ones_own_factory_makes_a_model(tmp_path, toy, monkeypatch):
    source = f"""
from regreen.models import open_model
def make():
    return open_model("replay:{tmp_path}/answers.jsonl")
"""
    (tmp_path / "my_models.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    replay(tmp_path, 4, 4, 4)
    assert evaluated(tmp_path, toy, open_model("my_models:make"))["scores"]["pass@1"]["value"] == 1.0


class Failing:
    """A model that cannot be reached after some calls."""

    name, chat, decides, facts, batch, parallel = "failing", True, {}, {}, 1, 2

    def __init__(self, model, calls):
        self._model, self._calls = model, calls

    async def sample(self, requests):
        await asyncio.sleep(0)
        self._calls -= 1
        if self._calls < 0:
            raise InfrastructureError("the model is gone")
        return await self._model.sample(requests)


def test_what_was_answered_before_a_model_fails_is_kept_and_the_same_call_goes_on(tmp_path, toy):
    model = replay(tmp_path, 4, 2, 0)
    with pytest.raises(InfrastructureError, match="the model is gone"):
        evaluated(tmp_path, toy, Failing(model, 5))
    assert len(list(read_records(tmp_path / "run" / "programs.jsonl"))) == 5
    found = evaluated(tmp_path, toy, Failing(model, 7))
    assert (found["programs"], found["scores"]["pass@1"]["value"]) == (12, 0.5)


class Slow:
    """A model that never answers."""

    name, chat, decides, facts, batch, parallel = "slow", True, {}, {}, 1, 4

    async def sample(self, requests):
        await asyncio.sleep(3600)
        return [Completion("", 0)]


def test_asking_ends_at_once_when_it_is_no_longer_wanted(tmp_path):
    asks = [
        Ask(Problem("p", "", ()), Request("", seed=0, problem="p", index=i), lambda p, text: Extraction(text, "whole"))
        for i in range(9)
    ]
    started = time.monotonic()
    with Run(tmp_path / "run", Settings("evaluate", "toy", {})) as run, Asking(asks, Slow(), run) as asking:
        time.sleep(0.2)
        assert asking is not None
    assert time.monotonic() - started < 5


def test_ctrl_c_while_a_model_is_silent_exits_with_130(tmp_path, toy):
    code, err = interrupt_asking(tmp_path, "evaluate", toy)
    assert code == 130, err
    assert "type the same command again to go on" in err


def test_only_the_problems_chosen_are_asked(tmp_path, toy):
    found = evaluated(tmp_path, toy, replay(tmp_path, 4, 2, 0), choice=Choice(only=("toy/first",)))
    assert (found["problems"], found["scores"]["pass@1"]["value"]) == (1, 0.5)
