"""CYCLE: train a model to refine its own wrong programs, without losing what it writes at first.

Ding, Min, Kaiser and Ray 2024 (arXiv 2403.18746; OOPSLA), with what their published code adds:

    I-a   M_1 <- fine-tune M_0 on solutions that are known to be right                 (``train sft``)
    I-b   programs of M_1 for the same problems, judged                                (``evaluate``)
    I-c   passed: problem -> the program itself; failed: problem, program, failure -> a solution   (``pairs``)
    II    M_2 <- fine-tune M_1 on these and a share of phase I's rows, the loss on the answers alone,
          a random part of the shown wrong program hidden                              (``masks``)

Differences from the paper:
- Solutions are judged before they are learned from, by all checks of their problem.
- What is longer than the model's context is left out, not cut: no description loses its end, no row its last heading.
- First prompts are the template's that ``regreen evaluate`` takes, in both phases and at inference; the paper puts
  every description into a docstring.
- What is told of a failure is the first failing check's that may be told, by default a revealed one. The paper's tests
  are the public examples, and feedback and score use the same.
- The best checkpoint is chosen on held-out problems, by the share solved after one refinement unless ``check.monitor``
  says otherwise.
- Phase II starts with a fresh optimizer, and steps are measured in tokens.
- Weights stay float32 under bfloat16 arithmetic, where the paper has fp16 with its optimizer offloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from regreen import benchmarks, prompts
from regreen.errors import InputError
from regreen.options import Judging, about
from regreen.prompts import Template
from regreen.records import MANIFEST, Record, write_lines
from regreen.run import Run, Settings, read_manifest
from regreen.sandbox import Sandbox
from regreen.telling import Telling
from regreen.track import progress
from regreen.train.batches import Epochs
from regreen.train.config import CYCLE_RHO, CycleConfig, SftConfig
from regreen.train.course import finish, learner_of, pace_of, policy_of
from regreen.train.crew import led
from regreen.train.learner import Learner
from regreen.train.lessons import Lesson
from regreen.train.loop import Check, fit
from regreen.train.masks import Mask
from regreen.train.pairs import Builder, Row, facts_of, mixed
from regreen.train.policy import Policy
from regreen.train.probing import Solutions, probed, short_enough, solutions_in, taught_by
from regreen.train.refining import Refiner
from regreen.train.rows import Lessons, lessons_of
from regreen.train.sft import Split, split_of, tune
from regreen.train.teaching import Asked

ROWS = "rows.jsonl"
SOLUTIONS, FIRST, PROBE = "solutions", "first", "probe"  # folders of a run, each a run of its own


@led
def cycle(
    config: CycleConfig, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True
) -> Record:
    """Train a model to refine; a killed run goes on, in whatever phase it was, to the same weights.

    Args:
        config: what to train on, and how.
        judging: limits and sandbox.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen train cycle --json`` prints; ``set`` says what was trained on.

    Raises:
        InputError: no problem has a right solution, no program fails, the model cannot be loaded or trained, or the run
            holds another training.
        InfrastructureError: the loss is no number, or the judge broke down; the same call goes on.
    """
    judging = judging or Judging()
    split = split_of(config)
    settings = Settings("train-cycle", split.name, _decides(config, split, judging))
    with judging.open() as sandbox, Run(out, settings, about=about(sandbox)) as run:
        work = Work(config, split, judging, run.path, quiet)
        solutions = work.solutions(sandbox)
        place = work.first(solutions)
        made = work.rows(solutions, place)
        return _second(work, place, made, sandbox, run)


class Made(NamedTuple):
    """The set that is trained on, what it holds, and held-out rows."""

    rows: list[Row]
    facts: Record
    held_out: list[Row]


@dataclass(frozen=True)  # no slots: templates are compiled once
class Work:
    """The phases of one training, each of which may be called alone; each keeps what it makes below ``folder``."""

    config: CycleConfig
    split: Split
    judging: Judging
    folder: Path
    quiet: bool = True

    @cached_property
    def write(self) -> Template:
        """What asks for a program."""
        return prompts.load(self.config.prompt or prompts.default_for(self.split.problems[0], chat=False))

    @cached_property
    def refine(self) -> Template:
        """What asks for a better one."""
        fits = prompts.default_for(self.split.problems[0], chat=self.write.is_chat, what="repair")
        return prompts.load(self.config.pairs.template or fits)

    @property
    def telling(self) -> Telling:
        """What is told of a wrong one."""
        pairs = self.config.pairs
        return Telling(pairs.feedback, pairs.code, pairs.checks)

    def solutions(self, sandbox: Sandbox) -> Solutions:
        """Return the right solutions of the problems that are short enough."""
        problems = short_enough(self.split.problems, self.config.pairs.words)
        if not problems:
            raise InputError(f"{self.split.name}: every statement has more than {self.config.pairs.words} words")
        return solutions_in(problems, self.config, sandbox, self.folder / SOLUTIONS, quiet=self.quiet)

    def first(self, solutions: Solutions) -> str:
        """Return where the model of phase I lies, trained now if the configuration asks for it."""
        config = self.config
        if config.first is None:
            return config.model
        shared = {name: getattr(config, name) for name in SftConfig.model_fields if name in _SHARED}
        told = SftConfig(**shared, **dict(config.first))
        problems = [p for p in self.split.problems if p.id in solutions]
        every = [replace(p, solution=source) for p in problems for source in solutions[p.id]]
        split = Split(self.split.name, every, self.split.validation)
        found = tune(told, split, judging=self.judging, out=self.folder / FIRST, quiet=self.quiet)
        return f"hf:{found['checkpoint']}"

    def rows(self, solutions: Solutions, place: str) -> Made:
        """Return what the programs of phase I's model teach, mixed; they are sampled and judged first."""
        config, pairs = self.config, self.config.pairs
        problems = [p for p in self.split.problems if solutions.get(p.id)]
        name, prompt = self.split.name, config.prompt or self.write.name
        run = probed(name, problems, place, prompt, config, self.judging, self.folder / PROBE, quiet=self.quiet)
        builder = Builder(
            self.write, self.refine, self.telling, reveal=pairs.reveal, select=pairs.select, seed=config.seed
        )
        own = taught_by(run, problems, solutions, builder, distinct=pairs.distinct)
        rows = [row for row in own if not row.refines or pairs.wrong != "human"]
        if pairs.wrong != "own":
            rows += [row for p in problems for row in builder.human(p, solutions[p.id], pairs.solutions)]
        phase_one = [row for p in problems for row in builder.solutions(p, solutions[p.id])]
        rho = CYCLE_RHO if pairs.rho is None and pairs.share is None else pairs.rho
        chosen = mixed(rows, phase_one, rho=rho, share=pairs.share, seed=config.seed)
        facts = {**facts_of(chosen), "probed": facts_of(own), "left_out": dict(builder.left_out)}
        held_out = [row for p in self.split.validation if p.solution for row in builder.solutions(p, [p.solution])]
        return Made(chosen, facts, held_out)


_SHARED = ("model", "problems", "validation", "data", "limit", "prompt", "seed", "device", "dtype", "lora")


def _second(work: Work, place: str, made: Made, sandbox: Sandbox, run: Run) -> Record:
    """Fine-tune the model of phase I on the rows."""
    config = work.config
    policy = policy_of(config.model_copy(update={"model": place}))
    _same(run, made.facts["digest"], policy.weights)
    write_lines(run.path / ROWS, (row.to_json() for row in made.rows))
    policy.dtype = run.remember("dtype", policy.dtype)  # where a timing chose it, it chose once
    lessons = _lessons(work, policy, made.rows)
    facts = run.manifest["set"] = {**made.facts, "tokens": lessons.tokens(), "too_long": lessons.too_long}
    mask = Mask(config.mask.ratio, lessons.may, config.seed, config.mask.redraw)
    epochs = Epochs(lessons.lessons, tokens=config.batch.tokens, seed=config.seed, each=mask)
    pace = pace_of(config.batch.count(epochs.steps), config.check)
    learner = learner_of(config, policy, pace.steps, most=config.batch.most)
    check = _check(work, learner, _lessons(work, policy, made.held_out).lessons, sandbox)
    with progress("training", total=pace.steps, quiet=work.quiet) as advance:
        told = {"model": config.model, "dtype": policy.dtype, "prompt": work.write.name, "set": facts["digest"]}
        done = fit(
            learner, epochs, pace=pace, folder=run.path, check=check, about=told, advance=advance, track=config.track
        )
    found = {**_about(work), "lessons": len(lessons.lessons), "too_long": lessons.too_long, "set": facts}
    found |= {"steps": pace.steps, "monitor": pace.monitor, "phases": {**_seconds(work), "training": done.seconds}}
    return finish(run, found, done, *_notes(facts, policy))


def _lessons(work: Work, policy: Policy, rows: Sequence[Row]) -> Lessons:
    """Return the lessons of rows that fit into the model's context; raises InputError where none does."""
    config = work.config.mask
    if config.ratio and work.refine.is_chat and any(row.refines for row in rows):
        raise InputError("the mask finds no wrong program in a chat; set ratio = 0 in [mask], or take a plain prompt")
    lessons = lessons_of(policy, rows, work.write, work.refine, region=config.region if config.ratio else None)
    if rows and not lessons.lessons:
        raise InputError(f"{work.split.name}: every row is longer than the model's context, {policy.context} tokens")
    return lessons


def _check(work: Work, learner: Learner, held_out: Sequence[Lesson], sandbox: Sandbox) -> Check:
    """Return what measures the policy on held-out problems."""
    how = work.config.check
    refiner = Refiner(work.write, work.refine, work.telling, work.config.pairs.reveal)
    asked = Asked(how.n, how.temperature, how.max_tokens, work.config.seed)

    def check() -> dict[str, float]:
        chosen, sampler = work.split.validation[: how.limit], learner.policy.sampler()
        found = refiner.measure(sampler, chosen, sandbox, asked=asked).to_json()
        return {**found, **({"validation_loss": learner.loss(held_out)} if held_out else {})}

    return check


def _about(work: Work) -> Record:
    """Return what a result says of its training."""
    limit = work.config.check.limit
    return {
        "benchmark": work.split.name,
        "prompt": work.write.name,
        "refine_prompt": work.refine.name,
        "telling": work.telling.decides(),
        "reveal": work.config.pairs.reveal,
        "examples": bool(work.write.examples),
        "held_out": len(work.split.validation[:limit]),
        "first": None if work.config.first is None else str(work.folder / FIRST),
    }


def _seconds(work: Work) -> dict[str, float]:
    """Return how long each phase before the last took, over all processes that worked on it."""
    folders = (folder for folder in (SOLUTIONS, FIRST, PROBE) if (work.folder / folder / MANIFEST).exists())
    return {folder: read_manifest(work.folder / folder)["seconds"] for folder in folders}


def _notes(facts: Record, policy: Policy) -> list[str]:
    left = ", ".join(f"{count} {why}" for why, count in facts["left_out"].items() if count)
    notes = [f"left out: programs {left}"] if left else []
    if policy.tokenizer.eos_token_id is None:
        notes.append("the tokenizer has no end of text: answers are taught to end with the template's stop string")
    return notes


def _same(run: Run, rows: str, weights: str) -> None:
    """Refuse to go on with other rows or another model than the run began with."""
    for name, value, what in (("rows", rows, "rows"), ("weights", weights, "model of phase I")):
        if run.remember(name, value) != value:
            raise InputError(f"{run.path}: begun with another {what}; give the same settings, or another -o")


def _decides(config: CycleConfig, split: Split, judging: Judging) -> Record:
    told: Record = config.model_dump(mode="json", exclude={"problems", "validation", "data", "device", "limit"})
    run = config.probe.run
    probe = None if run is None else read_manifest(Path(run))["hash"]
    problems = f"{benchmarks.digest(split.problems)} {benchmarks.digest(split.validation)}"
    return {**told, "problems": problems, "probe_run": probe, **judging.decides()}
