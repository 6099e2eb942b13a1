"""Ranking real programs with the checks that their model wrote, on a part of the published data."""

import gzip
import json
from pathlib import Path

import pytest

from regreen.evaluate import Choice, Samples, score
from regreen.metrics import pass_at_k
from regreen.rank import rank, written_asserts
from regreen.records import read_counts

pytestmark = pytest.mark.data

PROBLEMS, PROGRAMS = 12, 15
SAMPLES, TESTS = "codegen16b_humaneval_samples_0-49.jsonl.gz", "codegen16b_humaneval_generated-tests.jsonl.gz"


def rows(path: Path):
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def ranked(data_root: Path, tmp_path_factory):
    out = tmp_path_factory.mktemp("ranked")
    choice = Choice(data=data_root, limit=PROBLEMS)
    problems = choice.choose(choice.load("humaneval")[1])
    codet = data_root / "recorded" / "codet"
    names = {problem.id: problem.entry_point for problem in problems}
    # the rows of generated tests name no problem, but stand in the order of the samples
    pairs = zip(rows(codet / SAMPLES), rows(codet / TESTS), strict=True)
    texts = {sample["task_id"]: row["samples"] for sample, row in pairs if sample["task_id"] in names}
    checks = {name: written_asserts(texts[name], entry_point) for name, entry_point in names.items()}
    path = out / "checks.jsonl"
    path.write_text("".join(json.dumps({"problem": name, "checks": found}) + "\n" for name, found in checks.items()))
    samples = Samples(codet / SAMPLES, n=PROGRAMS, stop=("humaneval",))
    score(samples, "humaneval", choice=choice, out=out / "run")
    return out / "run", checks, rank(out / "run", checks=path)


def test_models_write_checks_that_can_be_used(ranked):
    _, checks, _ = ranked
    assert sum(len(found) > 20 for found in checks.values()) >= PROBLEMS - 2


def test_agreement_and_examples_choose_better_than_chance_and_worse_than_the_oracle(ranked):
    _, _, found = ranked
    top = {name: ranker["curve"][-1]["value"] for name, ranker in found["rankers"].items()}
    assert found["rankers"]["oracle"]["curve"][-1]["k"] == PROGRAMS
    assert top["random"] < top["dual_agreement"] <= top["oracle"]
    assert top["random"] < top["shown"] <= top["oracle"]
    assert "mean_logprob" not in top  # none were published


def test_the_oracle_and_random_are_pass_at_k_and_pass_at_1_of_the_run(ranked):
    run, _, found = ranked
    counts = read_counts(run).problems.values()
    for name, ks in (("oracle", lambda k: k), ("random", lambda k: 1)):
        for point in found["rankers"][name]["curve"]:
            each = [pass_at_k(problem.programs, problem.passed, ks(point["k"])) for problem in counts]
            assert point["value"] == pytest.approx(sum(each) / PROBLEMS)
