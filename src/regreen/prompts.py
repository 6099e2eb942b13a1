"""Problem to prompt: named Jinja templates, pinned by golden tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    text: str


Prompt = str | tuple[Message, ...]
