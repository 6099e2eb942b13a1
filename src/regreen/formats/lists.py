"""Rows that hold several programs, in lists: LiveCodeBench, bigcode, CRUXEval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from regreen.formats.form import BadRow, Draft, Fields, Form, Settings, has, identifier, texts


def _livecodebench(row: Fields, settings: Settings) -> Iterator[Draft]:
    sources = texts(row, "code_list")
    for source, recorded in zip(sources, _verdicts(row, "graded_list", len(sources)), strict=True):
        yield Draft(identifier(row, "question_id"), source, recorded=recorded)


def _bigcode(row: Fields, settings: Settings) -> Iterator[Draft]:
    """Read one problem's whole programs; the list's place in the file says which problem."""
    sources, at = texts(row, "programs"), row["at"]
    if at >= len(settings.order):
        raise BadRow(f"one list per problem, in the benchmark's order, but the benchmark has {len(settings.order)}")
    for source in sources:
        yield Draft(settings.order[at], source)


def _bigcode_rows(document: list[Any]) -> Iterator[tuple[str, Any]]:
    for at, programs in enumerate(document):
        yield f"[{at}]", {"at": at, "programs": programs}


def _cruxeval(row: Fields, settings: Settings) -> Iterator[Draft]:
    """Read one problem's predictions of outputs, or of inputs; the problem says which program states one."""
    predictions = texts(row, "predictions")
    for prediction, recorded in zip(predictions, _verdicts(row, "graded", len(predictions)), strict=True):
        yield Draft(row["id"], prediction, continues=True, recorded=recorded)


def _cruxeval_rows(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Take apart a file of generations, or a scored one, which has the verdicts too."""
    graded = document.get("raw_scored_generations", {})
    for id, predictions in document.get("raw_generations", document).items():
        row = {"id": id, "predictions": predictions}
        yield f"[{id!r}]", row if id not in graded else {**row, "graded": graded[id]}


def _verdicts(row: Fields, name: str, count: int) -> list[bool | None]:
    graded = row.get(name)
    if graded is None:
        return [None] * count
    if not isinstance(graded, list) or len(graded) != count or not all(isinstance(item, bool) for item in graded):
        raise BadRow(f"field {name!r} must hold true or false for each of the {count} programs")
    return list(graded)


def _is_list_of_lists(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and all(isinstance(item, list) for item in document)


def _is_map_of_lists(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    generations = document.get("raw_generations", document)
    return isinstance(generations, dict) and bool(generations) and all(type(v) is list for v in generations.values())


FORMS = (
    Form(
        "livecodebench",
        "question_id, code_list, graded_list",
        "every text of code_list is a whole program",
        has("question_id", "code_list"),
        _livecodebench,
    ),
    Form(
        "bigcode",
        "a JSON list of lists of whole programs, in the benchmark's order",
        "lists of whole programs, in the benchmark's order",
        _is_list_of_lists,
        _bigcode,
        rows=_bigcode_rows,
    ),
    Form(
        "cruxeval",
        "a JSON object of lists of predictions by problem id, scored or not",
        "lists of predicted outputs, or inputs",
        _is_map_of_lists,
        _cruxeval,
        rows=_cruxeval_rows,
    ),
)
