"""From the records of a run to the object that is printed: scores, outcomes, and what to know about them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.metrics import Estimate, holm, score
from regreen.records import RECORDED, VERDICTS, Counts, Places, ProblemCounts, Record, read_records
from regreen.verdict import Outcome

_UNJUDGED = ("import", "ask")  # commands whose programs may have no verdict of ours


@dataclass(frozen=True, slots=True)
class View:
    """How a run is reported; none of it decides what is judged.

    ``ks`` are the k of pass@k (None: those that the run was last scored with, else 1; empty: every k up to the fewest
    programs of a problem), ``biased`` adds the biased
    estimator, ``cutoff`` splits the scores at a date, and ``seed`` draws the intervals. With ``held_out`` the best of
    several temperatures is chosen on half of the problems and reported on the other.
    """

    ks: tuple[int, ...] | None = None
    biased: bool = False
    cutoff: date | None = None
    seed: int = 0
    held_out: bool = False


def summarise(manifest: Mapping[str, Any], counts: Counts, view: View | None = None) -> Record:
    """Return what a run comes to, as plain JSON.

    Args:
        manifest: of the run; says whether missing problems count as failed.
        counts: what its records add up to.
        view: which scores are wanted.

    Raises:
        InputError: a date is needed and no problem has one.
    """
    view = view or View()
    problems = _counted(counts, missing_fail=manifest["settings"].get("missing") == "fail")
    if view.ks == ():
        view = replace(view, ks=tuple(range(1, 1 + min((p.programs for p in problems.values()), default=1))))
    summary: Record = {
        "command": manifest["command"],
        "benchmark": manifest["benchmark"],
        "problems": len(problems),
        "programs": counts.programs,
        "form": manifest["settings"].get("form"),
        "read_as": manifest.get("read_as"),
        "own_checks": bool(manifest["settings"].get("form")) and manifest["settings"].get("problems") is None,
        "scores": _scores(problems, view),
        "outcomes": {outcome.value: counts.outcomes[outcome.value] for outcome in Outcome},
        "exceptions": dict(counts.exceptions.most_common()),
        "solved": estimate_record(_solved(problems, view), 1),
        "no_program": counts.no_program,
        "truncated": counts.truncated,
        "tokens": counts.tokens,
        "reasoning_tokens": counts.reasoning_tokens,
        "refused": counts.refused,
        "refused_later": counts.refused_later,
        "refusals": dict(sorted(counts.refusals.items())),
        "modes": {mode: counts.modes[mode] for mode in ("separate", "shared")},
        "missing": manifest.get("missing", []),
        "missing_counted": manifest["settings"].get("missing") == "fail",
        "unjudged": 0 if manifest["command"] in _UNJUDGED else max(0, counts.written - counts.judged),
        "skipped": manifest.get("skipped", 0),
        "tier": manifest.get("sandbox", {}).get("tier"),
        "timeout": manifest["settings"].get("timeout"),
        "finished": manifest["finished"] is not None,
        "stopped_at": manifest.get("stopped_at"),
        "first_alone": counts.first_alone,
    }
    if len(manifest["settings"].get("temperature", ())) > 1:
        summary["by_temperature"], summary["best_temperature"] = _by_temperature(problems, view)
    if view.biased:
        summary["biased"] = _scores(problems, view, biased=True)
    if parts := _part_names(problems.values()):
        summary["by_checks"] = {part: _scores(_only_part(problems, part), view, part=part) for part in parts}
    if view.cutoff:
        summary["by_date"] = _by_date(problems, view, view.cutoff)
    return summary


def recorded_verdicts(run: Path) -> Record | None:
    """Hold our verdicts against the recorded ones; None if the samples brought none.

    Returns:
        How many agree and differ, and each difference with its problem, index, recorded verdict and our outcome.
    """
    recorded = Places()
    for _, record in read_records(run / RECORDED):
        recorded.put((record["problem"], record["index"], record["role"]), int(record["passed"]))
    agree, differences = 0, []
    for _, record in read_records(run / VERDICTS):
        theirs = recorded.find((record["problem"], record["index"], record["role"]))
        if theirs is None:
            continue
        if bool(theirs) == (record["outcome"] == "passed"):
            agree += 1
        else:
            differences.append(_difference(record, bool(theirs)))
    if not agree and not differences:
        return None
    differences.sort(key=lambda difference: (difference["problem"], difference["index"]))
    return {"agree": agree, "differ": len(differences), "differences": differences}


def estimate_record(estimate: Estimate | None, k: int) -> Record:
    """Return an estimate as plain JSON; where there is none, what it would need."""
    if estimate is None:
        return {"value": None, "low": None, "high": None, "needs": f"n >= {k}"}
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "interval": estimate.method}


def _counted(counts: Counts, *, missing_fail: bool) -> dict[str, ProblemCounts]:
    """Return the problems that count: those with programs, and on request the missing ones with as many failures."""
    most = max((problem.programs for problem in counts.problems.values()), default=0)
    problems = {}
    for name, problem in counts.problems.items():
        if problem.programs:
            problems[name] = problem
        elif missing_fail:
            problems[name] = ProblemCounts(most, parts=problem.parts, date=problem.date, cluster=problem.cluster)
    return problems


def _scores(
    problems: Mapping[str, ProblemCounts], view: View, *, part: str | None = None, biased: bool = False
) -> dict[str, Record]:
    passed: Callable[[ProblemCounts], int] = lambda c: c.passed if part is None else c.passed_part[part]  # noqa: E731
    counts = {name: (problem.programs, passed(problem)) for name, problem in problems.items()}
    labels = _clusters(problems)
    estimates = {k: score(counts, k, clusters=labels, biased=biased, seed=view.seed) for k in view.ks or (1,)}
    return {f"pass@{k}": estimate_record(estimate, k) for k, estimate in estimates.items()}


def correct(compared: Iterable[Record | None]) -> None:
    """Put beside each ``p`` of a table, as ``p_holm``, what it is when corrected for their number (Holm 1979)."""
    there = [line for line in compared if line is not None]
    for line, p in zip(there, holm([line["p"] for line in there]), strict=True):
        line["p_holm"] = p


def _clusters(problems: Mapping[str, ProblemCounts]) -> dict[str, str]:
    """Return the labels of problems that are resampled together; one without a label is its own cluster."""
    return {name: problem.cluster for name, problem in problems.items() if problem.cluster is not None}


def _solved(problems: Mapping[str, ProblemCounts], view: View) -> Estimate | None:
    """Return the share of problems that at least one program solves (Austin et al. 2021)."""
    solved = {name: (1, int(problem.passed > 0)) for name, problem in problems.items()}
    return score(solved, 1, clusters=_clusters(problems), seed=view.seed)


def _by_temperature(problems: Mapping[str, ProblemCounts], view: View) -> tuple[dict[str, Record], dict[str, Record]]:
    """Return each temperature's scores, and for each k the best temperature, T*(k) of Chen et al. 2021, figure 5."""
    temperatures = sorted({temperature for problem in problems.values() for temperature in problem.at})
    choose_on, report_on = _halves(problems, view.seed) if view.held_out else (set(problems), set(problems))
    labels = _clusters(problems)
    scores, best = {}, {}
    for temperature in temperatures:
        scores[f"{temperature:g}"] = _scores(_at(problems, temperature), view)
    for k in view.ks or (1,):
        at = {t: _counts_at(problems, t, choose_on) for t in temperatures}
        found = {t: score(counts, k, clusters=labels, seed=view.seed) for t, counts in at.items()}
        known = {t: estimate.value for t, estimate in found.items() if estimate is not None}
        chosen = max(known, key=lambda t: (known[t], -t), default=None)  # of equal ones the lowest
        held = {} if chosen is None else _counts_at(problems, chosen, report_on)
        there = score(held, k, clusters=labels, seed=view.seed)
        halves = {"chosen_on": len(choose_on), "problems": len(report_on)}
        best[f"pass@{k}"] = {"temperature": chosen, **estimate_record(there, k), **halves}
    return scores, best


def _halves(problems: Iterable[str], seed: int) -> tuple[set[str], set[str]]:
    """Split problems in two, each by a hash of its own, so that more problems move none."""
    first = {name for name in problems if hashlib.sha256(f"{seed}\0{name}".encode()).digest()[0] & 1}
    return first, set(problems) - first


def _at(problems: Mapping[str, ProblemCounts], temperature: float) -> dict[str, ProblemCounts]:
    return {
        name: replace(problem, programs=problem.at[temperature][0], passed=problem.at[temperature][1])
        for name, problem in problems.items()
        if temperature in problem.at
    }


def _counts_at(
    problems: Mapping[str, ProblemCounts], temperature: float, among: Collection[str]
) -> dict[str, tuple[int, int]]:
    return {name: p.at[temperature] for name, p in problems.items() if name in among and temperature in p.at}


def _part_names(problems: Iterable[ProblemCounts]) -> list[str]:
    return sorted({part for problem in problems for part in problem.parts})


def _only_part(problems: Mapping[str, ProblemCounts], part: str) -> dict[str, ProblemCounts]:
    return {name: problem for name, problem in problems.items() if part in problem.parts}


def _by_date(problems: Mapping[str, ProblemCounts], view: View, cutoff: date) -> dict[str, Record]:
    dated = {name: problem for name, problem in problems.items() if problem.date}
    if not dated:
        raise InputError("--model-cutoff needs problems with a date (meta.date, as 2024-05-31); these have none")
    old = {name: problem for name, problem in dated.items() if _day(name, problem) < cutoff}
    new = {name: problem for name, problem in dated.items() if name not in old}
    groups = {f"before {cutoff}": old, f"from {cutoff}": new}
    return {label: {"problems": len(group), "scores": _scores(group, view)} for label, group in groups.items()}


def _day(name: str, problem: ProblemCounts) -> date:
    try:
        return date.fromisoformat(str(problem.date)[:10])
    except ValueError as error:
        raise InputError(f"problem {name}: meta.date is {problem.date!r}; expected a date as 2024-05-31") from error


def _difference(record: Record, recorded: bool) -> Record:
    below = {"role": record["role"]} if record["role"] != "sample" else {}
    return {
        "problem": record["problem"],
        "index": record["index"],
        **below,
        "recorded": "passed" if recorded else "failed",
        "outcome": record["outcome"],
    }
