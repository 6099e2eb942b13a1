"""What options hold, and the groups of them that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from regreen.cli.choices import Budget, Estimator, Order, Replacement, Reveal, Tokens, Verdicts

if TYPE_CHECKING:
    from regreen.models import Model
    from regreen.options import Choice, Judging, Sampling
    from regreen.report import Prices, RepairView
    from regreen.summary import View

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def size(text: str) -> int:
    """Return a number of bytes, from ``1048576``, ``512M`` or ``2G``."""
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].lower() in _UNITS else (text, "")
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no size; write bytes, or 512M, or 2G") from error


def day(text: str) -> date:
    """Return a date, from ``2024-05-31``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date; write it as 2024-05-31") from error


def ks(text: str) -> tuple[int, ...]:
    """Return the k of pass@k, from ``1,10,100``; ``all`` is every k that there can be, and written ``()``."""
    if text == "all":
        return ()
    try:
        numbers = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list of numbers; write it as 1,10,100") from error
    if min(numbers) < 1:
        raise typer.BadParameter(f"{text!r}: every k must be at least 1")
    return numbers


def widths(text: str) -> tuple[int, ...]:
    """Return one side of a grid, from ``1,2,5``."""
    numbers = ks(text)
    if not numbers:
        raise typer.BadParameter(f"{text!r} is no list of numbers; write it as 1,2,5")
    return numbers


def counts(text: str) -> tuple[int, ...]:
    """Return numbers from 0 on, from ``0,1,2``."""
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r} is no list of numbers; write it as 0,1,2")
    return tuple(dict.fromkeys(map(int, parts)))


def words(text: str) -> tuple[str, ...]:
    """Return words, from ``one,two``."""
    return tuple(dict.fromkeys(text.split(",")))


def price(text: str) -> tuple[str, Prices]:
    """Return a model and its prices, from ``MODEL=0.25,0.03,2``."""
    from regreen.report import Prices

    model, _, numbers = text.rpartition("=")
    try:
        return model, Prices(*(float(part) for part in numbers.split(",")))
    except (TypeError, ValueError) as error:
        raise typer.BadParameter(f"{text!r}: write MODEL=in,cached,out, for a million tokens each") from error


def temperatures(text: str) -> tuple[float, ...]:
    """Return temperatures, from ``0.8`` or ``0.2,0.8``."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no temperature; write 0.8, or several as 0.2,0.8") from error
    if not all(0 <= temperature <= 10 for temperature in found):
        raise typer.BadParameter(f"{text!r}: a temperature lies between 0 and 10")
    return found


def one_temperature(text: str) -> float:
    """Return the temperature of trees, which is one."""
    found = temperatures(text)
    if len(found) > 1:
        raise typer.BadParameter(f"{text!r}: give one temperature, not several")
    return found[0]


def controls(text: str) -> tuple[str, ...]:
    """Return the controls named, as ``resample,swapped``; ``none`` is none."""
    return () if text == "none" else tuple(text.split(","))


def examples(text: str) -> int | tuple[str, ...]:
    """Return how many solved examples, or which."""
    return int(text) if text.isdecimal() else tuple(text.split(","))


def option(*names: str, show: bool = False, **more: Any) -> Any:
    """Return an option; its default is shown only where it tells something."""
    return typer.Option(*names, show_default=show, **more)


Json = Annotated[bool, option("--json", help="print one JSON object and nothing else")]
Out = Annotated[Path | None, option("-o", "--out", help="the run directory", metavar="RUN")]
Quiet = Annotated[bool, option("-q", "--quiet", help="no progress")]
Verbose = Annotated[bool, option("-v", "--verbose", help="name every difference from recorded verdicts")]
Data = Annotated[Path | None, option("--data", help="folder or file with the benchmark's data", metavar="PATH")]
Sandbox = Annotated[
    str,
    option(
        "--sandbox",
        help="local, local:A, local:B or local:C for a tier, http://HOST:PORT or fusion+http://HOST:PORT",
        show=True,
        metavar="WHERE",
    ),
]
Cluster = Annotated[
    str | None, option("--cluster", help="judge, and run models, on a Ray cluster", metavar="ray|HOST:PORT")
]
Revealed = Annotated[
    Reveal | None, option("--reveal", help="checks whose failures may be told; the problem's own by default")
]
OneTemperature = Annotated[
    Any, option("--temperature", help="of all texts", parser=one_temperature, show=True, metavar="T")
]


@dataclass
class Problems:
    """Which problems of a benchmark."""

    data: Data = None
    only: Annotated[list[str] | None, option("--only", help="this problem alone; may be repeated", metavar="ID")] = None
    limit: Annotated[int | None, option("--limit", help="the first problems alone", min=1, metavar="N")] = None
    after: Annotated[Any, option("--after", help="problems from this date on", parser=day, metavar="DATE")] = None
    before: Annotated[Any, option("--before", help="problems up to this date", parser=day, metavar="DATE")] = None

    def choice(self) -> Choice:
        """Return them as the library takes them."""
        from regreen.options import Choice

        return Choice(self.data, tuple(self.only or ()), self.limit, self.after, self.before)


@dataclass
class Bounds:
    """What a program may use, and where it is judged."""

    timeout: Annotated[
        float, option("--timeout", help="CPU seconds for one run of a program", show=True, metavar="SECONDS")
    ] = 3.0
    memory: Annotated[Any, option("--memory", help="of a program", parser=size, metavar="SIZE", show=True)] = "1G"
    output_limit: Annotated[
        Any, option("--output-limit", help="output of a program", parser=size, metavar="SIZE", show=True)
    ] = "1M"
    sandbox: Sandbox = "local"
    jobs: Annotated[
        int | None, option("-j", "--jobs", help="programs judged at once; all cores by default", min=1, metavar="N")
    ] = None
    cluster: Cluster = None

    def judging(self) -> Judging:
        """Return them as the library takes them."""
        from regreen.options import Judging

        return Judging(self.timeout, self.memory, self.output_limit, self.sandbox, self.jobs, self.cluster)


@dataclass
class Scores:
    """How a run is reported."""

    ks: Annotated[Any, option("-k", help="the k of pass@k, as 1,10,100, or all", parser=ks, metavar="K,K,...")] = None
    biased: Annotated[bool, option("--biased", help="print 1-(1-c/n)^k too")] = False
    model_cutoff: Annotated[
        Any, option("--model-cutoff", help="scores before and after a date", parser=day, metavar="DATE")
    ] = None
    seed: Annotated[int, option("--seed", help="of all that is drawn", min=0, show=True, metavar="N")] = 0
    held_out: Annotated[
        bool, option("--held-out", help="choose the best temperature on half of the problems, report the other half")
    ] = False

    def view(self) -> View:
        """Return it as the library takes it."""
        from regreen.summary import View

        return View(self.ks, self.biased, self.model_cutoff, self.seed, self.held_out)


@dataclass
class Trees:
    """How repair trees are reported."""

    n_p: Annotated[Any, option("--np", help="first programs of a tree, as 1,2,5", parser=widths, metavar="N,N,...")] = (
        None
    )
    n_fr: Annotated[
        Any, option("--nfr", help="repairs of each failing one, as 1,3", parser=widths, metavar="N,N,...")
    ] = None
    n_r: Annotated[
        int, option("--nr", help="repairs of each explanation, where those stand apart", min=1, show=True, metavar="N")
    ] = 1
    order: Annotated[Order, option("--order", help="in which trees are searched", show=True)] = Order.BATCHED
    replacement: Annotated[
        Replacement, option("--replacement", help="trees drawn without it, or as in the paper with it", show=True)
    ] = Replacement.WITHOUT
    estimator: Annotated[Estimator, option("--estimator", help="of pass@t", show=True)] = Estimator.EXACT
    tokens: Annotated[Tokens, option("--tokens", help="all that were sampled, or by the paper's rule", show=True)] = (
        Tokens.SAMPLED
    )
    budget: Annotated[Budget, option("--budget", help="on which baselines are matched", show=True)] = Budget.SAMPLED
    price: Annotated[
        list[Any] | None,
        option("--price", help="for a million tokens; may be repeated", parser=price, metavar="MODEL=in,cached,out"),
    ] = None
    verdicts: Annotated[
        Verdicts | None, option("--verdicts", help="of recorded trees; ours by default, where there are any")
    ] = None

    def view(self) -> RepairView:
        """Return it as the library takes it."""
        from regreen.report import RepairView

        if self.budget is Budget.PRICE and not self.price:
            raise typer.BadParameter("--budget price needs --price MODEL=in,cached,out")
        return RepairView(
            n_p=self.n_p,
            n_fr=self.n_fr,
            n_r=self.n_r,
            order=self.order.value,
            replacement=self.replacement.value,
            estimator=self.estimator.value,
            tokens=self.tokens.value,
            budget=self.budget.value,
            prices=dict(self.price or ()),
            verdicts=self.verdicts.value if self.verdicts else None,
        )


@dataclass
class Asked:
    """Who is asked, and how."""

    model: Annotated[str, option("-m", "--model", help="see 'regreen list models'", metavar="MODEL")] = ""
    base_url: Annotated[
        str | None,
        option("--base-url", help="an OpenAI-compatible endpoint, as http://HOST:8000/v1", metavar="URL"),
    ] = None
    top_p: Annotated[float, option("--top-p", help="nucleus sampling", min=1e-6, max=1.0, show=True, metavar="P")] = (
        0.95
    )
    max_tokens: Annotated[
        int, option("--max-tokens", help="generated for one program", min=1, show=True, metavar="N")
    ] = 1024
    max_tokens_total: Annotated[
        int | None, option("--max-tokens-total", help="generated in all, then stop", min=1, metavar="N")
    ] = None
    stop: Annotated[list[str] | None, option("--stop", help="end texts here too", metavar="TEXT")] = None
    prompt: Annotated[
        str | None, option("--prompt", help="template: see 'regreen list prompts', or a file *.jinja", metavar="NAME")
    ] = None
    examples: Annotated[
        Any, option("--examples", help="solved examples to show: how many, or ids", parser=examples, metavar="N|ID,ID")
    ] = None
    show: Annotated[
        str | None, option("--show", help="checks that the prompt may show: none, all or how many", metavar="N")
    ] = None
    cache: Annotated[Path | None, option("--cache", help="file that keeps answers", metavar="FILE")] = None
    parallel: Annotated[int | None, option("--parallel", help="requests at once (openai:)", min=1, metavar="N")] = None
    batch: Annotated[int | None, option("--batch", help="prompts at once (hf:)", min=1, metavar="N")] = None
    device: Annotated[str | None, option("--device", help="cpu, cuda, ... (hf:)", metavar="NAME")] = None
    dtype: Annotated[str | None, option("--dtype", help="float32, bfloat16, ... (hf:)", metavar="NAME")] = None
    reasoning_effort: Annotated[
        str | None, option("--reasoning-effort", help="low, medium, high (openai:)", metavar="LEVEL")
    ] = None
    thinking_budget: Annotated[
        int | None, option("--thinking-budget", help="tokens of reasoning at most (openai:)", min=0, metavar="N")
    ] = None

    def open(self, cluster: str | None = None) -> Model:
        """Return the model; one that runs here otherwise runs on the machines of the cluster, if there is one."""
        from regreen.models import open_model

        given = {name: getattr(self, name) for name in _MODEL_OPTIONS}
        return open_model(self.model, cache=self.cache, cluster=cluster, **given)

    def sampling(self, n: int, temperatures: tuple[float, ...], seed: int) -> Sampling:
        """Return what is asked as the library takes it."""
        from regreen.options import Sampling

        return Sampling(
            n=n,
            temperatures=temperatures,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            stop=tuple(self.stop or ()),
            prompt=self.prompt,
            examples=self.examples,
            show=self.show,
            total=self.max_tokens_total,
            seed=seed,
        )


_MODEL_OPTIONS = ("base_url", "parallel", "batch", "device", "dtype", "reasoning_effort", "thinking_budget")


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of each parameter that is a group, after its own, and the group made of them."""
    given_as = inspect.signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {p.name: p.annotation for p in given_as if is_dataclass(p.annotation)}
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in given_as if p.name not in groups]
    parameters += [option for group in groups.values() for option in _options_of(group)]

    @functools.wraps(command)
    def run(**given: Any) -> int:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        return command(**given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options_of(group: type) -> list[inspect.Parameter]:
    types = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=types[f.name])
        for f in fields(group)
    ]
