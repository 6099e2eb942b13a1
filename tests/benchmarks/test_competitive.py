from typing import Any

from regreen.benchmarks import load
from regreen.problem import Stdio

PUBLISHED = {
    "name": "1_A. Sum",
    "description": "Add.",
    "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
    "private_tests": {"input": ["3 4\n"], "output": ["7\n"]},
    "generated_tests": {"input": ["5 6\n", "1 2\n"], "output": ["11\n", "3\n"]},
    "source": 2,
    "difficulty": 7,
    "cf_rating": 800,
    "solutions": {"language": [2, 1, 3], "solution": ["int main", "print 1", "print(sum(map(int, input().split())))"]},
    "incorrect_solutions": {"language": [3, 4], "solution": ["print(3)", "class Main"]},
    "time_limit": {"seconds": 2, "nanos": 500000000},
}
SHORT = {
    "problem_id": "code_contests/0",
    "problem": "Add.\n\nInput\n\n\n1 2\n\n\nOutput\n\n\n3\n",
    "tests": [{"input": "5 6\n", "output": "11 \n"}, {"input": "1 2\n", "output": "3\n"}],
}
CODE_ELO = {
    "problem_id": "2034A",
    "title": "Sum",
    "rating": 900,
    "description": "Add.",
    "input": "Two numbers.",
    "output": "Their sum.",
    "interaction": "",
    "note": "Easy.",
    "examples": [["1 2", "3"], ["3 4", "7"]],
}


def only(spec: str, data: Any) -> Any:
    (problem,) = load(spec, data=data).problems()
    return problem


def test_public_tests_come_first_and_are_shown_and_none_counts_twice(write: Any) -> None:
    problem = only("codecontests:valid", write("codecontests/valid.jsonl.gz", [PUBLISHED]))
    assert problem.checks == (Stdio("1 2\n", "3\n"), Stdio("3 4\n", "7\n"), Stdio("5 6\n", "11\n"))
    assert problem.shown == (0,)
    assert (problem.id, problem.meta["split"]) == ("1_A. Sum", "valid")


def test_right_and_wrong_python_solutions_are_kept_by_language(write: Any) -> None:
    problem = only("codecontests", write("codecontests/test.jsonl", [PUBLISHED]))
    assert [entry["language"] for entry in problem.meta["solutions"]] == ["python2", "python3"]
    assert problem.meta["incorrect_solutions"] == [{"language": "python3", "source": "print(3)"}]
    assert problem.solution == "print(sum(map(int, input().split())))"
    assert (problem.meta["time_limit"], problem.meta["source"]) == (2.5, "codecontests")


def test_the_short_form_shows_what_its_statement_shows(write: Any) -> None:
    problem = only("codecontests", write("competitive/code_contests_even.jsonl.gz", [SHORT]))
    assert problem.shown == (1,)


def test_codeforces_tests_are_all_examples_of_the_statement(write: Any) -> None:
    short = {**SHORT, "problem_id": "codeforces/0", "problem": "Add."}
    problem = only("codeforces", write("competitive/codeforces_even.jsonl.gz", [short]))
    assert problem.shown == problem.revealed == (0, 1)
    assert (problem.id, problem.meta["source"]) == ("codeforces/0", "codeforces")


def test_the_hubs_codeforces_form_has_examples_and_titled_parts(write: Any) -> None:
    problem = only("codeforces", write("codeforces/test.jsonl", [CODE_ELO]))
    assert problem.statement == "Add.\n\nInput\n\nTwo numbers.\n\nOutput\n\nTheir sum.\n\nNote\n\nEasy."
    assert problem.checks == (Stdio("1 2", "3"), Stdio("3 4", "7"))
    assert (problem.shown, problem.meta["rating"]) == ((0, 1), 900)


def test_rows_without_tests_are_left_out(write: Any) -> None:
    data = write(
        "competitive/code_contests.jsonl", [{**SHORT, "tests": []}, {**SHORT, "problem_id": "code_contests/1"}]
    )
    assert only("codecontests", data).id == "code_contests/1"
