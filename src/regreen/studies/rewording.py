"""The same problem in other words: its statement and its published prompt changed alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from regreen.problem import Assert, Check, Problem

_DOCSTRING = re.compile(r'("""|\'\'\')\s*')


def reworded(problem: Problem, change: Callable[[str], str]) -> Problem:
    """Return the problem with its statement, and the prompt that a completion continues, put through a change."""
    said = replace(problem, statement=change(problem.statement))
    return replace(said, meta={**said.meta, "prompt": change(problem.prompt)}) if problem.prompt else said


def preceded(problem: Problem, words: str) -> Problem:
    """Return the problem with a sentence before its statement; in a prompt, at the beginning of the docstring."""
    said = f"{words} {problem.statement.lstrip()}"
    if not problem.prompt:
        return replace(problem, statement=said)
    prompt = _into_docstring(problem, words)
    # a statement that is the prompt itself, as HumanEval's, stays so
    statement = prompt if problem.statement == problem.prompt else said
    return replace(problem, statement=statement, meta={**problem.meta, "prompt": prompt})


def _into_docstring(problem: Problem, words: str) -> str:
    """Return the prompt with words before the statement in it, or else at the beginning of its last docstring."""
    prompt, statement = problem.prompt, problem.statement.strip()
    if statement in prompt and statement != prompt.strip():
        return prompt.replace(statement, f"{words} {statement}", 1)
    definition = max((found.start() for found in re.finditer(r"^(?:async\s+)?def\s", prompt, re.MULTILINE)), default=0)
    opening = _DOCSTRING.search(prompt, definition)
    if opening is None:
        return prompt
    return f"{prompt[: opening.start()]}{opening[1]}{words} {prompt[opening.end() :]}"


def commented(problem: Problem, words: str) -> Problem:
    """Return the problem with an instruction before it: above its statement, and as a comment above its prompt."""
    said = replace(problem, statement=f"{words}\n\n{problem.statement}")
    if not problem.prompt:
        return said
    prompt = f"# {words}\n{problem.prompt}"
    statement = prompt if problem.statement == problem.prompt else said.statement
    return replace(said, statement=statement, meta={**said.meta, "prompt": prompt})


def renamed(problem: Problem, name: str) -> Problem:
    """Return the problem whose function has another name: in words, in code and in checks."""
    old = problem.entry_point
    if old is None or old == name:
        return problem
    word = re.compile(rf"\b{re.escape(old)}\b")
    # a name such as `change` is a word of English too, unless it is called
    called = word if "_" in old else re.compile(rf"\b{re.escape(old)}(?=\s*\()")
    said = reworded(problem, lambda text: called.sub(name, text))
    return replace(
        said,
        entry_point=name,
        checks=tuple(_renamed_check(check, word, name) for check in problem.checks),
        prelude=called.sub(name, problem.prelude),
        solution=None if problem.solution is None else called.sub(name, problem.solution),
    )


def _renamed_check(check: Check, word: re.Pattern[str], name: str) -> Check:
    return Assert(word.sub(name, check.code)) if isinstance(check, Assert) else check


def with_parts(problem: Problem, parts: Mapping[str, list[int]]) -> Problem:
    """Return the problem scored apart on named parts of its checks."""
    return replace(problem, meta={**problem.meta, "scores": {**problem.meta.get("scores", {}), **parts}})
