import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.benchmarks.cruxeval import program
from regreen.evaluate import Choice, Samples, score
from regreen.sandbox import LocalSandbox
from regreen.stated import stated
from regreen.summary import View

ROW = {"id": "sample_0", "code": "def f(x):\n    return x + 1", "input": "2", "output": "3"}


def test_the_expected_output_is_only_in_the_check(write: Any, passed: Any) -> None:
    (problem,) = load("cruxeval", data=write("cruxeval/cruxeval.jsonl.gz", [ROW])).problems()
    assert problem.checks[0].code == "assert result == 3"
    assert "3" not in problem.prelude + problem.statement
    assert problem.statement == "def f(x):\n    return x + 1\n\nresult = f(2)"
    assert passed(problem, problem.solution) == [True]
    assert passed(problem, program("4")) == [False]


def test_a_prediction_that_calls_the_function_is_no_prediction(write: Any, passed: Any) -> None:
    (problem,) = load("cruxeval", data=write("cruxeval/cruxeval.jsonl.gz", [ROW])).problems()
    assert passed(problem, program("f(2)")) == [False]


def test_of_the_input_form_any_plain_input_that_gives_the_output_is_right(write: Any, passed: Any) -> None:
    row = {"id": "sample_0", "code": "def f(x, n=2):\n    return x[:n]", "input": "'abc'", "output": "'ab'"}
    (problem,) = load("cruxeval-input", data=write("cruxeval/cruxeval.jsonl.gz", [row])).problems()
    assert passed(problem, problem.solution) == [True]
    assert problem.meta["asked"] == {"program": row["code"], "call": "'ab'"}
    for prediction, right in {
        "f('abc')": True, "f('abd', 2)": True, "f(x='ab', n=5)": True, "f('abc', n=1)": False, "'abc'": False,
        "f(['a', 'b'])": False, "f(f)": False, "f('ab'": False, "": False,
    }.items():  # fmt: skip
        assert passed(problem, stated(problem, prediction) or "") == [right], prediction


@pytest.mark.data
def test_the_published_output_score_comes_out(data_root: Path, tmp_path: Path) -> None:
    """34.21 % pass@1 of CodeLlama-7B at temperature 0.2."""
    samples = Samples(data_root / "cruxeval" / "codellama-7b_temp0.2_output_generations.json.gz")
    found = score(samples, "cruxeval", choice=Choice(data_root), view=View((1, 5)), out=tmp_path / "run")
    assert (found["problems"], found["programs"]) == (800, 8000)
    assert round(100 * found["scores"]["pass@1"]["value"], 2) == 34.21


@pytest.mark.data
def test_all_recorded_predictions_get_the_recorded_verdict(data_root: Path, sandbox: LocalSandbox) -> None:
    path = data_root / "cruxeval" / "codellama-7b_temp0.2_output_scored.json.gz"
    scored = json.loads(gzip.decompress(path.read_bytes()))
    pairs, recorded = [], []
    for problem in load("cruxeval", data=data_root).problems():
        pairs += [(problem, program(prediction)) for prediction in scored["raw_generations"][problem.id]]
        recorded += scored["raw_scored_generations"][problem.id]
    assert len(recorded) == 8000
    assert [p for p, verdict in sandbox.judge_all(pairs) if verdict.passed != recorded[p]] == []
