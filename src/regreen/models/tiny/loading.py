"""A Llama checkpoint from a folder in Hugging Face's layout: what it takes to run it, or one line that says why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from regreen.errors import InputError
from regreen.models.tiny.llama import Array, Llama, Shape
from regreen.models.tiny.tokens import Tokens

_SAVED = "expected a folder that save_pretrained wrote: config.json, model.safetensors, tokenizer.json"
_OTHERS = "hf: runs others"
_NEEDED = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
_TYPES = ("F32", "F16")


def load(folder: Path) -> tuple[Llama, Tokens, dict[str, Any]]:
    """Return model, tokenizer and what a manifest should say of them; raises InputError for what cannot be run."""
    config = _read(folder, "config.json")
    shape = _shape(folder, config)
    weights = _weights(folder)
    _check_weights(folder, shape, weights)
    tokens = _tokens(folder)
    if len(tokens) > shape.vocabulary:
        _refuse(folder, f"the tokenizer has {len(tokens)} tokens, the weights {shape.vocabulary}; use the two together")
    facts = {
        "kind": "causal",
        "architecture": "LlamaForCausalLM",
        "parameters": sum(weight.size for weight in weights.values()),
        "dtype": "float32",
        "device": "cpu",
        "context": shape.context,
        "chat": bool(tokens.chat_template),
        "numpy": np.__version__,
    }
    return Llama(shape, weights), tokens, facts


def ends_of(folder: Path, tokens: Tokens) -> frozenset[int]:
    """Return the tokens that end a text."""
    name = "generation_config.json"
    told = _read(folder, name if (folder / name).exists() else "config.json").get("eos_token_id")
    ends = {*(told if isinstance(told, list) else [told]), tokens.eos_token_id}
    return frozenset(ends - {None})


def checksum(folder: Path) -> str:
    """Return a digest of the weights' files: it tells one state of a checkpoint from another."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _refuse(folder: Path, reason: str) -> NoReturn:
    raise InputError(f"tiny:{folder}: {reason}")


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / name).read_text(encoding="utf-8")))
    except FileNotFoundError:
        _refuse(folder, f"no {name}; {_SAVED}")
    except (OSError, ValueError) as error:
        _refuse(folder, f"{name} cannot be read ({error}); {_SAVED}")


def _shape(folder: Path, config: Mapping[str, Any]) -> Shape:
    """Return the sizes in a configuration; raises InputError for a model that is not computed here."""
    if config.get("architectures") != ["LlamaForCausalLM"]:
        _refuse(folder, f"cannot run {config.get('architectures')}, only LlamaForCausalLM; {_OTHERS}")
    rope = config.get("rope_parameters") or {
        "rope_theta": config.get("rope_theta", 10000.0),
        **(config.get("rope_scaling") or {}),
    }
    odd = [f"{name} {config[name]!r}" for name, value in _NEEDED.items() if config.get(name, value) != value]
    if rope.get("rope_type", "default") != "default":
        odd.append(f"rope_type {rope['rope_type']!r}")
    if odd:
        _refuse(folder, f"cannot run a Llama of {', '.join(odd)}; {_OTHERS}")
    try:
        return _sizes(config, float(rope["rope_theta"]))
    except (KeyError, TypeError, ValueError) as error:
        _refuse(folder, f"config.json: {type(error).__name__}: {error}; {_SAVED}")


def _sizes(config: Mapping[str, Any], theta: float) -> Shape:
    heads = int(config["num_attention_heads"])
    return Shape(
        layers=int(config["num_hidden_layers"]),
        hidden=int(config["hidden_size"]),
        heads=heads,
        groups=int(config.get("num_key_value_heads") or heads),
        head=int(config.get("head_dim") or config["hidden_size"] // heads),
        inner=int(config["intermediate_size"]),
        vocabulary=int(config["vocab_size"]),
        context=int(config["max_position_embeddings"]),
        theta=theta,
        epsilon=float(config["rms_norm_eps"]),
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        _refuse(folder, f"no model*.safetensors; {_SAVED}")
    return files


def _weights(folder: Path) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    for file in _files(folder):
        try:
            with safe_open(file, framework="numpy") as opened:
                for name in opened.keys():  # noqa: SIM118  (no dictionary)
                    kind = opened.get_slice(name).get_dtype()
                    if kind not in _TYPES:
                        _refuse(folder, f"{name} is stored as {kind}, expected {' or '.join(_TYPES)}; {_OTHERS}")
                    weights[name] = opened.get_tensor(name)
        except (SafetensorError, OSError) as error:
            _refuse(folder, f"{file.name} cannot be read ({error}); {_SAVED}")
    return weights


def _check_weights(folder: Path, shape: Shape, weights: Mapping[str, Array]) -> None:
    for name, size in _expected(shape).items():
        if name not in weights:
            _refuse(folder, f"no weight {name}; {_SAVED}")
        if weights[name].shape != size:
            _refuse(folder, f"{name} has shape {weights[name].shape}, config.json says {size}; use the two together")


def _expected(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight that is needed."""
    outer, queries, keys = shape.hidden, shape.heads * shape.head, shape.groups * shape.head
    layer: dict[str, tuple[int, ...]] = {
        "input_layernorm": (outer,),
        "self_attn.q_proj": (queries, outer),
        "self_attn.k_proj": (keys, outer),
        "self_attn.v_proj": (keys, outer),
        "self_attn.o_proj": (outer, queries),
        "post_attention_layernorm": (outer,),
        "mlp.gate_proj": (shape.inner, outer),
        "mlp.up_proj": (shape.inner, outer),
        "mlp.down_proj": (outer, shape.inner),
    }
    sizes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (shape.vocabulary, outer)}
    for number in range(shape.layers):
        sizes |= {f"model.layers.{number}.{name}.weight": size for name, size in layer.items()}
    sizes["model.norm.weight"] = (outer,)
    return sizes if shape.tied else {**sizes, "lm_head.weight": (shape.vocabulary, outer)}


def _tokens(folder: Path) -> Tokens:
    settings = _read(folder, "tokenizer_config.json") if (folder / "tokenizer_config.json").exists() else {}
    _read(folder, "tokenizer.json")  # names what is wrong with the file; the library's own message does not
    try:
        inner = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises nothing narrower
        _refuse(folder, f"tokenizer.json cannot be read ({error}); {_SAVED}")
    template = folder / "chat_template.jinja"
    return Tokens(inner, settings, template.read_text() if template.exists() else settings.get("chat_template"))
