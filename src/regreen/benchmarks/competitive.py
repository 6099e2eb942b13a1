"""CodeContests and Codeforces: contest problems over standard input (Li et al. 2022; Quan et al. 2025).

Read are the data sets' own forms (public, private and generated tests, right and wrong solutions by language; or
``examples``) and the short one of rllm (``problem``, ``tests``). Public tests are shown. Codeforces rows hold only the
examples of the statement, which are all shown: they have no hidden checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.benchmarks.stdio import shown_in, stdio_checks
from regreen.problem import Problem, Stdio

LANGUAGES = {1: "python2", 3: "python3"}  # the data set's numbers; other languages are left out
_DETAILS = ("source", "difficulty", "cf_rating", "cf_tags", "rating", "tags", "time_limit_ms", "memory_limit_mb")


def contest_problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each CodeContests row that has tests."""
    for row in rows:
        yield from _with_tests(row) if "tests" in row.fields else _published(row)


def codeforces_problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each Codeforces row that has tests; every test is an example of the statement."""
    for row in rows:
        for problem in _with_tests(row) if "tests" in row.fields else _code_elo(row):
            everything = tuple(range(len(problem.checks)))
            yield _problem(row, problem.id, problem.statement, problem.checks, everything, "codeforces", problem.meta)


def solutions(row: Row, name: str) -> list[dict[str, str]]:
    """Return the Python solutions of a field, each with its language and source."""
    published = row.fields.get(name) or {}
    pairs = zip(published.get("language", ()), published.get("solution", ()), strict=True)
    return [{"language": LANGUAGES[number], "source": code} for number, code in pairs if number in LANGUAGES]


def _with_tests(row: Row) -> Iterator[Problem]:
    statement = row.text("problem")
    checks = stdio_checks((case["input"], case["output"]) for case in row.get("tests", list))
    if checks:
        yield _problem(row, row.text("problem_id"), statement, checks, shown_in(statement, checks), "codecontests")


def _published(row: Row) -> Iterator[Problem]:
    public = _cases(row, "public_tests")
    checks = stdio_checks([*public, *_cases(row, "private_tests"), *_cases(row, "generated_tests")])
    right, wrong = solutions(row, "solutions"), solutions(row, "incorrect_solutions")
    meta = {"solutions": right, "incorrect_solutions": wrong, "time_limit": _seconds(row.fields.get("time_limit"))}
    shown = tuple(range(len(stdio_checks(public))))
    if checks:
        yield _problem(row, row.text("name"), row.text("description"), checks, shown, "codecontests", meta)


def _code_elo(row: Row) -> Iterator[Problem]:
    parts = {name: str(row.fields.get(name) or "").strip() for name in ("input", "output", "interaction", "note")}
    titled = [f"{name.capitalize()}\n\n{text}" for name, text in parts.items() if text]
    checks = stdio_checks((stdin, expected) for stdin, expected in row.get("examples", list))
    if checks:
        statement = "\n\n".join([row.text("description").strip(), *titled])
        yield _problem(row, row.text("problem_id"), statement, checks, (), "codeforces")


def _cases(row: Row, name: str) -> list[tuple[str, str]]:
    published = row.fields.get(name) or {}
    return list(zip(published.get("input", ()), published.get("output", ()), strict=True))


def _seconds(limit: Any) -> float | None:
    return limit.get("seconds", 0) + limit.get("nanos", 0) / 1e9 if isinstance(limit, Mapping) else None


def _problem(
    row: Row,
    name: str,
    statement: str,
    checks: Sequence[Any],
    shown: tuple[int, ...],
    source: str,
    meta: Mapping[str, Any] | None = None,
) -> Problem:
    details = {f"published_{key}" if key == "source" else key: row.fields[key] for key in _DETAILS if key in row.fields}
    right = (meta or {}).get("solutions", [])
    return Problem(
        id=name,
        statement=statement,
        checks=tuple(check for check in checks if isinstance(check, Stdio)),
        shown=shown,
        revealed=shown,
        solution=next((entry["source"] for entry in right if entry["language"] == "python3"), None),
        meta={**details, **(meta or {}), "source": source, "split": row.split or "test"},
    )


CODECONTESTS = Source(
    name="codecontests",
    about="contest problems with public, private and generated tests",
    checks="stdio",
    splits=("train", "valid", "test"),
    files=(
        ("competitive/code_contests*.jsonl*", "test"),
        ("codecontests/train*", "train"),
        ("codecontests/valid*", "valid"),
        ("codecontests/test*", "test"),
    ),
    build=contest_problems,
    hub=Hub(
        "deepmind/code_contests",
        "802411c3010cb00d1b05bad57ca77365a3c699d6",
        {split: f"data/{split}-*.parquet" for split in ("train", "valid", "test")},
    ),
)
CODEFORCES = Source(
    name="codeforces",
    about="Codeforces problems with the examples of their statements",
    checks="stdio",
    splits=("test",),
    files=(("competitive/codeforces*.jsonl*", "test"), ("codeforces/test*", "test")),
    build=codeforces_problems,
    hub=Hub("Qwen/CodeElo", "45a2cbba03bd9d20fbca040c2f7da91b2594c444", {"test": "test.json"}),
)
