"""Prompts that differ in one thing, and budgets split over several of them."""

import json
from dataclasses import replace
from itertools import combinations, product
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest

from regreen import InputError
from regreen.report import render, study_tables
from regreen.studies.ensemble import ensemble, solved_by_parts
from regreen.studies.example_sets import Drawing, draw_sets, solved_pool
from regreen.studies.prompt import Wording, prompt
from tests.studies.asked import benchmark, lessons, line, right_if, run, source, study, write


def test_checks_are_shown_one_by_one_and_what_the_first_of_them_gives_is_told(tmp_path, sandbox):
    """The model knows what to do once it has seen one check; half of the programs know it anyway."""
    model = right_if(lambda request, text: "== 1" in text or int(request.problem[1:]) % 2)
    found = prompt(study("prompt", tmp_path, benchmark(tmp_path), model, sandbox), vary=["checks"])
    conditions = found["varied"]["checks"]["conditions"]
    assert [each["pass@1"]["value"] for each in conditions.values()] == [0.5, 1.0, 1.0, 1.0]
    assert [each["gain"] and each["gain"]["value"] for each in conditions.values()] == [None, 0.5, 0.0, 0.0]
    assert conditions["1"]["p"] == 3 * 2 / 2**3, "three problems differ, all one way; three comparisons"
    assert found["varied"]["checks"]["never_shown"]["0"]["value"] == 0.5
    said = render(study_tables(found), "text")
    assert "none of these prompts shows: 0: 50.0 %" in said


def test_a_study_that_is_done_asks_for_nothing_again(tmp_path, sandbox):
    model = right_if(lambda request, text: True)
    asks = study("prompt", tmp_path, benchmark(tmp_path), model, sandbox)
    first = prompt(asks, vary=["checks"])
    asked = model.asked
    assert prompt(asks, vary=["checks"]) == first
    assert model.asked == asked == 6 * 4


def test_a_folder_keeps_to_one_study_and_to_one_drawing_of_examples(tmp_path, sandbox):
    spec, pool = benchmark(tmp_path), lessons(tmp_path)
    asks = study("prompt", tmp_path, spec, right_if(lambda *_: True), sandbox)
    prompt(asks, vary=["examples"], drawing=Drawing(2, 1, pool))
    with pytest.raises(InputError, match="holds another run: examples is"):
        prompt(asks, vary=["which"], drawing=Drawing(2, 1, write(tmp_path, "other", [line("o/1", 1), line("o/2", 2)])))
    with pytest.raises(InputError, match="holds the study 'prompt', not 'ensemble'"):
        ensemble(
            study("ensemble", tmp_path, spec, right_if(lambda *_: True), sandbox, n=2), drawing=Drawing(2, 1, pool)
        )


@pytest.fixture
def helped(tmp_path, sandbox):
    """A study of a model that is right four times of four with one lesson in the prompt, and once without it."""
    model = right_if(lambda request, text: "x + 51" in text or request.index == 0)
    return study("prompt", tmp_path, benchmark(tmp_path, 8), model, sandbox, n=4), Drawing(5, 2, lessons(tmp_path))


def test_the_best_set_of_examples_is_chosen_on_other_problems_and_the_spread_is_held_against_chance(helped):
    asks, drawing = helped
    found = prompt(asks, vary=["which"], drawing=drawing)["varied"]["which"]
    helps = {name: "lesson/1" in ids for name, ids in found["sets"].items()}
    means = [1.0 if good else 0.25 for good in helps.values()]
    assert helps[found["chosen"]]
    assert found["chosen_score"]["value"] == 1.0
    assert found["mean"]["value"] == pytest.approx(fmean(means))
    assert (found["lowest"], found["highest"]) == (0.25, 1.0)
    assert found["deviation"] == pytest.approx(stdev(means))
    assert found["gain_of_choosing"]["value"] == pytest.approx(1 - fmean(means))
    assert found["chosen_on"]["problems"] + found["problems"] == 8
    unlucky = sum(not good for good in helps.values()) / len(helps)
    one = 0.25 * 0.75 / 3 / found["problems"]  # variance of a mean over problems with one right program of four
    assert found["deviation_of_draws"] == pytest.approx(sqrt(unlucky * one))


def test_a_set_can_be_chosen_on_another_benchmark(helped, tmp_path):
    asks, drawing = helped
    other = write(tmp_path, "other", [line(f"q{at}", at) for at in range(3)])
    found = prompt(asks, vary=["which"], drawing=replace(drawing, choose_on=other))["varied"]["which"]
    assert found["chosen_on"] == {"benchmark": other, "problems": 3}
    assert found["problems"] == 8


def test_examples_are_added_one_by_one(helped):
    asks, drawing = helped
    found = prompt(asks, vary=["examples"], drawing=drawing)["varied"]["examples"]["conditions"]
    assert list(found) == ["0", "1", "2"]
    assert found["0"]["pass@1"]["value"] == 0.25
    assert found["0"]["pass@4"]["value"] == 1.0


def test_more_sets_keep_the_first_ones_and_none_is_drawn_twice(helped):
    asks, drawing = helped
    pool = solved_pool(asks, drawing.pool)
    few, many = (draw_sets(pool, sets, size=2, seed=3) for sets in (3, 12))
    assert many[:3] == few
    assert len({each.ids for each in many}) == 12 == 4 * 3
    with pytest.raises(InputError, match="4 solved problems give only 12"):
        draw_sets(pool, 13, size=2)


def test_problems_that_are_asked_are_no_examples(tmp_path, sandbox):
    spec = benchmark(tmp_path)
    asks = study("prompt", tmp_path, spec, right_if(lambda *_: True), sandbox)
    asks = replace(asks, choice=replace(asks.choice, limit=4))
    assert [problem.id for problem in solved_pool(asks, spec)] == ["p4", "p5"]


def test_statements_in_other_words_are_judged_by_the_same_checks(tmp_path, sandbox):
    """The other benchmark has the same ids, one statement in the same words, and checks that nobody passes."""
    said = [f"Add {at}." for at in range(5)]
    other = [line(f"p{at}", at, statement=text, checks=1, shown=1) for at, text in enumerate(said)]
    other[0]["statement"] = line("p0", 0)["statement"]
    for each in other:
        each["checks"][0]["expected"] = -1
    model = right_if(lambda request, text: "Add " in text)
    asks = study("prompt", tmp_path, benchmark(tmp_path), model, sandbox)
    against = write(tmp_path, "other", other)
    found = prompt(asks, vary=["wording"], wording=Wording(against=against))["varied"]["wording"]["conditions"]
    assert [each["pass@1"]["value"] for each in found.values()] == [0.0, 1.0]
    folder = tmp_path / "study" / "wording-against"
    assert len((folder / "problems.jsonl").read_text().splitlines()) == 4


def test_templates_are_compared(tmp_path, sandbox):
    asks = study("prompt", tmp_path, benchmark(tmp_path), right_if(lambda *_: True), sandbox, examples=0)
    found = prompt(asks, vary=["wording"], wording=Wording(("chat", "austin")))["varied"]["wording"]
    assert list(found["conditions"]) == ["chat", "austin"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"vary": ["colour"]}, "--vary colour: expected checks, examples, which, wording"),
        ({"vary": ["which"]}, "no training split to take examples from; give --pool"),
        ({"vary": ["wording"]}, "give two templates"),
        ({"vary": ["wording"], "wording": Wording(against="katas:validation")}, "same id and other words"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_anything_is_asked(tmp_path, given, said, sandbox):
    model = right_if(lambda *_: True)
    with pytest.raises(InputError, match=said):
        prompt(study("prompt", tmp_path, benchmark(tmp_path), model, sandbox), **given)
    assert model.asked == 0


def test_what_cannot_be_varied_is_named_where_all_that_can_be_is_wanted(tmp_path, sandbox):
    asks = study("prompt", tmp_path, benchmark(tmp_path, 2), right_if(lambda *_: True), sandbox)
    notes = prompt(asks)["tables"][-1]["notes"]
    assert [note.split(" (")[0] for note in notes[-3:]] == [
        f"not varied: {n}" for n in ("examples", "which", "wording")
    ]


def test_a_prompt_that_shows_no_checks_cannot_show_more_of_them(tmp_path, sandbox):
    asks = replace(
        study("prompt", tmp_path, "katas:validation", right_if(lambda *_: True), sandbox), model=_base_model()
    )
    with pytest.raises(InputError, match="--prompt codex shows no checks of katas/validation/0-0"):
        prompt(asks, vary=["checks"])


def _base_model():
    model = right_if(lambda *_: True)
    model.chat = False
    return model


def test_the_chance_that_a_split_budget_solves_is_that_of_all_draws():
    prompts = [[True, False, False], [False, False, False, True], [False, False]]
    draws = list(product(*(combinations(programs, 2) for programs in prompts)))
    share = fmean(any(any(part) for part in draw) for draw in draws)
    assert solved_by_parts([(len(p), sum(p)) for p in prompts], 2) == pytest.approx(share)


def test_prompts_that_solve_different_problems_are_better_together(tmp_path, sandbox):
    """One lesson helps with even problems, another with odd ones: either set alone solves half of them."""
    model = right_if(lambda request, text: ("x + 50" in text, "x + 51" in text)[int(request.problem[1:]) % 2])
    asks = study("ensemble", tmp_path, benchmark(tmp_path, 8), model, sandbox, n=4)
    found = ensemble(asks, drawing=Drawing(2, 1, lessons(tmp_path, 2)))
    assert list(found["budgets"]) == ["2", "4"]
    row = found["budgets"]["4"]
    assert (row["ensemble"]["value"], row["mean"]["value"]) == (1.0, 0.5)
    assert row["over_mean"]["value"] == 0.5
    assert row["over_best"]["value"] == pytest.approx(1 - row["best"]["value"])
    assert "split over the sets" in render(study_tables(found), "text")


@pytest.mark.parametrize("budget", [3, 6])
def test_a_budget_that_cannot_be_split_is_refused(tmp_path, budget, sandbox):
    asks = study("ensemble", tmp_path, benchmark(tmp_path), right_if(lambda *_: True), sandbox, n=4)
    with pytest.raises(InputError, match=f"-k {budget}: expected a multiple of the 2 sets"):
        ensemble(asks, budgets=[budget], drawing=Drawing(2, 1, lessons(tmp_path)))


def test_the_commands_name_their_folder_after_the_pool_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("script.jsonl").write_text(json.dumps({"text": source(0)}) + "\n")
    asked = ["-m", "scripted:script.jsonl", "-n", "2", "-q", "-j", "1", "--sets", "2", "--size", "1"]
    pools = [lessons(tmp_path), write(tmp_path, "others", [line(f"other/{at}", at) for at in range(3)])]
    for pool, form in zip(pools, ([], ["--json"]), strict=True):
        code, said = run(["study", "ensemble", benchmark(tmp_path), *asked, "--pool", pool, *form], capsys)
        assert code == 0
        assert ("Several prompts against one" in said) == (not form) or json.loads(said)["budgets"]
    assert len(list(tmp_path.glob("runs/study-ensemble-adds-*"))) == 2
    code, said = run(["study", "prompt", benchmark(tmp_path), *asked, "--vary", "which"], capsys)
    assert (code, said.count("\n")) == (2, 1)
    code, said = run(["study", "prompt", benchmark(tmp_path), *asked, "--vary", "checks", "--figure", "f.svg"], capsys)
    assert code == 0
    assert "checks that the prompt shows" in Path("f.svg").read_text()
