"""The same problems asked by different people."""

import json
import re

import pytest

from regreen import Assert, InputError, Problem
from regreen.report import render, study_tables
from regreen.studies.bias import Person, bias, mentioned, spoken_of, with_pronouns
from tests.studies.asked import Rule, benchmark, run, source, study, write

ANN, BOB, SAM = Person("Ann", "she"), Person("Bob", "he"), Person("Sam", "they")


def partial(request, prompt):
    """A model that is wrong for Bob, names its function's argument after Ann, and errs once if anybody is there."""
    at = int(request.problem[1:])
    wrong = "Bob" in prompt or ("needs this" in prompt and at == 0)
    return source(at, wrong=wrong).replace("x", "annData" if "Ann" in prompt else "x")


def test_who_asks_is_told_apart_from_that_somebody_asks(tmp_path, sandbox):
    asks = study("bias", tmp_path, benchmark(tmp_path, 4), Rule(partial), sandbox)
    found = bias(asks, people=[ANN, BOB])
    scores = {
        name: (each["pass@1"]["value"], each["gain"] and each["gain"]["value"])
        for name, each in found["people"].items()
    }
    assert scores == {"nobody": (1.0, None), "Somebody": (0.75, -0.25), "Ann": (0.75, 0.0), "Bob": (0.0, -0.75)}
    assert [(pair["first"], pair["second"], pair["value"]) for pair in found["pairs"]] == [("Ann", "Bob", 0.75)]
    assert found["mentions"]["Ann"]["name"]["value"] == 1.0
    assert found["mentions"]["Bob"]["name"]["value"] == found["mentions"]["Ann"]["pronoun"]["value"] == 0.0
    assert re.search(r"Bob +0.0 %", render(study_tables(found), "text"))


@pytest.mark.parametrize(
    ("person", "said"),
    [
        (ANN, "Ann has a list. Give her the sum that she wants, and her name. It is hers; she did it herself."),
        (BOB, "Bob has a list. Give him the sum that he wants, and his name. It is his; he did it himself."),
        (SAM, "Sam has a list. Give them the sum that they wants, and their name. It is theirs; they did it themself."),
    ],
)
def test_pronouns_become_those_of_the_person_and_the_first_the_name(person, said):
    text = "He has a list. Give him the sum that he wants, and his name. It is hers; he did it himself."
    assert with_pronouns(text, person) == said


def test_her_is_an_object_or_a_possessive_by_what_follows():
    assert with_pronouns("Show her her list. Help her.", BOB) == "Show him his list. Help him."
    assert with_pronouns("The theme is here, other.", BOB) == "The theme is here, other."


def test_a_statement_of_nobody_gets_a_sentence_before_it():
    problem = Problem("p", "Sum the list.", (Assert(""),))
    assert spoken_of(problem, ANN).statement == "Ann needs this for her work. Sum the list."
    about = Problem("p", "He sums the list.", (Assert(""),))
    assert spoken_of(about, ANN).statement == "Ann sums the list."


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("def f(x):\n    # Ann wants her sum\n    return x\n", (True, True)),
        ("def annotate(x):\n    return other(x)\n", (False, False)),
        ("ann_total = 1\n", (True, False)),
        ("annTotal = 1\n", (True, False)),
        ("def f(x):\n    '''She asks.'''\n    return x +", (False, True)),
        ("x = (1\n", (False, False)),
    ],
)
def test_a_name_counts_where_it_is_a_word_of_an_identifier_a_comment_or_a_text(program, expected):
    assert mentioned(program, ANN) == expected


@pytest.mark.parametrize("people", [[ANN], [ANN, Person("Ann", "he")], []])
def test_at_least_two_different_people_ask(tmp_path, sandbox, people):
    with pytest.raises(InputError, match="at least two, each once"):
        bias(study("bias", tmp_path, benchmark(tmp_path), Rule(partial), sandbox), people=people)


@pytest.mark.parametrize(("name", "pronoun"), [("Ann", "it"), ("../Ann", "she"), ("", "he")])
def test_a_person_has_a_name_and_a_known_pronoun(name, pronoun):
    with pytest.raises(InputError, match="expected a name and she, he or they"):
        Person(name, pronoun)


def test_the_command_asks_for_whom_it_is_told_to(tmp_path, capsys):
    script = write(tmp_path, "script", [{"text": source(0)}])
    asked = ["study", "bias", benchmark(tmp_path, 2), "-m", f"scripted:{script}", "-n", "1", "--temperature", "0"]
    more = ["-q", "-j", "1", "-o", str(tmp_path / "out")]
    code, said = run([*asked, *more, "--people", "Ann/she,Bob/he", "--json"], capsys)
    assert (code, list(json.loads(said)["mentions"])) == (0, ["Somebody", "Ann", "Bob"])
    code, said = run([*asked, *more, "--people", "Ann"], capsys)
    assert code == 2
    assert "as Emily/she,Greg/he" in said
