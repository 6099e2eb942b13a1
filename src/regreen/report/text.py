"""Text that strangers wrote, made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with every control character but line ends and tabs written as an escape.

    What a program prints may hold sequences that a terminal obeys.
    """
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
