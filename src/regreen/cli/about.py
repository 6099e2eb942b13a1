"""``regreen list`` and ``doctor``: what there is to use, and how well this machine confines programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from regreen.cli.app import DONE, NOT_GREEN, command
from regreen.cli.choices import Listed
from regreen.cli.options import Cluster, Data, Json, Sandbox
from regreen.errors import TierError

if TYPE_CHECKING:
    from regreen.benchmarks import Listing
    from regreen.options import Judging


@command("list")
def list_(
    what: Annotated[Listed, Argument(help="benchmarks, models or prompts", metavar="WHAT")],
    data: Data = None,
    as_json: Json = False,
) -> int:
    """List benchmarks and where their data lies, models or prompts."""
    if what is Listed.BENCHMARKS:
        return _list_benchmarks(data, as_json=as_json)
    names, about = (["model", "about"], _models()) if what is Listed.MODELS else (["prompt", "about"], _prompts())
    if as_json:
        print(json.dumps([dict(zip(names, line, strict=True)) for line in about]))
        return DONE
    from regreen.report import Table, render

    print(render([Table(what.value.capitalize(), names, about)]), end="")
    return DONE


def _models() -> list[tuple[str, str]]:
    from regreen.models import kinds

    return kinds()


def _prompts() -> list[tuple[str, str]]:
    from regreen import prompts

    return [(name, f"{prompts.load(name).about} ({prompts.load(name).hash})") for name in prompts.names()]


def _list_benchmarks(data: Path | None, *, as_json: bool) -> int:
    from regreen import benchmarks
    from regreen.report import Table, render

    listed = benchmarks.names(data=data)
    if as_json:
        fields = ("name", "splits", "checks", "about", "found", "hub")
        print(json.dumps([{f: getattr(line, f) for f in fields} for line in listed], default=str))
        return DONE
    rows = [[b.name, ", ".join(b.splits), b.checks, b.about, _place(b)] for b in listed]
    print(render([Table("Benchmarks", ["name", "splits", "checks", "about", "data"], rows)]), end="")
    return DONE


def _place(listed: Listing) -> str:
    if listed.found or not listed.hub:
        return str(listed.found or "built in")
    return f"to fetch: {listed.hub}" if "://" in listed.hub else f"hub: {listed.hub}"


@command()
def doctor(sandbox: Sandbox = "local", cluster: Cluster = None, as_json: Json = False) -> int:
    """Say how well this machine, a regreen serve or a cluster's nodes confine programs."""
    from regreen.options import SERVERS, Judging
    from regreen.report import Table, render
    from regreen.sandbox import probe

    judging = Judging(sandbox=sandbox, cluster=cluster)
    if cluster is not None:
        return _cluster(judging, as_json=as_json)
    if sandbox.startswith(SERVERS):
        return _server(sandbox, as_json=as_json)
    if judging.remote:
        return _elsewhere(judging, as_json=as_json)
    asked, found = judging.tier, probe()
    enough = found.tier <= asked
    if as_json:
        print(json.dumps({**found.to_json(), "asked": asked, "enough": enough}))
    else:
        rows = [[p.name, "yes" if p.ok else "no", p.tier or "-", p.detail] for p in found.points]
        notes = [f"tier {found.tier}; asked for at least {asked}: {'enough' if enough else 'not enough'}"]
        print(render([Table("Confinement", ["point", "works", "needed for", "found"], rows, notes)]), end="")
    return DONE if enough else NOT_GREEN


def _cluster(judging: Judging, *, as_json: bool) -> int:
    """Say whether every node of a cluster confines programs as asked for; those that do not are named."""
    from regreen.report import Table, render

    try:
        with judging.open() as opened:
            facts = {**opened.facts, "asked": judging.tier, "enough": True}
    except TierError as error:
        print(json.dumps({"asked": judging.tier, "enough": False, "error": str(error)}) if as_json else error)
        return NOT_GREEN
    if as_json:
        print(json.dumps(facts))
        return DONE
    rows = [[node["node"], node["tier"], node["jobs"]] for node in facts["nodes"]]
    notes = [f"tier {facts['tier']}; asked for at least {facts['asked']}: enough"]
    print(render([Table(f"Nodes of {judging.cluster}", ["node", "tier", "jobs"], rows, notes)]), end="")
    return DONE


def _elsewhere(judging: Judging, *, as_json: bool) -> int:
    """Say what is known of a sandbox that is neither this machine's nor a regreen server's."""
    from regreen.report import Table, render

    with judging.open() as opened:
        facts = dict(opened.facts)
    rows = [[name, str(value)] for name, value in facts.items()]
    print(json.dumps(facts) if as_json else render([Table(judging.sandbox, ["", "found"], rows)]).rstrip("\n"))
    return DONE


def _server(url: str, *, as_json: bool) -> int:
    """Say what a server says of itself."""
    from regreen.report import Table, render
    from regreen.sandbox.asking import ask_about

    found = ask_about(url)
    if as_json:
        print(json.dumps(found))
        return DONE
    points = {name: str(detail) for name, detail in found["sandbox"].get("points", {}).items()}
    rows = [
        [name, "no" if text.startswith("no: ") else "yes", text.removeprefix("no: ")] for name, text in points.items()
    ]
    limits = "{timeout} s of CPU time, {memory} bytes of memory, {output} bytes of output".format(**found["limits"])
    jobs = f"{found['jobs']} jobs, {found['waiting']} of {found['queue']} places in the queue taken"
    notes = [f"tier {found['sandbox']['tier']}, version {found['version']}; {jobs}", f"at most {limits}"]
    print(render([Table(f"Confinement at {url}", ["point", "works", "found"], rows, notes)]), end="")
    return DONE
