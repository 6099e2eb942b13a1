"""A run directory in a notebook."""

import pytest

import regreen
from regreen import InputError
from tests.report.test_report import write_run


def test_a_run_shows_its_tables_and_its_programs(tmp_path):
    run = regreen.read_run(str(write_run(tmp_path / "a", [1, 0, 1, 1])))
    assert repr(run) == f"<run {tmp_path / 'a'}: pass@1 0.750>"
    assert run.scores == {"pass@1": 0.75}
    assert "<td>75.0 % [" in run._repr_html_()
    assert "75.0 % [" in str(run)
    pytest.importorskip("pandas")
    assert run.frame().passed.mean() == 0.75


def test_what_a_program_says_is_text_in_a_notebook_too(tmp_path):
    run = write_run(tmp_path / "<b>a</b>", [1])
    assert "<b>a</b>" not in regreen.read_run(run)._repr_html_()


def test_what_is_no_run_is_said_at_once(tmp_path):
    with pytest.raises(InputError, match="not a run directory"):
        regreen.read_run(tmp_path)
