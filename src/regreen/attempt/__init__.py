"""Ask, extract, judge: one program at once, many streamed into a run, or whole trees.

``Asking`` is an iterator of programs as a model writes them, ``judge_programs`` takes programs from wherever they come;
put together they ask and judge at the same time, and both go on where a killed process stopped. A ``Grower`` does the
same where what is asked next depends on verdicts.
"""

from __future__ import annotations

import atexit
import threading

from regreen.attempt.asking import Ask, Asking, seed_of
from regreen.attempt.growing import Attempt, Grower
from regreen.attempt.judging import judge_programs
from regreen.attempt.opening import Opening
from regreen.problem import Problem
from regreen.sandbox import Limits, LocalSandbox
from regreen.verdict import Verdict

__all__ = ["Ask", "Asking", "Attempt", "Grower", "Opening", "judge", "judge_programs", "seed_of"]

_shared: LocalSandbox | None = None
_guard = threading.Lock()


def judge(problem: Problem, source: str) -> Verdict:
    """Judge one program in this machine's sandbox, under the default limits.

    The sandbox starts at the first call and ends with the process.

    Raises:
        TierError: this machine cannot isolate programs.
        InfrastructureError: the sandbox broke down.
    """
    with _guard:
        sandbox = _shared_sandbox()
    return sandbox.judge_now(problem, source)


def _shared_sandbox() -> LocalSandbox:
    global _shared
    if _shared is None:
        _shared = LocalSandbox(Limits(), jobs=1).__enter__()
        atexit.register(_shared.__exit__, None, None, None)
    return _shared
