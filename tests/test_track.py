"""Progress goes to standard error, and only as much as is wanted."""

import pytest

from regreen import track


@pytest.mark.parametrize("quiet", [True, False])
def test_without_a_terminal_progress_is_plain_lines_now_and_then(capsys, monkeypatch, quiet):
    monkeypatch.setattr(track, "_PLAIN_SECONDS", 0.0)
    with track.progress("judging", total=9, quiet=quiet) as advance:
        advance(3, "2 passed")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("judging: 3 of 9, ") and err.endswith("a second, 2 passed\n") if not quiet else err == ""


def test_a_short_job_says_nothing_without_a_terminal(capsys):
    with track.progress("judging") as advance:
        advance(1, "")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_progress_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with track.progress("judging", total=9) as advance:
        advance(3, "2 passed")
    out, err = capsys.readouterr()
    assert out == ""
    assert "judging" in err
