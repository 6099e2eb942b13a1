"""extract, on what real models replied: how much is found, and what it is worth beside the recorded verdicts."""

from __future__ import annotations

import ast
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regreen import Outcome, Problem
from regreen.benchmarks import load
from regreen.extract import Extraction, extract
from regreen.formats import open_samples
from regreen.sandbox import Limits, LocalSandbox

pytestmark = pytest.mark.data

# Where replies of MapCoder's runs were judged: replies, passed as recorded, passed now, verdicts that are the same.
MAPCODER = {
    "chatgpt_apps_analogical_a": (33, 3, 3, 33),
    "chatgpt_apps_cot_a": (33, 4, 4, 33),
    "chatgpt_apps_direct_a": (33, 3, 3, 33),
    "chatgpt_apps_mapcoder-3-5_a": (33, 5, 5, 33),
    "chatgpt_apps_selfplanning_a": (33, 4, 4, 33),
    "chatgpt_humaneval_analogical": (164, 104, 106, 160),
    "chatgpt_humaneval_cot": (164, 113, 113, 164),
    "chatgpt_humaneval_mapcoder-5-5-human": (164, 132, 132, 164),
    "chatgpt_mbpp_analogical": (397, 280, 295, 382),
    "chatgpt_mbpp_mapcoder-3-5": (397, 311, 319, 389),
}
SLOW = ("chatgpt_apps_mapcoder-3-5_a", "chatgpt_apps_selfplanning_a", "chatgpt_humaneval_analogical")  # many time out
RULES_MAPCODER = {"whole": 657, "fence": 791, "suffix": 2, "unparsable": 1}
RULES_HUMANEVAL = {"whole": 2135, "unparsable": 480, "none": 9}
# The harness's own programs that fail, where the reply holds one that passes; none the other way round.
RESCUED = {
    "HumanEval/46", "HumanEval/53", "HumanEval/62",
    "mbpp_116_tuple_to_int", "mbpp_171_perimeter_pentagon", "mbpp_390_add_string",
}  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """A recorded reply: what is extracted, and what its harness took out and found."""

    run: str
    problem: Problem
    found: Extraction
    taken: str
    recorded: bool | None


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


@cache
def mapcoder(data_root: Path) -> list[Reply]:
    return [reply for run in MAPCODER for reply in replies(data_root / "recorded" / "mapcoder" / f"{run}.jsonl.gz")]


def replies(path: Path) -> Iterator[Reply]:
    raw = rows(path)
    for row in open_samples(path).rows():
        assert row.problem is not None
        text = raw[int(row.where.rpartition(":")[2]) - 1]["responses"][-1]
        found = extract(text, row.problem.entry_point)
        yield Reply(path.name.partition(".")[0], row.problem, found, row.program.source, row.recorded)


@cache
def humaneval(data_root: Path) -> list[Reply]:
    problems = {problem.id: problem for problem in load("humaneval", data=data_root).problems()}
    paths = sorted((data_root / "recorded" / "llm-humaneval-benchmarks").iterdir())
    return [
        Reply(path.name, problem, extract(row["completion"], problem.entry_point), row["completion"], None)
        for path in paths
        for row in rows(path)
        for problem in [problems[row["task_id"]]]
    ]


def tree(source: str) -> str:
    """Return what a program is, whatever its blank lines and margins; or its words, where it does not parse."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return " ".join(source.split())


def passed(pairs: list[tuple[Problem, str]]) -> list[bool]:
    verdicts = [False] * len(pairs)
    with LocalSandbox(Limits(6.0)) as sandbox:
        for at, verdict in sandbox.judge_all(pairs):
            verdicts[at] = verdict.outcome is Outcome.PASSED
    return verdicts


def test_a_program_is_found_in_every_reply_of_mapcoder_s_runs_and_in_all_but_empty_ones_of_others(
    data_root: Path,
) -> None:
    assert Counter(reply.found.rule for reply in mapcoder(data_root)) == RULES_MAPCODER
    assert Counter(reply.found.rule for reply in humaneval(data_root)) == RULES_HUMANEVAL
    nothing = [reply.taken for reply in humaneval(data_root) if reply.found.rule == "none"]
    assert all(not text.strip() for text in nothing)


def test_no_program_that_the_harness_found_is_lost(data_root: Path) -> None:
    other = [reply for reply in mapcoder(data_root) if tree(reply.found.source) != tree(reply.taken)]
    ours = passed([(reply.problem, reply.found.source) for reply in other])
    theirs = passed([(reply.problem, reply.taken) for reply in other])
    ids = [reply.problem.id for reply in other]
    assert {id for id, mine, taken in zip(ids, ours, theirs, strict=True) if mine and not taken} == RESCUED
    assert not any(taken and not mine for mine, taken in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("run", [pytest.param(run, marks=pytest.mark.slow if run in SLOW else ()) for run in MAPCODER])
def test_what_is_extracted_gets_the_recorded_verdicts(data_root: Path, run: str) -> None:
    count, recorded, now, same = MAPCODER[run]
    judged = [reply for reply in mapcoder(data_root) if reply.run == run]
    ours = passed([(reply.problem, reply.found.source) for reply in judged])
    assert (len(judged), sum(bool(reply.recorded) for reply in judged)) == (count, recorded)
    assert sum(ours) >= now
    assert sum(mine == reply.recorded for mine, reply in zip(ours, judged, strict=True)) >= same


@pytest.mark.slow
def test_sixteen_other_models_pass_as_often_as_when_their_texts_are_run_as_they_are(data_root: Path) -> None:
    judged = humaneval(data_root)
    assert sum(passed([(reply.problem, reply.found.source) for reply in judged])) >= 472
