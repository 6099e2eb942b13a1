"""Programs learned from per second by ``train rltf``'s loop, against TRL's ``GRPOTrainer``; and what judging costs.

Same model (``tiny-noisy``, 3 M parameters, float32), prompts (katas:unsolved), judge and binary reward, number of
programs in a step, temperature, length, AdamW's step, and one step on each batch of programs (GRPO without a reference
model). A program ends at the end of text on either side. Ours leaves out of the step what weighs nothing: programs of
problems where all or none pass; with ``--all`` a reward that differs for every program makes both train on all. The two
sides take turns in one process with one thread. A second is one of the processor, the sandbox's included.

Judging is counted in processor time: that of all processes below this one, which are the sandbox's.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

import datasets
import transformers
import trl

from regreen import prompts
from regreen.benchmarks import katas
from regreen.models.shipped import folder_of
from regreen.models.texts import Texts
from regreen.problem import Problem
from regreen.sandbox import LocalSandbox
from regreen.train.config import RltfConfig
from regreen.train.doors import as_trl_reward
from regreen.train.learner import AdamW, Learner
from regreen.train.online.drawing import Drawer
from regreen.train.online.feeding import Feed
from regreen.train.online.grouping import Weigher
from regreen.train.online.knowing import Knower, Prompts
from regreen.train.online.presets import method_of
from regreen.train.online.sources import Between, Round
from regreen.train.online.writers import Itself
from regreen.train.policy import Policy
from regreen.train.rewards import Passed, Reward, Signal
from regreen.train.schedules import Schedule
from regreen.train.weighing import Term
from regreen.verdict import Verdict

MODEL, LENGTH, LR = "tiny-noisy", 160, 1e-5
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=8, help="in a step")
    parser.add_argument("-n", type=int, default=8, help="programs for each")
    parser.add_argument("--steps", type=int, default=6, help="of each side in a round, after one to warm up")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="a reward by which no program weighs nothing")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    problems = list(katas.generate("unsolved", count=options.problems * (options.steps + 1)))
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    judging = []
    with LocalSandbox(jobs=1) as sandbox:
        for _ in range(options.rounds):
            for name, side in (("theirs", theirs), ("ours", ours)):
                before, mine = below(), time.process_time()
                rates[name].append(side(problems, sandbox, options))
                if name == "ours":
                    judging.append((below() - before) / (below() - before + time.process_time() - mine))
    ratios = [mine / other for mine, other in zip(rates["ours"], rates["theirs"], strict=True)]
    said = {name: f"{statistics.median(values):.1f}" for name, values in rates.items()}
    print(f"{options.problems} problems, {options.n} programs each, a step on them; {options.rounds} rounds, medians")
    print(f"ours {said['ours']} programs a second, TRL {trl.__version__} {said['theirs']}: {spread(ratios)} times")
    print(f"judging: {spread([100 * share for share in judging])} % of our processor time")


def ours(problems: Sequence[Problem], sandbox: LocalSandbox, options: argparse.Namespace) -> float:
    """Return programs per second of our loop."""
    with tempfile.TemporaryDirectory() as folder:
        step = loop(problems, sandbox, options, Path(folder))
        step(0)
        began = spent()
        for at in range(1, 1 + options.steps):
            step(at)
        return options.steps * options.problems * options.n / (spent() - began)


def loop(
    problems: Sequence[Problem], sandbox: LocalSandbox, options: argparse.Namespace, folder: Path
) -> Callable[[int], Any]:
    """Return the function that draws, judges and learns once: what ``rltf`` does between two checks."""
    programs = options.problems * options.n
    config = RltfConfig.model_validate({
        "model": MODEL, "problems": "katas:unsolved", "dtype": "float32",
        "batch": {"programs": programs, "most": 4096}, "buffer": {"size": programs, "refresh": 1},
        "draw": {"n": options.n, "problems": options.problems, "max_tokens": LENGTH},
        "method": {"name": "grpo", "ratio": 0.0}, "supervised": {"share": 0.0},
    })  # fmt: skip
    policy, template = Policy(MODEL, dtype="float32"), prompts.load("codex")
    texts = Texts(policy.tokenizer, policy.name, continues=True)
    drawer = Drawer(template, texts, policy.tokenizer.eos_token_id, sandbox, config.draw, False, 0)
    shown, known = Prompts(template, texts), {problem.id: problem for problem in problems}
    feed = Feed(
        config,
        Between(Round(drawer, problems, config.draw, 0), Itself(policy)),
        Knower(config, shown, known, policy, None, None),
        Weigher(config, shown, policy, known, method_of(config.method, [Term("r", reward_of(options))])),
        None,
        drawer.settle,
        folder,
    )
    learner = Learner(policy, AdamW(LR), Schedule("constant", 1), most=4096)
    return lambda at: learner.step(feed(at))


@dataclass(frozen=True)
class Spread:
    """1 for a pass, and a little that no two programs have in common."""

    def __call__(self, problem: Problem, source: str, verdict: Verdict) -> Signal:
        return Signal(float(verdict.passed) + crc32(source.encode()) / 2**34 + random.random() / 100)


def reward_of(options: argparse.Namespace) -> Reward:
    """Return the reward of both sides."""
    return Spread() if options.all else Passed()


class Clock(transformers.TrainerCallback):
    """Notes when steps end."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(spent())


def theirs(problems: Sequence[Problem], sandbox: LocalSandbox, options: argparse.Namespace) -> float:
    """Return programs per second of TRL's loop."""
    template, clock, programs = prompts.load("codex"), Clock(), options.problems * options.n
    rows = [{"prompt": template.render(problem), "problem": problem.id} for problem in problems]
    with tempfile.TemporaryDirectory() as folder:
        told = trl.GRPOConfig(
            output_dir=folder, per_device_train_batch_size=programs, num_generations=options.n,
            max_steps=options.steps + 1, max_completion_length=LENGTH, temperature=1.0, top_p=1.0, top_k=0, beta=0.0,
            learning_rate=LR, lr_scheduler_type="constant", use_cpu=True, bf16=False, report_to=[], save_strategy="no",
            disable_tqdm=True, logging_strategy="no", seed=1, max_grad_norm=1.0, gradient_checkpointing=False,
        )  # fmt: skip
        reward = as_trl_reward(problems, reward=reward_of(options), template=template, sandbox=sandbox)
        trainer = trl.GRPOTrainer(
            model=transformers.AutoModelForCausalLM.from_pretrained(folder_of(MODEL), dtype="float32"),
            processing_class=transformers.AutoTokenizer.from_pretrained(folder_of(MODEL)),
            reward_funcs=reward, args=told, train_dataset=datasets.Dataset.from_list(rows), callbacks=[clock],
        )  # fmt: skip
        trainer.train()
    return options.steps * programs / (clock.ends[-1] - clock.ends[0])


def spent() -> float:
    """Return the processor seconds of this process and all below it."""
    return time.process_time() + below()


def below() -> float:
    """Return the processor seconds of all processes below this one, those that have ended included."""
    parents, spent = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parts = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(parts[1])
            spent[int(folder.name)] = sum(map(int, parts[11:15])) / TICKS
    return sum(seconds for pid, seconds in spent.items() if is_below(pid, parents))


def is_below(pid: int, parents: dict[int, int]) -> bool:
    """Say whether a process descends from this one."""
    pid = parents.get(pid, 0)
    while pid and pid != os.getpid():
        pid = parents.get(pid, 0)
    return pid == os.getpid()


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
