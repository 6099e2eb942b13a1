"""The program ``regreen``: from arguments to an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from regreen.cli.options import grouped
from regreen.errors import RegreenError

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer does not name its class for usage errors
DONE, NOT_GREEN, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class _Interrupted(RegreenError):
    exit_code = INTERRUPTED


class _Commands(TyperGroup):
    """The commands; Ctrl-C and a closed pipe are dealt with here, since typer would exit with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            code = super().invoke(ctx)
            print(end="", flush=True)
            return code
        except KeyboardInterrupt as error:
            raise _Interrupted("interrupted; nothing finished is lost: type the same command again to go on") from error
        except BrokenPipeError:  # the reader, `head` for one, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE


app = typer.Typer(
    cls=_Commands,
    help="Evaluate, repair and train code-writing language models, with unit tests as the only teacher.",
    rich_markup_mode=None,  # rich help costs 30 ms a call
    pretty_exceptions_enable=False,
)


def command(name: str | None = None) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add a command, whose parameters may be groups of options, and which returns its exit code."""
    return lambda function: app.command(name)(grouped(function))


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 not green, 2 bad input, 3 a judge or model failed, 130 interrupted."""
    for ending in (signal.SIGTERM, signal.SIGHUP):  # a scheduler's and a closed terminal's way of pressing Ctrl-C
        if signal.getsignal(ending) is signal.SIG_DFL:  # under nohup it is ignored
            signal.signal(ending, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="replace")  # a terminal that knows no line of a table gets a question mark
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return int(app(arguments, prog_name="regreen", standalone_mode=False) or DONE)
    except _UsageError as error:
        return _usage_error(error)
    except RegreenError as error:
        say(str(error))
        return error.exit_code
    except OSError as error:
        place = error.filename or "input or output"
        from regreen.records import NO_ROOM, unwritten

        if error.errno in NO_ROOM:
            full = unwritten(place, error)
            say(str(full))
            return full.exit_code
        say(f"{place}: {error.strerror or error}")
        return BAD_INPUT


def _usage_error(error: Any) -> int:
    command = error.ctx.command_path if error.ctx else "regreen"
    say(f"{error.format_message().rstrip('.')}; see '{command} --help'")
    return BAD_INPUT


def say(message: str) -> None:
    """Print one line on stderr."""
    print(f"regreen: {' '.join(message.split())}", file=sys.stderr)


def _print_version(wanted: bool) -> None:
    if wanted:
        import regreen

        print(f"regreen {regreen.__version__}")
        raise typer.Exit


@app.callback()
def _regreen(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass
