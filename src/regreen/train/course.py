"""What supervised trainings do alike: learn prompts and answers, measure on held-out ones, keep the best, go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.models import Model
from regreen.options import Judging, about
from regreen.prompts import Template
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.sandbox import Sandbox
from regreen.track import progress
from regreen.train.batches import Epochs
from regreen.train.config import MeasureConfig, TaughtConfig, TrainConfig
from regreen.train.learner import AdamW, Learner
from regreen.train.lessons import Lesson, fitting
from regreen.train.loop import Pace, Progress, fit
from regreen.train.policy import Lora, Policy, lesson_of
from regreen.train.schedules import Schedule
from regreen.train.teaching import Asked, Taught

CHECKS = "checks"  # a folder of a training: a run for each check
_CHECKS = 10  # of a training, unless ``check.every`` says otherwise
_RISE = 0.1  # the most of a training's steps that its warm-up may take

Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Check:
    """What a held-out measurement may use: a sampler of the policy as it is, the sandbox, and a run to write to."""

    model: Model
    sandbox: Sandbox
    asked: Asked
    open_run: Callable[[], Run]


@dataclass(frozen=True, slots=True)
class Course:
    """What is taught.

    ``command`` names the training, ``name`` its problems. ``lessons`` are learned, ``checks`` are held out: their loss
    is measured, and ``measure`` returns what else is, by name. ``decides`` is what decides the result beside the
    configuration and the lessons.
    """

    command: str
    name: str
    template: Template
    lessons: Taught
    checks: Taught
    measure: Callable[[Check], Numbers]
    decides: Mapping[str, Any]


def teach(
    config: TaughtConfig, course: Course, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True
) -> Record:
    """Train on a course; a killed run goes on to the same weights.

    Raises:
        InputError: no lesson fits into the model, it cannot be loaded or trained, or the run holds another training.
        InfrastructureError: the loss is no number, or the judge broke down; the same call goes on.
    """
    judging = judging or Judging()
    policy, template = policy_of(config), course.template
    settings = Settings(course.command, course.name, _decides(config, policy, course, judging))
    with judging.open() as sandbox, Run(out, settings, about=about(sandbox)) as run:
        policy.dtype = run.remember("dtype", policy.dtype)  # where a timing chose it, it chose once
        kept = lessons_of(policy, course.lessons, course.name)
        measured = lessons_of(policy, course.checks, f"{course.name}, validation")
        epochs = Epochs(kept, tokens=config.batch.tokens, seed=config.seed)
        pace = pace_of(config.batch.count(epochs.steps), config.check)
        learner = learner_of(config, policy, pace.steps, most=config.batch.most)
        asked = asked_of(config.check, config.seed)

        def check() -> Numbers:
            model = policy.sampler()
            record = Check(model, sandbox, asked, lambda: check_run(run, learner.steps, course.name, asked, judging))
            return {"validation_loss": learner.loss(measured), **course.measure(record)}

        with progress("training", total=pace.steps, quiet=quiet) as advance:
            facts = {"model": config.model, "dtype": policy.dtype, "prompt": template.name}
            done = fit(
                learner, epochs, pace=pace, folder=run.path, check=check, about=facts, advance=advance,
                track=config.track,
            )  # fmt: skip
        counts = {"lessons": len(kept), "too_long": len(course.lessons.pairs) - len(kept)}
        asked_as = {"prompt": template.name, "examples": bool(template.examples)}
        held_out = len(course.checks.pairs[: config.check.limit])
        found = {"benchmark": course.name, **asked_as, **counts, "held_out": held_out, "steps": pace.steps}
        return finish(run, {**found, "monitor": pace.monitor}, done, course.lessons.note())


def asked_of(check: MeasureConfig, seed: int) -> Asked:
    """Return how a check asks."""
    return Asked(check.n, check.temperature, check.max_tokens, seed)


def _decides(config: TaughtConfig, policy: Policy, course: Course, judging: Judging) -> Record:
    left = {"problems", "validation", "data", "device", "limit"}
    told: Record = config.model_dump(mode="json", exclude=left)
    return {
        **told,
        "prompt": f"{course.template.name} {course.template.hash}",
        "weights": policy.weights,
        "problems": f"{course.lessons.digest} {course.checks.digest}",
        **course.decides,
        **judging.decides(),
    }


def check_run(run: Run, step: int, name: str, asked: Asked, judging: Judging) -> Run:
    """Return the run, in the training's own, that holds the programs of a check; one that was killed begins again."""
    folder = run.path / CHECKS / f"step-{step:06d}"
    shutil.rmtree(folder, ignore_errors=True)
    decides = {"step": step, "prompt": run.manifest["settings"]["prompt"], "temperature": [asked.temperature]}
    settings = Settings("evaluate", f"{name}, validation", {**decides, "n": asked.n, **judging.decides()})
    return Run(folder, settings, about={"sandbox": run.manifest.get("sandbox", {})})


def policy_of(config: TrainConfig) -> Policy:
    """Return the policy that a configuration names; raises InputError."""
    lora = None
    if config.lora is not None:
        targets = config.lora.targets
        named = targets if isinstance(targets, str) else tuple(targets)
        lora = Lora(config.lora.rank, config.lora.alpha, config.lora.dropout, named)
    return Policy(config.model, lora=lora, dtype=config.dtype, device=config.device, seed=config.seed)


def learner_of(config: TrainConfig, policy: Policy, steps: int, **more: Any) -> Learner:
    """Return the learner that a configuration describes, for a training of so many steps; ``more`` as it takes."""
    how = config.optimizer
    adam = AdamW(how.lr, (how.betas[0], how.betas[1]), how.eps, how.weight_decay, how.clip or None)
    schedule = Schedule(how.schedule, steps, min(how.warmup, int(_RISE * steps)), how.floor)
    return Learner(policy, adam, schedule, seed=config.seed, **more)


def lessons_of(policy: Policy, teaching: Taught, name: str) -> list[Lesson]:
    """Return the lessons that fit into a policy's context; raises InputError where none does."""
    every = [lesson_of(policy, prompt, answer) for prompt, answer, _ in teaching.pairs]
    kept, _ = fitting(every, policy.context, apart=policy.apart)
    if not kept:
        raise InputError(f"{name}: every lesson is longer than the model's context, {policy.context} tokens")
    return kept


def pace_of(steps: int, check: MeasureConfig) -> Pace:
    """Return the pace of a training of so many steps."""
    return Pace(steps, check.every or max(1, steps // _CHECKS), check.monitor, check.patience)


def finish(run: Run, found: Record, done: Progress, *notes: str | None) -> Record:
    """Write what a training came to, and return it with where it lies and what the user must hear."""
    run.complete()
    places = {"checkpoint": str(run.path / "checkpoints" / "best"), "run": str(run.path)}
    found = {**found, **done.to_json(), **places}
    run.write_scores(found)
    left = found.get("too_long")
    longer = f"left out: {left} lessons longer than the model's context" if left else None
    return found | {"notes": [note for note in (*notes, longer) if note]}
