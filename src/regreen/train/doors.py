"""Doors outward: this package's judge and rewards as the reward functions of other trainers.

    GRPOTrainer(..., reward_funcs=as_trl_reward(problems))              # rows have the columns prompt and problem
    compute_score = as_verl_score(problems)                             # in the file custom_reward_function.path
    verifiers.Rubric(funcs=as_verifiers_rubric(problems))               # rows have the problem's id as answer

None of the three libraries is imported. TRL's trainer itself is among our tests; verl and verifiers pin versions that
cannot be installed beside TRL, so those doors are tested on the calls that their documentation shows, and have not been
run inside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from regreen.attempt import judge
from regreen.attempt.judging import no_program
from regreen.errors import InputError
from regreen.extract import Extraction
from regreen.problem import Problem
from regreen.prompts import Template, default_for, load
from regreen.sandbox import Sandbox
from regreen.train.rewards import Passed, Reward
from regreen.verdict import Verdict

Said = str | Sequence[Mapping[str, Any]]


def as_trl_reward(
    problems: Iterable[Problem],
    *,
    reward: Reward | None = None,
    template: Template | None = None,
    sandbox: Sandbox | None = None,
) -> Callable[..., list[float | None]]:
    """Return a reward function for TRL's ``GRPOTrainer`` and ``RLOOTrainer``.

    It judges all completions of a call side by side. The data set's column ``problem`` has each row's problem id.

    Args:
        problems: those that rows name.
        reward: what a verdict is worth, :class:`regreen.train.rewards.Passed` by default; only its value is used, since
            TRL takes one number. None, a reward that says nothing, is TRL's word for the same.
        template: how the program is found in a completion; by default as ``regreen evaluate`` finds it.
        sandbox: where programs are judged; by default this machine, one at a time, under the default limits.
    """
    scorer = Scorer(problems, reward, template, sandbox)

    def regreen_reward(
        prompts: Any, completions: Sequence[Said], problem: Sequence[str] | None = None, **_: Any
    ) -> list[float | None]:
        if problem is None:
            raise InputError("TRL passed no column 'problem'; add one with each row's problem id to the data set")
        return scorer(list(zip(problem, completions, strict=True)))

    return regreen_reward


def as_verl_score(
    problems: Iterable[Problem],
    *,
    reward: Reward | None = None,
    template: Template | None = None,
    sandbox: Sandbox | None = None,
) -> Callable[..., float]:
    """Return verl's ``compute_score(data_source, solution_str, ground_truth, extra_info)``; not run inside verl.

    The parquet file's ``ground_truth`` is the problem's id. A reward that says nothing counts 0. Arguments as for
    :func:`as_trl_reward`.
    """
    scorer = Scorer(problems, reward, template, sandbox)

    def compute_score(data_source: Any, solution_str: str, ground_truth: str, extra_info: Any = None) -> float:
        return scorer.one(ground_truth, solution_str)

    return compute_score


def as_verifiers_rubric(
    problems: Iterable[Problem],
    *,
    reward: Reward | None = None,
    template: Template | None = None,
    sandbox: Sandbox | None = None,
) -> list[Callable[..., float]]:
    """Return the functions of a verifiers ``Rubric``, one; not run inside verifiers.

    The data set's ``answer`` is the problem's id. A reward that says nothing counts 0. Arguments as for
    :func:`as_trl_reward`.
    """
    scorer = Scorer(problems, reward, template, sandbox)

    def regreen_reward(completion: Said, answer: str) -> float:
        return scorer.one(answer, completion)

    return [regreen_reward]


class Found(NamedTuple):
    """The program in a completion, and the verdict on it."""

    problem: Problem
    program: Extraction
    verdict: Verdict


class Scorer:
    """Finds programs in completions, judges them, and says what they are worth; arguments as for the doors."""

    def __init__(
        self,
        problems: Iterable[Problem],
        reward: Reward | None = None,
        template: Template | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._problems = {problem.id: problem for problem in problems}
        self._reward, self._template, self._sandbox = reward or Passed(), template, sandbox

    def __call__(self, rows: Sequence[tuple[str, Said]]) -> list[float | None]:
        """Return what each completion is worth, of the problem that is named with it."""
        return [self._reward(problem, program.source, verdict).value for problem, program, verdict in self.judged(rows)]

    def one(self, name: str, said: Said) -> float:
        """Return what one is worth; 0 where the reward says nothing."""
        return self([(name, said)])[0] or 0.0

    def judged(self, rows: Sequence[tuple[str, Said]]) -> list[Found]:
        """Return the program in each completion, judged; raises InputError for a problem that nobody knows."""
        pairs = [self._program(name, said) for name, said in rows]
        verdicts = self._verdicts(pairs)
        return [Found(*pair, verdicts[at]) for at, pair in enumerate(pairs)]

    def _verdicts(self, pairs: Sequence[tuple[Problem, Extraction]]) -> dict[int, Verdict]:
        """Return the verdict on each; a completion without a program is not judged."""
        tier = "A" if self._sandbox is None else self._sandbox.tier
        verdicts = {at: no_program(problem, tier) for at, (problem, found) in enumerate(pairs) if found.rule == "none"}
        left = [at for at in range(len(pairs)) if at not in verdicts]
        rows = [(pairs[at][0], pairs[at][1].source) for at in left]
        judged = enumerate(judge(*row) for row in rows) if self._sandbox is None else self._sandbox.judge_all(rows)
        return verdicts | {left[at]: verdict for at, verdict in judged}

    def _program(self, name: str, said: Said) -> tuple[Problem, Extraction]:
        problem = self._problems.get(name)
        if problem is None:
            raise InputError(f"no problem {name!r} among the {len(self._problems)} given; rows must name them by id")
        template = self._template or load(default_for(problem, chat=not isinstance(said, str)))
        return problem, template.source(problem, _text(said))


def _text(said: Said) -> str:
    """Return what was said: a text as it is, or a chat's last message."""
    return said if isinstance(said, str) else str(said[-1]["content"]) if said else ""
