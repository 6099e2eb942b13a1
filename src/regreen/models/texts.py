"""A tokenizer: prompts to tokens, and tokens back to text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regreen.errors import InputError
from regreen.prompts import Prompt


class Texts:
    """A tokenizer that reads prompts and writes what follows them.

    Many tokenizers drop white space at the beginning of a text. What continues a prompt must keep it, so it is decoded
    behind a letter that is then taken away, where the tokenizer has it; what does not continue is a text of its own.
    """

    def __init__(self, tokenizer: Any, name: str, *, continues: bool) -> None:
        self._tokenizer, self._name = tokenizer, name
        self._letter: list[int] = []
        letter = self.tokens("a") if continues else []
        if self.decode([letter]) == ["a"]:
            self._letter = letter

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, without special ones around it."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def prompt(self, prompt: Prompt) -> list[int]:
        """Return the tokens of a prompt, at least one; raises InputError for a chat without a template."""
        if isinstance(prompt, str):
            return list(self._tokenizer(prompt)["input_ids"]) or [self._first()]
        if not self._tokenizer.chat_template:
            raise InputError(f"{self._name}: the tokenizer has no chat template; use a prompt of plain text")
        messages = [{"role": message.role, "content": message.text} for message in prompt]
        return self.tokens(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Return the text of each row of tokens."""
        if not rows:
            return []
        whole = [[*self._letter, *tokens] for tokens in rows]
        texts = self._tokenizer.batch_decode(whole, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return [text[1:] if self._letter else text for text in texts]

    def reach(self, tokens: Sequence[int], text: str) -> int:
        """Return how many of the tokens it takes to write a text with which they begin."""
        count = len(tokens)
        while count and self.decode([tokens[: count - 1]])[0].startswith(text):
            count -= 1
        return count

    def _first(self) -> int:
        bos, eos = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        return int(eos if bos is None else bos)
