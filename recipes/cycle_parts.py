"""What the recipes on CYCLE and katas share: problems, the model of phase I and its programs, configurations, readings.

The configuration is the one that ``recipes/cycle_katas.py`` reports on; the others change one thing of it.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from regreen.benchmarks import katas
from regreen.evaluate import Choice, Sampling, evaluate
from regreen.metrics import Estimate, pass_at_k
from regreen.models import open_model
from regreen.options import Judging
from regreen.problem import Problem, problem_to_line
from regreen.records import PROBLEMS as LINES
from regreen.records import SCORES, read_records, write_lines
from regreen.refine import CONTROLS, Refining, Telling, refine
from regreen.similarity import copies
from regreen.train.config import CycleConfig
from regreen.train.cycle import FIRST as PHASE_ONE
from regreen.train.cycle import PROBE, Work
from regreen.train.probing import Solutions
from regreen.train.sft import split_of

PROBLEMS, VALIDATION = 8_000, 120  # of katas:ambiguous-train, the last for validation
TOKENS = 160  # of a program, at most
HEATS = (0.2, 0.6, 1.0)  # among which the best is chosen on validation, for each model and each use
MEASURED = 300  # problems that are measured on
PROMPT, REFINE = "codex", "refine"
CHECK = {"max_tokens": TOKENS, "limit": VALIDATION}
FIRST_STEPS, STEPS = 300, 1000
FIRST = {
    "optimizer": {"lr": 2e-3, "warmup": 20},
    "batch": {"tokens": 4096, "steps": FIRST_STEPS},
    "check": {**CHECK, "every": FIRST_STEPS},
}
BASE: dict[str, Any] = {
    "dtype": "float32",
    "optimizer": {"lr": 1e-3, "warmup": 20},
    "batch": {"tokens": 4096, "most": 2048, "steps": STEPS},
    "probe": {"n": 2, "temperature": 1.0, "max_tokens": TOKENS},
    "pairs": {"share": 0.7, "select": "edit", "feedback": "difference", "verify": False},
    "mask": {"ratio": 0.3, "region": "code", "redraw": True},
    "check": CHECK,
}

Passed = Mapping[tuple[str, int], Mapping[str, bool]]
Values = dict[str, float]  # by problem
COPIED = "copied"  # in a line of outcomes, beside the roles


def asked(about: str | None, names: Iterable[str], *, seeds: bool = False) -> argparse.Namespace:
    """Return what a recipe is asked for: where to, which of these cells, all unless given, and on which seeds."""
    parser = argparse.ArgumentParser(description=(about or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", default=list(names), metavar="NAME")
    if seeds:
        parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--table", action="store_true", help="train and measure nothing")
    return parser.parse_args()


def problems(out: Path) -> dict[str, str]:
    """Return the files to train on and to validate with, made unless they are there."""
    files = {"problems": out / "problems.jsonl", "validation": out / "validation.jsonl"}
    if not all(file.exists() for file in files.values()):
        every = katas.generate("ambiguous-train", count=PROBLEMS + VALIDATION)
        lines = map(problem_to_line, map(with_wrong_readings, every))
        out.mkdir(parents=True, exist_ok=True)
        write_lines(files["problems"], islice(lines, PROBLEMS))
        write_lines(files["validation"], lines)
    return {name: str(file) for name, file in files.items()}


def measured(out: Path) -> str:
    """Return the file of the problems that are measured on, made unless it is there."""
    file = out / "measured.jsonl"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        write_lines(file, map(problem_to_line, measured_problems()))
    return str(file)


def measured_problems() -> Iterator[Problem]:
    """Yield the problems that are measured on.

    They are katas:ambiguous of another seed, without the compositions of the first: those were looked at in the trials
    in which the katas and the feedback took their form.
    """
    looked_at = {problem.meta["cluster"] for problem in katas.generate("ambiguous", count=300)}
    others = katas.generate("ambiguous", seed=1, count=2 * MEASURED)
    return islice((problem for problem in others if problem.meta["cluster"] not in looked_at), MEASURED)


def with_wrong_readings(problem: Problem) -> Problem:
    """Return a problem that has its other readings as wrong programs of somebody else's."""
    wrong = [source for name, source in problem.meta["readings"].items() if name != problem.meta["reading"]]
    return replace(problem, meta={**problem.meta, "incorrect_solutions": wrong})


def phase_one(
    out: Path, model: str = "tiny-base", first: Mapping[str, Any] = FIRST, *, seed: int = 0
) -> dict[str, Any]:
    """Return what goes on from phase I: the model of it and the run with its programs, made unless they are there."""
    if not (out / PROBE / SCORES).exists():  # a finished one is only read, so that many may share it
        work = _work(out, model, first, seed)
        solutions = _solutions(work)
        work.rows(solutions, work.first(solutions))
    probe = {**BASE["probe"], "run": str(out / PROBE)}
    return {**problems(out.parent), "probe": probe, "model": _best(out)}


def only_phase_one(out: Path, model: str, first: Mapping[str, Any]) -> str:
    """Return the model of phase I alone, made unless it is there."""
    if not (out / PHASE_ONE / SCORES).exists():
        work = _work(out, model, first)
        work.first(_solutions(work))
    return _best(out)


def _work(out: Path, model: str, first: Mapping[str, Any], seed: int = 0) -> Work:
    told = {**BASE, **problems(out.parent), "model": model, "first": first, "seed": seed}
    config = CycleConfig.model_validate(told)
    return Work(config, split_of(config), Judging(), out, quiet=False)


def _solutions(work: Work) -> Solutions:
    with work.judging.open() as sandbox:
        return work.solutions(sandbox)


def _best(out: Path) -> str:
    return f"hf:{out / PHASE_ONE / 'checkpoints' / 'best'}"


def config_of(first: Mapping[str, Any], seed: int, **differs: Mapping[str, Any]) -> CycleConfig:
    """Return the configuration of a phase II: the one that is reported on, and what differs from it, by table.

    Validation looks at the last model alone, which is so the one that is kept: no choice among checkpoints adds chance.
    """
    merged = {**BASE, **{table: {**BASE[table], **values} for table, values in differs.items()}}
    merged["check"] = {**merged["check"], "every": merged["batch"]["steps"]}
    return CycleConfig.model_validate({**merged, **first, "seed": seed})


def refined(
    checkpoint: str,
    out: Path,
    *,
    heats: tuple[float, float],
    benchmark: str,
    n: int = 2,
    seed: int = 0,
    telling: Telling | None = None,
    template: str = REFINE,
    controls: tuple[str, ...] = tuple(CONTROLS),
) -> Path:
    """Return a run in which programs written at one heat are refined once at another."""
    telling = telling or Telling("difference")
    refining = Refining(1, heats[1], "problem", telling, template=template, controls=controls)
    sampling = Sampling(n, (heats[0],), max_tokens=TOKENS, prompt=PROMPT, seed=seed)
    refine(benchmark, open_model(checkpoint), sampling=sampling, refining=refining, out=out, quiet=False)
    return out


def written(checkpoint: str, out: Path, *, heat: float, benchmark: str, n: int = 8, seed: int = 0) -> Path:
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


def solved(run: Passed, role: str = "repair") -> Values:
    """Return by problem the share of programs that pass at once or, shown again in this role, then."""
    return shares((problem, bool(of["sample"] or of.get(role))) for (problem, _), of in run.items())


def told_less(run: Passed, role: str) -> Values:
    """Return by problem what the truth solves more than this role, over programs that were refined in both ways."""
    both = {key: of for key, of in run.items() if of["sample"] or role in of}
    return less(solved(both), solved(both, role))


def clusters(run: Path) -> dict[str, str]:
    """Return the composition of each problem of a run, in their order."""
    return {record["id"]: record["meta"]["cluster"] for _, record in read_records(run / LINES)}


def write_outcomes(run: Path, file: Path) -> None:
    """Write what became of every program of a run, small enough to keep: a line for each problem.

    A line has a sign for each program in each role: 1 passed, 0 did not, - was not asked for; and which refinements
    are copies.
    """
    passed, again = read(run), copied(run)
    roles = list(dict.fromkeys(role for of in passed.values() for role in of))
    by_problem: dict[str, list[int]] = defaultdict(list)
    for problem, index in sorted(passed):
        by_problem[problem].append(index)
    signs = {None: "-", False: "0", True: "1"}
    write_lines(
        file,
        (
            {"problem": name, "cluster": cluster}
            | {role: "".join(signs[passed[name, i].get(role)] for i in by_problem[name]) for role in roles}
            | {COPIED: "".join(signs[again.get((name, i))] for i in by_problem[name])}
            for name, cluster in clusters(run).items()
        ),
    )


@dataclass(frozen=True)
class Outcomes:
    """What became of the programs of a run: which passed, which are copies, and each problem's composition."""

    passed: Passed
    copied: Values
    clusters: Mapping[str, str]

    @classmethod
    def of(cls, file: Path) -> Outcomes:
        """Read what :func:`write_outcomes` wrote."""
        lines = [record for _, record in read_records(file)]
        passed = {
            (line["problem"], index): {
                role: signs[index] == "1"
                for role, signs in line.items()
                if role not in ("problem", "cluster", COPIED) and signs[index] != "-"
            }
            for line in lines
            for index in range(len(line["sample"]))
        }
        again = {line["problem"]: line[COPIED].count("1") / len(line[COPIED]) for line in lines}
        return cls(passed, again, {line["problem"]: line["cluster"] for line in lines})


def points(found: Estimate) -> str:
    """Return an estimate in per cent."""
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def pass_at(run: Passed, k: int) -> Values:
    """Return pass@k by problem."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for (problem, _), of in run.items():
        counts[problem].append(of["sample"])
    return {problem: float(pass_at_k(len(of), sum(of), k) or 0.0) for problem, of in counts.items()}


def mean(values: Values) -> float:
    """Return the mean over problems."""
    return sum(values.values()) / len(values)


RATES, DIFFERENCES = (0.0, 1.0), (-1.0, 1.0)  # the least and greatest value that a problem can have


def less(these: Values, those: Values) -> Values:
    """Return the differences by problem, where both have one."""
    return {name: these[name] - those[name] for name in these if name in those}


def shares(pairs: Iterable[tuple[str, bool]]) -> Values:
    """Return by problem how often it is true."""
    found: dict[str, list[bool]] = defaultdict(list)
    for problem, passed in pairs:
        found[problem].append(passed)
    return {problem: sum(of) / len(of) for problem, of in found.items()}


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, file)
