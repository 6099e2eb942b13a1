"""``regreen rank`` and ``export``: what is made of runs and checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from regreen.cli.app import DONE, command
from regreen.cli.choices import Target
from regreen.cli.options import Json, Quiet, ks, option

Seed = Annotated[int, option("--seed", help="of intervals and draws", min=0, show=True, metavar="N")]
Ks = Annotated[Any, option("-k", help="how many programs are drawn, as 1,10,100", parser=ks, metavar="K,K,...")]


@command()
def rank(
    run: Annotated[Path, Argument(help="a run directory", metavar="RUN")],
    model: Annotated[
        str | None, option("-m", "--model", help="says how likely a statement is: back-translation", metavar="MODEL")
    ] = None,
    base_url: Annotated[str | None, option("--base-url", help="the model's endpoint", metavar="URL")] = None,
    checks: Annotated[
        Path | None, option("--checks", help="checks that a model wrote: dual agreement", metavar="FILE")
    ] = None,
    given_ks: Ks = None,
    seed: Seed = 0,
    jobs: Annotated[int | None, option("-j", "--jobs", help="programs run at once", min=1, metavar="N")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Choose one program of k without the scoring checks.

    Writes RUN/ranks.jsonl, which report prints: random, log-probabilities, shown checks, majority, oracle and more.
    """
    from regreen.models import open_model
    from regreen.rank import rank as rank_run
    from regreen.report import ranking_tables, render

    asked = open_model(model, base_url=base_url) if model else None
    found = rank_run(run, model=asked, checks=checks, ks=given_ks or None, seed=seed, jobs=jobs, quiet=quiet)
    print(json.dumps(found) + "\n" if as_json else render(ranking_tables(found)), end="")
    return DONE


@command()
def export(
    source: Annotated[str, Argument(help="a run directory; for gguf a checkpoint", metavar="RUN|CHECKPOINT")],
    to: Annotated[Target, option("--to", help="the form")],
    out: Annotated[Path, option("-o", "--out", help="write here", metavar="FILE")],
    pairs: Annotated[int, option("--pairs", help="of a problem at most (preference)", min=1, show=True)] = 4,
    seed: Seed = 0,
) -> int:
    """Write a run or a checkpoint for another tool.

    Of a run: sft, preference and grpo are the data sets that TRL takes, parquet a table of all programs. Of a
    checkpoint: gguf is llama.cpp's form.
    """
    from regreen import export as exports
    from regreen.models.shipped import place_of
    from regreen.records import require_place

    require_place(out)
    if to is Target.GGUF:
        exports.export_gguf(Path(place_of(source)), out)
        print(f"{out}: {out.stat().st_size:,} bytes")
        return DONE
    run = Path(source)
    if to is Target.PARQUET:
        rows = exports.export_parquet(run, out)
    else:
        rows = exports.export_rows(run, to.value, out, pairs=pairs, seed=seed)
    print(f"{out}: {rows:,} rows")
    return DONE
