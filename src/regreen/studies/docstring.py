"""Docstrings of programs: does a model that reads one write the program again, and what do people say of them?

Chen et al. 2021 (arXiv 2107.03374), section 5: a model writes ten docstrings for each of HumanEval's solutions at
temperature 0.8, and people grade each: right if it specifies the program uniquely and accurately.

Differences from the paper:
- The round trip stands in for people: another model is given the signature and the docstring, writes one program,
  greedily, and all checks judge it. It is a proxy: a right docstring may be too hard to follow, and a wrong one may
  name a function that everybody knows. The programs written from the problems' own docstrings stand beside it.
- A sheet holds every docstring for people to mark, blind to whether its round trip passed; read back, pass@k is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from regreen import prompts
from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval, paired_difference, score
from regreen.models import Model
from regreen.problem import Problem
from regreen.records import VERDICTS, Record, read_records
from regreen.sheets import mark, read_rows, write_rows
from regreen.studies.asking import Study
from regreen.studies.finding import Cell, finding, plot, table
from regreen.studies.unjudged import written

TEMPLATE = "docstring"
_COLUMNS = ("id", "problem", "program", "docstring", "accurate")
_KS = (1, 10)

Grades = Mapping[tuple[str, int], bool]


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a model wrote of a problem's solution: the ``index``-th."""

    problem: Problem
    index: int
    words: str

    @property
    def id(self) -> str:
        """Its name on a sheet."""
        return f"{self.problem.id}#{self.index}"


def docstring(study: Study, coder: Model, *, sheet: Path | None = None, graded: Path | None = None) -> Record:
    """Return how many docstrings lead back to the program, and what people who marked a sheet say of them.

    Args:
        study: who writes docstrings, for the solutions of which problems.
        coder: who writes programs from docstrings; asked with the template ``codex``.
        sheet: a file that is written for people to mark.
        graded: such a file, marked.

    Raises:
        InputError: no problem has a solution and a prompt that opens its function, or a sheet cannot be used.
        InfrastructureError: a model or the judge cannot be reached; the same call continues.
    """
    chosen = study.choice.choose(study.problems)
    problems = [problem for problem in chosen if problem.solution and problem.prompt]
    if not problems:
        raise InputError(f"{study.benchmark}: no problem has a solution and a prompt with its signature; try humaneval")
    if sheet is not None and sheet.exists():
        raise InputError(f"{sheet}: is there already and may hold marks; give another name, or remove it")
    if graded is not None:
        next(read_rows(graded, ("id", "accurate")), None)  # what cannot be read is refused before anything is asked
    every = _written(study, problems)
    back = _round_trip(study, coder, problems, every)
    own = _round_trip(study, coder, problems, [Docstring(p, 0, prompts.docstring_of(p)) for p in problems], "own")
    if sheet is not None:
        write_sheet(every, sheet, seed=study.sampling.seed)
    people = {} if graded is None else read_sheet(every, graded)
    return study.found(_found(study, coder, back, own, people))


def _written(study: Study, problems: Sequence[Problem]) -> list[Docstring]:
    """Return the docstrings that the study's model writes."""
    asks = [replace(problem, meta={**problem.meta, "asked": {"program": problem.solution}}) for problem in problems]
    template = prompts.load(study.sampling.prompt or TEMPLATE)
    asking = replace(study, sampling=replace(study.sampling, prompt=study.sampling.prompt or TEMPLATE))
    by_id = {problem.id: problem for problem in problems}
    records = written(asking, "docstrings", asks)
    return [Docstring(by_id[r["problem"]], r["index"], template.words(r["text"] or "")) for r in records]


def _round_trip(
    study: Study, coder: Model, problems: Sequence[Problem], every: Sequence[Docstring], name: str = "programs"
) -> Grades:
    """Return of which docstrings a program is written that passes."""
    asked = [asking for each in every if (asking := described(each)) is not None]
    if not asked:
        return {(each.problem.id, each.index): False for each in every}
    run = replace(study, choice=replace(study.choice, only=(), limit=None)).run(
        name, problems=asked, model=coder, n=1, temperatures=(0.0,), prompt="codex", total=None
    )
    records = (record for _, record in read_records(Path(run["run"]) / VERDICTS))
    passed = {record["problem"] for record in records if record["outcome"] == "passed"}
    return {(each.problem.id, each.index): each.id in passed for each in every}


def described(found: Docstring) -> Problem | None:
    """Return the problem to write a program for its signature and this docstring; None where there are no words."""
    words = found.words.replace('"""', "'''").strip()
    head = signature(found.problem)
    if not words or head is None:
        return None
    body = words.replace("\n", "\n    ")
    prompt = f'{head}\n    """{body}\n    """\n'
    meta = {**{k: v for k, v in found.problem.meta.items() if k != "asked"}, "prompt": prompt}
    return replace(found.problem, id=found.id, statement=words, meta=meta, shown=(), revealed=())


def signature(problem: Problem) -> str | None:
    """Return a prompt up to the line that opens its function; None where that is not told apart."""
    lines = problem.prompt.rstrip().split("\n")
    opened = [at for at, line in enumerate(lines) if line.startswith(f"def {problem.entry_point}(")]
    if not opened:
        return None
    ends = (at for at in range(opened[-1], len(lines)) if lines[at].rstrip().endswith(":"))
    end = next(ends, None)
    return None if end is None else "\n".join(lines[: end + 1])


def write_sheet(every: Sequence[Docstring], sheet: Path, *, seed: int = 0) -> None:
    """Write docstrings in a shuffled order for people to mark; raises InputError where the file is there already."""
    rows = [each for each in every if each.words]
    Random(seed).shuffle(rows)
    write_rows(sheet, _COLUMNS, ([d.id, d.problem.id, d.problem.solution or "", d.words, ""] for d in rows))


def read_sheet(every: Sequence[Docstring], sheet: Path) -> Grades:
    """Return what people marked; raises InputError that names the row and the column that cannot be used."""
    by_id = {each.id: each for each in every}
    return dict(_graded(by_id, sheet))


def _graded(by_id: Mapping[str, Docstring], sheet: Path) -> Iterator[tuple[tuple[str, int], bool]]:
    for number, row in read_rows(sheet, ("id", "accurate")):
        name = row["id"].strip()
        if name not in by_id:
            raise InputError(
                f"{sheet}: row {number}, column id: no docstring {name[:40]!r}; give the study of the sheet"
            )
        if row["accurate"].strip():
            each = by_id[name]
            yield (each.problem.id, each.index), mark(row["accurate"], f"{sheet}: row {number}, column accurate")


def _found(study: Study, coder: Model, back: Grades, own: Grades, people: Grades) -> Record:
    seed = study.sampling.seed
    rows: list[list[Cell]] = [["round trip", len(back), *_scores(back, seed)]]
    rows.append(["round trip of the problems' own", len(own), *_scores(own, seed)])
    rows += [["people", len(people), *_scores(people, seed)]] if people else []
    both = [(back[key], people[key]) for key in people if key in back]
    agree = mean_interval([float(a == b) for a, b in both], seed=seed) if both else None
    notes = [f"programs from docstrings by {coder.name}, greedily; 95 % intervals over problems"]
    notes += [f"people and the round trip agree on {100 * agree.value:.1f} % of {len(both)}"] if agree else []
    lost = _difference(back, own, seed)
    return finding(
        "docstring",
        benchmark=study.benchmark,
        tables=[table("Docstrings", ["", "docstrings", *(f"pass@{k}" for k in _KS)], rows, notes=notes)],
        plots=[_plot({str(row[0]): row[2:] for row in rows})],
        coder=coder.name,
        docstrings=len(back),
        round_trip=_plain(_scores(back, seed)),
        own=_plain(_scores(own, seed)),
        difference=None if lost is None else asdict(lost),
        people=_plain(_scores(people, seed)) if people else None,
    )


def _plot(scores: Mapping[str, Sequence[Cell]]) -> Record:
    bars = {
        f"pass@{k}": [(name, found[at]) for name, found in scores.items() if isinstance(found[at], Estimate)]
        for at, k in enumerate(_KS)
    }
    drawn = {name: points for name, points in bars.items() if points}
    return plot("Docstrings", drawn, x="judged by", y="right, %", kind="bar")  # type: ignore[arg-type]


def _scores(grades: Grades, seed: int) -> list[Estimate | None]:
    counts: dict[str, tuple[int, int]] = {}
    for (problem, _), passed in grades.items():
        n, c = counts.get(problem, (0, 0))
        counts[problem] = n + 1, c + passed
    return [score(counts, k, seed=seed) if counts else None for k in _KS]


def _plain(scores: Sequence[Estimate | None]) -> Record:
    return {f"pass@{k}": None if found is None else found.value for k, found in zip(_KS, scores, strict=True)}


def _difference(back: Grades, own: Grades, seed: int) -> Estimate | None:
    """Return what the model's docstrings pass more than the problems' own, over problems."""
    shares: dict[str, list[bool]] = {}
    for (problem, _), passed in back.items():
        shares.setdefault(problem, []).append(passed)
    names = sorted(shares)
    if not names:
        return None
    mine = [sum(shares[name]) / len(shares[name]) for name in names]
    return paired_difference([float(own[name, 0]) for name in names], mine, seed=seed)
