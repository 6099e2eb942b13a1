import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.benchmarks.cruxeval import program
from regreen.sandbox import LocalSandbox

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
