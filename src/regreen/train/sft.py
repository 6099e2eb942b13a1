"""Supervised fine-tuning on problems and their solutions; the loss is on the solution alone.

Chen et al. 2021 (arXiv 2107.03374), section 4.5: prompts as in evaluation, reference solutions as targets, the prompt
masked, until the validation loss flattens. Austin et al. 2021 (arXiv 2108.07732), section 3.2: batches measured in
tokens, a small learning rate, the checkpoint chosen on held-out problems.

Differences from the papers:
- Prompts are not padded on the left so that solutions line up: positions count from each prompt's beginning.
- The best checkpoint is chosen by pass@1 on held-out problems, where the papers look at the loss; ``check.monitor``
  chooses, and ``check.patience`` ends the training.
- The template is the one that evaluation takes; Austin's few-shot examples are left out of it.
- The end of text is learned after the template's stop string.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from regreen import benchmarks, prompts
from regreen.errors import InputError
from regreen.options import Choice, Judging, about
from regreen.problem import Problem
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.track import progress
from regreen.train.batches import Epochs
from regreen.train.config import CheckConfig, CycleCheckConfig, RltfCheckConfig, SftConfig, TrainConfig
from regreen.train.learner import AdamW, Learner
from regreen.train.lessons import Lesson, fitting
from regreen.train.loop import Pace, Progress, fit
from regreen.train.policy import Lora, Policy, lesson_of
from regreen.train.schedules import Schedule
from regreen.train.teaching import Asked, Taught, held_out, pass_rate, solved, taught
from regreen.train.trackers import require

CHECKS = "checks"  # a folder of a training: a run for each check
_CHECKS = 10  # of a training, unless ``check.every`` says otherwise
_RISE = 0.1  # the most of a training's steps that its warm-up may take


def sft(config: SftConfig, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True) -> Record:
    """Fine-tune a model on solved problems; a killed run goes on to the same weights.

    Args:
        config: what to train on, and how.
        judging: limits and sandbox of the held-out programs.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen train sft --json`` prints.

    Raises:
        InputError: no problem has a solution, the model cannot be loaded or trained, or the run holds another training.
        InfrastructureError: the loss is no number, or the judge broke down; the same call goes on.
    """
    return tune(config, split_of(config), judging=judging, out=out, quiet=quiet)


class Split(NamedTuple):
    """What problems are called, those to train on, and those held out."""

    name: str
    problems: list[Problem]
    validation: list[Problem]


def tune(
    config: SftConfig, split: Split, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True
) -> Record:
    """Do what :func:`sft` does with problems at hand; one may stand there several times, with other solutions."""
    judging = judging or Judging()
    name, problems, validation = split
    template = prompts.load(config.prompt or prompts.default_for(problems[0], chat=False))
    lessons, checks = taught(problems, template, name), taught(validation, template, f"{name}, validation")
    policy = policy_of(config)
    decides = _decides(config, policy, f"{lessons.digest} {checks.digest} {benchmarks.digest(validation)}", judging)
    decides["prompt"] = f"{template.name} {template.hash}"
    with judging.open() as sandbox, Run(out, Settings("train-sft", name, decides), about=about(sandbox)) as run:
        policy.dtype = run.remember("dtype", policy.dtype)  # where a timing chose it, it chose once
        kept, measured = lessons_of(policy, lessons, name), lessons_of(policy, checks, f"{name}, validation")
        epochs = Epochs(kept, tokens=config.batch.tokens, seed=config.seed)
        pace = pace_of(config.batch.count(epochs.steps), config.check)
        learner = learner_of(config, policy, pace.steps, most=config.batch.most)
        asked = Asked(config.check.n, config.check.temperature, config.check.max_tokens, config.seed)
        chosen = [problem for _, _, problem in checks.pairs][: config.check.limit]

        def check() -> dict[str, float]:
            with check_run(run, learner.steps, name, asked, judging) as record:
                rate = pass_rate(policy.sampler(), chosen, template, sandbox, asked=asked, run=record)
            return {"validation_loss": learner.loss(measured), "pass@1": rate}

        with progress("training", total=pace.steps, quiet=quiet) as advance:
            facts = {"model": config.model, "dtype": policy.dtype, "prompt": template.name}
            done = fit(
                learner, epochs, pace=pace, folder=run.path, check=check, about=facts, advance=advance,
                track=config.track,
            )  # fmt: skip
        counts = {"lessons": len(kept), "too_long": len(lessons.pairs) - len(kept), "held_out": len(chosen)}
        asked_as = {"prompt": template.name, "examples": bool(template.examples)}
        found = {"benchmark": name, **asked_as, **counts, "steps": pace.steps, "monitor": pace.monitor}
        return finish(run, found, done, lessons.note())


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


def split_of(config: TrainConfig, *, unsolved: bool = False) -> Split:
    """Return the problems that a configuration names; unless ``unsolved``, a share is held out of the solved ones.

    All trainings begin here, so a tracker that is not installed is refused here, before anything is made.
    """
    require(config.track)
    choice = Choice(Path(config.data) if config.data else None, limit=config.limit)
    name, every = choice.load(config.problems, "train")
    chosen = choice.choose(every)
    if isinstance(config.validation, str):
        return Split(name, chosen, replace(choice, limit=None).load(config.validation, "ask")[1])
    return Split(name, *held_out(chosen if unsolved else solved(chosen, name), config.validation, config.seed))


def lessons_of(policy: Policy, teaching: Taught, name: str) -> list[Lesson]:
    """Return the lessons that fit into a policy's context; raises InputError where none does."""
    every = [lesson_of(policy, prompt, answer) for prompt, answer, _ in teaching.pairs]
    kept, _ = fitting(every, policy.context, apart=policy.apart)
    if not kept:
        raise InputError(f"{name}: every lesson is longer than the model's context, {policy.context} tokens")
    return kept


def _decides(config: SftConfig, policy: Policy, digest: str, judging: Judging) -> Record:
    told: Record = config.model_dump(mode="json", exclude={"problems", "validation", "data", "device", "limit"})
    return {**told, "weights": policy.weights, "problems": digest, **judging.decides()}


def pace_of(steps: int, check: CheckConfig | CycleCheckConfig | RltfCheckConfig) -> Pace:
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
