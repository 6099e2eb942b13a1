"""Studies of what was copied: overlap with a corpus, runs of tokens, packages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from regreen.cli.options import Problems, Quiet, option
from regreen.cli.study.app import Printed, Seed, command
from regreen.errors import InputError

Run = Annotated[Path, Argument(help="a run directory", metavar="RUN")]
Corpus = Annotated[
    Path, option("--corpus", help="a folder of source files, or what curate corpus wrote", metavar="FOLDER")
]
Suffix = Annotated[
    list[str] | None,
    option("--suffix", help="of the folder's files, as .py (the default); may be repeated", metavar="S"),
]


@command("overlap")
def overlap(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    corpus: Corpus,
    chosen: Problems,
    printed: Printed,
    suffix: Suffix = None,
    run: Annotated[
        Path | None, option("--run", help="a run, scored with and without what overlaps", metavar="RUN")
    ] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> int:
    """How much of the reference solutions stands in a corpus?"""
    from regreen.formats.corpus import SUFFIXES
    from regreen.studies.overlap import overlap as study

    choice = chosen.choice()
    name, problems = choice.load(benchmark)
    found = study(
        choice.choose(problems),
        corpus,
        benchmark=name,
        suffixes=tuple(suffix or SUFFIXES),
        run=run,
        seed=seed,
        quiet=quiet,
    )
    return printed.show(found)


@command("copying")
def copying(
    run: Run,
    corpus: Corpus,
    printed: Printed,
    suffix: Suffix = None,
    least: Annotated[
        int, option("--least", help="tokens of a run that counts as copied", min=5, show=True, metavar="N")
    ] = 40,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> int:
    """How much of a run's programs stands word for word in a corpus?"""
    from regreen.formats.corpus import SUFFIXES
    from regreen.studies.copying import copying as study

    found = study(run, corpus, least=least, suffixes=tuple(suffix or SUFFIXES), seed=seed, quiet=quiet)
    return printed.show(found)


@command("imports")
def imports(
    run: Run,
    printed: Printed,
    known: Annotated[
        Path | None, option("--known", help="a file with more names that exist, a word each", metavar="FILE")
    ] = None,
    seed: Seed = 0,
) -> int:
    """Which packages do a run's programs import, and which of them exist nowhere?"""
    from regreen.studies.imports import imports as study

    try:
        names = known.read_text(encoding="utf-8").split() if known else []
    except UnicodeDecodeError as error:
        raise InputError(f"{known}: no text; give a file of names, a word each") from error
    return printed.show(study(run, known=names, seed=seed))
