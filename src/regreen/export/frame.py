"""A run as a table of its programs, for pandas, and for whatever reads Parquet."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regreen.errors import InputError
from regreen.records import PROBLEMS, PROGRAMS, VERDICTS, Record, read_records
from regreen.run import read_manifest
from regreen.tree import SAMPLE

if TYPE_CHECKING:
    import pandas as pd

_ASKED = ("model", "seed", "temperature", "text", "extraction", "tokens", "prompt_tokens", "logprob", "finish", "error")
_JUDGED = ("outcome", "mode", "tier", "cpu", "wall")
_FAILED = ("got", "expected", "error_type", "message", "line")


def frame(run: Path) -> pd.DataFrame:
    """Return a run's programs, a row each, in the order in which they were written down.

    Columns: problem, index, role, source; how it was asked for (model, seed, temperature, text, ...); passed, outcome
    and how it was judged; checks and checks_passed; of the first failing check ``failed`` (its number), got, expected,
    error_type, message and line; and ``difficulty``, ``cluster`` and ``date`` of the problem, where it says so.

    Raises:
        InputError: it is no run directory, or pandas is not installed.
    """
    read_manifest(run)
    pandas = _import("pandas")
    found: pd.DataFrame = pandas.DataFrame.from_records(list(_rows(run))).convert_dtypes()
    return found


def export_parquet(run: Path, file: Path) -> int:
    """Write :func:`frame` as a Parquet file, and return how many rows it has; raises InputError as that does."""
    found = frame(run).map(_encodable)
    _import("pyarrow")
    part = file.with_name(f"{file.name}.part")
    found.to_parquet(part, index=False)
    part.replace(file)
    return len(found)


def _encodable(value: Any) -> Any:
    """Return a text that UTF-8 can hold, lone surrogates escaped as Python writes them; any other value as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed (pip install 'regreen[export]')") from error


def _rows(run: Path) -> Iterator[Record]:
    problems = {record["id"]: record.get("meta", {}) for _, record in read_records(run / PROBLEMS)}
    verdicts = {
        (record["problem"], record["index"], record.get("role", SAMPLE)): record
        for _, record in read_records(run / VERDICTS)
    }
    for _, record in read_records(run / PROGRAMS):
        key = record["problem"], record["index"], record.get("role", SAMPLE)
        named = dict(zip(("problem", "index", "role"), key, strict=True))
        asked = {name: record.get(name) for name in _ASKED}
        meta = problems.get(record["problem"], {})
        about = {
            name: None if meta.get(name) is None else str(meta[name]) for name in ("difficulty", "cluster", "date")
        }
        yield {**named, "source": record["source"], **asked, **_judged(verdicts.get(key)), **about}


def _judged(verdict: Record | None) -> Record:
    if verdict is None:
        return dict.fromkeys(("passed", *_JUDGED, "checks", "checks_passed", "failed", *_FAILED))
    checks = verdict["checks"]
    failed: Record = next((check for check in checks if check["outcome"] not in ("passed", None)), {})
    return {
        "passed": verdict["outcome"] == "passed",
        **{name: verdict.get(name) for name in _JUDGED},
        "checks": len(checks),
        "checks_passed": sum(check["outcome"] == "passed" for check in checks),
        "failed": failed.get("index"),
        **{name: failed.get(name) for name in _FAILED},
    }
