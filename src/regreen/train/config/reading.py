"""A training's file, read: every wrong field is named, all at once."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from regreen.errors import InputError

_Config = TypeVar("_Config", bound=BaseModel)


def read_config(path: Path, kind: type[_Config]) -> _Config:
    """Return the configuration in a TOML file.

    Raises:
        InputError: there is no such file, it is no TOML, or fields are unknown, missing or wrong: all are named.
    """
    try:
        with path.open("rb") as file:
            return kind.model_validate(tomllib.load(file))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a TOML file, as docs/guides/train.md shows") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no TOML: {error}") from error
    except ValidationError as error:
        raise InputError(f"{path}: {_all_of(error, kind)}") from error


def _all_of(error: ValidationError, kind: type[BaseModel]) -> str:
    """Say of every wrong field what is wrong; a field of several kinds is named once."""
    wrong: dict[str, str] = {}
    for found in error.errors(include_url=False):
        where = _place(found["loc"], kind)
        text = _said(found, where, kind)
        wrong[where] = f"{wrong[where]}, or {text}" if where in wrong else text
    count = f"{len(wrong)} wrong field{'s' if len(wrong) > 1 else ''}"
    return f"{count}: " + "; ".join(f"{where}: {text}" for where, text in wrong.items())


def _said(found: Any, where: str, kind: type[BaseModel]) -> str:
    if found["type"] == "extra_forbidden":
        known = _fields(where.split(".")[:-1], kind)
        close = get_close_matches(where.split(".")[-1], known, n=1)
        return f"unknown; did you mean {close[0]}?" if close else f"unknown; there are {', '.join(known)}"
    if found["type"] == "missing":
        return "missing"
    return f"{found['msg'][:1].lower()}{found['msg'][1:]}, not {found['input']!r}"


def _place(location: tuple[int | str, ...], kind: type[BaseModel]) -> str:
    """Return a field's name with dots; pydantic adds which kind it tried, which says nothing to a user."""
    parts: list[str] = []
    known: list[str] | None = list(kind.model_fields)
    for part in map(str, location):
        if known is None:
            break
        parts.append(part)
        known = _fields(parts, kind) or None
    return ".".join(parts)


def _fields(path: list[str], kind: type[BaseModel]) -> list[str]:
    """Return the names of the fields in a table of the file, none if it is no table."""
    for part in path:
        field = kind.model_fields.get(part)
        kinds = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not inner:
            return []
        kind = inner[0]
    return list(kind.model_fields)
