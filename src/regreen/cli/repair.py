"""``regreen repair``: trees of programs, explanations and repairs on a live model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from regreen.cli.app import DONE, command
from regreen.cli.choices import Order
from regreen.cli.options import (
    Asked,
    Bounds,
    Json,
    OneTemperature,
    Out,
    Problems,
    Quiet,
    Revealed,
    Scores,
    controls,
    option,
)
from regreen.cli.printing import print_trees

if TYPE_CHECKING:
    from regreen.models import Model
    from regreen.repair import Repairing


@dataclass
class Trees:
    """How trees grow."""

    feedback: Annotated[
        str,
        option(
            "--feedback",
            help="none, self, oracle, static, trace, notes:FILE, a MODEL, or several as self+static",
            show=True,
            metavar="WHO",
        ),
    ] = "self"
    feedback_url: Annotated[
        str | None, option("--feedback-url", help="the explaining model's endpoint, if another", metavar="URL")
    ] = None
    np: Annotated[int, option("--np", help="first programs", min=1, show=True, metavar="N")] = 10
    nfr: Annotated[
        int | None,
        option("--nfr", help="explanations with their repairs, for each failing program", min=1, metavar="N"),
    ] = None
    nf: Annotated[int | None, option("--nf", help="explanations, asked for apart", min=1, metavar="N")] = None
    nr: Annotated[int | None, option("--nr", help="repairs for each explanation", min=1, metavar="N")] = None
    order: Annotated[Order, option("--order", help="what is grown first", show=True)] = Order.BATCHED
    full: Annotated[bool, option("--full", help="grow whole trees instead of ending at the first pass")] = False
    depth: Annotated[int, option("--depth", help="levels of repair", min=1, show=True, metavar="N")] = 1
    reveal: Revealed = None
    control: Annotated[
        Any,
        option(
            "--control",
            help="drawn beside: resample, swapped, within, or none",
            parser=controls,
            show=True,
            metavar="WHAT",
        ),
    ] = "resample,swapped"
    again: Annotated[
        float, option("--again", help="share of programs judged a second time", min=0.0, max=1.0, show=True)
    ] = 0.1
    programs: Annotated[
        Path | None, option("--programs", help="a run whose samples are the first programs", metavar="RUN")
    ] = None
    temperature: OneTemperature = "0.8"

    def repairing(self) -> Repairing:
        """Return it as the library takes it."""
        from regreen.repair import Repairing

        return Repairing(
            feedback=self.feedback,
            nfr=self.nfr,
            nf=self.nf,
            nr=self.nr,
            order=self.order.value,
            full=self.full,
            depth=self.depth,
            reveal=self.reveal and self.reveal.value,
            controls=self.control,
            again=self.again,
        )

    def explainer(self, asked: Asked) -> Model | None:
        """Return the model that explains, if it is another than the one that repairs."""
        from regreen.models import open_model
        from regreen.repair import explainer_of

        name = explainer_of(self.feedback)
        if name in (None, "self"):
            return None
        url = (self.feedback_url or asked.base_url) if name.startswith("openai:") else None
        return open_model(name, base_url=url, cache=asked.cache)


@command()
def repair(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    asked: Asked,
    trees: Trees,
    chosen: Problems,
    bounds: Bounds,
    scores: Scores,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write programs, explain why they fail, repair them: trees, and what they are held against.

    After a kill the same command goes on; a larger --np, --nfr, --nf, --nr or --limit extends the trees.
    """
    from regreen.repair import repair as grow

    found = grow(
        benchmark,
        asked.open(bounds.cluster),
        explainer=trees.explainer(asked),
        sampling=asked.sampling(trees.np, (trees.temperature,), scores.seed),
        repairing=trees.repairing(),
        choice=chosen.choice(),
        judging=bounds.judging(),
        view=scores.view(),
        programs=trees.programs,
        out=out,
        quiet=quiet,
    )
    print_trees(found, scores.view(), as_json=as_json)
    return DONE
