"""What programs share with a corpus, and what they import."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.report import render, study_tables
from regreen.run import Run, Settings
from regreen.studies.copied import SharedLines, SharedRuns, code_lines, telling
from regreen.studies.copying import copying
from regreen.studies.imports import imported, imports, kind_of, well_known
from regreen.studies.overlap import overlap, without_docstrings


def longest_by_hand(program: list[str], document: list[str]) -> int:
    """The longest run of words that two lists share, by trying every pair of places."""
    best = 0
    for start in range(len(program)):
        for other in range(len(document)):
            length = 0
            while program[start + length : start + length + 1] == document[other + length : other + length + 1] != []:
                length += 1
            best = max(best, length)
    return best


@pytest.mark.parametrize("seed", range(20))
def test_the_longest_run_and_the_share_of_short_ones_are_those_found_by_hand(seed: int) -> None:
    random = Random(seed)
    documents = [random.choices("abcd", k=random.randint(0, 40)) for _ in range(4)]
    programs = [random.choices("abcde", k=random.randint(0, 15)) for _ in range(5)]
    runs = SharedRuns([" ".join(program) for program in programs], shortest=3)
    for at, document in enumerate(documents):
        runs.read(str(at), " ".join(document))
    for program, (length, name), share in zip(programs, runs.longest(), runs.shares(), strict=True):
        best = max(longest_by_hand(program, document) for document in documents)
        assert length == (best if best >= 3 else 0)
        assert (name is None) == (length == 0)
        assert name is None or longest_by_hand(program, documents[int(name)]) == length
        grams = [program[at : at + 3] for at in range(len(program) - 2)]
        found = [any(longest_by_hand(gram, document) == 3 for document in documents) for gram in grams]
        assert share == (sum(found) / len(found) if found else 0.0)


def test_a_run_does_not_cross_documents_and_stops_at_its_greatest_length() -> None:
    runs = SharedRuns(["a b c d e f"], shortest=2, longest=4)
    runs.read("one", "a b c")
    runs.read("two", "d e f")
    assert runs.longest() == [(3, "one")]
    runs.read("three", "x b c d e f")
    assert runs.longest() == [(4, "three")], "of five tokens, as many as are looked for"


def test_lines_are_compared_without_comments_space_and_what_says_nothing() -> None:
    text = "def f(x):  # doubles\n\n    # nothing\n\treturn   x * 2\n    else:\n"
    assert code_lines(text) == ["def f(x):", "return x * 2", "else:"]
    assert telling(["return result", "x += 1", "for i in items:"]) == ["for i in items:"]


def test_the_document_that_shares_most_lines_is_named_once_for_each_line_of_the_program() -> None:
    shared = SharedLines([["a", "b", "b", "c"], ["z"]])
    shared.read("one", ["a", "c", "q"])
    shared.read("two", ["b", "b", "c"])
    assert shared.best == [(3, "two"), (0, None)]


def test_docstrings_are_no_lines_of_a_solution() -> None:
    source = '"""Of the module."""\ndef f():\n    """Of f,\n    over lines."""\n    x = """kept"""\n    return x\n'
    assert code_lines(without_docstrings(source)) == ["def f():", 'x = """kept"""', "return x"]
    assert without_docstrings("def f(:") == "def f(:"


SOLUTION = "def total(items):\n    found = sum(item.price for item in items)\n    return found if found > 0 else 0\n"
TOKENS = len(re.findall(r"\w+|[^\w\s]", SOLUTION))
OTHER = "def lowest(items):\n    ordered = sorted(items, key=len)\n    return ordered[0] if ordered else None\n"
PROBLEMS = [
    Problem("own/a", "", (Assert("assert total([]) == 0"),), solution=SOLUTION),
    Problem("own/b", "", (Assert("assert lowest([]) is None"),), solution=OTHER),
]


def write_corpus(folder: Path) -> Path:
    folder.mkdir()
    Path(folder, "shop.py").write_text("import shop\n\n\nclass Shop:\n" + SOLUTION.replace("\n", "\n    # why\n  "))
    Path(folder, "else.py").write_text("print('hello')\n")
    return folder


def write_run(folder: Path, sources: dict[str, list[tuple[str, bool]]]) -> Path:
    with Run(folder, Settings("score", "own", {})) as run:
        for problem, programs in sources.items():
            for index, (source, passed) in enumerate(programs):
                outcome = Outcome.PASSED if passed else Outcome.WRONG_ANSWER
                run.add_program(Program(problem, index, source))
                run.add_verdict((problem, index, "sample"), Verdict(outcome, (CheckResult(0, outcome),)))
    return folder


def test_solutions_in_the_corpus_are_found_and_scores_told_without_them(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"own/a": [(SOLUTION, True)], "own/b": [(OTHER, False), (OTHER, True)]})
    found = overlap(PROBLEMS, write_corpus(tmp_path / "c"), benchmark="own", run=run)
    first, second = found["by_problem"]
    assert (first["shared"], first["share"], first["document"]) == (3, 1.0, "shop.py")
    assert (second["shared"], second["document"]) == (0, None)
    assert found["above_half"]["value"] == 0.5
    assert first["longest_run"] == TOKENS
    assert [found["scores"][part]["pass@1"]["value"] for part in ("all", "overlapping", "others")] == [0.75, 1.0, 0.5]
    assert "shop.py" in render(study_tables(found), "text")


def test_programs_that_stand_in_the_corpus_are_counted_by_problem(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"own/a": [(SOLUTION, True), ("x = 1\n", False)], "own/b": [(OTHER, True)]})
    found = copying(run, write_corpus(tmp_path / "c"), least=TOKENS)
    assert [row["longest_run"] == TOKENS for row in found["by_program"]] == [True, False, False]
    assert found["copied"]["value"] == 0.25
    assert copying(run, tmp_path / "c", least=TOKENS + 1)["copied"]["value"] == 0.0


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "c")
    with pytest.raises(InputError, match="no problem has a solution"):
        overlap([Problem("p", "", (Assert("assert 1"),))], folder)
    with pytest.raises(InputError, match="a run on other problems"):
        overlap(PROBLEMS, folder, run=write_run(tmp_path / "r", {"else": [("x = 1", True)]}))
    with pytest.raises(InputError, match="no programs"):
        copying(write_run(tmp_path / "e", {}), folder)
    with pytest.raises(InputError, match="not a run directory"):
        imports(folder)
    with pytest.raises(InputError, match="no program that parses"):
        imports(write_run(tmp_path / "s", {"own/a": [("def f(:", False)]}))


def test_packages_are_counted_and_those_that_exist_nowhere_are_named_with_what_they_are_near(tmp_path: Path) -> None:
    sources = ["import numpy.linalg as la\nimport os\n", "from reqeusts import get\nfrom . import own\n", "def f(:"]
    run = write_run(tmp_path / "run", {"own/a": [(source, False) for source in sources]})
    found = imports(run)
    assert {p["package"]: (p["programs"], p["kind"], p["near"]) for p in found["packages"]} == {
        "numpy": (1, "installed", None),
        "os": (1, "standard", None),
        "reqeusts": (1, "unknown", "requests"),
    }
    assert (found["programs"], found["parsed"], found["importing"]["a package that is unknown here"]["value"]) == (
        3,
        2,
        0.5,
    )
    assert "Unknown packages" not in render(study_tables(imports(run, known=["reqeusts"])), "text")
    assert "reqeusts" in render(study_tables(found), "text")


def test_names_far_from_all_known_ones_are_near_none() -> None:
    assert kind_of("zzyzxql") == {"kind": "unknown", "near": None}
    assert kind_of("maths")["near"] == "math"
    assert kind_of("tensorflow")["kind"] in ("installed", "well known")
    assert imported("import a.b, c\nfrom d.e import f\n") == {"a", "c", "d"}
    assert not {name for name in well_known() if not name.isidentifier()}


def test_the_commands_print_tables_and_json(tmp_path: Path) -> None:
    write_corpus(tmp_path / "c")
    write_run(tmp_path / "run", {"own/a": [(SOLUTION, True)]})

    def study(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "regreen.cli", "study", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert json.loads(study("copying", "run", "--corpus", "c", "--least", "30", "--json", "-q").stdout)["copied"]
    assert "Overlap with the corpus" in study("overlap", "katas:test", "--corpus", "c", "--limit", "3", "-q").stdout
    refused = study("imports", "run", "--known", "no.txt")
    assert (refused.returncode, "no.txt" in refused.stderr) == (2, True)
