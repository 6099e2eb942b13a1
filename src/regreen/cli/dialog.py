"""``regreen dialog``: a person, a file or a model hints at what is wrong with a model's programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from regreen.cli.app import DONE, command
from regreen.cli.options import Asked, Bounds, Json, OneTemperature, Out, Problems, Quiet, Revealed, Scores, option
from regreen.cli.person import Person
from regreen.cli.printing import print_trees
from regreen.errors import InputError

if TYPE_CHECKING:
    from regreen.dialog import Hinter
    from regreen.problem import Problem


@dataclass
class Hints:
    """Who hints, and how long the dialog is."""

    hints: Annotated[
        Path | None,
        option("--hints", help='JSON Lines {"problem", "text", "turn"?}, instead of a person', metavar="FILE"),
    ] = None
    hinter: Annotated[
        str | None, option("--hinter", help="a model that hints, instead of a person", metavar="MODEL")
    ] = None
    turns: Annotated[
        int, option("--turns", help="programs that the model may write", min=1, show=True, metavar="N")
    ] = 4
    reveal: Revealed = None
    control: Annotated[
        bool, option("--control/--no-control", help="draw as many programs without hints beside", show=True)
    ] = True
    temperature: OneTemperature = "0.8"

    @property
    def by_person(self) -> bool:
        """True if a person hints."""
        return self.hints is None and self.hinter is None

    def opener(self, asked: Asked) -> Callable[[Sequence[Problem]], Hinter]:
        """Return what makes the one who hints, once the problems are known."""
        from regreen.dialog import FileHinter, ModelHinter
        from regreen.models import open_model

        if self.hints is not None:
            file = self.hints
            return lambda problems: FileHinter(file, problems)
        if self.hinter is not None:
            url = asked.base_url if self.hinter.startswith("openai:") else None
            model = open_model(self.hinter, base_url=url, cache=asked.cache)
            return lambda problems: ModelHinter(model, problems[0])
        return lambda _: Person()

    def refuse_unclear(self, named: bool, as_json: bool) -> None:
        """Raise InputError where the options contradict each other, or nobody knows what to talk about."""
        if self.hints is not None and self.hinter is not None:
            raise InputError("--hints and --hinter exclude each other; give one")
        if self.by_person and not named:
            raise InputError("give the ID of the problem to talk about; --hints FILE and --hinter MODEL talk about all")
        if self.by_person and as_json:
            raise InputError("--json prints one object alone, but a person must see the program: leave it out")


@command()
def dialog(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    asked: Asked,
    talk: Hints,
    chosen: Problems,
    bounds: Bounds,
    scores: Scores,
    problem: Annotated[str | None, Argument(help="a problem's id", metavar="[ID]")] = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Hint at what is wrong with a model's program, up to four turns.

    You see the statement, the program and how it failed, and type a hint; or a file or a model does. What was said is
    kept: the same command goes on.
    """
    from regreen import dialog as dialogs

    choice = chosen.choice()
    if problem is not None:
        choice = replace(choice, only=(*choice.only, problem))
    talk.refuse_unclear(bool(choice.only), as_json)
    found = dialogs.dialog(
        benchmark,
        asked.open(bounds.cluster),
        talk.opener(asked),
        sampling=asked.sampling(1, (talk.temperature,), scores.seed),
        turns=talk.turns,
        reveal=talk.reveal and talk.reveal.value,
        control=talk.control,
        choice=choice,
        judging=bounds.judging(),
        view=scores.view(),
        out=out,
        quiet=quiet,
    )
    print_trees(found, scores.view(), as_json=as_json)
    return DONE
