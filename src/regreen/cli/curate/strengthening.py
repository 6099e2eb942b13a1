"""``regreen curate strengthen``: checks that wrong programs fail which pass the old ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from regreen.cli.app import DONE
from regreen.cli.curate.app import Seed, command
from regreen.cli.options import Bounds, Json, OneTemperature, Problems, Quiet, option

if TYPE_CHECKING:
    from regreen.curate.strengthening import Strengthening
    from regreen.curate.strengthening.writing import Writing
    from regreen.models import Model


@dataclass
class Trying:
    """How much is tried."""

    inputs: Annotated[int, option("--inputs", help="drawn for each problem", min=0, show=True, metavar="N")] = 200
    mutants: Annotated[
        int | None,
        option("--mutants", help="of each solution, to be told apart; 20 where there is no RUN", min=0, metavar="N"),
    ] = None
    most: Annotated[int, option("--most", help="new checks for each problem", min=1, show=True, metavar="N")] = 10
    agree: Annotated[
        float,
        option("--agree", help="share of a RUN's passing programs that must answer as expected", min=0.0, max=1.0,
               show=True, metavar="SHARE"),
    ] = 0.5  # fmt: skip

    unlike: Annotated[bool, option("--unlike", help="keep inputs without what all known ones have in common, too")] = (
        False
    )

    def how(self, seed: int, *, recorded: bool) -> Strengthening:
        """Return it as the library takes it."""
        from regreen.curate.strengthening import Strengthening

        mutants = (0 if recorded else 20) if self.mutants is None else self.mutants
        return Strengthening(self.inputs, mutants, self.most, self.agree, seed=seed, unlike=self.unlike)


@dataclass
class Generator:
    """A model that writes inputs."""

    generator: Annotated[
        str | None, option("--generator", help="a model that writes inputs: see 'regreen list models'", metavar="MODEL")
    ] = None
    texts: Annotated[int, option("--texts", help="that it writes for each problem", min=1, show=True, metavar="N")] = 1
    base_url: Annotated[
        str | None, option("--base-url", help="its endpoint, as http://HOST:8000/v1", metavar="URL")
    ] = None
    temperature: OneTemperature = "0.8"
    max_tokens: Annotated[int, option("--max-tokens", help="of one text", min=1, show=True, metavar="N")] = 512
    prompt: Annotated[str | None, option("--prompt", help="template, or a file *.jinja", metavar="NAME")] = None
    cache: Annotated[Path | None, option("--cache", help="file that keeps its answers", metavar="FILE")] = None

    def open(self) -> Model | None:
        """Return the model, if one is wanted."""
        from regreen.models import open_model

        return open_model(self.generator, base_url=self.base_url, cache=self.cache) if self.generator else None

    def how(self, seed: int) -> Writing:
        """Return how it is asked, as the library takes it."""
        from regreen.curate.strengthening.writing import Writing

        return Writing(self.texts, self.temperature, self.max_tokens, self.prompt, seed)


@command("strengthen")
def strengthen(
    benchmark: Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")],
    out: Annotated[Path, option("-o", "--out", help="the file of problems to write", metavar="FILE")],
    chosen: Problems,
    bounds: Bounds,
    trying: Trying,
    generator: Generator,
    programs: Annotated[
        list[Path] | None,
        option("--programs", help="a run, to tell its passing programs apart; may be repeated", metavar="RUN"),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Add checks that wrong programs fail which pass the old ones.

    Inputs are drawn near the known ones, or written by a model; what is expected of them says the reference solution,
    run in the sandbox, or where there is none the agreement of recorded programs. After a kill the same command goes
    on.
    """
    from regreen.curate.strengthening import strengthen

    found = strengthen(
        benchmark,
        out,
        runs=programs or (),
        how=trying.how(seed, recorded=bool(programs)),
        choice=chosen.choice(),
        judging=bounds.judging(),
        generator=generator.open(),
        writing=generator.how(seed),
        quiet=quiet,
    )
    if as_json:
        print(json.dumps(found))
    else:
        _print(found)
    return DONE


def _print(found: dict[str, Any]) -> None:
    print(f"{found['benchmark']}: {found['strengthened']} of {found['problems']} problems have new checks")
    marked = f", {found['unverified']} of them unverified: no reference" if found["unverified"] else ""
    print(f"  {found['new_checks']} new checks{marked}")
    for kind, name in (("recorded", "recorded programs"), ("mutants", "mutants of the solutions")):
        counts = found["programs"][kind]
        if counts["passed"]:
            print(f"  {counts['killed']} of {counts['passed']} {name} that passed fail now")
    for told, counts in (("inputs dropped", found["dropped"]), ("problems left as they are", found["untouched"])):
        if counts:
            print(f"  {told}: " + ", ".join(f"{count} {reason}" for reason, count in counts.items()))
    if "generator" in found:
        print(f"  {found['written']} inputs written by {found['generator']}")
    if found["agreement"]["compared"]:
        _print_agreement(found["agreement"])
    print(f"{found['file']}: regreen check {found['file']}")


def _print_agreement(found: dict[str, Any]) -> None:
    share = "{value:.1%} [{low:.1%}, {high:.1%}]".format(**found["share"])
    print(
        f"  where most programs agree and some do not, most are wrong by the reference on {found['wrong']} of "
        f"{found['compared']} inputs; mean over {found['problems']} problems {share}"
    )
