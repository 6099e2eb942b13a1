"""RLTF: online reinforcement learning from unit-test feedback of several grains.

Liu, Zhu, Xiao, Fu, Han, Yang and Ye 2023 (arXiv 2307.04349; TMLR), with what their published code adds:

    warm start   fine-tune on solutions                                                          (``train sft``)
    every 50 steps   n programs of the newest policy for some problems, and a greedy one; judged  (``drawing``)
                 their verdicts become weights of their tokens                                   (``weighing``)
                 into a buffer of 6,400, the oldest out                                          (``buffer``)
    every step   lessons from the buffer, and as many supervised ones; one step on both          (``learner``)

Differences from the paper:
- Programs are drawn between steps on one device, or by a thread beside them, a server, or copies on a cluster; the
  paper has processes on other machines that read a checkpoint every ten minutes.
- The refresh adds what was drawn since the last one, however many that is; the buffer evicts only when it is full.
- Tokens are scored at the temperature at which they were drawn, and programs are drawn from the whole distribution
  (the code: nucleus 0.95, scored untempered).
- Weights of programs that are no longer fresh are corrected, truncated at 2; ``ratio = 0`` leaves that out.
- A step holds lessons of both kinds; the code alternates micro-batches and adds their gradients up.
- Which checkpoint is best is decided on held-out problems.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from regreen import benchmarks, prompts
from regreen.errors import InputError
from regreen.models.texts import Texts
from regreen.options import Choice, Judging, about
from regreen.prompts import Template
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.sandbox import Sandbox
from regreen.track import progress
from regreen.train.batches import Epochs
from regreen.train.config import RltfConfig, SftConfig
from regreen.train.course import check_run, finish, learner_of, lessons_of, pace_of, policy_of
from regreen.train.crew import led
from regreen.train.critic import Critic
from regreen.train.learner import Learner
from regreen.train.loop import Check, Progress, fit
from regreen.train.online.drawing import Drawer
from regreen.train.online.feeding import Feed
from regreen.train.online.grouping import Weigher
from regreen.train.online.knowing import Knower, Prompts
from regreen.train.online.presets import baseline_of, has_critic, method_of, refuse
from regreen.train.online.sources import BESIDE, Round, source_of
from regreen.train.online.watching import draws_of, notes_on
from regreen.train.online.writers import writer_of
from regreen.train.policy import Policy
from regreen.train.sft import Split, split_of, tune
from regreen.train.teaching import Asked, pass_rate, taught
from regreen.train.weighing import Term

FIRST = "first"  # a folder of a run: the warm start, a run of its own


@led
def rltf(
    config: RltfConfig,
    *,
    judging: Judging | None = None,
    out: Path | None = None,
    quiet: bool = True,
    terms: Sequence[Term] | None = None,
) -> Record:
    """Train a model on verdicts on its own programs; a killed run goes on.

    Interleaved, and written on this machine, it goes on to the same weights.

    Args:
        config: what to train on, and how.
        judging: limits and sandbox.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.
        terms: rewards of one's own, for methods that add terms up; by their names they belong to the settings.

    Returns:
        The object that ``regreen train rltf --json`` prints.

    Raises:
        InputError: there is nothing to learn from, a reward is no number, the model cannot be loaded or trained, or the
            run holds another training; fields, or terms and method, do not go together.
        InfrastructureError: the loss is no number, or the judge broke down; the same call goes on.
    """
    judging = judging or Judging()
    refuse(config, terms)
    split = split_of(config, unsolved=True)
    imitated = _imitated(config, split)
    template = prompts.load(config.prompt or prompts.default_for(split.problems[0], chat=False))
    decides = _decides(config, split, imitated, template, terms)
    settings = Settings("train-rltf", split.name, {**decides, **judging.decides()})
    with judging.open() as sandbox, Run(out, settings, about=about(sandbox)) as run:
        work = _Work(config, split, imitated, template, judging, sandbox, run, quiet, terms)
        return work.train(work.first())


@dataclass(frozen=True)
class _Work:
    """One training, from the warm start to the end."""

    config: RltfConfig
    split: Split
    imitated: Split | None
    template: Template
    judging: Judging
    sandbox: Sandbox
    run: Run
    quiet: bool
    terms: Sequence[Term] | None

    def first(self) -> str:
        """Return where the model lies that the training begins with, fine-tuned now if that is asked for."""
        config = self.config
        if config.first is None:
            return config.model
        if self.imitated is None:
            raise InputError(
                f"{self.split.name}: no problem has a solution for the warm start; name some in [supervised]"
            )
        solved = [problem for problem in self.split.validation if problem.solution]
        held_out = solved or self.imitated.problems[: len(self.split.validation)]  # of what is imitated, if none is
        shared = {name: getattr(config, name) for name in _SHARED}
        shared["prompt"] = config.prompt or self.template.name  # whatever problems are imitated
        told = SftConfig(**shared, **dict(config.first))
        found = tune(
            told,
            self.imitated._replace(validation=held_out),
            judging=self.judging,
            out=self.run.path / FIRST,
            quiet=self.quiet,
        )
        return f"hf:{found['checkpoint']}"

    def train(self, place: str) -> Record:
        """Train the model that lies there."""
        config, run = self.config, self.run
        policy = policy_of(config.model_copy(update={"model": place}))
        if run.remember("weights", policy.weights) != policy.weights:
            raise InputError(f"{run.path}: begun with another model; give the same settings, or another -o")
        policy.dtype = run.remember("dtype", policy.dtype)  # where a timing chose it, it chose once
        pace = pace_of(config.batch.steps, config.check)
        critic = _critic(place, config) if has_critic(config.method) else None
        learner = learner_of(
            config, policy, pace.steps,
            most=config.batch.most, ratio=config.method.ratio or None, beside=[critic] if critic else [],
        )  # fmt: skip
        drawer = self._drawer(policy)
        feed = self._feed(policy, place, drawer, critic)
        with closing(feed), progress("training", total=pace.steps, quiet=self.quiet) as advance:
            facts = {"model": config.model, "dtype": policy.dtype, "prompt": self.template.name}
            done = fit(
                learner, feed, pace=pace, folder=run.path, check=self._check(learner),
                about=facts, advance=advance, more=feed.numbers, track=config.track,
            )  # fmt: skip
        return self._found(done, pace.steps)

    def _drawer(self, policy: Policy) -> Drawer:
        texts = Texts(policy.tokenizer, policy.name, continues=not policy.apart)
        draw = self.config.draw
        greedy = draw.greedy if draw.greedy is not None else baseline_of(self.config.method) == "greedy-latest"
        end = policy.tokenizer.eos_token_id
        return Drawer(self.template, texts, end, self.sandbox, draw, greedy, self.config.seed)

    def _feed(self, policy: Policy, place: str, drawer: Drawer, critic: Critic | None) -> Feed:
        config, problems = self.config, {problem.id: problem for problem in self.split.problems}
        shown = Prompts(self.template, drawer.texts)
        reference = None
        if config.method.kl:
            reference = Policy(place, dtype=policy.dtype, device=config.device)
        mode, draw = config.buffer.mode, config.draw
        if mode == "offline" and draw.first is None:
            draw = draw.model_copy(update={"first": len(self.split.problems)})
        supervised, cluster = self._supervised(policy), self.judging.cluster
        writer = writer_of(policy, config.draw.server, cluster, self.run.path, beside=mode == BESIDE)
        source = source_of(mode, Round(drawer, self.split.problems, draw, config.seed), writer)
        return Feed(
            config,
            source,
            Knower(config, shown, problems, policy, reference, critic),
            Weigher(config, shown, policy, problems, method_of(config.method, self.terms)),
            supervised,
            drawer.settle,
            self.run.path,
        )

    def _supervised(self, policy: Policy) -> Epochs | None:
        """Return the supervised lessons of every step, as many as their share of it asks for."""
        share, programs = self.config.supervised.share, self.config.batch.programs
        if self.imitated is None or not share:
            return None
        name = self.imitated.name
        lessons = lessons_of(policy, taught(self.imitated.problems, self.template, name), name)
        count = max(1, round(programs * share / (1 - share)))
        mean = sum(map(len, lessons)) / len(lessons)
        return Epochs(lessons, tokens=max(1, round(count * mean)), seed=self.config.seed)

    def _check(self, learner: Learner) -> Check:
        """Return what measures the policy on held-out problems."""
        how = self.config.check
        asked = Asked(how.n, how.temperature, how.max_tokens, self.config.seed)
        chosen = self.split.validation[: how.limit]

        def check() -> dict[str, float]:
            with check_run(self.run, learner.steps, self.split.name, asked, self.judging) as record:
                model = learner.policy.sampler()
                return {"pass@1": pass_rate(model, chosen, self.template, self.sandbox, asked=asked, run=record)}

        return check

    def _found(self, done: Progress, steps: int) -> Record:
        limit, draws = self.config.check.limit, draws_of(self.run.path)
        found = {
            "benchmark": self.split.name,
            "prompt": self.template.name,
            "examples": bool(self.template.examples),
            "method": self.config.method.name,
            "held_out": len(self.split.validation[:limit]),
            "steps": steps,
            "monitor": "pass@1",
            "drawn": sum(draw["drawn"] for draw in draws),
            **{name: round(sum(draw[f"clock/{name}"] for draw in draws), 3) for name in ("generating", "judging")},
        }
        return finish(self.run, found, done, *notes_on(draws))


_SHARED = ("model", "problems", "validation", "data", "limit", "prompt", "seed", "device", "dtype", "lora")


def _imitated(config: RltfConfig, split: Split) -> Split | None:
    """Return the problems whose solutions are imitated; None where there are none."""
    told = config.supervised
    if told.problems is None:
        solved = [problem for problem in split.problems if problem.solution]
        return Split(split.name, solved, split.validation) if solved else None
    choice = Choice(Path(config.data) if config.data else None, limit=told.limit)
    name, every = choice.load(told.problems, "train")
    held_out = {problem.id for problem in split.validation}
    kept = [problem for problem in choice.choose(every) if problem.id not in held_out]
    if not kept:
        raise InputError(f"supervised.problems: all of {name} are held out for validation; name others")
    return Split(name, kept, split.validation)


def _critic(place: str, config: RltfConfig) -> Critic:
    """Return a critic that learns at the policy's greatest rate."""
    most, device = config.batch.most, config.device
    return Critic(place, lr=config.optimizer.lr, seed=config.seed, most=most, device=device)


def _decides(
    config: RltfConfig, split: Split, imitated: Split | None, template: Template, terms: Sequence[Term] | None
) -> Record:
    left = dict.fromkeys(("problems", "validation", "data", "device", "limit", "supervised"), True)
    told: Record = config.model_dump(mode="json", exclude={**left, "draw": {"server": {"base_url"}}})
    digests = " ".join(benchmarks.digest(some) for some in (split.problems, split.validation))
    return {
        **told,
        "prompt": f"{template.name} {template.hash}",
        "problems": digests,
        "supervised": {"share": config.supervised.share, "problems": imitated and benchmarks.digest(imitated.problems)},
        **({} if terms is None else {"terms": [[term.name, repr(term.reward), term.weight] for term in terms]}),
    }
