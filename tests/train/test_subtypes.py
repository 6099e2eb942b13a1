"""Which part of a failed program is at fault: programs judged in the real sandbox, and lines found in sources."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.attempt.judging import no_program
from regreen.problem import Assert, Problem, Stdio
from regreen.sandbox import Limits, LocalSandbox
from regreen.train.subtypes import (
    PAPER_RULES,
    RULES,
    Rule,
    SubType,
    category_of,
    fault_of,
    lines_of,
    span_of_line,
    subtype_of,
)
from regreen.verdict import CheckResult, Outcome, Verdict

IGNORE, LINE, WHOLE = SubType
PROBLEM = Problem("p", "", (Assert("assert f(1) == 2"), Assert("assert f(2) == 4")), entry_point="f")
READS = Problem("q", "", (Stdio("1\n", "2\n"),))

# name: the program, its kind, and the line at fault
LOADS = {
    "tabs and spaces": ("def f(x):\n\ty = x\n        return y\n", IGNORE, None),
    "a line left of all levels": ("def f(x):\n        y = x\n    return y\n", IGNORE, None),
    "an endless docstring": ('def f(x):\n    """Double it.\n    return x\n', IGNORE, None),
    "an endless raw string": ("def f(x):\n    return rf'''x\n", IGNORE, None),
    "an argument twice": ("def f(x, x):\n    return x\n", IGNORE, None),
    "a star in a function": ("def f(x):\n    from math import *\n    return x\n", IGNORE, None),
    "a null byte": ("def f(x):\n    return '\0'\n", IGNORE, None),
    "cut in a bracket": ("def f(x):\n    return max(x,\n        x", WHOLE, None),
    "cut after a header": ("def g(x):\n    return x\n\ndef f(x):\n", WHOLE, None),
    "cut in a try": ("def f(x):\n    try:\n        return x\n", WHOLE, None),
    "cut in a word": ("def f(x):\n    return x if x els", WHOLE, None),
    "a quote open on the last line": ("def f(x):\n    return 'x\n", WHOLE, None),
    "a quote open before": ("def f(x):\n    y = 'x\n    return y\n", LINE, "y = 'x"),
    "two values": ("def f(x):\n    y = x x\n    return y\n", LINE, "y = x x"),
    "a closed docstring out of place": ('def f(x):\n    x """no"""\n    return x\n', LINE, 'x """no"""'),
    "a bracket open before": ("def f(x):\n    y = (x,\n    z = 1\n    return z\n", LINE, "y = (x,"),
    "an indent too many": ("def f(x):\n    y = x\n        z = y\n    return z\n", LINE, "        z = y"),
    "no block": ("def f(x):\nreturn x\ny = 1\n", LINE, "return x"),
    "a return outside": ("def f(x):\n    return x\nreturn f\ny = 1\n", LINE, "return f"),
    "a nonlocal of nothing": ("def f(x):\n    nonlocal y\n    return x\n", LINE, "nonlocal y"),
    "a line of CR LF": ("def f(x):\r\n    y = x x\r\n    return y\r\n", LINE, "y = x x"),
}
RUNS = {
    "a missing name": ("def f(x):\n    y = z\n    return y\n", LINE, "y = z"),
    "an index": ("def f(x):\n    y = [x]\n    return y[x]\n", LINE, "return y[x]"),
    "the same line twice": ("def g():\n    return z\ndef f(x):\n    return z\n", LINE, "return z"),
    "an exception without words": ("def f(x):\n    raise KeyError\n", LINE, "raise KeyError"),
    "no such module": ("import nothing_such\ndef f(x):\n    return x\n", LINE, "import nothing_such"),
    "a name that a module has not": ("from math import nothing\ndef f(x):\n    return x\n", LINE, None),
    "a subclass of RuntimeError": ("def f(x):\n    raise NotImplementedError\n", LINE, "raise NotImplementedError"),
    "RuntimeError": ("def f(x):\n    raise RuntimeError('no')\n", IGNORE, None),
    "an exit": ("def f(x):\n    raise SystemExit(3)\n", IGNORE, None),
    "nothing": ("", IGNORE, None),
    "no function": ("def g(x):\n    return x\n", IGNORE, None),
    "an endless call": ("def f(x):\n    return f(x)\n", WHOLE, None),
    "a wrong answer": ("def f(x):\n    return 3\n", IGNORE, None),
    "no failure": ("def f(x):\n    return 2 * x\n", IGNORE, None),
}


@pytest.mark.parametrize("name", [*LOADS, *RUNS])
def test_the_judge_s_verdict_leads_to_the_part_at_fault(name, sandbox):
    source, kind, line = (LOADS | RUNS)[name]
    verdict = sandbox.judge_now(PROBLEM, source)
    found = subtype_of(source, verdict)
    assert found.kind is kind, f"{verdict!r} {fault_of(source, verdict)}"
    assert (category_of(verdict) == "syntax") == (name in LOADS), verdict
    if line is not None:
        assert source[slice(*found.span)] == line
    if kind is not LINE:
        assert found.span is None


def test_an_answer_without_a_program_is_bad_syntax_with_nothing_at_fault():
    verdict = no_program(PROBLEM, "A")
    assert (category_of(verdict), subtype_of("", verdict)) == ("syntax", (IGNORE, None))


def test_a_program_that_runs_out_of_time_is_at_fault_as_a_whole():
    source = "def f(x):\n    while True: pass\n"
    with LocalSandbox(Limits(timeout=0.2), jobs=1) as hasty:
        verdict = hasty.judge_now(PROBLEM, source)
    assert (verdict.outcome, subtype_of(source, verdict)) == (Outcome.TIMEOUT, (WHOLE, None))


def test_of_two_equal_lines_the_one_that_raised_is_meant(sandbox):
    source = RUNS["the same line twice"][0]
    found = subtype_of(source, sandbox.judge_now(PROBLEM, source))
    assert found.span[0] == source.rindex("return z")


def test_a_program_that_reads_its_input_has_lines_of_its_own(sandbox):
    source = "x = int(input())\n\nprint(x / 0)\n"
    found = subtype_of(source, sandbox.judge_now(READS, source))
    assert source[slice(*found.span)] == "print(x / 0)"


def verdict_of(*outcomes, **more):
    checks = tuple(CheckResult(at, outcome, **more) for at, outcome in enumerate(outcomes))
    first = next((o for o in outcomes if o is not Outcome.PASSED), Outcome.PASSED)
    return Verdict(first or Outcome.TIMEOUT, checks)


OUTCOMES = st.lists(st.sampled_from([*Outcome, None]), min_size=1, max_size=6).filter(any)


@given(OUTCOMES)
def test_a_program_s_category_is_its_worst_check(outcomes):
    ranks = {Outcome.SYNTAX_ERROR: "syntax", Outcome.PASSED: "pass", Outcome.WRONG_ANSWER: "failure"}
    names = [ranks.get(outcome, "error") for outcome in outcomes if outcome is not None]
    names += ["error"] if next((o for o in outcomes if o is not Outcome.PASSED), True) is None else []
    worst = next(name for name in ("syntax", "error", "failure", "pass") if name in names)
    assert category_of(verdict_of(*outcomes)) == worst


def test_the_first_check_of_the_worst_category_says_where_and_not_the_first_that_failed():
    checks = (
        CheckResult(0, Outcome.WRONG_ANSWER),
        CheckResult(1, Outcome.EXCEPTION, error_type="IndexError", line=2, line_text="b"),
        CheckResult(2, Outcome.EXCEPTION, error_type="RuntimeError", line=1, line_text="a"),
    )
    fault = fault_of("a\nb\n", Verdict(Outcome.WRONG_ANSWER, checks))
    assert (fault.name, fault.line) == ("IndexError", 2)


def test_a_user_s_rule_before_ours_decides():
    raised = verdict_of(Outcome.EXCEPTION, error_type="KeyError", line=1, line_text="a")
    assert subtype_of("a\nb\n", raised) == (LINE, (0, 1))
    own = (Rule("run", ("KeyError",), WHOLE, lambda fault: fault.line == 1), *RULES)
    assert subtype_of("a\nb\n", raised, own) == (WHOLE, None)
    assert subtype_of("a\nb\n", raised, ()) == (IGNORE, None)


def test_by_the_paper_s_rules_an_error_on_the_last_line_of_a_whole_text_is_that_line_s(sandbox):
    for name, (source, kind, _) in LOADS.items():
        found = subtype_of(source, sandbox.judge_now(PROBLEM, source), PAPER_RULES)
        if name in ("cut in a word", "a quote open on the last line"):
            assert (found.kind, source[slice(*found.span)]) == (LINE, source.split("\n")[1].strip())
        else:
            assert found.kind is kind, name


def test_every_outcome_has_a_kind_by_its_type_whatever_its_message():
    kinds = {outcome: subtype_of("a\n", verdict_of(outcome)).kind for outcome in Outcome}
    assert {outcome for outcome, kind in kinds.items() if kind is WHOLE} == {Outcome.TIMEOUT}
    assert {kind for outcome, kind in kinds.items() if outcome is not Outcome.TIMEOUT} == {IGNORE}


@given(st.lists(st.sampled_from(["", "a", "  b", "\tc  ", "a\x0c"]), max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_lines_are_counted_as_python_counts_them(lines, end):
    text = end.join(lines)
    assert [text[slice(*line)] for line in lines_of(text)] == (lines or [""])


@given(st.lists(st.sampled_from(["a", " a", "b ", "", "c"]), min_size=1, max_size=6), st.integers(0, 8), st.data())
def test_a_line_is_found_by_number_and_text_together_or_else_by_a_text_that_stands_there_once(lines, number, data):
    text = data.draw(st.sampled_from(["a", "b", "c", "d", None]))
    source = "\n".join(lines)
    span = span_of_line(source, number or None, text)
    stripped = [line.strip() for line in lines]
    at_number = 1 <= number <= len(lines) and text in (None, stripped[number - 1])
    if at_number or (text and stripped.count(text) == 1):
        at = number - 1 if at_number else stripped.index(text)
        begin = sum(len(line) + 1 for line in lines[:at]) + len(lines[at]) - len(lines[at].lstrip())
        assert span == ((begin, begin + len(stripped[at])) if stripped[at] else None)
    else:
        assert span is None


def test_a_line_longer_than_what_the_judge_tells_is_found_all_the_same(sandbox):
    source = f"def f(x):\n    return z + {' + '.join('1' for _ in range(900))}\n"
    verdict = sandbox.judge_now(PROBLEM, source)
    assert len(verdict.checks[0].line_text) < len(source) - 20
    begin, end = subtype_of(source, verdict).span
    assert source[begin:end] == source.split("\n")[1].strip()


def test_a_line_that_the_source_has_not_is_ignored():
    raised = verdict_of(Outcome.EXCEPTION, error_type="KeyError", line=7, line_text="nowhere")
    assert subtype_of("a\nb\n", raised) == (IGNORE, None)
    unplaced = replace(raised, checks=(CheckResult(0, Outcome.EXCEPTION, error_type="KeyError"),))
    assert subtype_of("a\nb\n", unplaced) == (IGNORE, None)
