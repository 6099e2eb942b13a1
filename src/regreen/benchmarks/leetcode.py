"""LeetCode problems with asserts on a method of ``Solution``, in LeetCodeDataset's form and in rllm's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from regreen.benchmarks import preludes
from regreen.benchmarks.humaneval import check_call
from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.problem import Assert, Problem

_DETAILS = ("difficulty", "tags", "question_id", "starter_code")


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row."""
    for row in rows:
        yield _short(row) if "problem_id" in row.fields else _published(row)


def _short(row: Row) -> Problem:
    return Problem(
        id=row.text("problem_id"),
        statement=row.text("problem"),
        checks=(Assert(row.text("test")),),
        entry_point="Solution",
        prelude=preludes.LEETCODE,
        solution=row.text("solution"),
        meta={"source": "leetcode", "split": row.split},
    )


def _published(row: Row) -> Problem:
    details = {**(row.fields.get("meta") or {}), **row.fields}
    date = details.get("estimated_date")
    return Problem(
        id=row.text("task_id"),
        statement=row.text("query"),
        checks=(Assert(check_call(row.text("test"), row.text("entry_point"))),),
        entry_point="Solution",
        prelude=row.text("prompt"),
        solution=row.text("completion"),
        meta={
            "source": "leetcode",
            "split": row.split,
            "date": date and str(date)[:10],
            **{name: details[name] for name in _DETAILS if name in details},
        },
    )


SOURCE = Source(
    name="leetcode",
    about="LeetCode problems with asserts on a method of Solution",
    checks="assert",
    splits=("train", "test"),
    files=(("leetcode/*train*.jsonl*", "train"), ("leetcode/*test*.jsonl*", "test")),
    build=problems,
    hub=Hub(
        "newfacade/LeetCodeDataset",
        "215604aeed660029df7de2fea5a4d7b6ed476a08",
        {"train": "LeetCodeDataset-train.jsonl", "test": "LeetCodeDataset-test.jsonl"},
    ),
)
