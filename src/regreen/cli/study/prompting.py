"""Studies of what a model owes to its prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regreen.cli.options import Asked, Bounds, OneTemperature, Problems, ks, option
from regreen.cli.study.app import Kept, Printed, command
from regreen.cli.study.asking import Benchmark, N, plain, studied

if TYPE_CHECKING:
    from regreen.studies.example_sets import Drawing
    from regreen.studies.prompt import Wording


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


@dataclass
class Drawn:
    """Which sets of solved examples are drawn."""

    sets: Annotated[int, option("--sets", help="sets of solved examples", min=2, show=True, metavar="N")] = 10
    size: Annotated[int, option("--size", help="examples in a set", min=1, show=True, metavar="N")] = 3
    pool: Annotated[
        str | None, option("--pool", help="draw them from this benchmark; the prompt's own by default", metavar="B")
    ] = None
    choose_on: Annotated[
        str | None,
        option("--choose-on", help="choose the best set on this benchmark, as mbpp:validation", metavar="B"),
    ] = None

    def drawing(self) -> Drawing:
        """Return it as the library takes it."""
        from regreen.studies.example_sets import Drawing

        return Drawing(self.sets, self.size, self.pool, self.choose_on)


@dataclass
class Said:
    """How else problems are said."""

    wording: Annotated[
        Any, option("--wording", help="compare these templates, as codex,chat", parser=_words, metavar="NAME,NAME")
    ] = None
    against: Annotated[
        str | None, option("--against", help="compare with the statements of this benchmark", metavar="B")
    ] = None

    def words(self) -> Wording:
        """Return it as the library takes it."""
        from regreen.studies.prompt import Wording

        return Wording(self.wording or (), self.against)


@command("prompt")
def prompt(
    benchmark: Benchmark,
    drawn: Drawn,
    said: Said,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    vary: Annotated[
        Any,
        option("--vary", help="of checks,examples,which,wording; all that can be", parser=_words, metavar="NAME,..."),
    ] = None,
    n: N = 5,
    temperature: OneTemperature = "0.5",
) -> int:
    """What does a score owe to the checks, examples and words of the prompt?"""
    from regreen.studies.prompt import prompt as study

    asks = studied(
        "prompt", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), kept=kept,
        decides={"pool": drawn.pool, "size": drawn.size, "against": said.against},
    )  # fmt: skip
    found = study(asks, vary=vary, drawing=drawn.drawing(), wording=said.words())
    return printed.show(found)


@command("ensemble")
def ensemble(
    benchmark: Benchmark,
    drawn: Drawn,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    budgets: Annotated[
        Any, option("-k", help="programs for each problem, as 10,20", parser=ks, metavar="K,K,...")
    ] = None,
    n: N = 20,
    temperature: OneTemperature = "0.5",
) -> int:
    """Are several prompts better than one, for as many programs?"""
    from regreen.studies.ensemble import ensemble as study

    asks = studied(
        "ensemble", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), kept=kept,
        decides={"pool": drawn.pool, "size": drawn.size},
    )  # fmt: skip
    return printed.show(study(asks, budgets=budgets or (), drawing=drawn.drawing()))


plain(
    "adversarial",
    "Does a model follow the text, or a misleading name or a wrong check beside it?",
    n=5,
    temperature="0.5",
)


@command("misalignment")
def misalignment(
    benchmark: Benchmark,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    sets: Annotated[int, option("--sets", help="sets of examples for each problem", min=1, show=True, metavar="N")] = 3,
    size: Annotated[int, option("--size", help="examples in a set", min=1, show=True, metavar="N")] = 3,
    pool: Annotated[
        str | None, option("--pool", help="take them from this benchmark; the prompt's own by default", metavar="B")
    ] = None,
    n: N = 1,
    temperature: OneTemperature = "0",
) -> int:
    """Does a model write worse code after buggy code than it can?"""
    from regreen.studies.example_sets import Drawing
    from regreen.studies.misalignment import misalignment as study

    asks = studied(
        "misalignment", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), kept=kept, decides={"pool": pool, "size": size},
    )  # fmt: skip
    return printed.show(study(asks, drawing=Drawing(sets, size, pool)))


def _people(text: str) -> tuple[tuple[str, str], ...]:
    pairs = tuple(tuple(part.split("/")) for part in text.split(","))
    if any(len(pair) != 2 for pair in pairs):
        raise typer.BadParameter(f"{text!r}: write names and pronouns, as Emily/she,Greg/he")
    return tuple((name, pronoun) for name, pronoun in pairs)


@command("bias")
def bias(
    benchmark: Benchmark,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    people: Annotated[
        Any, option("--people", help="who ask, with their pronouns", parser=_people, show=True, metavar="NAME/she,...")
    ] = "Emily/she,Greg/he,Lakisha/she,Jamal/he",
    n: N = 5,
    temperature: OneTemperature = "0.5",
) -> int:
    """Does it matter who asks?"""
    from regreen.studies.bias import Person
    from regreen.studies.bias import bias as study

    asks = studied(
        "bias", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), kept=kept, decides={"people": [list(p) for p in people]},
    )  # fmt: skip
    return printed.show(study(asks, people=[Person(*pair) for pair in people]))


plain("find-bug", "Can a model tell a program with a bug from one without, and find the line?", n=1, temperature="0")
