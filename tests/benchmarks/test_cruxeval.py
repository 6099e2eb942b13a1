import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.benchmarks.cruxeval import program

ROW = {"id": "sample_0", "code": "def f(x):\n    return x + 1", "input": "2", "output": "3"}


def test_the_expected_output_is_only_in_the_check(write: Any, passed: Any) -> None:
    (problem,) = load("cruxeval", data=write("cruxeval/cruxeval.jsonl.gz", [ROW])).problems()
    assert problem.checks[0].code == "assert result == 3"
    assert "3" not in problem.prelude + problem.statement
    assert problem.statement == "def f(x):\n    return x + 1\n\nresult = f(2)"
    assert passed(problem, problem.solution) == [True]
    assert passed(problem, program("4")) == [False]


def test_a_prediction_may_use_the_code_it_predicts(write: Any, passed: Any) -> None:
    (problem,) = load("cruxeval", data=write("cruxeval/cruxeval.jsonl.gz", [ROW])).problems()
    assert passed(problem, program("f(1) + 1")) == [True]


@pytest.mark.data
def test_all_recorded_predictions_get_the_recorded_verdict(data_root: Path) -> None:
    path = data_root / "cruxeval" / "codellama-7b_temp0.2_output_scored.json.gz"
    scored = json.loads(gzip.decompress(path.read_bytes()))
    differences = 0
    for problem in load("cruxeval", data=data_root).problems():
        verdicts = scored["raw_scored_generations"][problem.id]
        for prediction, recorded in zip(scored["raw_generations"][problem.id], verdicts, strict=True):
            differences += _passes(problem, prediction) != recorded
    assert sum(map(len, scored["raw_scored_generations"].values())) == 8000
    assert differences == 0


def _passes(problem: Any, prediction: str) -> bool:
    names: dict[str, Any] = {}
    try:
        for code in (problem.prelude, program(prediction), problem.checks[0].code):
            exec(code, names)
    except Exception:
        return False
    return True
