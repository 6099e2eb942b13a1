"""Score programs that were made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from regreen import benchmarks, formats
from regreen.errors import InputError
from regreen.extract import STOP_SETS, stop_at
from regreen.formats.form import BadRow
from regreen.formats.reading import FORMS
from regreen.options import Choice, Judging, about
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.summary import View
from regreen.working import OwnProblems, content_digest, finish, judge_rows

_MOST_INDEX = 1_000_000  # programs of one problem


@dataclass(frozen=True, slots=True)
class Samples:
    """A file or folder of programs and how to read it.

    ``n`` takes the first programs of each problem; ``stop`` cuts raw continuations; ``form`` names the form instead of
    finding it by shape; ``which`` picks from rows with a chain of programs; ``missing`` problems are left out ("skip")
    or count as failed ("fail").
    """

    path: Path
    n: int | None = None
    stop: tuple[str, ...] = ()
    form: str | None = None
    which: formats.Which = "last"
    missing: Literal["skip", "fail"] = "skip"

    def open(self, problems: list[Problem], form: str | None) -> formats.Reading:
        """Return the file, opened and its form recognised."""
        cut: Callable[[str], str] = partial(stop_at, stops=self._stops()) if self.stop else str
        return formats.open_samples(self.path, problems=problems, cut=cut, form=form or self.form, which=self.which)

    def _stops(self) -> list[str]:
        """Return the stop strings: a set's name stands for the set."""
        return [text for stop in self.stop for text in STOP_SETS.get(stop, (stop,))]

    def digest(self) -> str:
        """Return a digest of the content of the file, or of all files of a folder and their names."""
        return content_digest(self.path)


def score(
    samples: Samples,
    benchmark: str | None = None,
    *,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Judge programs made elsewhere and return their scores.

    Args:
        samples: the programs.
        benchmark: what they answer; None, or the form's name, where the rows bring their own checks.
        choice: which problems.
        judging: limits and sandbox.
        view: which scores.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen score --json`` prints; ``bad_lines`` names what could not be read.

    Raises:
        InputError: nothing can be read, or an option cannot be used.
        InfrastructureError: the judge broke down; the same call continues.
    """
    choice, judging = choice or Choice(), judging or Judging()
    name, problems, form = _problems(benchmark, choice)
    reading = samples.open(problems, form)
    problems = [] if reading.own_checks else problems  # such rows say themselves what they are judged by
    rows = _Rows(reading, choice, choice.choose(problems) if problems else [], samples.n)
    first = _first(rows, samples.path)
    settings = _score_settings(samples, name or reading.form, reading.form, problems, choice, judging)
    with ExitStack() as stack:
        sandbox = stack.enter_context(judging.open())
        facts = about(sandbox, samples=str(samples.path), read_as=_read_as(reading, samples))
        run = stack.enter_context(Run(out, settings, about=facts))
        judge_rows(rows.record(chain([first], rows), run), sandbox, run, quiet=quiet)
        run.manifest.update(missing=rows.missing(), skipped=len(rows.bad_lines))
        if samples.missing == "fail":
            for problem in rows.missing_problems():
                run.add_problem(problem)
        return finish(run, view, bad_lines=rows.bad_lines)


def _problems(benchmark: str | None, choice: Choice) -> tuple[str | None, list[Problem], str | None]:
    """Return the benchmark's name and problems, or the form whose rows bring their own."""
    own = {form.name for form in FORMS if form.own_checks}
    if benchmark is None or benchmark in own:
        return None, [], benchmark
    name, problems = choice.load(benchmark)
    return name, problems, None


def _score_settings(
    samples: Samples, name: str, form: str, problems: list[Problem], choice: Choice, judging: Judging
) -> Settings:
    decides = {
        "samples": samples.digest(),
        "form": form,
        "which": samples.which,
        "stop": list(samples.stop),
        "missing": samples.missing,
        "problems": benchmarks.digest(problems) if problems else None,
        "only": sorted(choice.only),
        "after": choice.after and choice.after.isoformat(),
        "before": choice.before and choice.before.isoformat(),
        **judging.decides(),
    }
    return Settings("score", name, decides, {"n": samples.n, "limit": choice.limit})


class _Rows:
    """The rows of a samples file that are wanted, each with its problem."""

    def __init__(self, reading: formats.Reading, choice: Choice, chosen: list[Problem], n: int | None) -> None:
        self._reading = reading
        self._chosen = {problem.id: problem for problem in chosen}
        self._own = OwnProblems(choice)
        self._seen: set[str] = set()
        self._n = n
        self._more = self._wanted()

    def __iter__(self) -> Iterator[tuple[formats.Row, Problem]]:
        return self._more

    @property
    def bad_lines(self) -> list[str]:
        """The lines that cannot be used, as far as the file has been read."""
        return self._reading.skipped

    def record(self, rows: Iterable[tuple[formats.Row, Problem]], run: Run) -> Iterator[tuple[Problem, Program]]:
        """Yield what is to be judged, recording the verdicts that the rows bring."""
        for row, problem in rows:
            if row.recorded is not None:
                run.add_recorded(row.program.key, row.recorded)
            yield problem, row.program

    def missing_problems(self) -> list[Problem]:
        """Return the problems that no row speaks of."""
        return [problem for name, problem in self._chosen.items() if name not in self._seen]

    def missing(self) -> list[str]:
        """Return the ids of those problems."""
        return [problem.id for problem in self.missing_problems()]

    def _wanted(self) -> Iterator[tuple[formats.Row, Problem]]:
        for row in self._reading.rows():
            problem = self._problem(row)
            if problem is not None and (self._n is None or row.program.index < self._n):
                self._seen.add(problem.id)
                yield row, problem

    def _problem(self, row: formats.Row) -> Problem | None:
        """Return the row's problem if it is wanted."""
        if not 0 <= row.program.index < _MOST_INDEX:
            self._bad(row, f"index {row.program.index}; expected 0 to {_MOST_INDEX - 1}")
            return None
        if row.problem is None:
            return self._chosen.get(row.program.problem)
        return self._own_problem(row, row.problem)

    def _own_problem(self, row: formats.Row, problem: Problem) -> Problem | None:
        try:
            return problem if self._own.wants(problem) else None
        except BadRow as bad:
            self._bad(row, str(bad))
            return None

    def _bad(self, row: formats.Row, reason: str) -> None:
        self._reading.skipped.append(f"{row.where}: {reason}")


def _first(rows: _Rows, path: Path) -> tuple[formats.Row, Problem]:
    """Return the first row, so that a file without any is refused before a run is begun."""
    first = next(iter(rows), None)
    if first is not None:
        return first
    if rows.bad_lines:
        raise InputError(f"no program in {path} can be scored ({len(rows.bad_lines)} bad lines): {rows.bad_lines[0]}")
    raise InputError(f"{path}: no program for the problems chosen; see --only and --limit")


def _read_as(reading: formats.Reading, samples: Samples) -> str:
    """Return how the samples are understood, for the reader of the scores."""
    cut = f"; continuations cut at {', '.join(map(repr, samples.stop))}" if samples.stop else ""
    judged = "; judged by the rows' own checks" if reading.own_checks else ""
    return f"{reading.form}: {reading.holds}{cut}{judged}"
