"""Does one pre-training family's score on HumanEval grow with the logarithm of its size? 11 fine-tuned LLaMA models.

Run it with REGREEN_DATA set: ``python recipes/scaling.py OUT`` (a minute on two cores; OUT is a new folder).

Data. One program for each of the 164 problems from models of 7, 13 and 30 billion parameters (as their names say),
fine-tuned from LLaMA and quantised to 4 bits: 13 results, two models with two prompts each, as published in
github.com/my-other-github-account/llm-humaneval-benchmarks (MIT).

Hypothesis, metric and direction are those of Austin et al. 2021, section 4.1: the share of problems solved is a line
over log10(parameters) with a positive slope. Not controlled here: how each model was fine-tuned and prompted.

What came out: slope 27.4 points [20.5, 34.7] for ten times the parameters, R squared 0.62 [0.46, 0.72] (95 % bootstrap
over problems, the same ones for all models). The direction holds. The intervals say nothing of other models: between
results of one size the score varies by 7 (7 B), 17 (13 B) and 14 points (30 B).
"""

import os
import re
import sys
from pathlib import Path

from regreen.analysis import scaling_fit
from regreen.evaluate import Choice, Samples, score
from regreen.records import read_counts

FOLDER = "recorded/llm-humaneval-benchmarks"
SIZE = re.compile(r"(\d+)[bB]\b")


def main(out: Path) -> None:
    """Judge every model's programs and fit a line through their scores."""
    data = Path(os.environ["REGREEN_DATA"])
    sizes, scores = [], []
    for path in sorted((data / FOLDER).glob("*.jsonl.gz")):
        if found := SIZE.search(path.name):  # StarCoder and Claude are of other families
            run = out / path.name.removesuffix(".jsonl.gz")
            score(Samples(path), "humaneval", choice=Choice(data=data), out=run, quiet=False)
            problems = read_counts(run).problems
            sizes.append(int(found[1]) * 1e9)
            scores.append([float(problems[name].passed) for name in sorted(problems)])
            print(f"{sizes[-1] / 1e9:3.0f} B  {100 * sum(scores[-1]) / len(scores[-1]):5.1f} %  {path.name}")
    print(scaling_fit(sizes, scores))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
