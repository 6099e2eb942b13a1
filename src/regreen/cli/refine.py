"""``regreen refine``: programs refined round by round, and what that is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from regreen.cli.app import DONE, command
from regreen.cli.choices import Detail, Until
from regreen.cli.options import (
    Asked,
    Bounds,
    Json,
    Out,
    Problems,
    Quiet,
    Revealed,
    Scores,
    controls,
    one_temperature,
    option,
)
from regreen.cli.printing import print_trees

if TYPE_CHECKING:
    from regreen.refine import Refining


@dataclass
class Rounds:
    """How programs are refined."""

    rounds: Annotated[int, option("--rounds", help="of refinement, at most", min=1, show=True, metavar="N")] = 4
    temperature: Annotated[
        Any, option("--temperature", help="of first programs", parser=one_temperature, show=True, metavar="T")
    ] = "0.2"
    refine_temperature: Annotated[
        Any, option("--refine-temperature", help="of refinements", parser=one_temperature, show=True, metavar="T")
    ] = "0.6"
    resample_temperature: Annotated[
        Any,
        option("--resample-temperature", help="of fresh programs; as refinements", parser=one_temperature, metavar="T"),
    ] = None
    until: Annotated[
        Until, option("--until", help="end when the benchmark's pass rate rises no more, or by problem", show=True)
    ] = Until.BENCHMARK
    feedback: Annotated[
        Detail, option("--feedback", help="values and where they differ, values, an error's name, none", show=True)
    ] = Detail.FULL
    checks: Annotated[
        int, option("--checks", help="failing checks that are told of", min=1, show=True, metavar="N")
    ] = 1
    no_code: Annotated[bool, option("--no-code", help="do not show the wrong program")] = False
    refine_prompt: Annotated[
        str | None, option("--refine-prompt", help="template of refinements, or a file *.jinja", metavar="NAME")
    ] = None
    reveal: Revealed = None
    control: Annotated[
        Any,
        option(
            "--control",
            help="drawn beside: some of these, or none",
            parser=controls,
            show=True,
            metavar="WHAT",
        ),
    ] = "resample,swapped,within,named,untold,stranger"

    def refining(self) -> Refining:
        """Return it as the library takes it."""
        from regreen.refine import Refining, Telling

        return Refining(
            rounds=self.rounds,
            temperature=self.refine_temperature,
            until=self.until.value,
            telling=Telling(self.feedback.value, not self.no_code, self.checks),
            reveal=self.reveal and self.reveal.value,
            template=self.refine_prompt,
            controls=self.control,
            resample_temperature=self.resample_temperature,
        )


@command()
def refine(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    asked: Asked,
    rounds: Rounds,
    chosen: Problems,
    bounds: Bounds,
    scores: Scores,
    n: Annotated[int, option("-n", help="programs for each problem, each refined", min=1, show=True, metavar="N")] = 1,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write programs, refine those that fail round by round, and hold that against fresh programs and swapped feedback.

    After a kill the same command goes on; a larger -n, --rounds or --limit extends the chains.
    """
    from regreen.refine import refine as grow

    found = grow(
        benchmark,
        asked.open(bounds.cluster),
        sampling=asked.sampling(n, (rounds.temperature,), scores.seed),
        refining=rounds.refining(),
        choice=chosen.choice(),
        judging=bounds.judging(),
        view=scores.view(),
        out=out,
        quiet=quiet,
    )
    print_trees(found, scores.view(), as_json=as_json)
    return DONE
