"""A byte-level tokenizer for code, with tokens for runs of white space, and what those save.

Source: Chen et al. 2021 (arXiv 2107.03374), section 3.2: some 30 % fewer tokens than GPT-3's tokenizer, which was made
for prose.

Differences from the paper:
- The tokenizer is trained on the corpus itself, with runs of white space cut out: its merges alone, without the tokens
  for runs, stand for a tokenizer made for prose.
- A tokenizer that sees code merges white space by itself. One of as many tokens that was trained so is counted too:
  what is saved against it is what the tokens for runs are worth today.
- A run is of spaces, up to 24; with the line end before it, it is one token, as indentation.
- Tokens are counted on texts that the tokenizers were not trained on: each tenth one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regreen.errors import InputError
from regreen.formats.corpus import read_corpus
from regreen.models.shipped import folder_of
from regreen.records import Record

if TYPE_CHECKING:
    from tokenizers import Tokenizer

RUNS = tuple(" " * length for length in range(2, 25))
_RUN = re.compile(r"\n? {2,24}")
_HELD_OUT = 10  # each tenth text
_LEAST = 256 + 1 + 2 * len(RUNS)  # bytes, the end of a text, runs
_MOST = 1_000_000
_END = "<|endoftext|>"


def check_size(size: int) -> None:
    """Raise InputError if so many tokens are too few, or more than any model has."""
    if not _LEAST <= size <= _MOST:
        why = "the least is for bytes and runs of white space"
        raise InputError(f"--tokenizer {size}: expected {_LEAST} to {_MOST:,} tokens; {why}")


def tokenizer(file: Path, out: Path, size: int) -> Record:
    """Train a tokenizer on a file of texts, write it, and return how many tokens it takes beside two others.

    Args:
        file: what :func:`regreen.curate.corpus.corpus` wrote.
        out: the ``tokenizer.json`` that is written.
        size: how many tokens it has, those for runs included.

    Raises:
        InputError: too few tokens, or fewer than ten texts.
    """
    check_size(size)
    texts = [text for _, text in read_corpus(file)]
    if len(texts) < _HELD_OUT:
        raise InputError(f"{file}: {len(texts)} texts; a tokenizer needs {_HELD_OUT}, of which one is held out")
    taught = [text for at, text in enumerate(texts) if at % _HELD_OUT]
    made = trained(taught, size, runs=True)
    made.save(str(out))
    return {"file": str(out), "tokens": size, **_counted(texts[::_HELD_OUT], made, trained(taught, size))}


def trained(texts: Sequence[str], size: int, *, runs: bool = False) -> Tokenizer:
    """Return a byte-level BPE tokenizer of so many tokens, those for runs of white space among them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    extra = [AddedToken(text, normalized=False) for run in RUNS for text in (run, f"\n{run}")] if runs else []
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(extra), special_tokens=[_END], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(_without_runs(texts) if runs else texts, trainer)
    made.add_tokens(extra)
    return made


def _without_runs(texts: Sequence[str]) -> Iterator[str]:
    """Yield what is left of texts between runs, which have tokens of their own: no merge is spent on them."""
    return (part for text in texts for part in _RUN.split(text) if part)


def _counted(held_out: Sequence[str], made: Tokenizer, learned: Tokenizer) -> Record:
    from tokenizers import Tokenizer

    counts = {
        "with runs": _tokens(made, held_out),
        "its merges alone": _tokens(made, held_out, runs=False),
        "runs learned": _tokens(learned, held_out),
        "tiny": _tokens(Tokenizer.from_file(str(folder_of("tiny") / "tokenizer.json")), held_out),
    }
    saved = {name: 1 - counts["with runs"] / count for name, count in counts.items() if name != "with runs"}
    return {"held_out": len(held_out), "characters": sum(map(len, held_out)), "counts": counts, "saved_against": saved}


def _tokens(made: Tokenizer, texts: Sequence[str], *, runs: bool = True) -> int:
    if not runs:
        from tokenizers import Tokenizer

        plain = json.loads(made.to_str())
        plain["added_tokens"] = [token for token in plain["added_tokens"] if token["special"]]
        made = Tokenizer.from_str(json.dumps(plain))
    return sum(len(encoding.ids) for encoding in made.encode_batch(list(texts), add_special_tokens=False))
