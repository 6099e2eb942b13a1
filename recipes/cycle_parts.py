"""What the recipes on CYCLE and katas share: problems, the model of phase I and its programs, configurations, readings.

The configuration is the one that ``recipes/cycle_katas.py`` reports on; the others change one thing of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from regreen.benchmarks import katas
from regreen.evaluate import Choice, Sampling, evaluate
from regreen.metrics import pass_at_k
from regreen.models import open_model
from regreen.options import Judging
from regreen.problem import problem_to_line
from regreen.records import write_lines
from regreen.refine import Refining, Telling, refine
from regreen.similarity import copies
from regreen.train.config import CycleConfig
from regreen.train.cycle import Work
from regreen.train.sft import split_of

PROBLEMS, VALIDATION = 8_000, 120  # of katas:ambiguous-train, the last for validation
TOKENS = 160  # of a program, at most
HEATS = (0.2, 0.6, 1.0)  # among which the best is chosen on validation, for each model and each use
BENCHMARK = "katas:ambiguous"
PROMPT, REFINE = "codex", "refine"
CHECK = {"every": 250, "max_tokens": TOKENS, "limit": VALIDATION}
FIRST = {
    "optimizer": {"lr": 2e-3, "warmup": 20},
    "batch": {"tokens": 4096, "steps": 300},
    "check": {**CHECK, "every": 150},
}
BASE: dict[str, Any] = {
    "dtype": "float32",
    "optimizer": {"lr": 1e-3, "warmup": 20},
    "batch": {"tokens": 4096, "steps": 1000},
    "probe": {"n": 2, "temperature": 1.0, "max_tokens": TOKENS},
    "pairs": {"share": 0.7, "select": "edit", "feedback": "difference", "verify": False},
    "mask": {"ratio": 0.3, "region": "code", "redraw": True},
    "check": CHECK,
}

Passed = Mapping[tuple[str, int], Mapping[str, bool]]


def problems(out: Path) -> dict[str, str]:
    """Return the files to train on and to validate with, made unless they are there."""
    files = {"problems": out / "problems.jsonl", "validation": out / "validation.jsonl"}
    if not all(file.exists() for file in files.values()):
        lines = map(problem_to_line, katas.generate("ambiguous-train", count=PROBLEMS + VALIDATION))
        out.mkdir(parents=True, exist_ok=True)
        write_lines(files["problems"], islice(lines, PROBLEMS))
        write_lines(files["validation"], lines)
    return {name: str(file) for name, file in files.items()}


def phase_one(out: Path, model: str = "tiny-base", first: Mapping[str, Any] = FIRST) -> dict[str, Any]:
    """Return what goes on from phase I: the model of it and the run with its programs, made unless they are there."""
    told = {**BASE, **problems(out.parent), "model": model, "first": first}
    config = CycleConfig.model_validate(told)
    judging = Judging()
    work = Work(config, split_of(config), judging, out, quiet=False)
    with judging.open() as sandbox:
        solutions = work.solutions(sandbox)
    place = work.first(solutions)
    work.rows(solutions, place)
    return {**problems(out.parent), "model": place, "probe": {**BASE["probe"], "run": str(out / "probe")}}


def config_of(first: Mapping[str, Any], seed: int, **differs: Mapping[str, Any]) -> CycleConfig:
    """Return the configuration of a phase II: the one that is reported on, and what differs from it, by table."""
    merged = {table: {**BASE[table], **values} for table, values in differs.items()}
    return CycleConfig.model_validate({**BASE, **merged, **first, "seed": seed})


def refined(
    checkpoint: str,
    out: Path,
    *,
    heats: tuple[float, float],
    benchmark: str = BENCHMARK,
    n: int = 2,
    seed: int = 0,
    telling: Telling | None = None,
    template: str = REFINE,
    controls: tuple[str, ...] | None = None,
) -> Path:
    """Return a run in which programs written at one heat are refined once at another."""
    chosen = {} if controls is None else {"controls": controls}
    refining = Refining(
        1,
        heats[1],
        "problem",
        telling or Telling("difference"),
        template=template,
        **chosen,  # type: ignore[arg-type]
    )
    sampling = Sampling(n, (heats[0],), max_tokens=TOKENS, prompt=PROMPT, seed=seed)
    refine(benchmark, open_model(checkpoint), sampling=sampling, refining=refining, out=out, quiet=False)
    return out


def written(checkpoint: str, out: Path, *, heat: float, benchmark: str = BENCHMARK, n: int = 8, seed: int = 0) -> Path:
    """Return a run of programs written at one heat."""
    sampling = Sampling(n, (heat,), max_tokens=TOKENS, prompt=PROMPT, seed=seed)
    evaluate(benchmark, open_model(checkpoint), sampling=sampling, choice=Choice(), out=out, quiet=False)
    return out


def read(run: Path) -> Passed:
    """Return which programs of a run passed: by problem and index, by role without its place in the tree."""
    found: dict[tuple[str, int], dict[str, bool]] = defaultdict(dict)
    for line in _lines(run / "verdicts.jsonl"):
        role = line["role"].removeprefix("control:").partition(":")[0]
        found[line["problem"], line["index"]][role] = line["outcome"] == "passed"
    return found


def copied(run: Path) -> dict[tuple[str, int], bool]:
    """Return which refinements are their wrong program again, but for white space."""
    sources: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for line in _lines(run / "programs.jsonl"):
        if not line.get("error"):
            sources[line["problem"], line["index"]][line["role"]] = line["source"]
    pairs = {key: (of.get("sample"), of.get("repair:0")) for key, of in sources.items()}
    return {key: copies(wrong, again).spaces for key, (wrong, again) in pairs.items() if wrong and again is not None}


def solved(run: Passed, role: str = "repair") -> dict[str, float]:
    """Return by problem the share of programs that pass at once or, shown again in this role, then."""
    return shares((problem, bool(of["sample"] or of.get(role))) for (problem, _), of in run.items())


def pass_at(run: Passed, k: int) -> dict[str, float]:
    """Return pass@k by problem."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for (problem, _), of in run.items():
        counts[problem].append(of["sample"])
    return {problem: float(pass_at_k(len(of), sum(of), k) or 0.0) for problem, of in counts.items()}


def mean(values: Mapping[str, float]) -> float:
    """Return the mean over problems."""
    return sum(values.values()) / len(values)


def shares(pairs: Iterable[tuple[str, bool]]) -> dict[str, float]:
    found: dict[str, list[bool]] = defaultdict(list)
    for problem, passed in pairs:
        found[problem].append(passed)
    return {problem: sum(of) / len(of) for problem, of in found.items()}


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, file)
