"""Spans from a static analyser: only what is found, and only in the line that failed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.problem import Assert, Problem
from regreen.train.analysed import MOST, Analysed, findings
from regreen.train.placing import places_of
from regreen.train.rewards import FINE, Signal
from regreen.train.weighing import ALPHA_CAP, PAPER, Group, Judged, Term, Written, paper
from regreen.verdict import CheckResult, Outcome, Verdict

PROBLEM = Problem("p", "", (Assert("assert f(1) == 2"), Assert("assert f(2) == 4")), entry_point="f")

# name: the program, and the characters at fault
FOUND = {
    "an undefined name": ("def f(x):\n    return 2 * mising\n", ["mising"]),
    "a name used before it is given": ("y = 1\ndef f(x):\n    z = y + x\n    y = z\n    return y\n", ["y"]),
    "a variable that is never used": ("def f(x):\n    unused = x[0]\n    return x\n", ["unused"]),
    "two names, behind letters of several bytes": ("def f(x):\n    return 'ä中🙂' + one + two\n", ["one", "two"]),
    "a format that lacks a value": ("def f(x):\n    return '%s %s' % (x,)\n", ["return '%s %s' % (x,)"]),
    "lines that end in CR LF": ("def f(x):\r\n    y = x\r\n    return y + z\r\n", ["z"]),
    "a value that the parser did not want": ("def f(x):\n    y = x x\n    return y\n", ["x"]),
    "a bracket too many, on the last line": ("def f(x):\n    return max(x, 1))\n", [")"]),
    "an indent too many": ("def f(x):\n    y = x\n        z = y\n    return z\n", ["        z = y"]),
    "a return outside": ("def f(x):\n    return x\nreturn f\n", ["return f"]),
}
NOTHING = {
    "a program that passes": "def f(x):\n    unused = 1\n    return 2 * x\n",
    "a wrong answer": "def f(x):\n    unused = 1\n    return x\n",
    "a finding on another line": "def f(x):\n    unused = 1\n    return x[0]\ndef g():\n    return missing\n",
    "a wrong attribute, which no name tells": "def f(x):\n    return [x].push(x)\n",
    "an import that is not used": "def f(x):\n    import nothing_such\n    return x\n",
    "an endless call": "def f(x):\n    unused = f(x)\n    return x\n",
    "a text that ends too early": "def f(x):\n    return max(x,\n        x",
    "no program": "",
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_in_the_failed_line_is_at_fault(name, sandbox):
    source, wanted = FOUND[name]
    signal = Analysed()(PROBLEM, source, sandbox.judge_now(PROBLEM, source))
    assert [source[span.begin : span.end] for span in signal.spans] == wanted
    assert signal.value == FINE


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_at_fault_where_nothing_failed_or_nothing_is_found_in_the_line_that_did(name, sandbox):
    verdict = sandbox.judge_now(PROBLEM, NOTHING[name])
    assert verdict.passed == (name == "a program that passes")
    assert Analysed()(PROBLEM, NOTHING[name], verdict) == Signal(0.0)


def test_the_prelude_s_names_are_known_and_lines_are_the_program_s_own():
    source = "from math import pi\ndef f(x):\n    return pi + sqrt(x) + missing\n"
    assert [source[begin:end] for begin, end, _ in findings(source)] == ["sqrt", "missing"]
    (span,) = findings(source, "from math import pi, sqrt\n\n\n")
    assert source[span.begin : span.end] == "missing"


def raised(line, text):
    return Verdict(Outcome.EXCEPTION, (CheckResult(0, Outcome.EXCEPTION, error_type="E", line=line, line_text=text),))


@pytest.mark.parametrize(
    "source",
    [
        "\0", "x = 1\0", "\ud800", "\ufeffx = y", "x = " + "(" * 5000, "x = [\n" * 2000, "x = " + "-" * 5000 + "1",
        "x = " + "+".join(["a"] * 100_000), "x = a" + ".b" * 5000, "lambda: " * 2000 + "1", "if a: pass\n" * 1500,
        "'" + "%s" * 9000 + "' % ()", "f'" + "{a}" * 5000 + "'", "x: '" + "a|" * 5000 + "a'", "a" * 1_000_000,
        "\n".join(" " * n + f"def f{n}():" for n in range(150)), "\f\v\x1c\x85\u2028 = y", "def f(): pass\n" * 1400,
    ],
)  # fmt: skip
def test_hostile_programs_are_read_or_left(source):
    for verdict in (raised(1, None), Verdict(Outcome.SYNTAX_ERROR, (CheckResult(0, Outcome.SYNTAX_ERROR),))):
        signal = Analysed()(PROBLEM, source, verdict)
        assert signal.value in (0.0, FINE)
        assert all(0 <= span.begin < span.end <= len(source) for span in signal.spans)


def test_a_program_that_is_too_long_has_no_findings():
    source = "print(missing)\n"
    padding = "#" * (MOST - len(source))
    assert findings(source + padding)
    assert findings(source + padding + "#") == []


PIECES = [
    "x",
    "y",
    "é",
    "🙂",
    " ",
    "    ",
    "\n",
    "\r\n",
    "\t",
    "(",
    ")",
    "=",
    "def f():",
    "import ",
    "return ",
    "'",
    ":",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.sampled_from(["", "import x\n"]))
def test_findings_lie_in_the_program_and_never_span_lines(source, prelude):
    for begin, end, weight in findings(source, prelude):
        assert 0 <= begin <= end <= len(source)
        assert "\n" not in source[begin:end]
        assert weight == 1


def test_it_is_one_more_term_whose_span_weighs_as_much_as_a_whole_program(sandbox, pieces):
    text = "    total = x + 1\n    return total + missing\n"
    tokens = list(pieces(text, add_special_tokens=False)["input_ids"])
    source = f"def f(x):\n{text}"
    program = Written([2, 3], tokens, text, places_of(pieces, text, tokens), source, sandbox.judge_now(PROBLEM, source))
    greedy = Judged(source, program.verdict)
    term = Term("analysed", Analysed(), compared=False)
    (alone,) = paper(Group(PROBLEM, [program]), terms=[term], baseline="none")
    touched = np.flatnonzero(alone.lesson.rl[2:])
    assert "".join(text[slice(*program.places[at])] for at in touched).strip() == "missing"
    assert alone.uncapped == len(tokens) / len(touched)
    assert alone.alpha == min(ALPHA_CAP, alone.uncapped)
    assert alone.lesson.rl.sum() == pytest.approx(FINE * alone.alpha * len(touched), rel=1e-5)
    (without,) = paper(Group(PROBLEM, [program], greedy))
    (both,) = paper(Group(PROBLEM, [program], greedy), terms=[*PAPER, term])
    assert both.lesson.rl == pytest.approx(without.lesson.rl + alone.lesson.rl, rel=1e-5)
    assert both.values["analysed"] == FINE
