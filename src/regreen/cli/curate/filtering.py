"""``regreen curate filter``."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Argument

from regreen.cli.app import DONE
from regreen.cli.curate.app import Problems as Output
from regreen.cli.curate.app import command, require_problems, show
from regreen.cli.options import Asked, Bounds, Json, Problems, Quiet, option, temperatures


@command("filter")
def filter_problems(
    benchmark: Annotated[str, Argument(help="a file of problems, or a benchmark", metavar="PROBLEMS")],
    out: Output,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    n: Annotated[int, option("-n", help="programs for each problem", min=1, show=True, metavar="N")] = 100,
    temperature: Annotated[
        Any,
        option("--temperature", help="or several, as 0.2,0.8", parser=temperatures, show=True, metavar="T,T,..."),
    ] = "0.8",
    repeats: Annotated[
        int, option("--repeats", help="how often each program is judged again", min=1, show=True, metavar="N")
    ] = 3,
    seed: Annotated[int, option("--seed", help="of all that is drawn", min=0, show=True, metavar="N")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Keep problems that a model can solve and that judge alike.

    Dropped are those that no program solves, and those where judging the same programs again changes a verdict.

    The run lies beside the output (kept.run for kept.jsonl); after a kill the same command goes on, and a larger -n
    extends it.
    """
    from regreen.curate.filtering import filter_problems

    found = filter_problems(
        benchmark,
        asked.open(bounds.cluster),
        require_problems(out),
        sampling=asked.sampling(n, temperature, seed),
        choice=chosen.choice(),
        judging=bounds.judging(),
        repeats=repeats,
        quiet=quiet,
    )
    show(found, "problems", as_json=as_json)
    if not as_json:
        print(f"regreen report {found['run']}")
    return DONE
