"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PLAIN_SECONDS = 10.0  # between two lines where there is no terminal

Advance = Callable[[int, str], None]


@contextmanager
def progress(what: str, *, total: int | None = None, quiet: bool = False) -> Iterator[Advance]:
    """Show how far a job has come.

    Args:
        what: the job, in a word or two.
        total: how much there is to do, None if nobody knows.
        quiet: show nothing.

    Returns:
        A function to call with how much is done, and a remark.
    """
    if quiet:
        yield lambda done, remark: None
    elif sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        yield _lines(what, total)


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    remark = TextColumn("{task.fields[remark]}")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), remark)
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=5) as bar:
        job = bar.add_task(what, total=total, remark="")
        yield lambda done, remark: bar.update(job, completed=done, remark=remark)


def _lines(what: str, total: int | None) -> Advance:
    started = last = time.monotonic()

    def advance(done: int, remark: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PLAIN_SECONDS:
            last = now
            of = f" of {total}" if total else ""
            print(f"{what}: {done}{of}, {done / (now - started):.0f} a second, {remark}", file=sys.stderr, flush=True)

    return advance
