"""A run as rows for trainers, in the forms that TRL takes: what to imitate, pairs to prefer, prompts to explore.

- ``sft``: ``prompt``, ``completion`` of every program that passed, equal programs of a problem once;
- ``preference``: ``prompt``, ``chosen``, ``rejected``: programs that passed beside programs that did not;
- ``grpo``: ``prompt`` and ``problem``, its id, by which :func:`regreen.train.doors.as_trl_reward` judges completions.

A prompt is what the model was shown, a text or a chat's messages, and a completion has the same form. Only programs
that a model wrote for a first prompt are taken: of repairs and controls neither prompt nor merit is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from regreen.errors import InputError
from regreen.records import PROGRAMS, PROMPTS, VERDICTS, Record, read_records, write_lines
from regreen.run import read_manifest
from regreen.tree import SAMPLE

FORMS = ("sft", "preference", "grpo")


class Written(NamedTuple):
    """A program as it was asked for and answered."""

    prompt: Any
    text: str
    source: str
    passed: bool


def export_rows(run: Path, form: str, file: Path, *, pairs: int = 4, seed: int = 0) -> int:
    """Write a run's programs as JSON Lines for a trainer, and return how many rows there are.

    Args:
        run: a run directory whose programs a model wrote.
        form: "sft", "preference" or "grpo".
        file: where to; an older one is replaced.
        pairs: of preference, how many of a problem at most.
        seed: of which programs are paired.

    Raises:
        InputError: no run, none whose prompts are known, or nothing to write: no program passed, or none of a problem's
            passed while another failed.
    """
    by_problem = written(run)
    make = {"sft": _imitated, "preference": _preferred, "grpo": _explored}[form]
    rows = list(make(by_problem, Random(seed), pairs))
    if not rows:
        raise InputError(f"{run}: nothing to write as {form}: {_WHY[form]}")
    write_lines(file, rows)
    return len(rows)


def written(run: Path) -> dict[str, list[Written]]:
    """Return by problem the programs of a run that a model wrote for a first prompt; raises InputError without any."""
    read_manifest(run)
    prompts = {record["key"]: record["prompt"] for _, record in read_records(run / PROMPTS)}
    passed = {
        (record["problem"], record["index"]): record["outcome"] == "passed"
        for _, record in read_records(run / VERDICTS)
        if record.get("role", SAMPLE) == SAMPLE
    }
    found: dict[str, list[Written]] = {}
    for _, record in read_records(run / PROGRAMS):
        key = record["problem"], record["index"]
        if record.get("role", SAMPLE) == SAMPLE and key in passed and record.get("prompt") in prompts:
            program = Written(prompts[record["prompt"]], record["text"], record["source"], passed[key])
            found.setdefault(record["problem"], []).append(program)
    if not found:
        raise InputError(f"{run}: no program with its prompt; give a run in which a model was asked (regreen evaluate)")
    return found


def _imitated(by_problem: dict[str, list[Written]], draws: Random, pairs: int) -> Iterator[Record]:
    for programs in by_problem.values():
        for program in _distinct(programs, passed=True):
            yield {"prompt": program.prompt, "completion": _answer(program)}


def _preferred(by_problem: dict[str, list[Written]], draws: Random, pairs: int) -> Iterator[Record]:
    for programs in by_problem.values():
        green, red = (_distinct(programs, passed=passed) for passed in (True, False))
        every = [(good, bad) for good in green for bad in red if good.prompt == bad.prompt]
        for good, bad in draws.sample(every, min(pairs, len(every))):
            yield {"prompt": good.prompt, "chosen": _answer(good), "rejected": _answer(bad)}


def _explored(by_problem: dict[str, list[Written]], draws: Random, pairs: int) -> Iterator[Record]:
    for name, programs in by_problem.items():
        yield {"prompt": programs[0].prompt, "problem": name}


def _distinct(programs: Sequence[Written], *, passed: bool) -> list[Written]:
    """Return the programs with this verdict, equal ones once, texts that hold none left out."""
    kept = {program.source: program for program in reversed(programs) if program.passed is passed and program.source}
    return list(reversed(kept.values()))


def _answer(program: Written) -> Any:
    """Return the completion in its prompt's form."""
    if isinstance(program.prompt, str):
        return program.text
    return [{"role": "assistant", "content": program.text}]


_WHY = {
    "sft": "no program passed",
    "preference": "no problem has a program that passed and one that failed; draw more (-n), hotter (--temperature)",
    "grpo": "no problem",
}
