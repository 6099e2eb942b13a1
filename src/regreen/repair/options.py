"""What a repair is asked to do, and who says what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from regreen import prompts
from regreen.arms import ARMS, Arm, split_arms
from regreen.errors import InputError
from regreen.models import Model
from regreen.problem import Problem
from regreen.prompts import Template
from regreen.records import Record
from regreen.repair.growth import Voices
from regreen.repair.orders import Widths

Order = Literal["batched", "bfs", "dfs"]
DRAWN = ("resample", "swapped")  # unless told otherwise
CONTROLS = (*DRAWN, "within")


@dataclass(frozen=True, slots=True)
class Repairing:
    """How failing programs are repaired.

    ``feedback`` says who explains a failure: "none" (the error sentence alone), "self", the name of a model, "oracle",
    "static", "trace", "notes:FILE", or several of these as "self+static". ``nfr`` asks for joint texts, each an
    explanation and a repair; ``nf`` and ``nr`` ask apart, for so many explanations of a program and so many repairs for
    each. ``order`` is that of Olausson et al. 2023, section 3; ``full`` grows the whole tree instead of ending at the
    first pass. ``depth`` above 1 repairs repairs. ``reveal`` says which checks' failures may be told: "shown",
    "revealed" or "all"; None leaves it to the problem. ``controls`` are drawn beside: "resample",
    "swapped", "within". ``again``
    is the share of programs that are judged a second time.
    """

    feedback: str = "self"
    nfr: int | None = None
    nf: int | None = None
    nr: int | None = None
    order: Order = "batched"
    full: bool = False
    depth: int = 1
    reveal: str | None = None
    controls: tuple[str, ...] = DRAWN
    again: float = 0.1

    def __post_init__(self) -> None:
        if self.nfr is not None and (self.nf is not None or self.nr is not None):
            raise InputError(
                "--nfr counts explanations together with their repairs, --nf and --nr apart; give it one way"
            )
        for control in self.controls:
            if control not in CONTROLS:
                raise InputError(f"--control {control}: expected {','.join(CONTROLS)}, one of them, or none")

    def widths(self, np: int, voices: Voices) -> Widths:
        """Return how wide trees grow; raises InputError where more words are asked of arms than they have."""
        if voices.silent and (self.nf or 1) > 1:
            raise InputError(f"--nf {self.nf}: with --feedback none nothing is said; give --nr for more repairs")
        if voices.joint or voices.silent:
            return Widths(np, self.nfr or self.nr or 1, 1, self.depth)
        if voices.model is not None:
            return Widths(np, self.nf or self.nfr or 1, self.nr or 1, self.depth)
        if (self.nf or 1) > 1:
            raise InputError(f"--nf {self.nf}: {self.feedback} says the same each time; give --nr for more repairs")
        return Widths(np, 1, self.nfr or self.nr or 1, self.depth)

    def decides(self) -> Record:
        """Return what decides a tree but its widths, which may grow."""
        kept = ("feedback", "order", "full", "depth", "reveal", "controls", "again")
        given = asdict(self)
        return {name: list(given[name]) if type(given[name]) is tuple else given[name] for name in kept}


def explainer_of(feedback: str) -> str | None:
    """Return who explains among those asked for: "self", a model's name, or None.

    Raises:
        InputError: more than one, or what is neither an arm nor the name of a model.
    """
    models = split_arms(feedback)[1]
    for name in models:
        if name != "self" and ":" not in name:
            raise InputError(f"--feedback {name}: expected {', '.join(ARMS)}, self, a model, or some joined by +")
    if len(models) > 1:
        raise InputError(f"--feedback {feedback}: {' and '.join(models)} would both explain; name one of them")
    return models[0] if models else None


def open_voices(
    repairing: Repairing,
    problem: Problem,
    model: Model,
    explainer: Model | None,
    arms: tuple[Arm, ...],
    *,
    chat: bool,
) -> Voices:
    """Return who says what is wrong with programs of a model, and by which templates.

    Args:
        repairing: whether explanation and repair are asked for together.
        problem: decides which templates fit.
        model: who repairs.
        explainer: who explains; the same as ``model`` for self-repair, None if no model does.
        arms: those that need no model.
        chat: whether ``model`` was asked for first programs by a chat, and so is asked for repairs.
    """
    joint = explainer is model and repairing.nf is None and repairing.nr is None
    apart = explainer is not None and not joint
    return Voices(
        model=explainer if apart else None,
        arms=arms,
        joint=joint,
        feedback=_template(problem, chat if explainer is model else explainer.chat, "feedback")
        if apart and explainer
        else None,
        repair=_template(problem, chat, "joint" if joint else "repair"),
        swapped=_template(problem, chat, "repair"),
    )


def _template(problem: Problem, chat: bool, what: Literal["feedback", "joint", "repair"]) -> Template:
    return prompts.load(prompts.default_for(problem, chat=chat, what=what))
