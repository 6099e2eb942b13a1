"""A policy: a causal or sequence-to-sequence model of transformers whose weights, or an adapter's, are trained."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.models import Completion, Model, Request
from regreen.models.hf import HFModel
from regreen.models.shipped import place_of
from regreen.prompts import Prompt
from regreen.train.batches import Batch, Pass, read_apart, read_whole, stacked
from regreen.train.crew import crew, shared
from regreen.train.lessons import Ints, Lesson, supervised
from regreen.train.sharing import read_shared

try:
    import torch
    import transformers
    from torch import Tensor

    from regreen.models.hf import batches, loading
    from regreen.models.texts import Texts
except ImportError as error:
    raise InputError(f"{error.name} is not installed (pip install 'regreen[train]')") from error

_ADAPTER = "adapter"
_WEIGHTLESS = ("openai", "replay", "scripted")
_SPARE_ROWS = 64  # and a tenth: embeddings are rounded up for speed, but not by more
_NEAR = ("sliding_window", "attention_chunk_size")  # of configurations whose layers see near tokens alone
_CLOSE = 1e-3  # log-probabilities that differ by rounding alone
_WORTH = 1.15  # how many times faster bfloat16 must be to be chosen: it costs precision


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adapters beside linear layers (Hu et al. 2021, arXiv 2106.09685): only they are trained.

    ``targets`` names the layers as peft does: "all-linear", or the ends of their names.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str | tuple[str, ...] = "all-linear"


class Policy:
    """A model that is being trained, causal or sequence-to-sequence; sampled by the one torch sampler.

    ``apart`` says that it reads prompt and answer each on its own: it is a sequence-to-sequence model, whose encoder
    reads what a lesson gives, and whose decoder begins with the model's start token and predicts the rest.

    Args:
        place: a checkpoint's folder or hub name, ``hf:`` before it or not, or the name of one that comes with the
            package; or a live pair of module and tokenizer, which is trained where it is.
        lora: train adapters only.
        dtype: of the arithmetic: "float32", "bfloat16" (mixed: the weights stay float32), or None for what is faster
            here. On a GPU that is bfloat16; on a CPU some steps are timed.
        device: where to, as torch names it; by default a GPU if there is one.
        seed: of the adapters' first weights.

    Raises:
        InputError: it cannot be loaded, or its tokenizer belongs to another vocabulary.
    """

    def __init__(
        self,
        place: str | Path | tuple[Any, Any],
        *,
        lora: Lora | None = None,
        dtype: str | None = None,
        device: str | None = None,
        seed: int = 0,
    ) -> None:
        self.name = "live" if isinstance(place, tuple) else _place(str(place))
        self._live = isinstance(place, tuple)
        live = place if isinstance(place, tuple) else loading.load(self.name, device, "float32")
        self.module, self.tokenizer = live
        _check(self.module, self.tokenizer, self.name)
        self.lora, self.apart = lora, batches.is_encoder_decoder(self.module)
        if lora is not None:
            self.module = _adapted(self.module, lora, seed)
        self.dtype = dtype or ("bfloat16" if self._half_pays() else "float32")
        self.sharded = False

    def __repr__(self) -> str:
        return f"<Policy {self.name}, {self.trained:,} weights trained, {self.dtype}>"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return torch.device(self.module.device)

    @property
    def trained(self) -> int:
        """How many weights are trained."""
        return sum(weight.numel() for weight in self.module.parameters() if weight.requires_grad)

    @property
    def weights(self) -> str:
        """A digest of the weights as they are."""
        return loading.checksum(self.entire.module)

    @property
    def context(self) -> int | None:
        """The most tokens that the model can read, or None if it does not say; prompt and answer alone if ``apart``.

        T5 does not say: its positions are relative.
        """
        return getattr(self.module.config, "max_position_embeddings", None)

    def sampler(self, *, batch: int = 64) -> Model:
        """Return the model that samples from the weights as they are whenever it is asked, in this arithmetic.

        Where several processes train, each writes a share of the texts.
        """
        return shared(sampler_of, self.number, batch) if crew().commands else self.own_sampler(batch)

    def own_sampler(self, batch: int = 64) -> HFModel:
        """Return a sampler of which no other process knows; where the weights are sharded, all must ask it at once."""
        if self.sharded:
            return _Renewed(self, batch)
        return HFModel((self.module, self.tokenizer), batch=batch, arithmetic=self.arithmetic)

    @cached_property
    def number(self) -> int:
        """What this policy is called among several processes; from then on each has one with these weights."""
        if self._live:
            raise InputError("several processes cannot train a live module; save it, and give the folder")
        here = crew()
        number = here.hold(self, policy_beside, self.name, self.lora, self.dtype)
        here.all(number, Policy.spread)
        if here.shards:
            here.all(number, Policy.shard)
        return number

    def spread(self) -> None:
        """Take the weights of the first process."""
        if not self.sharded:
            crew().spread(self.module.state_dict().values())
            return
        from regreen.train import sharded

        sharded.scatter(self.module, self._whole.module if crew().leads else None)

    def shard(self) -> None:
        """Keep a part of every weight alone, as all processes do at once."""
        from regreen.train import sharded  # which older versions of torch have not

        _ = self.shares  # found out while the model is whole
        sharded.shard(self.module)
        self.sharded = True

    @property
    def entire(self) -> Policy:
        """This policy with all its weights: itself, or where they are sharded, a copy of it as it is now."""
        if not self.sharded:
            return self
        whole: Policy = crew().all(self.number, Policy.renew)
        return whole

    def renew(self) -> Policy:
        """Return the whole copy, which becomes what this policy is now; all processes ask at once."""
        from regreen.train import sharded

        sharded.gather(self.module, self._whole.module)
        return self._whole

    @cached_property
    def _whole(self) -> Policy:
        return Policy(self.name, lora=self.lora, dtype=self.dtype)

    def arithmetic(self) -> AbstractContextManager[Any]:
        """Return what makes torch compute in :attr:`dtype`; the weights are float32."""
        return arithmetic_of(self.device, self.dtype)

    def logprobs(self, batch: Batch) -> Tensor:
        """Return the log-probability of each token that weighs, in the order of ``batch.places``, at least in float32.

        Each is taken at the heat of its lesson. Only the places from which such tokens are predicted go through the
        output layer.
        """
        targets = torch.from_numpy(batch.ids_BT.reshape(-1)[batch.places]).to(self.device)
        logits_MV = self._logits(self._read(batch))
        exact_MV = logits_MV.to(torch.promote_types(logits_MV.dtype, torch.float32))
        if batch.heat_B is not None:
            exact_MV = exact_MV / torch.from_numpy(batch.heat_B[batch.rows]).to(exact_MV)[:, None]
        return -torch.nn.functional.cross_entropy(exact_MV, targets, reduction="none")

    def save(self, folder: Path) -> None:
        """Write a checkpoint that ``hf:`` loads: weights and tokenizer; adapters are merged, and kept beside."""
        if self.sharded:
            return self.entire.save(folder)
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if self.lora is None:
            self.module.save_pretrained(folder)
        else:
            self.module.save_pretrained(folder / _ADAPTER)
            copy.deepcopy(self.module).merge_and_unload().save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def restore(self, folder: Path) -> None:
        """Take the weights, bit for bit, of a checkpoint that this policy saved; all processes do."""
        self._restore_here(folder)
        if crew().commands:
            crew().all(self.number, Policy.spread)

    def _restore_here(self, folder: Path) -> None:
        if self.sharded:
            return self._whole._restore_here(folder)
        if self.lora is not None:
            import peft

            found = peft.load_peft_weights(str(folder / _ADAPTER), device=str(self.device))
            peft.set_peft_model_state_dict(self.module, found)
            return
        module, _ = loading.load(str(folder), str(self.device), "float32")
        self.module.load_state_dict(module.state_dict())

    @cached_property
    def shares(self) -> bool:
        """Whether it can read one prompt with many answers in one row; found out by doing it once.

        Some attend to near tokens alone, count positions otherwise, or are not told which token attends to which.
        """
        config = self.module.config.get_text_config(decoder=True)
        near = any(getattr(config, name, None) for name in _NEAR)
        if self.apart or near or self.module.config._attn_implementation != "sdpa":
            return False
        lessons = [supervised([0, 1, 2], [first, 3, 2, 1]) for first in (1, 2)]
        dtype, self.dtype = self.dtype, "float32"
        try:
            with torch.no_grad(), _still(self.module):
                apart, together = (self.logprobs(stacked(lessons, shared=shared)) for shared in (False, True))
            return torch.allclose(apart, together, atol=_CLOSE)
        except (TypeError, ValueError, RuntimeError, IndexError):  # whatever a model says to a mask it does not take
            return False
        finally:
            self.dtype = dtype

    def _read(self, batch: Batch) -> Pass:
        if batch.shared:
            return read_shared(batch)
        return read_apart(batch, batches.decoder_start(self.module)) if self.apart else read_whole(batch)

    def _logits(self, read: Pass) -> Tensor:
        """Return the logits at a pass's places."""
        tables = {name: torch.from_numpy(table).to(self.device) for name, table in read.tables.items()}
        with self.arithmetic(), self._only(read.places):
            logits_MV: Tensor = self.module(**tables, use_cache=False).logits
        return logits_MV

    @contextmanager
    def _only(self, places: Ints) -> Iterator[None]:
        """Let only these flat places of the last layer reach the output layer."""
        index = torch.from_numpy(places).to(self.device)
        hook = self.module.get_output_embeddings().register_forward_pre_hook(
            lambda _, given: (given[0].reshape(-1, given[0].shape[-1])[index],)
        )
        try:
            yield
        finally:
            hook.remove()

    def _half_pays(self) -> bool:
        """Say whether bfloat16 is faster here, on a CPU by trying."""
        if self.device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported())
        return self._seconds("float32") > _WORTH * self._seconds("bfloat16")

    def _seconds(self, dtype: str, rows: int = 8, tokens: int = 128, turns: int = 3) -> float:
        """Return the processor time of a pass and its gradients, the least of some turns after one to warm up."""
        batch = stacked([supervised([0] * (tokens // 2), [0] * (tokens // 2))] * rows)
        self.dtype, spent = dtype, []
        with torch.random.fork_rng():
            for _ in range(1 + turns):
                started = time.process_time()
                self.logprobs(batch).sum().backward()  # type: ignore[no-untyped-call]
                spent.append(time.process_time() - started)
        self.module.zero_grad()
        return min(spent[1:])


def arithmetic_of(device: torch.device, dtype: str) -> AbstractContextManager[Any]:
    """Return what makes torch compute so with weights of float32."""
    return torch.autocast(device.type, torch.bfloat16) if dtype == "bfloat16" else nullcontext()


def policy_beside(name: str, lora: Lora | None, dtype: str) -> Policy:
    """Return another process's policy; its weights are still to come."""
    return Policy(name, lora=lora, dtype=dtype)


class _Renewed(HFModel):
    """A sampler of a sharded policy: whenever it is asked, in all processes at once, the whole copy is renewed."""

    def __init__(self, policy: Policy, batch: int) -> None:
        whole = policy._whole
        super().__init__((whole.module, whole.tokenizer), batch=batch, arithmetic=whole.arithmetic)
        self._policy = policy

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order."""
        self._policy.renew()
        return await super().sample(requests)


def sampler_of(number: int, batch: int) -> HFModel:
    """Return this process's sampler of the policy that has this number."""
    policy: Policy = crew().held(number)
    return policy.own_sampler(batch)


@contextmanager
def _still(module: Any) -> Iterator[None]:
    """Keep a module from dropping anything out."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)


def tokens_of(policy: Policy, prompt: Prompt, answer: str) -> tuple[list[int], list[int]]:
    """Return the tokens of a prompt as the sampler reads it, and of an answer that follows, with the end of text.

    The two are read apart, as they are at sampling: no token spans their border. What a tokenizer puts before or behind
    a text stands around the prompt alone; so an answer of CodeT5 is taught without the ``<s>`` of its pre-training.

    Raises:
        InputError: the prompt is a chat, and the tokenizer has no chat template.
    """
    texts = Texts(policy.tokenizer, policy.name, continues=not policy.apart)
    end = policy.tokenizer.eos_token_id
    return texts.prompt(prompt), texts.tokens(answer) + ([] if end is None else [end])


def lesson_of(policy: Policy, prompt: Prompt, answer: str) -> Lesson:
    """Return the lesson that imitates an answer and masks its prompt."""
    return supervised(*tokens_of(policy, prompt, answer))


def _place(name: str) -> str:
    """Return where ``hf:`` finds a model's weights; raises InputError for one whose weights are not here."""
    kind = name.partition(":")[0]
    if kind in _WEIGHTLESS and not Path(name).exists():
        raise InputError(f"model {name!r}: its weights are not on this machine; training needs them: give hf:PATH")
    return place_of(name.removeprefix("hf:").removeprefix("tiny:"))


def _check(module: Any, tokenizer: Any, name: str) -> None:
    rows, tokens = module.get_input_embeddings().num_embeddings, len(tokenizer)
    if tokens > rows or rows > 1.1 * tokens + _SPARE_ROWS:
        raise InputError(
            f"{name}: the tokenizer knows {tokens} tokens and the model embeds {rows}: they belong to different "
            "vocabularies; give a checkpoint saved with its own tokenizer"
        )


def _adapted(module: Any, lora: Lora, seed: int) -> Any:
    try:
        import peft
    except ImportError as error:
        raise InputError("adapters need peft, which is not installed (pip install 'regreen[train]')") from error
    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    sort = "SEQ_2_SEQ_LM" if batches.is_encoder_decoder(module) else "CAUSAL_LM"
    config = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets, task_type=sort
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return peft.get_peft_model(module, config)
