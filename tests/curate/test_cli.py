"""The commands of ``regreen curate`` as a user meets them."""

import json
import sys

import pytest

from regreen.cli import main
from regreen.problem import Problem, Stdio, problem_to_line

MODULE = '''
def double(n):
    """Return twice n."""
    return 2 * n


def undocumented(n):
    return n
'''


def run(capsys, *arguments):
    """The exit code, and what was printed to both sides."""
    with pytest.raises(SystemExit) as done:
        main(list(map(str, arguments)))
    printed = capsys.readouterr()
    return done.value.code, printed.out, printed.err


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "test_mine.py").write_text("import mine\nfor n in (1, 2): mine.double(n), mine.undocumented(n)\n1 / 0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_tracing_prints_a_table_and_what_to_type_next_and_its_output_checks_and_evaluates(project, capfd):
    code, out, err = run(capfd, "curate", "trace", "-o", "p.jsonl", "--", sys.executable, "test_mine.py")
    assert code == 0
    assert "2 functions" in out
    assert "has no docstring" in out
    assert "1 problems, 2 checks" in out
    assert "ZeroDivisionError" in err
    assert "ended with exit code 1; what it did until then is used" in err
    assert run(capfd, *out.splitlines()[-1].split()[1:], "-q")[0] == 0
    code, out, _ = run(capfd, "evaluate", "p.jsonl", "-m", "tiny", "--max-tokens", 20, "-q", "--json")
    assert code == 0
    assert json.loads(out)["problems"] == 1


def test_options_end_where_the_command_begins_even_without_dashes(project, capfd):
    code, out, err = run(capfd, "curate", "trace", "--json", "-q", "-o", "p.jsonl", sys.executable, "test_mine.py")
    found = json.loads(out)
    assert (code, found["kept"], found["checks"], found["exit"]) == (0, 1, 2, 1)
    assert "ZeroDivisionError" not in err


def test_importing_and_filtering_print_the_same_kind_of_table(tmp_path, capfd):
    for name, text in (("problem.md", "Double."), ("1.in", "2"), ("1.out", "4"), ("solution.py", "print(4)")):
        (tmp_path / name).write_text(text)
    code, out, _ = run(capfd, "curate", "import", tmp_path, "-o", tmp_path / "p.jsonl", "-q")
    assert code == 0
    assert "1 problems, 1 checks" in out
    (tmp_path / "model.jsonl").write_text('{"text": "```python\\nprint(4)\\n```"}\n')
    model = f"scripted:{tmp_path / 'model.jsonl'}"
    asked = ("-m", model, "-n", 2, "--prompt", "chat", "--repeats", 1, "-q")
    code, out, _ = run(capfd, "curate", "filter", tmp_path / "p.jsonl", *asked, "-o", tmp_path / "k.jsonl")
    assert code == 0
    assert "1 problems, 1 checks" in out
    assert f"regreen report {tmp_path / 'k.run'}" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trace", "-o", "p.jsonl"], "COMMAND"),
        (["trace", "-o", "p.txt", "--", "true"], "a name that ends in .jsonl"),
        (["trace", "-o", "no/such/p.jsonl", "--", "true"], "there is no folder"),
        (["trace", "-o", "p.jsonl", "--checks", "1", "--", "true"], "--checks"),
        (["import", "no-such-folder", "-o", "p.jsonl"], "no such folder"),
        (["filter", "no.jsonl", "-m", "tiny", "-o", "p.jsonl"], "no such file"),
        (["filter", "in.jsonl", "-m", "tiny", "-n", "2", "--temperature", "0", "-o", "p.jsonl"], "--temperature 0.8"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capfd, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text(json.dumps(problem_to_line(Problem("a", "Print.", (Stdio("", "1"),)))) + "\n")
    code, out, err = run(capfd, "curate", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "p.jsonl").exists()
