"""Sets of solved examples to show before a question: where they come from, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice

from regreen import benchmarks, prompts
from regreen.attempt import seed_of
from regreen.errors import InputError, MissingDataError
from regreen.problem import Problem
from regreen.studies.asking import Study

SIZE = 3  # examples in a set: Austin et al. 2021, section 3
_MOST_POOL = 1_000  # problems of a pool to draw from: the first ones
_TRIES = 50  # draws for each set until it is another one


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """Solved examples that a prompt shows, under a name that their runs carry."""

    name: str
    examples: tuple[Problem, ...]

    @property
    def ids(self) -> str:
        """The examples' ids, for a table."""
        return ", ".join(example.id for example in self.examples)

    def first(self, size: int) -> ExampleSet:
        """Return the first examples of the set alone."""
        if size == len(self.examples):
            return self
        return ExampleSet("no-examples" if size == 0 else f"{self.name}-first-{size}", self.examples[:size])


@dataclass(frozen=True, slots=True)
class Drawing:
    """How sets are drawn, and what the best of them is chosen on.

    ``sets`` of ``size`` solved examples come from the benchmark ``pool``; None: the one that the template names, or the
    training split. The best set is chosen on the benchmark ``choose_on``; None: on half of the problems.
    """

    sets: int = 10
    size: int = SIZE
    pool: str | None = None
    choose_on: str | None = None

    def draw(self, study: Study, sets: int | None = None) -> list[ExampleSet]:
        """Return the sets, or the first of them; raises InputError as :func:`solved_pool` and :func:`draw_sets` do."""
        wanted = self.sets if sets is None else sets
        return draw_sets(solved_pool(study, self.pool), wanted, size=self.size, seed=study.sampling.seed)


def solved_pool(study: Study, pool: str | None = None) -> list[Problem]:
    """Return the solved problems that examples are drawn from, without those that are asked.

    Args:
        study: who is asked about what.
        pool: a benchmark; by default the one that the template names, or else the training split of the study's.

    Raises:
        InputError: no such benchmark, or none that could be the default.
    """
    asked = {problem.id for problem in study.choice.choose(study.problems)}
    found = benchmarks.load(pool or _default_pool(study), data=study.choice.data, purpose="train").problems()
    return [problem for problem in islice(found, _MOST_POOL) if problem.solution and problem.id not in asked]


def _default_pool(study: Study) -> str:
    name = study.sampling.prompt or prompts.default_for(study.problems[0], chat=study.model.chat)
    template = prompts.load(name)
    own = study.benchmark.partition(":")[0]
    if template.pool is not None:
        return template.pool
    try:
        benchmarks.load(f"{own}:train", data=study.choice.data)
    except MissingDataError:
        raise
    except InputError as error:
        raise InputError(f"{own}: no training split to take examples from; give --pool, as mbpp:train") from error
    return f"{own}:train"


def draw_sets(pool: Sequence[Problem], sets: int, *, size: int = SIZE, seed: int = 0) -> list[ExampleSet]:
    """Return different sets of examples; with more sets, the first ones stay the same.

    Args:
        pool: solved problems.
        sets: how many.
        size: examples in each, in an order that is drawn too.
        seed: of the draws.

    Raises:
        InputError: the pool does not hold so many examples, or sets.
    """
    found: dict[tuple[str, ...], ExampleSet] = {}
    for at in islice(count(), _TRIES * sets):
        drawn = prompts.choose_examples(pool, count=size, seed=seed_of(seed, "examples", at, "set"))
        found.setdefault(tuple(p.id for p in drawn), ExampleSet(f"set-{len(found)}", drawn))
        if len(found) == sets:
            return list(found.values())
    raise InputError(
        f"{sets} sets of {size} examples: {len(pool)} solved problems give only {len(found)}; ask for less"
    )
