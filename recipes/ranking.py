"""Choose one of 50 programs without the scoring checks, and see what BLEU knows: CodeGen-16B on HumanEval.

Run it with REGREEN_DATA set: ``python recipes/ranking.py OUT`` (about seven minutes on two cores; OUT is a new folder).

Data. 50 samples for each of the 164 problems at temperature 0.8 and the model's own tests, as published with CodeT
(Chen et al. 2022, arXiv 2207.10397; github.com/microsoft/CodeT, MIT). The model did not see the docstrings' examples.
The file has no log-probabilities, so it says nothing of those rankers.

Hypotheses, metrics and directions are those of the papers:

1. Pass rate of the program chosen of k: oracle > dual agreement > random for every k > 1 (CodeT, section 4; Chen et al.
   2021, section 3.3). Majority lies between random and dual agreement, since it knows nothing of what is expected.
2. Passing the statement's own examples chooses better than random (Chen et al. 2021, section 3.4).
3. BLEU to the reference hardly tells right programs from wrong ones (Chen et al. 2021, figure 8; Austin et al. 2021,
   section 4.7): mean AUC within problems near 0.5, overlapping distributions.

What came out (164 problems, 8,200 programs, 9,181 generated tests of which 8,141 differ; per cent; 95 % bootstrap over
problems; the gain is paired with random):

    | ranker         | k = 1             | k = 10            | k = 50            | gain at k = 50       |
    |----------------|-------------------|-------------------|-------------------|----------------------|
    | random         | 22.0 [17.6, 26.5] | 22.0 [17.6, 26.5] | 22.0 [17.6, 26.5] |                      |
    | majority       | 22.0 [17.6, 26.5] | 29.0 [23.3, 34.8] | 27.6 [21.2, 34.1] |  +5.6 [ +2.4,  +8.9] |
    | dual agreement | 22.0 [17.6, 26.5] | 34.7 [28.6, 40.8] | 38.0 [31.3, 44.8] | +16.0 [+11.8, +20.4] |
    | shown examples | 22.0 [17.6, 26.5] | 41.3 [35.1, 47.6] | 49.8 [43.0, 56.7] | +27.8 [+22.7, +33.2] |
    | oracle         | 22.0 [17.6, 26.5] | 51.2 [44.8, 57.6] | 70.7 [63.4, 77.4] | +48.7 [+42.5, +55.0] |

1 and 2 hold: no interval of a gain contains 0, at any k > 1 asked for. The majority is best at k = 20 (29.7) and falls
at 50: where wrong programs agree with one another, more of them outvote the right ones. The examples of the docstring,
which 131 problems have in a form that can be run, choose better than all generated tests together.

Of 459,050 answers to generated tests, 4,013 (0.9 %, of 109 programs) count as not passed because an earlier test timed
out: CodeT stopped each test on its own, after 0.1 s. Which test a slow program reaches depends on the machine's speed:
in two runs 30 scores of groups differed, all in HumanEval/63 and 100, and no number above by more than 0.1.

3 holds in part only: BLEU-4 over code tokens (no docstrings, comments or white space; signatures are on both sides)
has a mean AUC of 0.770 [0.738, 0.801] over the 115 problems with right and wrong programs. It is far from telling
them apart (mean overlap of the two distributions 0.349 [0.313, 0.387]; in 10 problems the wrong ones score higher), but
also far from 0.5. Quartiles: right 31.8, 50.2, 69.6; wrong 6.7, 17.7, 31.1.
"""

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regreen import Problem
from regreen.analysis import bleu_against_correctness
from regreen.evaluate import Choice, Samples, score
from regreen.rank import rank, written_asserts
from regreen.rank.pools import read_pools
from regreen.report import render
from regreen.report.ranks import ranking_tables

SAMPLES = "recorded/codet/codegen16b_humaneval_samples_0-49.jsonl.gz"
TESTS = "recorded/codet/codegen16b_humaneval_generated-tests.jsonl.gz"


def write_checks(data: Path, problems: list[Problem], path: Path) -> None:
    """Write the first five asserts of each generated text; the rows name no problem, but keep the samples' order."""
    by_id = {problem.id: problem for problem in problems}
    with path.open("w") as file:
        for sample, row in zip(rows(data / SAMPLES), rows(data / TESTS), strict=True):
            problem = by_id[sample["task_id"]]
            assert row["prompt"].endswith(f"check the correctness of {problem.entry_point}\nassert ")
            checks = written_asserts(row["samples"], problem.entry_point or "")
            file.write(json.dumps({"problem": problem.id, "checks": checks}) + "\n")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file."""
    with gzip.open(path, "rt") as lines:
        yield from map(json.loads, lines)


def bleu(run: Path, problems: list[Problem]) -> dict[str, Any]:
    """Return what BLEU says of the run's programs."""
    programs = {name: [(c.source, c.passed) for c in pool.candidates] for name, pool in read_pools(run).items()}
    return bleu_against_correctness(programs, {p.id: p.solution for p in problems if p.solution})


def main(out: Path) -> None:
    """Judge the samples, rank them, and print what came out."""
    data = Path(os.environ["REGREEN_DATA"])
    _, problems = Choice(data=data).load("humaneval")
    out.mkdir(parents=True)
    write_checks(data, problems, out / "checks.jsonl")
    samples = Samples(data / SAMPLES, stop=("humaneval",))
    score(samples, "humaneval", choice=Choice(data=data), out=out / "run", quiet=False)
    print(render(ranking_tables(rank(out / "run", checks=out / "checks.jsonl", quiet=False))))
    print(json.dumps({name: value for name, value in bleu(out / "run", problems).items() if name != "by_problem"}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
