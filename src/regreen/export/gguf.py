"""A checkpoint, for other tools.

GGUF is llama.cpp's one-file form of a checkpoint. What is written here keeps every weight in float32, so that llama.cpp
and transformers give the same log-probabilities, up to the order of their sums. Llama models with a byte-level BPE
tokenizer can be written; llama.cpp's own converter does the others.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from regreen.errors import InputError

# llama.cpp's names for ways to split text before BPE, by how a tokenizer.json spells them
_DIGITS = {"type": "Digits", "individual_digits": True}
_BYTES = {"type": "ByteLevel", "use_regex": True}
_SPLITS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("starcoder", [_DIGITS, _BYTES]),
    ("gpt-2", [_BYTES]),
)
_OTHERS = "llama.cpp's convert_hf_to_gguf.py writes others"


def export_gguf(checkpoint: Path, file: Path) -> None:
    """Write a checkpoint as a GGUF file in float32.

    Args:
        checkpoint: the folder that ``save_pretrained`` wrote: a Llama model in safetensors, a byte-level BPE tokenizer.
        file: the file to write; an older one is replaced.

    Raises:
        InputError: gguf is not installed, the folder is no checkpoint, or one that cannot be written faithfully.
    """
    gguf = _gguf()
    config, tokenizer = (_read(checkpoint / name) for name in ("config.json", "tokenizer.json"))
    _check_model(checkpoint, config)
    split = _split(checkpoint, tokenizer)
    part = file.with_name(f"{file.name}.part")
    writer = gguf.GGUFWriter(part, "llama")
    _add_shape(writer, gguf, config)
    _add_tokenizer(writer, gguf, checkpoint, tokenizer, split, config["vocab_size"])
    _add_weights(writer, gguf, checkpoint, config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(file)


def _gguf() -> Any:
    try:
        importlib.import_module("gguf.utility")
        return importlib.import_module("gguf")
    except ImportError as error:
        raise InputError("gguf is not installed (pip install 'regreen[gguf]')") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); a checkpoint is what save_pretrained writes") from error


def _check_model(checkpoint: Path, config: Mapping[str, Any]) -> None:
    architecture = config.get("architectures")
    if architecture != ["LlamaForCausalLM"]:
        raise InputError(f"{checkpoint}: cannot write {architecture} as GGUF, only LlamaForCausalLM; {_OTHERS}")
    needed = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
    odd = [f"{name} {config[name]!r}" for name, value in needed.items() if config.get(name, value) != value]
    if _rope(config).get("rope_type", "default") != "default":
        odd.append(f"rope_type {_rope(config)['rope_type']!r}")
    if odd:
        raise InputError(f"{checkpoint}: cannot write a Llama of {', '.join(odd)} as GGUF; {_OTHERS}")


def _rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rope's parameters, wherever this version of transformers put them."""
    older = {"rope_theta": config.get("rope_theta", 10000.0), **(config.get("rope_scaling") or {})}
    return config.get("rope_parameters") or older


def _split(checkpoint: Path, tokenizer: Mapping[str, Any]) -> str:
    """Return llama.cpp's name for how this tokenizer splits text; raises InputError where it has none."""
    found = tokenizer.get("pre_tokenizer") or {}
    steps = found.get("pretokenizers", [found])
    plain = tokenizer["model"].get("type") == "BPE" and not tokenizer.get("normalizer")
    if plain and not any(step.get("add_prefix_space") for step in steps):
        for name, expected in _SPLITS:
            if len(steps) == len(expected) and all(map(_holds, steps, expected)):
                return name
    kinds = "+".join(str(step.get("type")) for step in steps)
    raise InputError(
        f"{checkpoint}: cannot write a tokenizer {tokenizer['model'].get('type')} over {kinds} as GGUF, only "
        f"byte-level BPE, digits split singly or not; {_OTHERS}"
    )


def _holds(step: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    return expected.items() <= step.items()


def _add_shape(writer: Any, gguf: Any, config: Mapping[str, Any]) -> None:
    heads = config["num_attention_heads"]
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    for add in (writer.add_key_length, writer.add_value_length, writer.add_rope_dimension_count):
        add(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_rope_freq_base(_rope(config)["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _add_tokenizer(
    writer: Any, gguf: Any, checkpoint: Path, tokenizer: Mapping[str, Any], split: str, size: int
) -> None:
    kinds = gguf.TokenType
    tokens = {number: (f"[unused{number}]", kinds.UNUSED) for number in range(size)}  # rows that no token uses
    tokens |= {number: (text, kinds.NORMAL) for text, number in tokenizer["model"]["vocab"].items()}
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = (added["content"], kinds.CONTROL if added["special"] else kinds.USER_DEFINED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list([tokens[number][0] for number in range(size)])
    writer.add_token_types([tokens[number][1] for number in range(size)])
    special = gguf.SpecialVocab(checkpoint, load_merges=True, n_vocab=size)
    special.add_special_token.setdefault("bos", False)
    special.add_to_gguf(writer, quiet=True)


def _add_weights(writer: Any, gguf: Any, checkpoint: Path, config: Mapping[str, Any]) -> None:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    for name, weight in _weights(gguf, checkpoint):
        new = names.get_name(name, try_suffixes=(".weight",))
        if new is None:
            raise InputError(f"{checkpoint}: GGUF's Llama has no place for the weight {name!r}; {_OTHERS}")
        rope = {"q_proj.weight": heads, "k_proj.weight": kv_heads}.get(".".join(name.split(".")[-2:]))
        writer.add_tensor(new, _interleaved(weight, rope) if rope else weight)


def _weights(gguf: Any, checkpoint: Path) -> Iterator[tuple[str, Any]]:
    """Yield each weight's name and its values as a float32 array."""
    files = sorted(checkpoint.glob("model*.safetensors"))
    if not files:
        raise InputError(f"{checkpoint}: no model*.safetensors; save the model with save_pretrained")
    for file in files:
        for name, tensor in gguf.utility.SafetensorsLocal(file).tensors.items():
            yield name, _float32(tensor, f"{file}: {name}").reshape(tensor.shape)


def _float32(tensor: Any, where: str) -> Any:
    import numpy as np

    stored = tensor.mmap_bytes()
    if tensor.dtype == "BF16":  # the upper half of a float32
        return (stored.view("<u2").astype("<u4") << 16).view("<f4")
    if tensor.dtype not in ("F32", "F16"):
        raise InputError(f"{where}: a weight of type {tensor.dtype}; expected F32, F16 or BF16")
    return stored.view({"F32": "<f4", "F16": "<f2"}[tensor.dtype]).astype(np.float32)


def _interleaved(weight: Any, heads: int) -> Any:
    """Reorder a projection's rows from transformers' rope, by halves of a head, to llama.cpp's, by neighbours."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)
