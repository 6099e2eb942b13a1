"""A checkpoint from a folder or the hub, and what is known of it."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import torch
import transformers

from regreen.errors import InputError
from regreen.hub import out_of_reach
from regreen.models.hf.batches import is_encoder_decoder
from regreen.models.shipped import place_of


def load(place: str, device: str | None, dtype: str | None) -> tuple[Any, Any]:
    """Return module and tokenizer; raises InputError for what cannot be loaded."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kind = getattr(torch, dtype or ("float32" if device == "cpu" else "bfloat16"), None)
    if not isinstance(kind, torch.dtype):
        raise InputError(f"hf:{place}: no dtype {dtype!r}; it is float32, bfloat16 or float16")
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    named, place = place, place_of(place)
    offline = not os.path.isdir(place) and out_of_reach()
    try:
        config = transformers.AutoConfig.from_pretrained(place, local_files_only=offline)
        sort = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, local_files_only=offline)
        module = sort.from_pretrained(place, dtype=kind, local_files_only=offline)
        return module.to(device), tokenizer  # type: ignore[arg-type]
    except Exception as error:  # a broken checkpoint raises whatever it meets
        reason = str(error).strip().split("\n")[0]
        expected = "expected a folder that save_pretrained wrote, a model's name on the hub, or one that regreen ships"
        raise InputError(f"hf:{named}: cannot be loaded ({reason}); {expected}") from error


def facts_of(module: Any, tokenizer: Any) -> dict[str, Any]:
    """Return what a manifest should say of a model, as plain JSON."""
    config = module.config.get_text_config(decoder=True)
    settings = module.generation_config.to_diff_dict()
    return {
        "kind": "sequence-to-sequence" if is_encoder_decoder(module) else "causal",
        "architecture": (module.config.architectures or [type(module).__name__])[0],
        "parameters": sum(weight.numel() for weight in module.parameters()),
        "dtype": str(module.dtype).removeprefix("torch."),
        "device": str(module.device),
        "context": getattr(config, "max_position_embeddings", None),
        "chat": bool(tokenizer.chat_template),
        "generation": {name: value for name, value in settings.items() if not name.startswith("_")},
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def checksum(module: Any) -> str:
    """Return a digest of sums over the bytes of every weight: it tells one state of a checkpoint from another."""
    digest = hashlib.sha256()
    for name, weight in module.state_dict().items():
        total = weight.contiguous().view(-1).view(torch.uint8).sum(dtype=torch.int64)
        digest.update(f"{name} {tuple(weight.shape)} {int(total)}\n".encode())
    return digest.hexdigest()[:16]


def ends_of(module: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end a text."""
    told = module.generation_config.eos_token_id
    ends = {*(told if isinstance(told, list) else [told]), tokenizer.eos_token_id}
    return frozenset(ends - {None})
