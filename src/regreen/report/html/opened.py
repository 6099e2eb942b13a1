"""All of a run that a page can open: problems, programs, failing checks and trees, in columns that compress well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen.records import PROBLEMS, PROGRAMS, TREES, VERDICTS, Record, read_records
from regreen.run import read_manifest
from regreen.tree import SAMPLE
from regreen.verdict import Outcome

_LONGEST = 20_000  # characters of one text of a program's: what is longer is cut, and says so
_LEVELS = ("difficulty", "level", "category", "split")  # of a problem's meta: what problems are grouped by
_FAILED = ("index", "got", "expected", "error_type", "message", "line", "output", "asserts_run")
_NODE = ("node", "kind", "tokens", "model", "outcome", "recorded")
OUTCOMES = [outcome.value for outcome in Outcome]


@dataclass(frozen=True, slots=True)
class Opened:
    """``head`` is seen at once, ``body`` when a problem is opened; both are plain JSON."""

    head: Record
    body: Record


class Texts:
    """Texts, each once; a number stands for it."""

    def __init__(self) -> None:
        self.every: list[str] = []
        self._places: dict[str, int] = {}

    def __call__(self, text: Any) -> int:
        """Return the number of a text, cut where it is very long."""
        whole = str(text)
        kept = whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}\n... ({len(whole) - _LONGEST} more characters)"
        if kept not in self._places:
            self._places[kept] = len(self.every)
            self.every.append(kept)
        return self._places[kept]


def opened(path: Path) -> Opened:
    """Read a run directory; raises InputError if it is none."""
    manifest = read_manifest(path)
    reader = _Reader()
    for name, read in (
        (PROBLEMS, reader.problem),
        (VERDICTS, reader.verdict),
        (PROGRAMS, reader.program),
        (TREES, reader.node),
    ):
        for _, record in read_records(path / name):
            read(record)
    return Opened(_head(path, manifest, reader), reader.body())


def _head(path: Path, manifest: Record, reader: _Reader) -> Record:
    settings = manifest["settings"]
    told = {
        "command": manifest["command"],
        "benchmark": manifest["benchmark"],
        "model": settings.get("model"),
        "prompt": settings.get("prompt"),
        "temperature": settings.get("temperature"),
        "sandbox": (manifest.get("sandbox") or {}).get("tier"),
        "began": manifest["started"],
        "finished": manifest["finished"] or "not yet",
        "regreen": manifest["versions"]["regreen"],
    }
    facts = [[name, ", ".join(map(str, v)) if isinstance(v, list) else str(v)] for name, v in told.items() if v]
    return {"name": path.name, "facts": facts, "outcomes": OUTCOMES, **reader.rows()}


@dataclass
class _Reader:
    """Gathers a run's records by problem."""

    texts: Texts = field(default_factory=Texts)
    problems: dict[str, Record] = field(default_factory=dict)
    verdicts: dict[tuple[str, int, str], Record] = field(default_factory=dict)
    programs: dict[str, list[list[Any]]] = field(default_factory=dict)
    nodes: dict[str, list[list[Any]]] = field(default_factory=dict)
    counts: dict[str, list[int]] = field(default_factory=dict)
    failures: list[Record] = field(default_factory=list)

    def problem(self, record: Record) -> None:
        """Take a line of problems.jsonl."""
        self.problems[record["id"]] = record

    def verdict(self, record: Record) -> None:
        """Take a line of verdicts.jsonl."""
        role = record.get("role", SAMPLE)
        self.verdicts[record["problem"], record["index"], role] = record
        if role == SAMPLE:
            counts = self.counts.setdefault(record["problem"], [0] * len(OUTCOMES))
            counts[OUTCOMES.index(record["outcome"])] += 1

    def program(self, record: Record) -> None:
        """Take a line of programs.jsonl, after the verdicts; words without a program stand in the trees."""
        role = record.get("role", SAMPLE)
        verdict = self.verdicts.pop((record["problem"], record["index"], role), None)
        if verdict is None and record.get("error") is None:
            return
        row = [
            record["index"],
            self.texts(role),
            self.texts(record["source"] or record.get("text") or ""),
            -1 if verdict is None else OUTCOMES.index(verdict["outcome"]),
            self._failure(verdict, record),
            record.get("tokens"),
            record.get("temperature"),
        ]
        self.programs.setdefault(record["problem"], []).append(row)

    def node(self, record: Record) -> None:
        """Take a line of trees.jsonl."""
        row = [record.get(name) for name in _NODE]
        words = record.get("text") or "" if not record.get("source") else record["source"]
        self.nodes.setdefault(record["problem"], []).append([*row, self.texts(words)])

    def rows(self) -> Record:
        """Return what the table of problems shows, in columns."""
        names = list(dict.fromkeys([*self.problems, *self.counts, *self.nodes]))
        none = [0] * len(OUTCOMES)
        return {
            "problems": names,
            "levels": [_level(self.problems.get(name, {})) for name in names],
            "counts": [self.counts.get(name, none) for name in names],
            "trees": [len(self.nodes.get(name, ())) for name in names],
        }

    def body(self) -> Record:
        """Return what opens: for each problem its statement, checks, programs and nodes."""
        names = self.rows()["problems"]
        return {
            "problems": [self._about(self.problems.get(name, {})) for name in names],
            "programs": [self.programs.get(name, []) for name in names],
            "nodes": [self.nodes.get(name, []) for name in names],
            "failures": self.failures,
            "texts": self.texts.every,
        }

    def _about(self, problem: Mapping[str, Any]) -> Record:
        meta = problem.get("meta", {})
        checks = problem.get("checks", [])
        return {
            "statement": self.texts(problem.get("statement", "")),
            "checks": [self.texts(check) for check in checks],
            "shown": problem.get("shown", []),
            "meta": {k: str(meta[k]) for k in ("difficulty", "date", "cluster") if meta.get(k) is not None},
        }

    def _failure(self, verdict: Record | None, program: Record) -> int:
        """Return the place of the first check that failed; -1 where none did."""
        if verdict is None:
            return self._kept({"refused": self.texts(program["error"])})
        failed = next((check for check in verdict["checks"] if check["outcome"] not in ("passed", None)), None)
        if failed is None:
            return -1
        told = {name: failed[name] for name in _FAILED if failed.get(name) is not None}
        return self._kept({k: self.texts(v) if isinstance(v, str) else v for k, v in told.items()})

    def _kept(self, failure: Record) -> int:
        self.failures.append(failure)
        return len(self.failures) - 1


def _level(problem: Mapping[str, Any]) -> str:
    meta = problem.get("meta", {})
    return next((str(meta[name]) for name in _LEVELS if meta.get(name) is not None), "")
