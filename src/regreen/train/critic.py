"""A critic: a model that reads a program and says, at each token, how likely each category of programs is.

    critic = Critic("tiny-base", lr=1e-3)
    for each in steps: critic.learn([Told(before, after, category_of(verdict)), ...])
    weighed = official_code(group, critic=critic.believes(told))

Le et al. 2022 (CodeRL, arXiv 2207.01780): the states h_1..h_T that the model has at the program's tokens
are max-pooled over them and a linear layer tells the program's category; it is trained by cross-entropy. The same layer
on one h_t gives q(category | program, t), and the probability of the true category weighs that token's reward. RLTF's
published code (Liu et al. 2023, arXiv 2307.04349) has kept this critic; its paper's equations have none.

Differences from the paper and its code (salesforce/CodeRL):
- The code's head has a hidden layer of 128, and it is the head's output that is pooled, over what fills a row too.
  Here, as printed, states are pooled and the head is linear; only generated tokens are pooled.
- A state at a token has read that token. The decoder of the code is shifted: its state has read the tokens before.
- The code trains the critic once, on programs of the warm start and on reference solutions, counted as passes, and then
  freezes it. Here whoever calls :meth:`Critic.learn` decides what it is told, and when.
- The learning rate stays as it is, as there after a warm-up of 0 steps. The arithmetic is float32, not float16, and
  AdamW's betas are those of our other trainings.
- The code scales the states of a T5 whose embeddings are tied by the root of their size; the head learns that here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from regreen.errors import InfrastructureError, InputError
from regreen.train.adam import decaying
from regreen.train.config import BETAS, CLIP, EPS
from regreen.train.lessons import Floats
from regreen.train.subtypes import Category

try:
    import torch
    from torch import Tensor
    from torch.nn.utils.rnn import pad_sequence

    from regreen.models.hf import loading
    from regreen.models.hf.batches import decoder_start, is_encoder_decoder
except ImportError as error:
    raise InputError(f"{error.name} is not installed (pip install 'regreen[train]')") from error

CATEGORIES: tuple[Category, ...] = get_args(Category)
LR = 2e-5  # scripts/train_critic.sh
WEIGHT_DECAY = 0.05  # train.py; of matrices, as transformers has it
STATE = "critic.pt"


class Told(NamedTuple):
    """What a critic is told: a prompt's tokens, at least one, those generated behind it (T), and the true category."""

    before: Sequence[int]
    after: Sequence[int]
    category: Category


class Critic:
    """A copy of a model's body, causal or sequence-to-sequence, and a linear head over the four categories.

    Args:
        place: a checkpoint's folder or hub name, ``hf:`` before it or not, or the name of one that comes with the
            package; or a live pair of module and tokenizer, of which it takes a copy.
        lr: of AdamW, the same at every step.
        seed: of the head's first weights and of dropout; the generators of the process stay as they are.
        most: about how many tokens go through the model at once, those that fill rows included.
        device: where to, as torch names it; by default a GPU if there is one. A live module's copy stays where it is.

    Raises:
        InputError: the model cannot be loaded.
    """

    def __init__(
        self,
        place: str | Path | tuple[Any, Any],
        *,
        lr: float = LR,
        seed: int = 0,
        most: int = 4096,
        device: str | None = None,
    ) -> None:
        live = isinstance(place, tuple)
        model = place[0] if isinstance(place, tuple) else _loaded(str(place), device)
        self.apart, self.steps = is_encoder_decoder(model), 0
        self._start = decoder_start(model) if self.apart else 0
        self._seed, self._most, self.device = seed, most, torch.device(model.device)
        body: Any = (copy.deepcopy(model.base_model) if live else model.base_model).float().requires_grad_(True)
        with _seeded(seed):
            head = torch.nn.Linear(body.config.get_text_config(decoder=True).hidden_size, len(CATEGORIES))
        self._body = body
        self.module = torch.nn.ModuleDict({"body": body, "head": head.to(self.device)})
        self._adam = torch.optim.AdamW(decaying(self.module, WEIGHT_DECAY), lr=lr, betas=BETAS, eps=EPS, fused=True)

    def __repr__(self) -> str:
        return f"<Critic, {sum(weight.numel() for weight in self.module.parameters()):,} weights, {self.steps} steps>"

    def learn(self, told: Sequence[Told]) -> float:
        """Take one step on programs and return the mean of their cross-entropies before it.

        A program of no token has nothing that could be pooled and is left out; without any other, nothing is done.

        Raises:
            InfrastructureError: the loss is not a number.
        """
        told = [each for each in told if len(each.after)]
        if not told:
            return 0.0
        self.module.train()
        with _seeded(self._seed, self.steps):
            loss = sum(self._gradients([told[at] for at in part], len(told)) for part in self._parts(told))
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), CLIP)
        if not np.isfinite([loss, float(norm)]).all():
            raise InfrastructureError(f"critic, step {self.steps}: the loss is not a number; lower the learning rate")
        self._adam.step()
        self._adam.zero_grad()
        self.steps += 1
        return loss

    @torch.no_grad()
    def believes(self, told: Sequence[Told]) -> list[Floats]:
        """Return for each program the probability of its true category at each generated token (T)."""
        found = [np.zeros(0, np.float32)] * len(told)
        for part, (states_BTH, after_BT) in self._read_all(told):
            table_BTC = self.module["head"](states_BTH).softmax(-1)
            for at, table_TC, after_T in zip(part, table_BTC, after_BT, strict=True):
                found[at] = table_TC[after_T, CATEGORIES.index(told[at].category)].cpu().numpy()
        return found

    @torch.no_grad()
    def guesses(self, told: Sequence[Told]) -> Floats:
        """Return the probability of each category for whole programs (N, 4), a quarter where there is no token."""
        found_NC = np.full((len(told), len(CATEGORIES)), 1 / len(CATEGORIES), np.float32)
        for part, read in self._read_all(told):
            found_NC[part] = self._scores(*read).softmax(-1).cpu().numpy()
        return found_NC

    def save(self, folder: Path) -> None:
        """Write what :meth:`restore` goes on from exactly: weights, the optimizer's state, the number of steps."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {"steps": self.steps, "module": self.module.state_dict(), "adam": self._adam.state_dict()}
        torch.save(state, folder / STATE)

    def restore(self, folder: Path) -> None:
        """Go on where :meth:`save` was called, bit for bit; its learning rate is taken too, the seed is one's own."""
        state = torch.load(folder / STATE, map_location=self.device, weights_only=True)
        self.steps = state["steps"]
        self.module.load_state_dict(state["module"])
        self._adam.load_state_dict(state["adam"])

    def _gradients(self, told: Sequence[Told], count: int) -> float:
        """Add up the gradients of programs' share in a mean over so many, and return the share."""
        truth_B = torch.tensor([CATEGORIES.index(each.category) for each in told], device=self.device)
        scores_BC = self._scores(*self._states(told))
        loss = torch.nn.functional.cross_entropy(scores_BC, truth_B, reduction="sum") / count
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _scores(self, states_BTH: Tensor, after_BT: Tensor) -> Tensor:
        pooled_BH = states_BTH.masked_fill(~after_BT[..., None], -torch.inf).amax(1)
        scores_BC: Tensor = self.module["head"](pooled_BH)
        return scores_BC

    def _read_all(self, told: Sequence[Told]) -> Iterator[tuple[list[int], tuple[Tensor, Tensor]]]:
        """Yield the places of some programs that have tokens, and what is read of them."""
        self.module.eval()
        for part in self._parts(told):
            yield part, self._states([told[at] for at in part])

    def _parts(self, told: Sequence[Told]) -> Iterator[list[int]]:
        """Yield the places of programs that go through the model together, the longest first."""
        sizes = {at: len(each.before) + len(each.after) for at, each in enumerate(told) if len(each.after)}
        order = sorted(sizes, key=sizes.__getitem__, reverse=True)
        while order:
            rows = max(1, self._most // sizes[order[0]])
            yield order[:rows]
            order = order[rows:]

    def _states(self, told: Sequence[Told]) -> tuple[Tensor, Tensor]:
        """Return the last layer's states (B, T, H), and which of their places have read a generated token (B, T).

        Rows are filled on the right, where no generated token looks; only an encoder needs a mask.
        """
        states_BTH = self._apart(told) if self.apart else self._whole(told)
        return states_BTH, self._places(told, states_BTH.shape[1])

    def _whole(self, told: Sequence[Told]) -> Tensor:
        ids_BT = self._table([[*each.before, *each.after] for each in told])
        states_BTH: Tensor = self._body(input_ids=ids_BT, use_cache=False).last_hidden_state
        return states_BTH

    def _apart(self, told: Sequence[Told]) -> Tensor:
        """The encoder reads the prompt, the decoder the start token and what was generated."""
        asked_BG = self._table([each.before for each in told])
        seen_BG = self._table([[1] * len(each.before) for each in told])
        memory_BGH = self._body.get_encoder()(input_ids=asked_BG, attention_mask=seen_BG).last_hidden_state
        states_BTH: Tensor = self._body.get_decoder()(
            input_ids=self._table([[self._start, *each.after] for each in told]),
            encoder_hidden_states=memory_BGH, encoder_attention_mask=seen_BG, use_cache=False,
        ).last_hidden_state  # fmt: skip
        return states_BTH

    def _places(self, told: Sequence[Told], width: int) -> Tensor:
        begins_B = torch.tensor([1 if self.apart else len(each.before) for each in told])[:, None]
        counts_B = torch.tensor([len(each.after) for each in told])[:, None]
        at_T = torch.arange(width)[None]
        return ((begins_B <= at_T) & (at_T < begins_B + counts_B)).to(self.device)

    def _table(self, rows: Sequence[Sequence[int]]) -> Tensor:
        return pad_sequence([torch.as_tensor(row) for row in rows], batch_first=True).to(self.device)


def _loaded(name: str, device: str | None) -> Any:
    return loading.load(name.removeprefix("hf:").removeprefix("tiny:"), device, "float32")[0]


@contextmanager
def _seeded(*seed: int) -> Iterator[None]:
    """Draw as this seed says, and leave the process's generators as they were."""
    with torch.random.fork_rng():
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        yield
