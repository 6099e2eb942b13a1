"""Import recorded repairs as a run, and judge their programs again."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from regreen import benchmarks, formats
from regreen.attempt import judge_programs
from regreen.chains import Verdicts, chain_figures, interval, is_chain, share
from regreen.errors import InputError
from regreen.formats.form import BadRow
from regreen.options import Choice, Judging, about
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Record, trees_of
from regreen.run import Run, Settings
from regreen.sandbox import Sandbox
from regreen.summary import estimate_record, recorded_verdicts
from regreen.track import progress
from regreen.tree import SAMPLE, Node, RepairTree
from regreen.working import OwnProblems, content_digest


def import_trees(
    path: Path,
    form: str,
    benchmark: str | None = None,
    *,
    judge: bool = False,
    choice: Choice | None = None,
    judging: Judging | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Write recorded repairs as a run directory, and return what they come to.

    Args:
        path: a file of recorded repairs.
        form: its form (see :mod:`regreen.formats.trees`).
        benchmark: what they answer; None where the rows bring their own checks.
        judge: judge every program with our judge, beside the recorded verdicts.
        choice: which problems.
        judging: limits and sandbox.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen import --json`` prints.

    Raises:
        InputError: nothing can be read, or an option cannot be used.
        InfrastructureError: the judge broke down; the same call continues.
    """
    choice, judging = choice or Choice(), judging or Judging()
    name, problems = choice.load(benchmark) if benchmark else (form, [])
    reading = formats.open_trees(path, form, problems=problems)
    rows = _Rows(reading, choice, problems)
    rows.refuse_if_none(path)
    settings = _settings(path, name, form, problems, choice, judging if judge else None)
    with ExitStack() as stack:
        sandbox = stack.enter_context(judging.open()) if judge else None
        facts = {"imported": str(path), **(about(sandbox) if sandbox else {})}
        run = stack.enter_context(Run(out, settings, about=facts))
        _write(rows, run, sandbox, quiet=quiet)
        trees = trees_of(run.path)
        run.manifest.update(missing=_without_first(trees), skipped=len(reading.skipped))
        run.complete()
        found = _summary(run, trees, reading.skipped)
        run.write_scores(found)
        return found


def _settings(
    path: Path, name: str, form: str, problems: list[Problem], choice: Choice, judging: Judging | None
) -> Settings:
    decides = {
        "samples": content_digest(path),
        "form": form,
        "problems": benchmarks.digest(problems) if problems else None,
        "only": sorted(choice.only),
        "after": choice.after and choice.after.isoformat(),
        "before": choice.before and choice.before.isoformat(),
        "judge": judging is not None,
        **(judging.decides() if judging else {}),
    }
    return Settings("import", name, decides, {"limit": choice.limit})


class _Rows:
    """The rows that are wanted, each of which may be read again."""

    def __init__(self, reading: formats.TreeReading, choice: Choice, problems: list[Problem]) -> None:
        self._reading = reading
        self._choice = choice
        self._chosen = {problem.id for problem in choice.choose(problems)} if problems else None

    def __iter__(self) -> Iterator[formats.TreeRow]:
        own = OwnProblems(self._choice)
        for row in self._reading.rows():
            try:
                wanted = own.wants(row.problem) if self._chosen is None else row.problem.id in self._chosen
            except BadRow as bad:
                self._reading.skipped.append(f"{row.where}: {bad}")
            else:
                if wanted:
                    yield row

    def refuse_if_none(self, path: Path) -> None:
        """Raise InputError if no row can be used, so that no run is begun."""
        if next(iter(self), None) is None:
            if bad := self._reading.skipped:
                raise InputError(f"no row of {path} can be imported ({len(bad)} bad lines): {bad[0]}")
            raise InputError(f"{path}: no row for the problems chosen; see --only and --limit")


def _write(rows: _Rows, run: Run, sandbox: Sandbox | None, *, quiet: bool) -> None:
    """Record every row; where there is a sandbox, each node waits for its verdict."""
    waiting = _Waiting(run, judged=sandbox is not None)
    programs = _programs(rows, waiting, run)
    with progress("importing", quiet=quiet) as advance:
        done = judge_programs(programs, sandbox, run) if sandbox else _recorded(programs, run)
        for _ in done:
            waiting.write()
            advance(waiting.written, "nodes written")
        waiting.write()


def _programs(rows: _Rows, waiting: _Waiting, run: Run) -> Iterator[tuple[Problem, Program]]:
    """Yield every recorded program, when its recorded verdict is written and its nodes wait."""
    for row in rows:
        run.add_problem(row.problem)
        waiting.add(row.nodes)
        for node in row.nodes:
            if node.recorded is not None:
                run.add_recorded(node.key, node.recorded)
            if _is_there(node):
                yield row.problem, _program_of(node)


def _recorded(programs: Iterator[tuple[Problem, Program]], run: Run) -> Iterator[None]:
    for _, program in programs:
        run.add_program(program)
        yield


def _is_there(node: Node) -> bool:
    """True if the node's program was recorded."""
    return node.has_program and node.text is not None


def _program_of(node: Node) -> Program:
    problem, index, role = node.key
    rule = None if node.source.strip() else "none"
    return Program(problem, index, node.source, role, text=node.text, extraction=rule, tokens=node.tokens)


class _Waiting:
    """Nodes on their way to trees.jsonl, where each stands once: in their order, and after their verdicts."""

    def __init__(self, run: Run, *, judged: bool) -> None:
        self.written = 0
        self._run = run
        self._judged = judged
        self._nodes: deque[Node] = deque()
        self._guard = threading.Lock()  # rows are read by the threads that judge

    def add(self, nodes: tuple[Node, ...]) -> None:
        """Let nodes wait."""
        with self._guard:
            self._nodes.extend(nodes)

    def write(self) -> None:
        """Write the nodes that need wait no longer."""
        with self._guard:
            while self._nodes and self._is_ready(self._nodes[0]):
                self._run.add_node(self._with_verdict(self._nodes.popleft()))
                self.written += 1

    def _is_ready(self, node: Node) -> bool:
        return not (self._judged and _is_there(node)) or self._run.has_verdict(node.key)

    def _with_verdict(self, node: Node) -> Node:
        verdict = self._run.verdict(node.key) if _is_there(node) else None
        if verdict is None:
            return node
        ran = sum(check.outcome is not None for check in verdict.checks)
        return replace(node, outcome=verdict.outcome.value, checks=ran)


def _without_first(trees: dict[str, RepairTree]) -> list[str]:
    """Return the problems whose first programs were all not recorded."""
    return [name for name, tree in trees.items() if not any(_is_there(root) for root in tree.roots)]


def _summary(run: Run, trees: dict[str, RepairTree], skipped: list[str]) -> Record:
    nodes = [node for tree in trees.values() for node in tree.nodes.values()]
    return {
        "command": "import",
        "benchmark": run.manifest["benchmark"],
        "form": run.manifest["settings"]["form"],
        "problems": len(trees),
        "nodes": dict(Counter(node.kind for node in nodes)),
        "not_recorded": sum(node.has_program and not _is_there(node) for node in nodes),
        "verdicts": {verdicts: _figures(trees, nodes, verdicts) for verdicts in _whose(run)},
        "recorded": recorded_verdicts(run.path),
        "skipped": len(skipped),
        "bad_lines": skipped,
        "run": str(run.path),
        "seconds": run.seconds,
    }


def _whose(run: Run) -> tuple[Verdicts, ...]:
    return ("recorded", "ours") if run.manifest["settings"]["judge"] else ("recorded",)


def _figures(trees: dict[str, RepairTree], nodes: list[Node], verdicts: Verdicts) -> Record:
    """Return counts of first programs and repairs; of chains, all that can be said of them."""
    if all(map(is_chain, trees.values())):
        found = chain_figures(trees, verdicts=verdicts)
        rates = {name: interval(getattr(found, name)) for name in ("first", "last")}
        intervals = {name: estimate_record(rate, 1) for name, rate in rates.items() if rate}
        return {**found.to_json(), "intervals": intervals}
    first = share((node for node in nodes if node.key[2] == SAMPLE), verdicts)
    repairs = share((node for node in nodes if node.key[2] != SAMPLE), verdicts)
    return {"first": first.to_json(), "repairs": repairs.to_json()}
