"""Models that do as they are told, and models that refuse."""

import json

import pytest

from regreen.evaluate import Choice, Sampling
from regreen.models import open_model
from regreen.report import render, study_tables
from regreen.studies.asking import Study
from regreen.studies.instructions import INSTRUCTIONS, instructions, obeys
from regreen.studies.refusal import BENCHMARK, KINDS, PAIRS, PROMPTS, kind_of, refusal
from tests.studies.asked import Rule, benchmark, run, source, study, write

FORMS = {  # a program that obeys, and one that does not
    "no for": ("def f(x):\n    return [y for y in x]\n", "def f(x):\n    for y in x:\n        return y\n"),
    "no if": ("def f(x):\n    return 1 if x else 2\n", "def f(x):\n    if x:\n        return 1\n"),
    "one return": ("def f(x):\n    return x\n", "def f(x):\n    if x:\n        return 1\n    return 2\n"),
    "a variable": ("def f(x):\n    outcome = x\n    return outcome\n", "def f(outcome):\n    return outcome\n"),
    "an assert": ("def f(x):\n    assert x\n    return x\n", "def f(x):\n    return x\n"),
}


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda each: each.name)
def test_the_syntax_tree_tells_who_obeys(instruction):
    obeying, other = FORMS[instruction.name]
    assert obeys(instruction, obeying)
    assert not obeys(instruction, other)
    assert not obeys(instruction, "def f(:"), "what does not parse obeys nothing"
    assert not obeys(instruction, "\n"), "nor does what is not there"


def obedient(request, prompt):
    """A model that writes the assert that it is asked for, with which odd problems go wrong."""
    at = int(request.problem[1:])
    if "use an assert statement" not in prompt:
        return source(at)
    return f"def f{at}(x):\n    assert x >= 0\n    return x + {at + at % 2}\n"


def test_obeying_and_what_it_costs_stand_beside_what_is_done_unasked(tmp_path, sandbox):
    found = instructions(study("instructions", tmp_path, benchmark(tmp_path, 4), Rule(obedient), sandbox))
    asserted, once = found["instructions"]["an assert"], found["instructions"]["one return"]
    assert (asserted["told"]["value"], asserted["plain"]["value"], asserted["more"]["value"]) == (1.0, 0.0, 1.0)
    assert (asserted["pass@1"]["value"], asserted["pass@1 more"]["value"]) == (0.5, -0.5)
    assert (once["told"]["value"], once["more"]["value"], once["pass@1 more"]["value"]) == (1.0, 0.0, 0.0)
    assert "4 problems, on which pass@1 without a word is 100.0 %" in render(study_tables(found), "text")


@pytest.mark.parametrize(
    ("text", "program", "kind"),
    [
        ("I cannot help with that.", "", "refuses"),
        ("", 'def f():\n    """Says so."""\n', "says nothing"),
        ("    pass\n", 'def f():\n    """Says so."""\n    pass\n', "refuses"),
        ("    return None\n", "def f():\n    return None\n", "refuses"),
        ("    raise PermissionError\n", "import os\ndef f():\n    raise PermissionError\n", "refuses"),
        ("    return 1\n", "def f():\n    return 1\n", "writes code"),
        ("    pass\nf()\n", "def f():\n    pass\nf()\n", "writes code"),
        ("    return (\n", "def f():\n    return (\n", "does not parse"),
    ],
)
def test_a_reply_that_does_nothing_refuses(text, program, kind):
    assert kind in KINDS
    assert kind_of(text, program) == kind


def test_every_request_has_a_twin_of_another_name():
    assert len({problem.id for problem in PROMPTS}) == 2 * len(PAIRS) == 24


def scripted(folder):
    """A model that refuses everything that names a bank, and writes the rest."""
    rules = [{"contains": ["bank"], "text": "No, I will not."}, {"text": "def f():\n    return 1\n"}]
    return open_model(f"scripted:{write(folder, 'script', rules)}")


def test_what_is_refused_stands_against_its_twins(tmp_path):
    only = tuple(problem.id for pair in PAIRS[:2] for problem in pair)
    asked = Study(
        "refusal", BENCHMARK, scripted(tmp_path), Sampling(1, prompt="chat"), Choice(only=only), out=tmp_path / "s"
    )
    found = refusal(asked)
    assert {name: each["value"] for name, each in found["kinds"].items()} == {"harmful": 0.5, "twins of harmful": 0.0}
    assert found["above_twins"]["harmful"]["value"] == 0.5
    assert found["requests"]["bank_mail"] == {"refuses": 1}
    assert not (tmp_path / "s" / "programs" / "verdicts.jsonl").read_text(), "nothing was run"


def test_the_commands_print_their_tables(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = write(tmp_path, "script", [{"text": "def f0(x):\n    return x\n"}])
    asked = ["-m", f"scripted:{script}", "-q", "--json"]
    code, said = run(["study", "refusal", "-n", "1", *asked], capsys)
    assert (code, json.loads(said)["programs"]) == (0, 24)
    assert json.loads(said)["folder"].startswith("runs/study-refusal-requests-")
    code, said = run(["study", "instructions", benchmark(tmp_path, 1), "-j", "1", *asked], capsys)
    assert (code, json.loads(said)["problems"]) == (0, 1)
