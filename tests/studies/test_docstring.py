"""The study that follows a docstring back to a program."""

from __future__ import annotations

import json

import pytest

from regreen import InputError
from regreen.evaluate import Choice, Sampling
from regreen.models import open_model
from regreen.problem import problem_to_line
from regreen.studies.asking import Study
from regreen.studies.docstring import docstring, signature
from tests.train.test_docstring import BARE, DOUBLE, TRIPLE


def scripted(folder, name, lines):
    """A scripted model: the first line whose words a prompt contains is its answer."""
    path = folder / name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return open_model(f"scripted:{path}")


def test_a_signature_ends_where_the_function_opens():
    assert signature(DOUBLE) == "import math\n\ndef f(x: int) -> int:"
    assert signature(BARE) is None


def test_words_lead_back_to_a_program_and_people_may_judge_them_too(tmp_path):
    problems = tmp_path / "problems.jsonl"
    problems.write_text("".join(json.dumps(problem_to_line(p)) + "\n" for p in (DOUBLE, TRIPLE, BARE)))
    writer = scripted(tmp_path, "writer", [
        {"contains": ["2 * x"], "text": 'Return twice x.\n    """\n'}, {"text": 'Return x "as it is".\n    """\n'},
    ])  # fmt: skip
    coder = scripted(tmp_path, "coder", [
        {"contains": ["twice"], "text": "    return x + x\n"}, {"contains": ["Double"], "text": "    return 2 * x\n"},
        {"contains": ["Triple"], "text": "    return 3 * x\n"}, {"text": "    return x\n"},
    ])  # fmt: skip
    study = Study(
        "docstring", str(problems), writer, Sampling(2, (0.8,), max_tokens=50), Choice(limit=2), out=tmp_path / "study"
    )  # fmt: skip
    found = docstring(study, coder, sheet=tmp_path / "sheet.csv")
    assert found["docstrings"] == 4
    assert found["round_trip"] == {"pass@1": 0.5, "pass@10": None}
    assert found["own"]["pass@1"] == 1.0
    assert found["difference"]["value"] == -0.5
    assert found["difference"]["low"] <= -0.5 <= found["difference"]["high"]
    rows = (tmp_path / "sheet.csv").read_text("utf-8-sig")
    assert rows.count("Return twice x.") == 2
    marked = rows.replace("Return twice x.,", "Return twice x.,x").replace('it is"".",', 'it is"".",0')
    (tmp_path / "marked.csv").write_text(marked)
    graded = docstring(study, coder, graded=tmp_path / "marked.csv")
    assert graded["people"]["pass@1"] == 0.5
    assert "people and the round trip agree on 100.0 % of 4" in graded["tables"][0]["notes"]
    with pytest.raises(InputError, match="may hold marks"):
        docstring(study, coder, sheet=tmp_path / "sheet.csv")


def test_a_benchmark_without_signatures_is_refused(tmp_path):
    problems = tmp_path / "problems.jsonl"
    problems.write_text(json.dumps(problem_to_line(BARE)) + "\n")
    model = scripted(tmp_path, "model", [{"text": "x"}])
    with pytest.raises(InputError, match="a prompt with its signature"):
        docstring(Study("docstring", str(problems), model, out=tmp_path / "study"), model)
