"""A ``tokenizer.json``, read by ``tokenizers`` alone, with as much of transformers' face as :class:`Texts` looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer


class Tokens:
    """A tokenizer, its special tokens and its chat template."""

    def __init__(self, inner: Tokenizer, settings: Mapping[str, Any], chat_template: str | None) -> None:
        """Take a tokenizer and what ``tokenizer_config.json`` says of it."""
        self._inner = inner
        self._settings = settings
        self.chat_template = chat_template
        self.bos_token_id, self.eos_token_id = self._number("bos_token"), self._number("eos_token")

    def __len__(self) -> int:
        return 1 + max(self._inner.get_vocab(with_added_tokens=True).values(), default=-1)

    def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        """Return the tokens of a text as ``input_ids``."""
        return {"input_ids": self._inner.encode(text, add_special_tokens=add_special_tokens).ids}

    def batch_decode(self, rows: Sequence[Sequence[int]], **_: Any) -> list[str]:
        """Return the text of each row of tokens, without special ones."""
        return list(self._inner.decode_batch(rows, skip_special_tokens=True))

    def apply_chat_template(self, messages: Sequence[Mapping[str, str]], **options: Any) -> str:
        """Return a chat as the template writes it."""
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        template = environment.from_string(self.chat_template or "")
        return template.render(messages=messages, **self._specials(), **options)

    def _number(self, name: str) -> int | None:
        text = self._specials().get(name)
        return None if text is None else self._inner.token_to_id(text)

    def _specials(self) -> dict[str, str]:
        """Return the special tokens by name; some files write them as objects."""
        told = {name: self._settings.get(f"{name}_token") for name in ("bos", "eos", "pad", "unk")}
        texts = {name: text.get("content") if isinstance(text, dict) else text for name, text in told.items()}
        return {f"{name}_token": text for name, text in texts.items() if text}
