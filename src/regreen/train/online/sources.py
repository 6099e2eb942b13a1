"""Where an online training's programs come from: drawn between its steps, beside them, or once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from regreen.errors import InputError
from regreen.models import Model
from regreen.problem import Problem
from regreen.train.advantages import mixed_groups
from regreen.train.config import DrawConfig
from regreen.train.online.drawing import Drawer, Drawn, by_problem, passes
from regreen.train.online.orders import Order
from regreen.train.online.writers import Writer

BESIDE = "asynchronous"  # the mode in which programs are drawn while others are learned from
_TIMES = 4  # as many problems are asked as are wanted, at most, for as many of which some programs pass and some fail
_WAITING = 2  # rounds that may wait for the learner before no more is drawn
_LOOK = 0.2  # seconds between two looks at whether to stop

_Ask = Callable[[Sequence[Problem]], list[Drawn]]


class Source(Protocol):
    """Whatever has new programs when a training wants some."""

    def fresh(self, step: int) -> list[list[Drawn]]:
        """Return what is new after so many steps: programs by what was drawn at once, in order."""
        ...

    def known(self, drawn: Sequence[Drawn], *, done: bool) -> None:
        """Take note of what an earlier process drew at once; ``done`` says that it was learned from."""
        ...

    def close(self) -> None:
        """End what works beside."""
        ...


class Round:
    """Chooses problems, draws programs for them, and remembers both.

    Args:
        drawer: who draws.
        problems: among which.
        how: how many of them at once, and in which order.
        seed: of the order.
    """

    def __init__(self, drawer: Drawer, problems: Sequence[Problem], how: DrawConfig, seed: int) -> None:
        self._drawer, self._problems, self._how = drawer, problems, how
        self._places = {problem.id: at for at, problem in enumerate(problems)}
        self._order = Order(len(problems), sort=how.order, seed=seed)
        self._begun = False

    def draw(self, model: Model, step: int) -> list[Drawn]:
        """Return programs for the next problems; the first time for as many as are wanted before the first step.

        Raises:
            InputError: the model refused the prompt of every problem there is.
        """
        found = self._round(lambda problems: self._drawer.draw(model, problems, step))
        if not found:
            raise InputError(f"the model refused every prompt: {self._drawer.refusal}")
        return found

    def known(self, drawn: Sequence[Drawn]) -> None:
        """Remember a round of an earlier process: it is gone through again, and nothing is drawn."""
        by_key = {each.key: each for each in drawn}
        self._round(lambda problems: self._drawer.recall(problems, by_key))

    def _round(self, ask: _Ask) -> list[Drawn]:
        wanted = self._how.problems if self._begun else self._how.first or self._how.problems
        self._begun = True
        found = self._mixed_of(ask, self._some(ask, wanted), wanted)
        self._note(found)
        return found

    def _some(self, ask: _Ask, count: int) -> list[Drawn]:
        """Return programs for so many problems; where all are refused, for others, until every one has been asked."""
        asked, found = set[str](), list[Drawn]()
        while not found and len(asked) < len(self._problems):
            problems = self._next(count)
            asked |= {problem.id for problem in problems}
            found = ask(problems)
        return found

    def _mixed_of(self, ask: _Ask, found: list[Drawn], wanted: int) -> list[Drawn]:
        """Return these and what is drawn on for, until of enough problems some programs pass and some fail."""
        asked, most = wanted, _TIMES * wanted
        while self._how.mixed and (missing := wanted - _mixed(found)) > 0 and asked < most:
            missing = min(missing, most - asked)
            found = found + ask(self._next(missing))
            asked += missing
        return found

    def _next(self, count: int) -> list[Problem]:
        return [self._problems[at] for at in self._order.take(count)]

    def _note(self, drawn: Sequence[Drawn]) -> None:
        for name, group in by_problem(drawn).items():
            if passed := passes(group):
                self._order.told(self._places[name], passed)


class Between:
    """Draws between two steps, of the policy as it is: the same programs in every process.

    ``once`` draws before the first step only: the offline training.
    """

    def __init__(self, rounds: Round, writer: Writer, *, once: bool = False) -> None:
        self._rounds, self._writer, self._once = rounds, writer, once

    def fresh(self, step: int) -> list[list[Drawn]]:
        """Draw now."""
        if self._once and step:
            return []
        self._writer.publish(step)
        found = [self._rounds.draw(self._writer.model, self._writer.take())]
        if self._once:
            self._writer.close()
        return found

    def known(self, drawn: Sequence[Drawn], *, done: bool) -> None:
        """Remember what was learned from; what was drawn since is drawn again, to the same."""
        if done:
            self._rounds.known(drawn)

    def close(self) -> None:
        """Close the writer."""
        self._writer.close()


class Beside:
    """Draws in a thread of its own, by weights that are renewed whenever the training asks for programs."""

    def __init__(self, rounds: Round, writer: Writer) -> None:
        self._rounds, self._writer = rounds, writer
        self._waiting: queue.Queue[list[Drawn] | BaseException] = queue.Queue(_WAITING)
        self._earlier: list[list[Drawn]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def fresh(self, step: int) -> list[list[Drawn]]:
        """Return what has been drawn, waiting only at the first time, and let the thread go on with newer weights."""
        self._writer.publish(step)
        found, self._earlier = self._earlier, []
        if self._thread is None:
            self._thread = threading.Thread(target=self._draw, name="regreen-draw", daemon=True)
            self._thread.start()
            found += [] if found else [self._next()]
        while not self._waiting.empty():
            found.append(self._next())
        return found

    def known(self, drawn: Sequence[Drawn], *, done: bool) -> None:
        """Remember it; what was drawn and not learned from comes first."""
        self._rounds.known(drawn)
        if not done:
            self._earlier.append(list(drawn))

    def close(self) -> None:
        """End the thread when its round is drawn, then close the writer."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._writer.close()

    def _next(self) -> list[Drawn]:
        found = self._waiting.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def _draw(self) -> None:
        try:
            while not self._stop.is_set():
                self._put(self._rounds.draw(self._writer.model, self._writer.take()))
        except BaseException as error:
            self._put(error)

    def _put(self, found: list[Drawn] | BaseException) -> None:
        while not self._stop.is_set():
            try:
                return self._waiting.put(found, timeout=_LOOK)
            except queue.Full:
                continue


def source_of(mode: str, rounds: Round, writer: Writer) -> Source:
    """Return the source that a mode names."""
    if mode == BESIDE:
        return Beside(rounds, writer)
    return Between(rounds, writer, once=mode == "offline")


def _mixed(drawn: Sequence[Drawn]) -> int:
    """Return of how many problems some programs pass and some fail."""
    return len(mixed_groups(by_problem(drawn).values(), passes))
