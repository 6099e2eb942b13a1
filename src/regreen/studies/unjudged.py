"""Programs that are asked for and not judged: they are read, and never run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regreen.attempt import Ask, Asking
from regreen.inquiry import Inquiry
from regreen.problem import Problem
from regreen.records import PROGRAMS, Record, read_records
from regreen.run import Run, Settings
from regreen.studies.asking import Study
from regreen.track import progress


def written(study: Study, condition: str, problems: Sequence[Problem]) -> list[Record]:
    """Return the records of all programs that a model writes for problems; what is there is not asked again.

    Args:
        study: who is asked, and how.
        condition: the name of the run in the study's folder.
        problems: what is asked.

    Raises:
        InputError: the folder holds another study's runs, or the model refuses every request.
        InfrastructureError: the model cannot be reached; the same call continues.
    """
    inquiry = Inquiry.about(study.benchmark, problems, study.model, study.sampling, study.choice, study.judging)
    with (
        _run(study, inquiry, study.folder / condition) as run,
        Asking(_asks(inquiry, run), study.model, run, tokens=study.sampling.total) as asking,
        progress("asking", total=len(inquiry.problems) * study.sampling.n, quiet=study.quiet) as advance,
    ):
        for count, _ in enumerate(asking, 1):
            advance(count, "")
        run.manifest.update(model=dict(study.model.facts))
        run.complete()
    wanted = {problem.id for problem in inquiry.problems}
    records = (record for _, record in read_records(study.folder / condition / PROGRAMS))
    return [each for each in records if each["problem"] in wanted and each["index"] < study.sampling.n]


@dataclass(frozen=True)
class Replies:
    """What a model wrote for a study's own prompts: the records by prompt, those that its backend refused left out."""

    by_prompt: Mapping[str, Sequence[Record]]
    refused: int
    missing: int

    @property
    def programs(self) -> int:
        """How many texts there are."""
        return sum(map(len, self.by_prompt.values()))

    @property
    def notes(self) -> list[str]:
        """What the user must hear of what was not written."""
        notes = [f"{self.refused} more were refused by the model's backend"] if self.refused else []
        asked = f"{self.missing} more were not asked for: a larger --max-tokens-total goes on"
        return notes + ([asked] if self.missing else [])


def replies(study: Study, prompts: Sequence[Problem]) -> tuple[Study, Replies]:
    """Return the study, now of these prompts, and what the model writes for those that it chooses.

    Raises as :func:`written` does, and InputError where a prompt was chosen that is none.
    """
    study = replace(study, own=tuple(prompts))
    found: dict[str, list[Record]] = {problem.id: [] for problem in study.choice.choose(study.problems)}
    records = written(study, "programs", study.problems)
    for record in records:
        if record.get("error") is None:
            found[record["problem"]].append(record)
    refused = sum(record.get("error") is not None for record in records)
    return study, Replies(found, refused, len(found) * study.sampling.n - len(records))


def _run(study: Study, inquiry: Inquiry, out: Path) -> Run:
    limits = {"n": study.sampling.n, "limit": study.choice.limit, "max_tokens_total": study.sampling.total}
    return Run(
        out, Settings("ask", inquiry.benchmark, inquiry.decides, limits), about={"model": dict(study.model.facts)}
    )


def _asks(inquiry: Inquiry, run: Run) -> Iterator[Ask]:
    """Yield every program wanted: one for each problem, then the next for each, so that a stop leaves them even."""
    for index in range(inquiry.sampling.n):
        for problem in inquiry.problems:
            yield inquiry.opening.ask(problem, index, run)
