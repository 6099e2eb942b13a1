"""Problems from folders of competitions: every kind of folder, and what is left out for which reason."""

import zipfile

import pytest

from regreen import InputError, Stdio, benchmarks
from regreen.curate.importing import import_folder
from regreen.curate.importing.plain import paired

DOUBLE = "print(2 * int(input()))\n"
WRONG = "print(int(input()) ** 2)\n"
POLYGON = """<problem><judging><testset name="tests"><time-limit>1500</time-limit>
<input-path-pattern>tests/%02d</input-path-pattern><answer-path-pattern>tests/%02d.a</answer-path-pattern>
<tests><test sample="true"/><test/><test/></tests></testset></judging>
<assets><checker name="{checker}"/><solutions>
<solution tag="main"><source path="solutions/a.py" type="python.3"/></solution>
<solution tag="accepted"><source path="solutions/a.cpp" type="cpp.g++17"/></solution>
<solution tag="wrong-answer"><source path="solutions/b.py" type="python.3"/></solution>
</solutions></assets></problem>"""

FOLDERS = {
    "kattis/problem.yaml": "name: Double\nvalidator_flags: float_tolerance 1e-6\n",
    "kattis/problem_statement/problem.en.tex": "\\problemname{Double}\nDouble a number.\n",
    "kattis/problem_statement/problem.sv.tex": "Dubbla ett tal.\n",
    "kattis/data/sample/1.in": "2\n",
    "kattis/data/sample/1.ans": "4\n",
    "kattis/data/secret/big/02.in": "3\n",
    "kattis/data/secret/big/02.ans": "6\n",
    "kattis/data/secret/03.in": "4\n",
    "kattis/submissions/accepted/good.py": DOUBLE,
    "kattis/submissions/accepted/good.cpp": "int main(){}",
    "kattis/submissions/wrong_answer/square.py": WRONG,
    "own-checker/problem.yaml": "validation: custom\n",
    "own-checker/problem_statement/problem.en.tex": "Any.\n",
    "sets/polygon/problem.xml": POLYGON.format(checker="std::fcmp.cpp"),
    "sets/polygon/statement-sections/english/legend.tex": "Double a number.",
    "sets/polygon/statement-sections/english/input.tex": "A number.",
    "sets/polygon/statement-sections/russian/legend.tex": "?",
    "sets/polygon/tests/01": "2\r\n",
    "sets/polygon/tests/01.a": "4\r\n",
    "sets/polygon/tests/02": "5\n",
    "sets/polygon/tests/02.a": "10\n",
    "sets/polygon/solutions/a.py": DOUBLE,
    "sets/polygon/solutions/b.py": WRONG,
    "sets/polygon-checker/problem.xml": POLYGON.format(checker="check.cpp"),
    "sets/polygon-checker/statement-sections/english/legend.tex": "Any.",
    "sets/README.md": "These are sets of problems.",
    "dmoj/init.yml": "archive: tests.zip\nchecker: floats\ntest_cases:\n- {in: a.1, out: a.2, points: 1}\n"
    "- {batched: [{in: b.1, out: b.2}], points: 2}\n",
    "dmoj/problem.md": "Double a number.",
    "plain/statement.txt": "Double a number.\n\nInput:\n7\n\nOutput:\n14\n",
    "plain/input/input00.txt": "7\n",
    "plain/output/output00.txt": "14\n",
    "plain/input/input01.txt": "8\n",
    "plain/output/output01.txt": "16\n",
    "plain/input/input02.txt": "9\n",
    "plain/solution.py": DOUBLE,
    "plain/generator.py": "1/0",
    "weak/README.md": "Double a number.",
    "weak/1.in": "2\n",
    "weak/1.out": "4\n",
    "weak/solutions/ok.py": DOUBLE,
    "weak/wrong/square.py": WRONG,
    "red/problem.md": "Double a number.",
    "red/1.in": "3\n",
    "red/1.out": "6\n",
    "red/solution.py": WRONG,
    "untested/problem.md": "Double a number.",
    "unsaid/1.in": "3\n",
    "unsaid/1.out": "6\n",
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """What importing all of the folders says, and the problems by id."""
    root = tmp_path_factory.mktemp("contests")
    for name, text in FOLDERS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    with zipfile.ZipFile(root / "dmoj" / "tests.zip", "w") as file:
        for name, text in (("a.1", "2\n"), ("a.2", "4\n"), ("b.1", "3\n"), ("b.2", "6\n"), ("c.1", "0\n")):
            file.writestr(name, text)
    (root / "plain" / "input" / "input03.txt").write_bytes(b"\xff\xfe")
    (root / "plain" / "output" / "output03.txt").write_bytes(b"1")
    found = import_folder(root, root / "problems.jsonl")
    return found, {problem.id: problem for problem in benchmarks.load(root / "problems.jsonl").problems()}


def test_every_kind_of_folder_is_read_and_what_cannot_be_judged_is_dropped_for_its_reason(imported):
    found, problems = imported
    assert set(problems) == {"kattis", "sets/polygon", "dmoj", "plain", "weak"}
    assert found["dropped"] == {
        "needs a checker of its own": ["own-checker", "sets/polygon-checker"],
        "none of its solutions is green": ["red"],
        "has no statement": ["unsaid"],
        "has no tests": ["untested"],
    }
    assert found["seen"] == 10


def test_cases_are_paired_and_samples_are_shown(imported):
    _, problems = imported
    assert problems["kattis"].checks == (Stdio("2\n", "4\n", "floats"), Stdio("3\n", "6\n", "floats"))
    assert problems["sets/polygon"].checks == (Stdio("2\n", "4\n"), Stdio("5\n", "10\n"))
    assert problems["dmoj"].checks == (Stdio("2\n", "4\n", "floats"), Stdio("3\n", "6\n", "floats"))
    assert problems["plain"].checks == (Stdio("7\n", "14\n", "tokens"), Stdio("8\n", "16\n", "tokens"))
    assert {name: problem.shown for name, problem in problems.items()} == {
        "kattis": (0,), "sets/polygon": (0,), "dmoj": (), "plain": (0,), "weak": (),
    }  # fmt: skip


def test_statements_are_english_and_details_are_kept(imported):
    _, problems = imported
    assert "Double a number." in problems["kattis"].statement
    assert problems["sets/polygon"].statement == "Double a number.\n\nInput\n\nA number."
    assert problems["sets/polygon"].meta["time_limit"] == 1.5
    assert problems["kattis"].meta["name"] == "Double"


def test_solutions_are_judged_and_wrong_ones_kept_apart(imported):
    found, problems = imported
    assert problems["kattis"].solution == DOUBLE
    assert problems["dmoj"].solution is None
    assert problems["kattis"].meta["incorrect_solutions"] == [{"language": "python3", "source": WRONG}]
    assert problems["plain"].meta["solutions"] == [{"language": "python3", "source": DOUBLE}]
    assert found["wrong_that_pass"] == ["weak"]
    assert found["notes"] == [
        "1 of 5 problems have no Python solution",
        "1 tests left out: no UTF-8, or more than 1 MiB",
        "weak: a solution that is said to be wrong passes: its tests are weak",
    ]


def test_one_problem_alone_is_named_after_its_folder(tmp_path):
    for name in ("statement.md", "tests/1.in", "tests/1.out"):
        (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / name).write_text("3\n")
    import_folder(tmp_path / "one", tmp_path / "p.jsonl")
    assert [problem.id for problem in benchmarks.load(tmp_path / "p.jsonl").problems()] == ["one"]


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["10.in", "2.in", "2.out", "10.ans"], [("2.in", "2.out"), ("10.in", "10.ans")]),
        (["a/in/1.txt", "a/out/1.txt"], [("a/in/1.txt", "a/out/1.txt")]),
        (["input/1.in", "output/1.out"], [("input/1.in", "output/1.out")]),
        (["inputs/1.txt", "outputs/1.txt"], [("inputs/1.txt", "outputs/1.txt")]),
        (["input.txt", "output.txt"], [("input.txt", "output.txt")]),
        (["01", "01.a", "02"], [("01", "01.a")]),
        (["1.in.txt", "1.out.txt", "main.in"], [("1.in.txt", "1.out.txt")]),
        (["information.txt", "outformation.txt", "min/1", "mout/1"], []),
    ],
)
def test_inputs_find_their_outputs_by_name(names, pairs):
    assert list(paired(names)) == pairs


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"readme.txt": "nothing here"}, "no contest problem is in it"),
        ({"problem.yaml": "a: [1"}, "problem.yaml: not YAML"),
        ({"problem.yaml": "- 1"}, "expected a mapping"),
        ({"problem.xml": "<a>"}, "problem.xml: not XML"),
        ({"init.yml": "archive: no.zip", "problem.md": "x"}, "no.zip: cannot be read"),
        (
            {
                "problem.xml": POLYGON.replace("solutions/a.py", "../../a.py"),
                "statement-sections/english/legend.tex": "x",
            },
            "which is not in it",
        ),
    ],
)
def test_a_folder_that_cannot_be_read_is_named(tmp_path, files, said):
    for name, text in files.items():
        (tmp_path / "it" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "it" / name).write_text(text.replace("{checker}", "std::wcmp.cpp"))
    with pytest.raises(InputError, match=said):
        import_folder(tmp_path / "it", tmp_path / "p.jsonl")
    assert not (tmp_path / "p.jsonl").exists()
