"""Whether a model's programs are copied from a corpus: the longest run of tokens that each shares with it.

Source: Chen et al. 2021 (arXiv 2107.03374), section 7.7, which quotes how rarely a model writes what it was trained on
word for word (Ziegler 2021).

Differences from the paper:
- It quotes a share of suggestions that matched some training text over sixty words or so. Here the length is a
  parameter, in tokens, and the whole distribution is told.
- Comments and white space do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from regreen.errors import InputError
from regreen.formats.corpus import SUFFIXES, read_corpus
from regreen.metrics import Estimate, mean_interval
from regreen.records import Record, judged_programs
from regreen.run import read_manifest
from regreen.studies.copied import SharedRuns, code_lines
from regreen.studies.finding import Cell, finding, plot, table
from regreen.track import progress

_NAMED = 10  # programs that the table names
_SHORTEST = 5


def copying(
    run: Path,
    corpus: Path,
    *,
    least: int = 40,
    suffixes: tuple[str, ...] = SUFFIXES,
    seed: int = 0,
    quiet: bool = True,
) -> Record:
    """Return how much of a run's programs stands word for word in a corpus.

    Args:
        run: a run directory.
        corpus: a folder of source files, or a file that ``regreen curate corpus`` wrote.
        least: tokens of a run from which on it counts as copied.
        suffixes: of the folder's files.
        seed: of the interval.
        quiet: show no progress.

    Raises:
        InputError: no run directory, one without programs, or no such corpus.
    """
    benchmark = read_manifest(run)["benchmark"]
    programs = [record for record, _ in judged_programs(run) if record["source"].strip()]
    if not programs:
        raise InputError(f"{run}: no programs; give a run that `regreen evaluate` or `regreen score` made")
    longest = _longest([record["source"] for record in programs], corpus, suffixes, quiet=quiet)
    rows = [
        {"problem": record["problem"], "index": record["index"], "longest_run": length, "document": document}
        for record, (length, document) in zip(programs, longest, strict=True)
    ]
    share = _copied(rows, least, seed)
    return finding(
        "copying",
        benchmark=benchmark,
        tables=[_summary(rows, share, least), _longest_table(rows)],
        plots=[_plot(rows)],
        run=str(run),
        corpus=str(corpus),
        least=least,
        programs=len(rows),
        copied={"value": share.value, "low": share.low, "high": share.high},
        by_program=rows,
    )


def _longest(
    sources: Sequence[str], corpus: Path, suffixes: tuple[str, ...], *, quiet: bool
) -> list[tuple[int, str | None]]:
    runs = SharedRuns(["\n".join(code_lines(source)) for source in sources], shortest=_SHORTEST)
    with progress("documents", quiet=quiet) as advance:
        for done, (name, text) in enumerate(read_corpus(corpus, suffixes), 1):
            runs.read(name, "\n".join(code_lines(text)))
            advance(done, name)
    return runs.longest()


def _copied(rows: Sequence[Record], least: int, seed: int) -> Estimate:
    """Return the mean over problems of the share of their programs with a run of at least so many tokens."""
    by_problem: dict[str, list[float]] = {}
    for row in rows:
        by_problem.setdefault(row["problem"], []).append(float(row["longest_run"] >= least))
    return mean_interval([sum(values) / len(values) for values in by_problem.values()], seed=seed)


def _summary(rows: Sequence[Record], share: Estimate, least: int) -> Record:
    lengths = sorted(row["longest_run"] for row in rows)
    cells: list[list[Cell]] = [
        [f"programs with a run of {least} tokens or more", share],
        ["longest run, median of the programs", lengths[len(lengths) // 2]],
        ["longest run, nine in ten programs at most", lengths[int(len(lengths) * 0.9)]],
        ["longest run of all", lengths[-1]],
    ]
    notes = [f"{len(rows)} programs; runs of fewer than {_SHORTEST} tokens count as none"]
    return table("Copied from the corpus", ["", "value"], cells, notes=notes)


def _longest_table(rows: Sequence[Record]) -> Record:
    first = sorted(rows, key=lambda row: -row["longest_run"])[:_NAMED]
    cells: list[list[Cell]] = [
        [row["problem"], row["index"], row["longest_run"], row["document"]] for row in first if row["document"]
    ]
    return table("Longest runs", ["problem", "program", "tokens", "in"], cells)


def _plot(rows: Sequence[Record]) -> Record:
    points = [(least, sum(row["longest_run"] >= least for row in rows) / len(rows)) for least in range(5, 101, 5)]
    return plot("Copied from the corpus", {"": points}, x="tokens of a run, at least", y="programs, %")
