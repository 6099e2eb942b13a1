"""``regreen curate corpus``: source files for training, and a tokenizer for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from regreen.cli.app import DONE
from regreen.cli.curate.app import command
from regreen.cli.options import Json, Quiet, option, size

if TYPE_CHECKING:
    from regreen.curate.corpus import Filters


@dataclass
class Kept:
    """Which files are kept."""

    suffix: Annotated[
        list[str] | None, option("--suffix", help="of the files, as .py (the default); may be repeated", metavar="S")
    ] = None
    largest: Annotated[
        Any, option("--largest", help="files from this size on are dropped", parser=size, show=True, metavar="SIZE")
    ] = "1000000"
    mean_line: Annotated[
        float, option("--mean-line", help="characters of a line, on average at most", min=1.0, show=True, metavar="N")
    ] = 100
    longest_line: Annotated[
        int, option("--longest-line", help="characters of any line at most", min=1, show=True, metavar="N")
    ] = 1000
    least_letters: Annotated[
        float,
        option("--least-letters", help="least share of letters and digits", min=0.0, max=1.0, show=True, metavar="P"),
    ] = 0.25
    parses: Annotated[bool, option("--parses", help="drop what does not parse as Python")] = False

    def filters(self) -> Filters:
        """Return them as the library takes them."""
        from regreen.curate.corpus import Filters
        from regreen.formats.corpus import SUFFIXES

        suffixes = tuple(self.suffix or SUFFIXES)
        return Filters(
            suffixes, self.largest, self.mean_line, self.longest_line, self.least_letters, parses=self.parses
        )


@command("corpus")
def corpus(
    folder: Annotated[Path, Argument(help="source files, at any depth", metavar="FOLDER")],
    out: Annotated[Path, option("-o", "--out", help="the JSON Lines file of texts to write", metavar="FILE")],
    kept: Kept,
    tokenizer: Annotated[
        int | None, option("--tokenizer", help="train a byte-level tokenizer of so many tokens, too", metavar="N")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Prepare source files for training, by Codex's filters.

    The tokenizer, with tokens for runs of white space, is written beside: FILE's name, then .tokenizer.json.
    """
    from regreen.curate.corpus import corpus
    from regreen.curate.tokenizing import check_size
    from regreen.curate.tokenizing import tokenizer as train

    if tokenizer is not None:
        check_size(tokenizer)
    found = corpus(folder, out, filters=kept.filters(), quiet=quiet)
    if tokenizer is not None:
        found["tokenizer"] = train(out, out.with_name(f"{out.name}.tokenizer.json"), tokenizer)
    if as_json:
        print(json.dumps(found))
    else:
        _print(found)
    return DONE


def _print(found: dict[str, Any]) -> None:
    print(f"{found['folder']}: {found['kept']} of {found['files']} files kept, {found['characters_kept']} characters")
    for reason, count in found["dropped"].items():
        print(f"  {count} dropped: {reason}")
    print(found["file"])
    if "tokenizer" in found:
        _print_tokenizer(found["tokenizer"])


_NAMES = {
    "its merges alone": "its merges alone, as of a tokenizer for prose",
    "runs learned": "one of as many tokens that learned runs by itself",
    "tiny": "tiny's",
}


def _print_tokenizer(found: dict[str, Any]) -> None:
    count = found["counts"]["with runs"]
    print(f"\n{found['file']}: {found['tokens']} tokens, those for runs of white space among them")
    print(
        f"  {count} tokens for {found['held_out']} texts held out ({found['characters'] / count:.2f} characters each)"
    )
    for name, saved in found["saved_against"].items():
        told = "fewer" if saved >= 0 else "more"
        print(f"  {abs(saved):.1%} {told} than by {_NAMES[name]}: {found['counts'][name]}")
