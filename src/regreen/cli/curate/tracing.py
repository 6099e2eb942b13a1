"""``regreen curate trace``."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from regreen.cli.app import DONE
from regreen.cli.curate.app import Problems, command, require_problems, show
from regreen.cli.options import Bounds, Json, Quiet, option


@command("trace", context_settings={"allow_interspersed_args": False})
def trace(
    ran: Annotated[list[str], Argument(help="what runs the tests, as: python -m pytest", metavar="COMMAND")],
    out: Problems,
    bounds: Bounds,
    packages: Annotated[
        list[str] | None,
        option("--package", help="whose functions; may be repeated, and be a standard module", metavar="NAME"),
    ] = None,
    checks: Annotated[int, option("--checks", help="of a problem, at most", min=2, show=True, metavar="N")] = 20,
    repeats: Annotated[
        int, option("--repeats", help="how often each solution is judged", min=1, show=True, metavar="N")
    ] = 3,
    seed: Annotated[
        int, option("--seed", help="of the orders in which checks are judged", min=0, show=True, metavar="N")
    ] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make problems of the functions that a project's tests call.

    Options come before COMMAND, which runs in this directory with a tracer in each of its Python processes. Without
    --package, functions of all that lies below this directory are taken, tests left out. What COMMAND prints goes to
    standard error.
    """
    from regreen.curate.tracing import Tracing, trace

    found = trace(
        ran,
        require_problems(out),
        tracing=Tracing(tuple(packages or ()), checks, repeats, seed),
        judging=bounds.judging(),
        quiet=quiet,
    )
    show(found, "functions", as_json=as_json)
    return DONE
