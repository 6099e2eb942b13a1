"""The lessons of an online training: at every refresh new programs become lessons in the buffer, and steps take them.

All that is drawn is written down before it is learned from. A training that goes on at a checkpoint reads it again, and
has the same buffer as before: which programs are in it, and which of them a step takes, is a function of the seed and
of what was drawn, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from regreen.errors import InputError
from regreen.records import Lines, Record, read_records, write_lines
from regreen.train.batches import Epochs
from regreen.train.config import RltfConfig
from regreen.train.lessons import Lesson
from regreen.train.online.buffer import Buffer
from regreen.train.online.drawing import DRAWS, Drawn, Spent, drawn_from_line
from regreen.train.online.grouping import Weigher
from regreen.train.online.knowing import Knower
from regreen.train.online.sources import Source
from regreen.train.online.watching import Numbers, numbers_of
from regreen.train.weighing import Weighed


class Feed:
    """The lessons of each step, which counts from 0.

    Args:
        config: of the training.
        source: where programs come from.
        knower: adds what must be known of them.
        weigher: makes lessons of them.
        supervised: the other half of every step, or None.
        settle: returns what was spent on drawing since it was last called.
        folder: of the training; gets ``draws.jsonl``.
    """

    def __init__(
        self,
        config: RltfConfig,
        source: Source,
        knower: Knower,
        weigher: Weigher,
        supervised: Epochs | None,
        settle: Callable[[], Spent],
        folder: Path,
    ) -> None:
        self._config, self._source, self._knower, self._weigher = config, source, knower, weigher
        self._supervised, self._settle, self._path = supervised, settle, folder / DRAWS
        offline = config.buffer.mode == "offline"
        self._buffer: Buffer[Lesson] = Buffer(None if offline else config.buffer.size, seed=config.seed)
        self._journal: Lines | None = None
        self._numbers: Numbers = {}
        self._rounds = 0
        self._interval = config.interval

    def __call__(self, step: int) -> list[Lesson]:
        """Return a step's lessons: of the buffer, and supervised ones."""
        self._numbers = {}
        if self._journal is None:
            self._restore(step)
        if step % self._interval == 0:
            self._refresh(step)
        chosen, ages = self._buffer.take(step, self._interval, self._config.batch.programs)
        if ages:
            self._numbers |= {"staleness": sum(ages) / len(ages), "staleness_most": max(ages)}
        return [*chosen, *(self._supervised(step) if self._supervised else [])]

    def numbers(self) -> Numbers:
        """Return what is to be written down of the newest step."""
        return self._numbers

    def close(self) -> None:
        """End the source, and close the file."""
        self._source.close()
        if self._journal is not None:
            self._journal.close()

    def _refresh(self, step: int) -> None:
        """Let what is new enter: written down, made into lessons, put into the buffer."""
        rounds = [self._entered(drawn, step) for drawn in self._source.fresh(step)]
        if rounds:
            drawn, weighed, evicted = zip(*rounds, strict=True)
            numbers = numbers_of([*chain(*drawn)], [*chain(*weighed)])
            self._numbers |= {**numbers, "pool": len(self._buffer), "evicted": sum(evicted), **self._settle().to_json()}

    def _entered(self, drawn: Sequence[Drawn], step: int) -> tuple[list[Drawn], list[Weighed], int]:
        known = self._knower(drawn)
        for each in known:
            about = {"entered": step, "round": self._rounds, "of": len(known)}
            self._lines.append({**each.to_json(), **about})
        self._lines.sync()
        return known, *self._push(known)

    def _push(self, drawn: Sequence[Drawn]) -> tuple[list[Weighed], int]:
        """Put what is made of programs into the buffer; return it, and how many others went out."""
        weighed = self._weigher(drawn)
        lessons = [each.lesson for each in weighed]
        pushed = self._buffer.push(lessons, drawn[0].step)
        self._rounds += 1
        if self._rounds == 1 and not any(lesson.rl.any() or lesson.ce.any() for lesson in lessons):
            raise InputError(_nothing(drawn))
        return weighed, pushed.evicted

    @property
    def _lines(self) -> Lines:
        assert self._journal is not None  # opened before anything is drawn
        return self._journal

    def _restore(self, step: int) -> None:
        """Go on with what earlier processes drew: all that was learned from before this step."""
        kept: list[Record] = []
        for entered, lines in self._written():
            drawn, done = [drawn_from_line(line) for line in lines], entered < step
            self._source.known(drawn, done=done)
            if done:
                kept += lines
                self._push(drawn)
        self._numbers = {}
        write_lines(self._path, kept)
        self._journal = Lines(self._path)

    def _written(self) -> Iterator[tuple[int, list[Record]]]:
        """Yield what was drawn at once, and when it entered; one that a kill has cut is left out."""
        records = (record for _, record in read_records(self._path))
        for (entered, _, count), some in groupby(records, itemgetter("entered", "round", "of")):
            lines = list(some)
            if len(lines) == count:
                yield entered, lines


def _nothing(drawn: Sequence[Drawn]) -> str:
    passed = sum(each.verdict.passed for each in drawn)
    said = "every program passes" if passed == len(drawn) else "no reward differs from what it is compared with"
    return (
        f"of the first {len(drawn)} programs {passed} pass and {said}: there is nothing to learn; give easier or "
        "harder problems, draw more programs (draw.n) or hotter (draw.temperature), or another method"
    )
