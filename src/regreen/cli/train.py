"""``regreen train``: a command for each way to train."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument

from regreen.cli.app import DONE, app
from regreen.cli.options import Bounds, Json, Out, Quiet, grouped
from regreen.cli.printing import say_notes

train = typer.Typer(help="Train a model; see 'regreen train sft --help'.", rich_markup_mode=None)
app.add_typer(train, name="train", short_help="Train a model: sft, cycle, rltf, docstring, execution.")

_EVALUATE = "regreen evaluate BENCHMARK -m {model} --prompt {prompt}{few}"  # what can be typed next, as a rule
Config = Annotated[Path, Argument(help="a TOML file", metavar="CONFIG")]


@train.callback()
def _train() -> None:
    """Train a model; each way reads a TOML file."""


def sft(config: Config, bounds: Bounds, out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Fine-tune a model on problems and their solutions.

    After a kill the same command goes on, to the same weights. RUN/checkpoints/best is a model: give it to -m hf:.
    """
    from regreen.train.config import SftConfig, read_config

    told = read_config(config, SftConfig)
    from regreen.train.sft import sft as train_sft

    return _print(train_sft(told, judging=bounds.judging(), out=out, quiet=quiet), as_json=as_json)


train.command("sft")(grouped(sft))


def cycle(config: Config, bounds: Bounds, out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Train a model to refine its own wrong programs: probe it, pair failures with solutions, fine-tune.

    After a kill the same command goes on, in whatever phase it was. RUN/checkpoints/best is a model: give it to
    regreen refine as -m hf:.
    """
    from regreen.train.config import CycleConfig, read_config

    told = read_config(config, CycleConfig)
    from regreen.train.cycle import cycle as train_cycle

    found = train_cycle(told, judging=bounds.judging(), out=out, quiet=quiet)
    _print(found, as_json=as_json)
    if found and not as_json:
        _print_set(found)
    return DONE


train.command("cycle")(grouped(cycle))


def rltf(config: Config, bounds: Bounds, out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Train a model by reinforcement on verdicts on its own programs; problems need checks, and no solutions.

    After a kill the same command goes on; interleaved and offline, to the same weights. RUN/draws.jsonl has every
    program that was drawn.
    """
    from regreen.train.config import RltfConfig, read_config

    told = read_config(config, RltfConfig)
    from regreen.train.rltf import rltf as train_rltf

    return _print(train_rltf(told, judging=bounds.judging(), out=out, quiet=quiet), as_json=as_json)


train.command("rltf")(grouped(rltf))


def docstring(config: Config, bounds: Bounds, out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Fine-tune a model to write docstrings for programs (Codex-D).

    RUN/checkpoints/best is a model: regreen study docstring asks whether its docstrings lead back to the program.
    """
    from regreen.train.config import DocstringConfig, read_config

    told = read_config(config, DocstringConfig)
    from regreen.train.docstring import docstring as train_docstring

    found = train_docstring(told, judging=bounds.judging(), out=out, quiet=quiet)
    return _print(found, as_json=as_json, following="regreen study docstring BENCHMARK -m {model} --coder MODEL")


train.command("docstring")(grouped(docstring))


def execution(config: Config, bounds: Bounds, out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Fine-tune a model to say what programs return.

    RUN/checkpoints/best is a model: give it to regreen study execution, and to regreen evaluate to see what it did to
    the writing of programs.
    """
    from regreen.train.config import ExecutionConfig, read_config

    told = read_config(config, ExecutionConfig)
    from regreen.train.execution import execution as train_execution

    found = train_execution(told, judging=bounds.judging(), out=out, quiet=quiet)
    asked = f"--shown {told.shown} --pairs {told.pairs} --prompt {{prompt}}"
    return _print(found, as_json=as_json, following=f"regreen study execution BENCHMARK -m {{model}} {asked}")


train.command("execution")(grouped(execution))


def _print_set(found: dict[str, Any]) -> None:
    """Say what a set held, and how the checkpoint is made to refine."""
    about = found["set"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in about["kinds"].items())
    print(f"trained on {about['rows']} rows ({kinds}); {100 * about['share_refine']:.0f} % refine")
    print(f"regreen refine BENCHMARK -m hf:{shlex.quote(found['checkpoint'])} --prompt {found['prompt']}", end="")
    print(f" --refine-prompt {found['refine_prompt']}{' --examples 0' if found['examples'] else ''}{_told(found)}")


def _told(found: dict[str, Any]) -> str:
    """Return the options by which refinements are told what they were taught with, where that is not the default."""
    telling, reveal = found["telling"], found["reveal"]
    said = [] if telling["feedback"] == "full" else [f"--feedback {telling['feedback']}"]
    said += [] if telling["code"] else ["--no-code"]
    said += [] if telling["checks"] == 1 else [f"--checks {telling['checks']}"]
    said += [] if reveal is None else [f"--reveal {reveal}"]
    return "".join(f" {option}" for option in said)


def _print(found: dict[str, Any], *, as_json: bool, following: str = _EVALUATE) -> int:
    """Print what a training came to, and what can be typed next; nothing where another process leads it."""
    if not found:
        return DONE
    if as_json:
        print(json.dumps(found))
        return DONE
    scores = ", ".join(f"{name} {value:.3f}" for name, value in found["scores"].items())
    print(f"{found['benchmark']}: step {found['step']} of {found['steps']}, {found['tokens']} tokens; {scores}")
    if found["best"] is not None:
        print(
            f"best: step {found['best_step']}, {found['monitor']} {found['best']:.3f} on {found['held_out']} problems"
        )
    few = " --examples 0" if found["examples"] else ""
    print(following.format(model=f"hf:{shlex.quote(found['checkpoint'])}", prompt=found["prompt"], few=few))
    say_notes(found)
    return DONE
