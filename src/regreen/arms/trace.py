"""The arm ``trace``: the values of a program's variables along the run that failed.

The program runs again in the sandbox, its own text beside a tracer's, on the input of its first failing revealed check.
The words are the first and last steps of that run: the line, and the variables that it changed.

What cannot be trusted: the tracer runs in the program's process, so a program that looks for it there can report what
it likes. Lines carry a marker drawn for each run, which keeps apart what a program merely prints. Such words are
advice to whoever repairs the program; no verdict depends on them.

Source: after Zhong et al. 2024 (LDB, arXiv 2402.16906), which shows values after basic blocks; here after lines.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

from regreen.feedback import first_failure
from regreen.problem import Assert, Call, Check, Problem, Stdio
from regreen.sandbox import Sandbox
from regreen.verdict import Outcome, Verdict

_OPENING = "Run again, the program took these steps (line, and the variables that it changed):"


class Trace:
    """Says what the program's variables held along the run that failed."""

    name = "trace"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __repr__(self) -> str:
        return "<Arm trace>"

    async def __call__(self, problem: Problem, source: str, verdict: Verdict, *, node: str | None = None) -> str:
        """Return the steps, or nothing where no revealed check failed, or the program reports nothing."""
        failure = first_failure(problem, verdict)
        if failure is None or failure.outcome is Outcome.SYNTAX_ERROR:
            return ""
        marker = secrets.token_hex(4)
        check = problem.checks[failure.index]
        stdin = check.stdin if isinstance(check, Stdio) else ""
        job = Problem(problem.id, "", (Stdio(stdin, marker),), revealed=(0,))
        answer = await self._sandbox.judge(job, _traced(problem, source, check, marker))
        return _steps(answer, marker)


def _traced(problem: Problem, source: str, check: Check, marker: str) -> str:
    kind, work = _work(check)
    arguments = (kind, problem.prelude, source, problem.entry_point, work, marker)
    return f"{_tracer()}\n\nmain({', '.join(map(repr, arguments))})\n"


def _work(check: Check) -> tuple[str, str]:
    match check:
        case Call(args, _, kwargs):
            return "call", repr((args, dict(kwargs)))
        case Assert(code):
            return "assert", code
    return "stdio", ""


@cache
def _tracer() -> str:
    return Path(__file__).with_name("tracer.py").read_text(encoding="utf-8")


def _steps(answer: Verdict, marker: str) -> str:
    """Return what the tracer wrote: all that is known where the process was killed on the way."""
    result = answer.checks[0]
    written = (result.got or result.output or "").split("\n")
    steps = [line.removeprefix(f"{marker} ") for line in written if line.startswith(f"{marker} ")]
    if steps and result.got is None:
        steps.append(f"... and then: {result.outcome}")
    return "\n".join([_OPENING, *steps]) if steps else ""
