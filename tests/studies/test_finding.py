"""What every study returns."""

import ast
from pathlib import Path

import pytest

from regreen import studies

FINDING = "finding"


def found_in(path):
    """Return the calls in a module that make a finding."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == FINDING]


STUDIES = {path.stem: found_in(path) for path in sorted(Path(studies.__path__[0]).glob("*.py")) if found_in(path)}


@pytest.mark.parametrize("calls", STUDIES.values(), ids=list(STUDIES))
def test_every_study_has_tables_and_plots(calls):
    for call in calls:
        assert {"tables", "plots"} <= {keyword.arg for keyword in call.keywords}
