"""The Llama architecture in NumPy: what it takes to read prompts and to write rows after them, and nothing to train.

Su et al. 2021 (arXiv 2104.09864, rotary positions), Shazeer 2020 (arXiv 2002.05202, SwiGLU), Zhang and Sennrich 2019
(arXiv 1910.07467, RMSNorm), Ainslie et al. 2023 (arXiv 2305.13245, grouped heads), Touvron et al. 2023 (arXiv
2302.13971, their union).

Differences from the papers: none in what is computed. How: the norms' weights and the attention's scale are multiplied
into the matrices that follow; queries, keys and values come from one product, gate and up from another; all is float32.

Letters of shapes: N tokens, D hidden, G key and value heads, H heads of one group, E size of a head, P prompts,
B rows, T positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Attend = Callable[[int, Array, Array, Array], Array]  # layer, q_NGHE, k_NGE, v_NGE -> what is seen, by N


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model, as its ``config.json`` says; ``theta`` is the base of the rotary positions."""

    layers: int
    hidden: int
    heads: int
    groups: int
    head: int
    inner: int
    vocabulary: int
    context: int
    theta: float
    epsilon: float
    tied: bool


@dataclass(frozen=True, slots=True)
class _Layer:
    qkv: Array
    out: Array
    gate_up: Array
    down: Array


class Llama:
    """A model's weights, ready to be multiplied."""

    def __init__(self, shape: Shape, weights: Mapping[str, Array]) -> None:
        """Take the weights under their names in Hugging Face's layout; each must have the shape that is expected."""
        self.shape = shape
        self._embed_VD = _float32(weights["model.embed_tokens.weight"])
        head_VD = self._embed_VD if shape.tied else _float32(weights["lm_head.weight"])
        self._head_DV = _turned(head_VD * _float32(weights["model.norm.weight"]))
        self._layers = [_layer(weights, f"model.layers.{number}.", shape) for number in range(shape.layers)]
        powers = np.arange(0, shape.head, 2, dtype=np.float32) / np.float32(shape.head)
        angles_TE = np.arange(shape.context, dtype=np.float32)[:, None] / np.float32(shape.theta) ** powers
        self._cos_TE, self._sin_TE = np.cos(angles_TE), np.sin(angles_TE)

    def hidden(self, tokens_N: Array, positions_N: Array, attend: Attend) -> Array:
        """Return what the last layer says of each token; ``attend`` lets tokens see what stands before them."""
        x_ND = self._embed_VD[tokens_N]
        cos_NE, sin_NE = self._cos_TE[positions_N, None], self._sin_TE[positions_N, None]
        for number, layer in enumerate(self._layers):
            qk_NHE, v_NGE = self._heads(self._normal(x_ND) @ layer.qkv)
            _rotate(qk_NHE, cos_NE, sin_NE)
            x_ND += attend(number, *self._parted(qk_NHE), v_NGE) @ layer.out
            x_ND += _swiglu(self._normal(x_ND) @ layer.gate_up) @ layer.down
        return x_ND

    def logits(self, x_ND: Array) -> Array:
        """Return the logits of the token after each, from what the last layer says."""
        return np.asarray(self._normal(x_ND) @ self._head_DV)

    def _heads(self, qkv_NQ: Array) -> tuple[Array, Array]:
        """Part the product's columns into queries with keys, and values, by head."""
        by_head = qkv_NQ.reshape(len(qkv_NQ), -1, self.shape.head)
        return by_head[:, : -self.shape.groups], by_head[:, -self.shape.groups :]

    def _parted(self, qk_NHE: Array) -> tuple[Array, Array]:
        groups, size = self.shape.groups, self.shape.head
        q_NGHE = qk_NHE[:, : self.shape.heads].reshape(len(qk_NHE), groups, -1, size)
        return q_NGHE, qk_NHE[:, self.shape.heads :]

    def _normal(self, x_ND: Array) -> Array:
        squares_N = np.einsum("nd,nd->n", x_ND, x_ND)
        squares_N *= np.float32(1 / self.shape.hidden)
        squares_N += np.float32(self.shape.epsilon)
        return np.asarray(x_ND / np.sqrt(squares_N)[:, None])


def _layer(weights: Mapping[str, Array], prefix: str, shape: Shape) -> _Layer:
    def weight(name: str) -> Array:
        return _float32(weights[f"{prefix}{name}.weight"])

    q, k, v = (weight(f"self_attn.{name}_proj") for name in "qkv")
    attended = np.concatenate([q * np.float32(shape.head**-0.5), k, v])
    gated = np.concatenate([weight("mlp.gate_proj"), weight("mlp.up_proj")])
    return _Layer(
        qkv=_turned(attended * weight("input_layernorm")),
        out=_turned(weight("self_attn.o_proj")),
        gate_up=_turned(gated * weight("post_attention_layernorm")),
        down=_turned(weight("mlp.down_proj")),
    )


def _float32(weight: Array) -> Array:
    return weight.astype(np.float32)


def _turned(weight: Array) -> Array:
    """Return a matrix as ``x @ matrix`` wants it: a plain product is faster than one with a turned matrix."""
    return np.ascontiguousarray(weight.T)


def _rotate(x_NHE: Array, cos_NE: Array, sin_NE: Array) -> None:
    """Turn each head by its token's position, in place: halves of a head are the two coordinates."""
    half = x_NHE.shape[-1] // 2
    first, second = x_NHE[..., :half], x_NHE[..., half:]
    turned = first * sin_NE
    first *= cos_NE
    first -= second * sin_NE
    second *= cos_NE
    second += turned


def _swiglu(gate_up_NF: Array) -> Array:
    """Return silu(gate) * up."""
    half = gate_up_NF.shape[1] // 2
    gate, up = gate_up_NF[:, :half], gate_up_NF[:, half:]
    below = np.exp(-gate)
    below += 1
    up *= gate
    up /= below
    return up


def softmax(scores: Array) -> Array:
    """Turn scores in place into shares of the last axis, not yet divided by their sum, which is returned."""
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    return np.asarray(scores.sum(-1, keepdims=True))


Caches = list[list[tuple[Array, Array]]]


def read(model: Llama, prompts: Sequence[Sequence[int]]) -> tuple[list[Array], Caches]:
    """Let the model read prompts, side by side but each on its own.

    Returns:
        what the last layer says of each prompt's tokens; and by layer, by prompt, keys and values of shape (G, T, E).
    """
    ends = np.cumsum([len(prompt) for prompt in prompts])
    spans = [slice(end - len(prompt), end) for end, prompt in zip(ends, prompts, strict=True)]
    caches: Caches = [[] for _ in range(model.shape.layers)]

    def attend(number: int, q_NGHE: Array, k_NGE: Array, v_NGE: Array) -> Array:
        seen_ND = np.empty((len(q_NGHE), model.shape.heads * model.shape.head), np.float32)
        for span in spans:
            k_GTE, v_GTE = (np.ascontiguousarray(part[span].swapaxes(0, 1)) for part in (k_NGE, v_NGE))
            caches[number].append((k_GTE, v_GTE))
            seen_ND[span] = _causal(q_NGHE[span], k_GTE, v_GTE)
        return seen_ND

    tokens_N = np.concatenate([np.asarray(prompt) for prompt in prompts])
    positions_N = np.concatenate([np.arange(len(prompt)) for prompt in prompts])
    x_ND = model.hidden(tokens_N, positions_N, attend)
    return [x_ND[span] for span in spans], caches


def _causal(q_TGHE: Array, k_GTE: Array, v_GTE: Array) -> Array:
    """Let each of a prompt's tokens see itself and those before it."""
    length, groups, heads, size = q_TGHE.shape
    q_GHTE = q_TGHE.transpose(1, 2, 0, 3)
    scores_GHTT = q_GHTE @ k_GTE[:, None].swapaxes(-1, -2)
    scores_GHTT += np.triu(np.full((length, length), -np.inf, np.float32), 1)
    sums_GHT = softmax(scores_GHTT)
    seen_GHTE = scores_GHTT @ v_GTE[:, None]
    seen_GHTE /= sums_GHT
    return np.asarray(seen_GHTE.transpose(2, 0, 1, 3).reshape(length, groups * heads * size))
