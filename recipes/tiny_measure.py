"""What the tiny checkpoints can do on katas they have never seen.

Run it with: ``python recipes/tiny_measure.py OUT CHECKPOINT...`` (a minute and a half for each on one core; no torch).
Each checkpoint is a folder. Printed are, for 400 problems and ten programs each at temperature 0.8: pass@1 and pass@10,
by depth and by distance to the nearest training composition, and how programs fail; then, greedy: how often a wrong
program is mended, with the failure told and with one's own words about it, and how often a result is predicted.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tiny_lessons as lessons

from regreen.benchmarks import katas
from regreen.evaluate import Sampling, evaluate
from regreen.metrics import score
from regreen.metrics.intervals import mean_interval
from regreen.models import Request
from regreen.models.tiny import TinyModel
from regreen.problem import Problem, call_text
from regreen.prompts import load
from regreen.records import read_counts
from regreen.report import Table, render
from regreen.report.tables import estimate_cell
from regreen.sandbox import LocalSandbox
from regreen.summary import View, estimate_record

PROGRAMS, WARM = 10, 0.8
MOST = {"codex": 160, "refine": 160, "joint-plain": 240, "execution": 60}  # tokens of an answer
Asked = Sequence[tuple[Problem, dict[str, Any]]]  # problems, and what else their template shows


def main(out: Path, checkpoints: Sequence[Path]) -> None:
    """Measure every checkpoint and print the tables."""
    problems = {problem.id: problem for problem in katas.generate("test")}
    for checkpoint in checkpoints:
        model = TinyModel(checkpoint, batch=256)
        sampling = Sampling(n=PROGRAMS, temperatures=(WARM,), max_tokens=MOST["codex"])
        run = out / checkpoint.name
        found = evaluate("katas:test", model, sampling=sampling, view=View(ks=(1, PROGRAMS)), out=run)
        parts = [passing(problems, run), outcomes(found["outcomes"]), greedy(model, list(problems.values()))]
        print(f"## {checkpoint.name}\n\n{render(parts, 'md')}", flush=True)


def passing(problems: Mapping[str, Problem], run: Path) -> Table:
    """Return pass@1 and pass@10 of all problems, of each depth, and of each distance from training."""
    groups = {"all": lambda problem: True}
    groups |= {f"depth {depth}": lambda problem, depth=depth: problem.meta["depth"] == depth for depth in (1, 2, 3, 4)}
    far = sorted({problem.meta["distance"] for problem in problems.values()})
    groups |= {f"distance {far}": lambda problem, far=far: problem.meta["distance"] == far for far in far}
    counts = {name: (each.programs, each.passed) for name, each in read_counts(run).problems.items()}
    rows = []
    for label, belongs in groups.items():
        some = {name: count for name, count in counts.items() if belongs(problems[name])}
        clusters = {name: problems[name].meta["cluster"] for name in some}
        cells = [estimate_cell(estimate_record(score(some, k, clusters=clusters), 1)) for k in (1, PROGRAMS)]
        rows += [[label, str(len(some)), *cells]] if some else []
    return Table(f"Temperature {WARM}", ["problems", "number", "pass@1", f"pass@{PROGRAMS}"], rows)


def outcomes(found: Mapping[str, int]) -> Table:
    """Return how programs end."""
    seen = {name: count for name, count in found.items() if count}
    shares = [f"{100 * count / sum(seen.values()):.1f} %" for count in seen.values()]
    return Table("Outcomes", list(seen), [shares])


def greedy(model: TinyModel, problems: Sequence[Problem]) -> Table:
    """Return what the likeliest answers are worth, by what is asked."""
    first = programs(model, "codex", [(problem, {}) for problem in problems])
    own = [(problem, {"wrong": wrong}) for problem, wrong in lessons.failures(zip(problems, first, strict=True))]
    rows = [["programs that pass", *share(len(problems) - len(own), len(problems))]]
    for template in ("refine", "joint-plain"):
        again = programs(model, template, own)
        repeated = sum(each["wrong"].source == text for (_, each), text in zip(own, again, strict=True))
        rows.append([f"wrong programs mended by {template}", *share(passed(own, again), len(own))])
        rows.append([f"wrong programs repeated by {template}", *share(repeated, len(own))])
    rows.append(["results predicted", *share(predicted(model, problems), len(problems))])
    return Table("Greedy", ["", "share", "of"], rows)


def programs(model: TinyModel, template: str, asked: Asked) -> list[str]:
    """Return the likeliest program of each prompt."""
    found = zip(asked, answers(model, template, asked), strict=True)
    return [load(template).source(problem, text).source for (problem, _), text in found]


def answers(model: TinyModel, template: str, asked: Asked) -> list[str]:
    """Return the likeliest text of each prompt."""
    used = load(template)
    prompts = [used.render(problem, **shown) for problem, shown in asked]
    return lessons.answers(model, [Request(p, 0, max_tokens=MOST[template], stop=used.stops) for p in prompts])


def passed(asked: Asked, sources: Sequence[str]) -> int:
    """Return how many programs pass."""
    pairs = ((problem, source) for (problem, _), source in zip(asked, sources, strict=True))
    with LocalSandbox(jobs=1) as sandbox:
        return sum(verdict.passed for _, verdict in sandbox.judge_all(pairs))


def predicted(model: TinyModel, problems: Sequence[Problem]) -> int:
    """Return how often the result of the solution on the last check's input is predicted."""
    calls = [problem.checks[-1] for problem in problems]
    asked = [
        (p, {"program": p.solution, "call": call_text(c, p.entry_point)}) for p, c in zip(problems, calls, strict=True)
    ]
    return sum(is_value(text, c.expected) for text, c in zip(answers(model, "execution", asked), calls, strict=True))


def is_value(text: str, expected: Any) -> bool:
    """Tell whether a text is the literal of a value."""
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return False
    return type(found) is type(expected) and found == expected


def share(count: int, number: int) -> tuple[Any, str]:
    """Return a share with its interval over problems, and of how many it is."""
    values = [1.0] * count + [0.0] * (number - count)
    return estimate_cell(estimate_record(mean_interval(values), 1)) if number else "", str(number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
