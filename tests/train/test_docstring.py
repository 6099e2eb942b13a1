"""Docstrings: what is taught, and a training that learns them."""

from __future__ import annotations

import json

import pytest

from regreen import Assert, InputError, Problem
from regreen.problem import problem_to_line
from regreen.prompts import load

PROMPT = 'import math\n\ndef f(x: int) -> int:\n    """Double it.\n\n    >>> f(2)\n    4\n    """\n'
DOUBLE = Problem(
    "p/0", "Double it.", (Assert("assert f(3) == 6"),), entry_point="f", solution=f"{PROMPT}    return 2 * x\n",
    meta={"prompt": PROMPT},
)  # fmt: skip
TRIPLE = Problem(
    "p/1", "Triple it.", (Assert("assert g(3) == 9"),), entry_point="g", solution="def g(x):\n    return 3 * x\n",
    meta={"prompt": 'def g(x):\n    """Triple it."""\n'},
)  # fmt: skip
BARE = Problem("p/2", "Halve it.", (Assert("assert h(4) == 2"),), entry_point="h", solution="def h(x): return x // 2")


def test_the_docstring_is_the_answer_and_the_program_without_it_the_prompt():
    from regreen.train.docstring import described as taught

    template = load("docstring")
    (first, second) = taught([DOUBLE, BARE], template, "toy").pairs
    assert first[0].endswith('return 2 * x\n    """')
    assert "Double" not in first[0]
    assert first[1] == 'Double it.\n    \n    >>> f(2)\n    4\n    """\n'
    assert template.words(first[1]) == "Double it.\n    \n    >>> f(2)\n    4"
    assert second[1].startswith("Halve it."), "without a docstring the statement is one"


def test_words_that_end_the_quotes_are_not_taught():
    from regreen.train.docstring import answer_of
    from regreen.train.docstring import described as taught

    odd = Problem("p/3", 'Return """.', BARE.checks, solution=BARE.solution)
    assert answer_of(odd) is None
    with pytest.raises(InputError, match="no solution has a docstring"):
        taught([odd], load("docstring"), "toy")


def test_a_model_learns_docstrings(tmp_path, small, tokenizer):
    pytest.importorskip("accelerate")
    from regreen.train.config import DocstringConfig
    from regreen.train.docstring import docstring as train

    small(len(tokenizer), hidden=64).save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    file = tmp_path / "problems.jsonl"
    file.write_text("".join(json.dumps(problem_to_line(p)) + "\n" for p in (DOUBLE, TRIPLE, BARE)))
    told = {
        "model": f"hf:{tmp_path / 'start'}", "problems": str(file), "validation": str(file), "dtype": "float32",
        "optimizer": {"lr": 1e-2}, "batch": {"tokens": 400, "steps": 30}, "check": {"every": 15},
    }  # fmt: skip
    found = train(DocstringConfig.model_validate(told), out=tmp_path / "run")
    assert (found["lessons"], found["held_out"], found["monitor"]) == (3, 3, "validation_loss")
    assert (
        found["best"]
        < 1.0
        < json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[0])["validation_loss"]
    )


def test_a_preset_gives_what_is_not_given_the_values_of_its_paper():
    from regreen.train.config import SftConfig

    austin = SftConfig.model_validate({"model": "m", "preset": "austin", "batch": {"tokens": 100}})
    assert (austin.problems, austin.validation, austin.batch.steps, austin.batch.tokens) == (
        "mbpp:train",
        "mbpp:validation",
        100,
        100,
    )
    codex = SftConfig.model_validate({"model": "m", "problems": "p", "preset": "codex-s", "check": {"patience": 5}})
    assert (codex.prompt, codex.check.monitor, codex.check.patience) == ("codex", "validation_loss", 5)
    with pytest.raises(ValueError, match="preset"):
        SftConfig.model_validate({"model": "m", "problems": "p", "preset": "codes"})
