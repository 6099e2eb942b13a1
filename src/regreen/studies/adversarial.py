"""Does a model follow the text or what stands beside it: a misleading function name, a shown check that is wrong?

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.4.

Differences from the paper:
- The true checks score, and the wrong one is run beside them: a program that passes it has followed it.
- Every condition stands against the plain prompt on the same problems, whose programs are run on the wrong check too:
  some pass it by chance.
- A program that passes the wrong check and every true one that does not contradict it is a special case in code.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

from regreen.arms.mutate import mutate
from regreen.attempt import Opening, seed_of
from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval
from regreen.problem import Assert, Call, Check, Problem, Stdio, call_text, parse_literal
from regreen.records import Record
from regreen.studies.asking import Study
from regreen.studies.finding import Cell, finding, plot, table
from regreen.studies.judged import read_judged
from regreen.studies.rewording import renamed, with_parts
from regreen.studies.scored import Line, Scored, lines

NAMES = ("is_prime", "reverse_string", "sort_list", "count_vowels", "factorial", "find_maximum", "remove_duplicates")
TRUE, WRONG = "true checks", "the wrong check"
_TRIES = 20


def adversarial(study: Study) -> Record:
    """Return pass rates on the true checks under a misleading name and a wrong shown check, against the plain prompt.

    Args:
        study: who is asked about what; problems that show no check, or none that can be made wrong, are left out.

    Raises:
        InputError: no problem shows a check that can be made wrong.
    """
    conditions = _conditions(study)
    runs = {name: study.run(name.replace(" ", "-"), problems=problems) for name, problems in conditions.items()}
    scored = {part: [Scored.of(name, run, part=part) for name, run in runs.items()] for part in (TRUE, WRONG)}
    seed = study.sampling.seed
    found = {p: lines(each, [None, *[each[0]] * (len(each) - 1)], seed=seed) for p, each in scored.items()}
    special = {name: _special_cases(Path(run["run"]), conditions[name], seed) for name, run in runs.items()}
    problems = len(scored[TRUE][0].problems)
    return study.found(
        finding(
            "adversarial",
            benchmark=study.called,
            tables=[_table(found, special, problems)],
            plots=[_plot(found)],
            conditions={name: _numbers(found, at, special[name]) for at, name in enumerate(runs)},
            problems=problems,
        )
    )


def _conditions(study: Study) -> dict[str, list[Problem]]:
    """Return the problems of each condition; raises InputError where no prompt shows a check that can be made wrong."""
    twins = [wrong_twin(problem, study.sampling.seed) for problem in study.problems]
    prepared = _visible(study, [pair for pair in twins if pair is not None])
    if not prepared:
        raise InputError(
            f"{study.called}: no prompt shows a check that can be made wrong; try mbpp, or another --prompt"
        )
    return {
        "plain": [plain for plain, _ in prepared],
        "misleading name": [renamed(plain, misleading_name(plain)) for plain, _ in prepared],
        "one wrong check": [wrong for _, wrong in prepared],
    }


def _numbers(found: Mapping[str, Sequence[Line]], at: int, special: Estimate) -> Record:
    return {**{part: each[at].to_json() for part, each in found.items()}, "special_cases": asdict(special)}


def wrong_twin(problem: Problem, seed: int) -> tuple[Problem, Problem] | None:
    """Return a problem with a wrong check beside its own, once not shown and once in the place of the shown one.

    The wrong check is the first shown one that can be made so: same input, another answer. None if there is none.
    """
    for at in problem.shown:
        wrong = wrong_check(problem, at, Random(seed_of(seed, problem.id, at, "wrong check")))
        if wrong is not None:
            return _twins(problem, at, wrong)
    return None


def _twins(problem: Problem, at: int, wrong: Check) -> tuple[Problem, Problem]:
    count = len(problem.checks)
    parts = {TRUE: list(range(count)), WRONG: [count]}
    plain = with_parts(replace(problem, checks=(*problem.checks, wrong)), parts)
    shown = tuple(count if index == at else index for index in problem.shown)
    told = replace(plain, shown=shown, revealed=tuple(sorted({*problem.revealed, count})))
    said = {problem.prompt: _with_wrong_example(problem, at, wrong), problem.statement: problem.statement}
    statement = said.get(problem.statement, problem.statement)
    meta = {**plain.meta, "contradicted": at}
    prompt = {"prompt": said[problem.prompt]} if problem.prompt else {}
    return replace(plain, meta=meta), replace(told, statement=statement, meta={**meta, **prompt})


def _with_wrong_example(problem: Problem, at: int, wrong: Check) -> str:
    """Return the prompt with the wrong answer where its docstring has the check as an example."""
    true = problem.checks[at]
    if not isinstance(true, Call) or not isinstance(wrong, Call):
        return problem.prompt
    call = f">>> {call_text(true, problem.entry_point)}"
    before, found, after = problem.prompt.partition(call)
    return before + found + after.replace(repr(true.expected), repr(wrong.expected), 1) if found else problem.prompt


def wrong_check(problem: Problem, at: int, random: Random) -> Check | None:
    """Return a check with another answer of the same type, near the right one; None if there is none to be had."""
    check = problem.checks[at]
    if isinstance(check, Call):
        answer = _another(check.expected, random)
        return None if answer is None else replace(check, expected=answer[0])
    if isinstance(check, Stdio):
        return _wrong_output(check, random)
    return _wrong_assert(check, random)


def _another(value: Any, random: Random) -> tuple[Any] | None:
    """Return another value near, in a tuple: it may itself be None."""
    for _ in range(_TRIES):
        other = mutate(value, random)
        if other != value:
            return (other,)
    return None


def _wrong_output(check: Stdio, random: Random) -> Stdio | None:
    try:
        value = parse_literal(check.expected)
    except ValueError:
        value = check.expected.strip()
    other = _another(value, random)
    return None if other is None else replace(check, expected=f"{other[0]}\n")


def _wrong_assert(check: Assert, random: Random) -> Assert | None:
    """Return an assert whose literal, on the right of its one ``==``, is another."""
    try:
        tree = ast.parse(check.code)
    except SyntaxError:
        return None
    pairs = [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq)]
    if len(pairs) != 1 or len(pairs[0].ops) != 1:
        return None
    try:
        other = _another(parse_literal(ast.unparse(pairs[0].comparators[0])), random)
    except ValueError:
        return None
    if other is None:
        return None
    literal = ast.get_source_segment(check.code, pairs[0].comparators[0]) or ""
    before, _, after = check.code.rpartition(literal)
    return Assert(f"{before}{other[0]!r}{after}")


def misleading_name(problem: Problem) -> str:
    """Return a name that tells of something else: one without a word of the statement, chosen by the problem's id."""
    said = problem.statement.lower()
    fitting = [name for name in NAMES if not any(word in said for word in name.split("_") if len(word) > 3)]
    names = fitting or list(NAMES)
    return names[hashlib.sha256(problem.id.encode()).digest()[0] % len(names)]


def _visible(study: Study, twins: Sequence[tuple[Problem, Problem]]) -> list[tuple[Problem, Problem]]:
    """Return the pairs of problems whose prompts differ: those that show the wrong check."""
    if not twins:
        return []
    opening = Opening(study.sampling, [twins[0][0]], study.model, study.choice.data, examples=())
    prompts = [[opening.template.render(opening.showing(problem)) for problem in pair] for pair in twins]
    return [pair for pair, (plain, wrong) in zip(twins, prompts, strict=True) if plain != wrong]


def _special_cases(run: Path, problems: Sequence[Problem], seed: int) -> Estimate:
    """Return the share of programs that pass the wrong check and all true ones but the one it contradicts."""
    by_id = {problem.id: problem for problem in problems}
    shares, labels = [], []
    for name, programs in sorted(read_judged(run).items()):
        meta = by_id[name].meta
        kept = tuple([at for at in meta["scores"][TRUE] if at != meta["contradicted"]] + meta["scores"][WRONG])
        shares.append(sum(program.passes(kept) for program in programs) / len(programs))
        labels.append(str(meta.get("cluster") or name))
    return mean_interval(shares, clusters=labels, seed=seed)


def _table(found: dict[str, list[Line]], special: dict[str, Estimate], problems: int) -> Record:
    rows: list[list[Cell]] = [
        [true.name, true.means[1], true.gain, true.p, wrong.means[1], wrong.gain, special[true.name]]
        for true, wrong in zip(found[TRUE], found[WRONG], strict=True)
    ]
    header = ["prompt", "pass the true checks", "against plain", "p (Holm)", "pass the wrong one", "against plain"]
    notes = [
        f"{problems} problems whose prompt shows a check that can be made wrong; means over programs, paired",
        "special case: passes the wrong check and every true one but that for the same input",
    ]
    return table("The text, or what stands beside it", [*header, "special case"], rows, notes=notes)


def _plot(found: dict[str, list[Line]]) -> Record:
    bars = {part: [(line.name, line.means[1]) for line in each] for part, each in found.items()}
    return plot("The text, or what stands beside it", bars, x="prompt", y="programs that pass, %", kind="bar")
