"""The loop that all trainings share: step, measure now and then, keep checkpoints, stop early, go on after a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from regreen.records import METRICS, Lines, read_records, write_lines
from regreen.train.checkpoints import Checkpoints
from regreen.train.config import Tracker
from regreen.train.learner import Learner, Step
from regreen.train.lessons import Lesson
from regreen.train.trackers import Log, tracked

Monitor = Literal["pass@1", "refined@1", "validation_loss"]
_TOLD = ("passed",)  # of a step's further numbers, the newest of which progress shows

Lessons = Callable[[int], Sequence[Lesson]]
Check = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Pace:
    """When a training measures, saves and stops.

    Args:
        steps: of the whole training.
        every: steps from one check and checkpoint to the next; there is one before the first step, and one at the end.
        monitor: which number of a check says what is best: the highest pass rate, or the lowest validation loss.
        patience: end after so many checks in a row that were no better than the best; None: never.
    """

    steps: int
    every: int
    monitor: Monitor = "validation_loss"
    patience: int | None = None


@dataclass(slots=True)
class Progress:
    """How far a training has come; a checkpoint's manifest holds it."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_step: int = 0
    best: float | None = None
    waited: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)

    def take(self, scores: Mapping[str, float], monitor: Monitor) -> bool:
        """Take a check's numbers, and say whether nothing before was better. Without a check the newest is best."""
        value = scores.get(monitor)
        lower = monitor == "validation_loss"
        better = self.best is None or value is None or (value < self.best if lower else value > self.best)
        self.scores, self.waited = scores, 0 if better else self.waited + 1
        if better:
            self.best, self.best_step = value, self.step
        return better

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def fit(
    learner: Learner,
    lessons: Lessons,
    *,
    pace: Pace,
    folder: Path,
    check: Check | None = None,
    about: Mapping[str, Any] | None = None,
    advance: Callable[[int, str], None] = lambda done, remark: None,
    more: Callable[[], Mapping[str, float]] = dict,
    track: Tracker | None = None,
) -> Progress:
    """Train, and go on where an earlier process with the same arguments was killed, to the same weights.

    Args:
        learner: what steps; its policy holds the best of it only if ``last`` is best.
        lessons: those of each step, which counts from 0: a function of the step, so that it needs no state.
        pace: when to measure, save and stop.
        folder: gets ``metrics.jsonl`` and ``checkpoints/``, with ``last`` and ``best``.
        check: measures the policy: numbers by name, the monitored one among them.
        about: further facts for the checkpoints' manifests, as plain JSON.
        advance: is told after each step how many are done, and a remark.
        more: further numbers of the step that was taken, for ``metrics.jsonl``.
        track: where everything in ``metrics.jsonl`` is shown too.

    Returns:
        How far it came, and what was best.

    Raises:
        InputError: the tracker cannot be opened.
    """
    checkpoints = Checkpoints(folder / "checkpoints")
    progress = _resume(learner, checkpoints, folder / METRICS)
    fresh = checkpoints.last() is None
    since = 0 if fresh else progress.step + 1
    with closing(Lines(folder / METRICS)) as metrics, tracked(track, folder, since=since) as log:
        journal = _Journal(learner, checkpoints, metrics, pace, check, about or {}, progress, log)
        if fresh:
            journal.check()
        while learner.steps < pace.steps and not journal.out_of_patience:
            journal.note(learner.step(lessons(learner.steps)), more(), advance)
            if learner.steps % pace.every == 0 or learner.steps == pace.steps:
                journal.check()
    return progress


class _Journal:
    """Writes down steps and checks, and saves checkpoints."""

    def __init__(
        self,
        learner: Learner,
        checkpoints: Checkpoints,
        metrics: Lines,
        pace: Pace,
        check: Check | None,
        about: Mapping[str, Any],
        progress: Progress,
        log: Log,
    ) -> None:
        self._learner, self._checkpoints, self._metrics = learner, checkpoints, metrics
        self._pace, self._check, self._about, self._progress = pace, check, about, progress
        self._log = log
        self._began = time.monotonic() - progress.seconds
        self._shown: dict[str, float] = {}

    @property
    def out_of_patience(self) -> bool:
        return self._pace.patience is not None and self._progress.waited >= self._pace.patience

    def note(self, step: Step, more: Mapping[str, float], advance: Callable[[int, str], None]) -> None:
        progress = self._progress
        progress.step, progress.tokens = self._learner.steps, progress.tokens + step.tokens
        parts = {"loss": step.loss, "ce": step.ce, "rl": step.rl, "norm": step.norm, "lr": step.lr}
        known = {"drift": step.drift, "truncated": step.truncated}
        parts |= {name: value for name, value in known.items() if value is not None}
        self._write({**parts, "tokens": progress.tokens, **more})
        self._shown |= {name: more[name] for name in _TOLD if name in more}
        told = {"loss": step.loss, **self._shown, **progress.scores}
        advance(progress.step, ", ".join(f"{name} {value:.3f}" for name, value in told.items()))

    def check(self) -> None:
        """Measure, and save what was measured."""
        scores = dict(self._check()) if self._check else {}
        best = self._progress.take(scores, self._pace.monitor)
        if scores:
            self._write(scores)
        self._metrics.sync()
        facts = {**self._about, **self._progress.to_json()}
        self._checkpoints.save(self._learner, facts, best=best)

    def _write(self, numbers: Mapping[str, float]) -> None:
        self._progress.seconds = round(time.monotonic() - self._began, 3)
        written = {**numbers, "seconds": self._progress.seconds}
        self._metrics.append({"v": 1, "step": self._progress.step, **written})
        self._log(written, self._progress.step)


def _resume(learner: Learner, checkpoints: Checkpoints, metrics: Path) -> Progress:
    """Restore the last checkpoint, and drop the metrics of steps that will be done again."""
    last = checkpoints.last()
    if last is None:
        metrics.parent.mkdir(parents=True, exist_ok=True)
        write_lines(metrics, [])
        return Progress()
    learner.restore(last)
    facts = checkpoints.facts()
    checkpoints.settle(facts["best_step"])
    write_lines(metrics, [record for _, record in read_records(metrics) if record["step"] <= facts["step"]])
    return Progress(**{name: facts[name] for name in Progress.__slots__})
