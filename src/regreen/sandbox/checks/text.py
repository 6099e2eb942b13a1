"""Values and outputs as short text for a person: never long, never failing."""

from __future__ import annotations

import reprlib
from typing import Any

CAP = 2000

_short = reprlib.Repr()
_short.maxlevel = 20
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxfrozenset = _short.maxdict = 400
_short.maxstring = _short.maxother = _short.maxlong = CAP


def show(value: Any) -> str:
    """Return the value as a Python literal, its middle left out when long; plain data only."""
    try:
        text = _short.repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: {error}>"
    return cut(text)


def cut(text: str) -> str:
    """Return at most ``CAP`` characters: the beginning, and how many more there were."""
    if len(text) <= CAP:
        return text
    return f"{text[:CAP]}... ({len(text) - CAP} characters more)"
