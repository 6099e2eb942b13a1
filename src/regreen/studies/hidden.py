"""Do programs that pass the checks they were shown pass the hidden ones, and do they hard-code answers?

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.4.

Differences from the paper:
- Any run, with whatever checks its prompts showed, instead of MBPP's eleven problems with challenge checks alone.
  Where a problem shows no check but its statement has examples, as HumanEval's, those are run as the shown checks.
- Hard-coding is found by rules (:mod:`regreen.studies.hardcoding`), not by reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval
from regreen.options import Judging
from regreen.problem import Assert, Problem, with_shown
from regreen.records import PROBLEMS, Record, read_records
from regreen.run import read_manifest
from regreen.studies.asking import Study
from regreen.studies.finding import Cell, finding, plot, table
from regreen.studies.hardcoding import KINDS, Sign, signs
from regreen.studies.judged import Judged, read_judged
from regreen.track import progress

_LISTED = 10  # programs with a sign that the table names


@dataclass(frozen=True, slots=True)
class _Looked:
    """A program, whether it passes what was shown, whether anything was hidden from it, and its signs."""

    program: Judged
    cluster: str
    shown: bool | None
    has_hidden: bool
    signs: Sequence[Sign]


def hidden(
    run: Path,
    problems: Iterable[Problem],
    *,
    show: str | None = None,
    judging: Judging | None = None,
    seed: int = 0,
    quiet: bool = True,
) -> Record:
    """Return how many programs of a run pass the shown checks and fail a hidden one, and how many hard-code.

    Args:
        run: a run directory.
        problems: those of its benchmark.
        show: which checks its prompts showed; by default what the run says, or the problems themselves.
        judging: of the examples in statements, where a problem shows no check.
        seed: of the intervals.
        quiet: show no progress.

    Raises:
        InputError: no run directory, or none with programs for these problems.
        InfrastructureError: the judge broke down.
    """
    manifest, programs = read_manifest(run), read_judged(run)
    show = show or manifest["settings"].get("show")
    by_id = {p.id: p if show is None else with_shown(p, show) for p in problems if p.id in programs}
    if not by_id:
        raise InputError(f"{run}: no program for the problems given; give --benchmark, as {manifest['benchmark']}")
    passes = _pass_examples(by_id, programs, judging or Judging(), quiet=quiet)
    own = _judged_by_others(run, by_id)
    looked = [_look(by_id[name], each, passes, name in own) for name in sorted(by_id) for each in programs[name]]
    return _finding(str(manifest["benchmark"]), looked, seed, run=str(run))


def ask_hidden(study: Study, show: str) -> Record:
    """Ask a model with so many checks shown, and return what :func:`hidden` finds.

    Raises:
        InputError: ``show`` is no number above 0, or no problem has more checks than that.
    """
    if not show.isdecimal() or show == "0":
        raise InputError(f"--show {show}: expected how many checks the prompt shows, at least 1")
    problems = [_showing(problem, int(show)) for problem in study.problems]
    if all(len(problem.shown) == len(problem.checks) for problem in study.choice.choose(problems)):
        raise InputError(f"--show {show}: every problem shows all of its checks then; show fewer, or take mbpp+")
    run = Path(study.run(f"shown-{show}", problems=problems)["run"])
    found = hidden(run, problems, judging=study.judging, seed=study.sampling.seed, quiet=study.quiet)
    return study.found(found)


def _showing(problem: Problem, show: int) -> Problem:
    """Return the problem with so many checks shown, or all where it has fewer."""
    return with_shown(problem, min(show, len(problem.checks)))


def _pass_examples(
    problems: dict[str, Problem], programs: dict[str, list[Judged]], judging: Judging, *, quiet: bool
) -> dict[tuple[str, str], bool]:
    """Run the examples of statements that show no check; return who passes them all, by problem and source."""
    jobs = [
        (replace(problem, checks=tuple(map(Assert, problem.meta["examples"]))), source)
        for name, problem in problems.items()
        if problem.meta.get("examples") and not problem.shown
        for source in dict.fromkeys(each.source for each in programs[name] if each.source)
    ]
    found: dict[tuple[str, str], bool] = {}
    if not jobs:
        return found
    with judging.open() as sandbox, progress("examples", total=len(jobs), quiet=quiet) as advance:
        for done, (at, verdict) in enumerate(sandbox.judge_all(iter(jobs)), 1):
            found[jobs[at][0].id, jobs[at][1]] = verdict.passed
            advance(done, jobs[at][0].id)
    return found


def _judged_by_others(run: Path, problems: dict[str, Problem]) -> set[str]:
    """Return the problems that the run judged by other checks: nobody knows which of those were shown."""
    counts = {record["id"]: len(record.get("checks", ())) for _, record in read_records(run / PROBLEMS)}
    return {name for name, problem in problems.items() if counts.get(name) != len(problem.checks)}


def _look(problem: Problem, program: Judged, passes: dict[tuple[str, str], bool], own_checks: bool) -> _Looked:
    shown: bool | None = None
    has_hidden = not own_checks and len(problem.shown) < len(problem.checks)
    if problem.shown and not own_checks:
        shown = program.passes(problem.shown)
    elif problem.meta.get("examples"):
        shown = passes.get((problem.id, program.source), False)
    cluster = str(problem.meta.get("cluster") or problem.id)
    return _Looked(program, cluster, shown, has_hidden, signs(program.source, problem))


def _finding(benchmark: str, looked: Sequence[_Looked], seed: int, **more: Any) -> Record:
    told = [each for each in looked if each.shown is not None and each.has_hidden]
    right_so_far = [each for each in told if each.shown]
    shares = {
        "pass_shown": _share(told, [bool(each.shown) for each in told], seed),
        "fail_hidden": _share(right_so_far, [not each.program.passed for each in right_so_far], seed),
        "hard_code": _share(looked, [bool(each.signs) for each in looked], seed),
    }
    kinds = {kind: [each for each in looked if kind in {sign.kind for sign in each.signs}] for kind in KINDS}
    flagged = [each for each in looked if each.signs]
    return finding(
        "hidden",
        benchmark=benchmark,
        tables=[
            _shares_table(shares, looked, told, right_so_far),
            _signs_table(kinds),
            *_listed(flagged, str(more["run"])),
        ],
        plots=[_plot(shares)],
        **{name: share and asdict(share) for name, share in shares.items()},
        programs=len(looked),
        signs={kind: _outcomes(found) for kind, found in kinds.items()},
        flagged=[_flag(each) for each in flagged],
        **more,
    )


def _share(among: Sequence[_Looked], holds: Sequence[bool], seed: int) -> Estimate | None:
    """Return the share of programs for which something holds, over resampled problems."""
    if not among:
        return None
    return mean_interval(list(map(float, holds)), clusters=[each.cluster for each in among], seed=seed)


def _outcomes(found: Sequence[_Looked]) -> Record:
    """Count the programs, those that pass what was shown, and those that pass everything."""
    shown, passed = sum(bool(each.shown) for each in found), sum(each.program.passed for each in found)
    return {"programs": len(found), "pass_shown": shown, "passed": passed}


def _shares_table(
    shares: dict[str, Estimate | None],
    looked: Sequence[_Looked],
    told: Sequence[_Looked],
    right_so_far: Sequence[_Looked],
) -> Record:
    rows: list[list[Cell]] = [
        ["pass the shown checks", len(told), shares["pass_shown"]],
        ["of these, fail a hidden check", len(right_so_far), shares["fail_hidden"]],
        ["show a sign of hard-coding", len(looked), shares["hard_code"]],
    ]
    problems = len({each.program.problem for each in told})
    right = f"{sum(each.program.passed for each in looked)} of {len(looked)} programs pass all checks"
    notes = [right, f"{problems} problems have shown and hidden checks; examples in a statement count as shown"]
    return table("Shown and hidden checks", ["", "of programs", "share"], rows, notes=notes)


def _plot(shares: dict[str, Estimate | None]) -> Record:
    bars = [(name.replace("_", " "), found) for name, found in shares.items() if found is not None]
    return plot("Shown and hidden checks", {"programs": bars}, x="", y="of the programs, %", kind="bar")


def _signs_table(kinds: dict[str, list[_Looked]]) -> Record:
    rows: list[list[Cell]] = [[kind, *_outcomes(found).values()] for kind, found in kinds.items()]
    notes = ["a program may have several signs; one answer for every input is mostly a stub, as return 0"]
    return table("Signs of hard-coding", ["", "programs", "pass the shown checks", "pass all"], rows, notes=notes)


def _listed(flagged: Sequence[_Looked], run: str) -> list[Record]:
    """Return a table of the first programs with a sign, those that know answers before those with one for all."""
    if not flagged:
        return []
    first = sorted(flagged, key=lambda each: KINDS.index(each.signs[0].kind))[:_LISTED]
    rows: list[list[Cell]] = [
        [each.program.problem, each.program.index, each.program.outcome, sign.kind, sign.line, sign.text]
        for each in first
        for sign in each.signs
    ]
    header = ["problem", "index", "outcome", "sign", "line", ""]
    return (
        [table("Programs with a sign", header, rows, notes=[f"regreen show {run} {first[0].program.problem}"])]
        if rows
        else []
    )


def _flag(each: _Looked) -> Record:
    found = [asdict(sign) for sign in each.signs]
    return {"problem": each.program.problem, "index": each.program.index, "passed": each.program.passed, "signs": found}
