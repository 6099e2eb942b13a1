"""The files of a run directory: JSON Lines that survive a kill, and the counts that they add up to.

A record is one line, handed to the kernel in one write, so a killed process leaves at most its last line torn; a torn
line is cut off when the file is next opened. Counting keeps a few numbers a problem and eight bytes a program.
"""

from __future__ import annotations

import errno
import json
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from regreen.errors import InfrastructureError, InputError
from regreen.tree import RepairTree, read_trees

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

MANIFEST = "manifest.json"
SCORES = "scores.json"
PROBLEMS = "problems.jsonl"
PROGRAMS = "programs.jsonl"
PROMPTS = "prompts.jsonl"
VERDICTS = "verdicts.jsonl"
RECORDED = "recorded.jsonl"
RANKS = "ranks.jsonl"
SAMPLES = "samples.jsonl"
TREES = "trees.jsonl"
REJUDGED = "rejudged.jsonl"
METRICS = "metrics.jsonl"
STUDY = "study.json"  # in a folder of several runs: what a study found in them
_OF_A_RUN = {
    *(MANIFEST, SCORES, PROBLEMS, PROGRAMS, PROMPTS, VERDICTS),
    *(RECORDED, RANKS, SAMPLES, TREES, REJUDGED, METRICS),
}

_FIELDS: Mapping[str, Mapping[str, type]] = {  # without which a record is none
    PROBLEMS: {"id": str},
    PROGRAMS: {"problem": str, "index": int, "source": str},
    PROMPTS: {"key": str},
    VERDICTS: {"problem": str, "index": int, "outcome": str, "checks": list, "mode": str},
    RECORDED: {"problem": str, "index": int, "passed": bool},
    TREES: {"problem": str, "node": str, "kind": str},
    REJUDGED: {"problem": str, "index": int, "role": str, "outcome": str},
    RANKS: {"problem": str, "index": int, "scores": dict, "groups": dict},
    METRICS: {"step": int},
}

_BLOCK = 1 << 16

Record = dict[str, Any]
Key = tuple[str, int, str]


class Lines:
    """An append-only file of records, whose torn last line is cut off at opening."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.size = _whole_lines(self._descriptor)
        os.ftruncate(self._descriptor, self.size)

    def append(self, record: Record) -> int:
        """Write one record and return the place where it begins; raises InfrastructureError if the disk is full."""
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        place = self.size
        rest = memoryview(line)
        with _writing(self._path):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self.size += len(line)
        return place

    def at(self, place: int) -> Record:
        """Return the record that begins at a place."""
        line = b""
        while b"\n" not in line:  # read without moving the file's position: several threads may
            line += os.pread(self._descriptor, _BLOCK, place + len(line))
        return dict(json.loads(line.partition(b"\n")[0]))

    def sync(self) -> None:
        """Wait until everything written is on the disk."""
        with _writing(self._path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            os.close(self._descriptor)


def read_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Yield each record and the place where it begins, without a torn last line; nothing if there is no file.

    Raises InputError that names file and line for a line that is no record.
    """
    if not path.exists():
        return
    place = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            yield place, _record(line, f"{path}:{number}", _FIELDS.get(path.name, {}))
            place += len(line)


def trees_of(run: Path) -> dict[str, RepairTree]:
    """Return the trees of a run directory by problem; raises InputError that names a line which is no node."""
    nodes = enumerate(read_records(run / TREES), 1)
    return read_trees((f"{run / TREES}:{number}", record) for number, (_, record) in nodes)


def judged_programs(run: Path) -> Iterator[tuple[Record, bool | None]]:
    """Yield each program's record in a run directory and whether it passed, None where there is no verdict on it."""
    passed = {_key(record): record["outcome"] == "passed" for _, record in read_records(run / VERDICTS)}
    for _, record in read_records(run / PROGRAMS):
        yield record, passed.get(_key(record))


def _key(record: Record) -> Key:
    return record["problem"], record["index"], record.get("role", "sample")


def read_json(path: Path) -> Record:
    """Return the object that a whole JSON file holds; raises InputError."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); restore it, or begin again elsewhere") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object; restore it, or begin again elsewhere")
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a file by a JSON object in one step, so that no reader ever sees a part of it."""
    with _replacing(path) as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """Replace a file by records, one a line, in one step, so that no reader ever sees a part of it."""
    with _replacing(path) as file:
        for record in records:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def require_place(file: Path) -> Path:
    """Return where a file is to be written; raises InputError where it cannot be, or is a run's own."""
    if file.is_dir():
        raise InputError(f"{file}: a folder; give a file")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}; make it first")
    if file.name in _OF_A_RUN and (file.parent / MANIFEST).exists():
        raise InputError(f"{file}: a file of a run; give another name")
    return file


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    draft = path.with_name(path.name + ".new")
    with _writing(path):
        with draft.open("w") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritten(path, error) from error


def unwritten(path: object, error: OSError) -> InfrastructureError | InputError:
    """Return what to raise where a file cannot be written: after a full disk the same call goes on, else none will."""
    if error.errno in NO_ROOM:
        kept = "what is finished is kept: make room and type the same command again"
        return InfrastructureError(f"{path}: cannot be written ({error.strerror}); {kept}")
    return InputError(f"{path}: cannot be written ({error.strerror}); give a place where it can")


class Places:
    """Where each key's record begins: eight bytes a key."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], array[int]] = {}

    def __contains__(self, key: Key) -> bool:
        return self.find(key) is not None

    def find(self, key: Key) -> int | None:
        """Return the place of a key's record, or None."""
        problem, index, role = key
        places = self._places.get((problem, role))
        if places is None or index >= len(places) or places[index] < 0:
            return None
        return places[index]

    def put(self, key: Key, place: int) -> None:
        """Note a key's place; raises ValueError if it has one."""
        problem, index, role = key
        places = self._places.setdefault((problem, role), array("q"))
        while len(places) <= index:
            places.append(-1)
        if places[index] >= 0:
            raise ValueError(f"{role} {index} of {problem} is there twice")
        places[index] = place


@dataclass(slots=True)
class ProblemCounts:
    """What a run knows of one problem: how many programs, and how many passed all checks or a named part of them.

    ``at`` has the same two numbers for each of several temperatures; ``asked`` is equal in two runs, read by one
    process, if they state and check the problem alike.
    """

    programs: int = 0
    passed: int = 0
    at: dict[float, tuple[int, int]] = field(default_factory=dict)
    passed_part: Counter[str] = field(default_factory=Counter)
    parts: Mapping[str, list[int]] = field(default_factory=dict)
    date: str | None = None
    cluster: str | None = None
    asked: int | None = None


class Counts:
    """What the records of a run add up to, over programs of the role "sample".

    ``temperatures`` are those that a run's samples go round: sample ``index`` has the one at ``index % len``. With
    ``first_alone`` only a problem's first program counts for its pass rate: further ones were drawn until one passed.
    """

    def __init__(self, temperatures: Sequence[float] = (), *, first_alone: bool = False) -> None:
        self._temperatures = temperatures if len(temperatures) > 1 else ()
        self.first_alone = first_alone
        self.problems: dict[str, ProblemCounts] = {}
        self.outcomes: Counter[str] = Counter()
        self.exceptions: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.shared: set[str] = set()
        self.written = 0  # programs that wait for a verdict or have one
        self.no_program = 0
        self.refused = 0
        self.refused_later = 0  # of other roles: explanations, repairs, controls
        self.refusals: dict[str, str] = {}  # by problem, why a backend refused to write something for it
        self.tokens = 0
        self.generated = 0  # tokens, over all roles
        self.reasoning_tokens = 0
        self.truncated = 0

    @property
    def programs(self) -> int:
        """How many programs were judged or refused by their backend."""
        return sum(problem.programs for problem in self.problems.values())

    @property
    def judged(self) -> int:
        """How many programs have a verdict."""
        return self.outcomes.total()

    def add_problem(self, record: Record) -> None:
        """Count a record of problems.jsonl."""
        meta = record.get("meta", {})
        counts = self.problems.setdefault(record["id"], ProblemCounts())
        counts.parts, counts.date, counts.cluster = meta.get("scores", {}), meta.get("date"), meta.get("cluster")
        counts.asked = hash((record.get("statement"), *record.get("checks", ())))

    def add_program(self, record: Record) -> None:
        """Count a record of programs.jsonl; a program that was refused has no verdict and did not pass."""
        self.generated += record.get("tokens") or 0
        refused = record.get("error")
        if refused is not None:
            self.refusals[record["problem"]] = refused
        if record.get("role", "sample") != "sample":
            self.refused_later += refused is not None
            return
        self.no_program += record.get("extraction") == "none"
        self.tokens += record.get("tokens") or 0
        self.reasoning_tokens += record.get("reasoning_tokens") or 0
        self.truncated += record.get("finish") == "length"
        self.written += refused is None
        if refused is not None:
            self.refused += 1
            self._add(record, passed=False)

    def add_verdict(self, record: Record) -> None:
        """Count a record of verdicts.jsonl."""
        if record.get("role", "sample") != "sample":
            return
        if counts := self._add(record, passed=record["outcome"] == "passed"):
            passed = (name for name, part in counts.parts.items() if _all_passed(record["checks"], part))
            counts.passed_part.update(passed)
        self.outcomes[record["outcome"]] += 1
        self.modes[record["mode"]] += 1
        if record["mode"] == "shared":
            self.shared.add(record["problem"])
        if record["outcome"] == "exception":
            self.exceptions[_error_type(record["checks"])] += 1

    def _add(self, record: Record, *, passed: bool) -> ProblemCounts | None:
        """Count one program of a problem, if it counts."""
        if self.first_alone and record["index"]:
            return None
        counts = self.problems.setdefault(record["problem"], ProblemCounts())
        counts.programs += 1
        counts.passed += passed
        if self._temperatures:
            temperature = self._temperatures[record["index"] % len(self._temperatures)]
            programs, right = counts.at.get(temperature, (0, 0))
            counts.at[temperature] = (programs + 1, right + passed)
        return counts


def stops_at_a_pass(settings: Mapping[str, Any]) -> bool:
    """Say whether the first programs of a run with these settings were drawn one by one until one passed."""
    return settings.get("order") in ("bfs", "dfs") and not settings.get("full", True)


def counts_for(settings: Mapping[str, Any]) -> Counts:
    """Return what adds up the records of a run with these settings."""
    return Counts(settings.get("temperature", ()), first_alone=stops_at_a_pass(settings))


def read_counts(run: Path) -> Counts:
    """Add up the records of a run directory."""
    counts = counts_for(read_json(run / MANIFEST)["settings"])
    for name, add in (
        (PROBLEMS, counts.add_problem),
        (PROGRAMS, counts.add_program),
        (VERDICTS, counts.add_verdict),
    ):
        for _, record in read_records(run / name):
            add(record)
    return counts


def _whole_lines(descriptor: int) -> int:
    """Return the size of the file without what follows its last line end."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _record(line: bytes, where: str, wanted: Mapping[str, type]) -> Record:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise _no_record(where, f" ({error})") from error
    if not isinstance(record, dict):
        raise _no_record(where, "")
    for name, kind in wanted.items():
        if not isinstance(record.get(name), kind):
            raise _no_record(where, f" (no field {name!r} of the right kind)")
    return record


def _no_record(where: str, why: str) -> InputError:
    return InputError(f"{where}: not a record of a run{why}; delete the line, and it is made again")


def _all_passed(checks: list[Record], part: list[int]) -> bool:
    outcomes = {check["index"]: check["outcome"] for check in checks}
    return all(outcomes.get(index) == "passed" for index in part)


def _error_type(checks: list[Record]) -> str:
    failure = next((check for check in checks if check["outcome"] == "exception"), {})
    return failure.get("error_type") or "unknown"
