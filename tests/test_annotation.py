"""The annotation sheet: blinded and shuffled out, and its marks counted in."""

import csv
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regreen.annotation import CATEGORIES, WRONG, read_sheet, remarks, write_sheet
from regreen.errors import InputError
from regreen.problem import Assert, Problem
from regreen.report import annotation_tables, render
from regreen.run import Run, Settings
from regreen.tree import Node

PROGRAM = "def f():\n    return 0\n"
WRITERS = ["gpt-4", "starcoder"]


def make_run(path, texts=8):
    """Feedback by two models and a person's hint, on one problem."""
    with Run(path, Settings("repair", "toy", {"model": "starcoder"}, {})) as run:
        run.add_problem(Problem("toy/f", "Write f, which returns 1.", (Assert("assert f() == 1"),)))
        run.add_node(Node("toy/f", "0", "program", text=PROGRAM, source=PROGRAM))
        for at in range(texts):
            run.add_node(Node("toy/f", f"0.{at}", "feedback", text=f"remark {at}", model=WRITERS[at % 2]))
            run.add_node(Node("toy/f", f"0.{at}.0", "repair", text="x", source="x"))
        run.add_node(Node("toy/f", f"0.{texts}", "hint", text="= 1, not 0"))
        run.add_node(
            Node("toy/f", f"0.{texts + 1}", "joint", text="Joint.\n```\ny\n```", source="y\n", model="starcoder")
        )
        run.complete()
    return path


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")


def rows_of(sheet):
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(sheet, marks):
    """Write marks, a function of a row, into a sheet, rows in another order, as a spreadsheet might save them."""
    rows = sorted(({**row, **marks(row)} for row in rows_of(sheet)), key=lambda row: row["feedback"])
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*CATEGORIES, "feedback", "id", "note"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_has_every_text_its_program_and_statement_and_does_not_say_who_wrote_it(run, tmp_path):
    assert write_sheet([run], tmp_path / "s.csv")["texts"] == 10
    rows = rows_of(tmp_path / "s.csv")
    assert {row["feedback"] for row in rows} == {f"remark {at}" for at in range(8)} | {"'= 1, not 0", "Joint."}
    assert {(row["program"], row["statement"]) for row in rows} == {(PROGRAM, "Write f, which returns 1.")}
    assert all(row[name] == "" for row in rows for name in CATEGORIES)
    text = (tmp_path / "s.csv").read_text()
    assert not any(writer in text for writer in (*WRITERS, "person"))


def test_the_order_is_the_seed_s_and_a_limit_takes_as_many_of_each_writer(run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sheet([run], tmp_path / name, seed=seed)
    a, b, c = ([row["id"] for row in rows_of(tmp_path / name)] for name in "abc")
    assert a == b != c
    assert sorted(a) == sorted(c)
    writers = {remark.id: remark.writer for remark in remarks([run])}
    assert [writers[id] for id in a] != sorted(writers.values())
    write_sheet([run], tmp_path / "d", limit=2)
    chosen = [writers[row["id"]] for row in rows_of(tmp_path / "d")]
    assert sorted(chosen) == ["gpt-4", "gpt-4", "person", "starcoder", "starcoder"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.sets(st.sampled_from(sorted(CATEGORIES))), min_size=10, max_size=10), st.data())
def test_the_table_is_what_counting_the_marks_by_hand_gives(run, tmp_path, chosen, data):
    sheet = tmp_path / "s.csv"
    sheet.unlink(missing_ok=True)
    write_sheet([run], sheet)
    marks = {row["id"]: found for row, found in zip(rows_of(sheet), chosen, strict=True)}
    said = data.draw(st.sampled_from(["x", " X ", "1", "yes", "TRUE"]))
    fill(sheet, lambda row: {name: said if name in marks[row["id"]] else "0" for name in CATEGORIES})
    found = read_sheet([run], sheet)
    assert found["unmarked"] == 0
    writers = {remark.id: remark.writer for remark in remarks([run])}
    for writer, tally in found["writers"].items():
        mine = [marks[id] for id in marks if writers[id] == writer]
        right = [found for found in mine if WRONG not in found]
        assert tally["texts"] == len(mine)
        assert {name: tally[name] for name in CATEGORIES} == {n: sum(n in m for m in mine) for n in CATEGORIES}
        assert tally["seemingly_correct"] == len(right)
        for name, count in tally["of_seemingly_correct"].items():
            assert count == sum(name in found for found in right)
    assert sum(tally["texts"] for tally in found["writers"].values()) == 10


def test_rows_without_any_mark_are_left_out_and_one_nought_says_that_nothing_fits(run, tmp_path):
    write_sheet([run], tmp_path / "s.csv")
    fill(tmp_path / "s.csv", lambda row: {"uncertain": "0"} if row["feedback"] == "remark 1" else {})
    found = read_sheet([run], tmp_path / "s.csv")
    assert (found["unmarked"], found["writers"]["starcoder"]["texts"], list(found["writers"])) == (9, 1, ["starcoder"])
    assert "0 of 1 (0 %)" in render(annotation_tables(found))


def test_several_runs_share_a_sheet(run, tmp_path):
    other = make_run(tmp_path / "other", texts=9)
    assert write_sheet([run, other], tmp_path / "s.csv")["texts"] == 13  # the same node with the same words is one text
    with pytest.raises(InputError, match="no feedback '"):
        read_sheet([run], tmp_path / "s.csv")
    assert read_sheet([other, run], tmp_path / "s.csv")["unmarked"] == 13


def bad(sheet, change):
    rows = rows_of(sheet)
    names = list(rows[0])
    change(rows, names)
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows, names: rows[2].update(has_code="maybe"), "row 4, column has_code: 'maybe' is no mark; write x"),
        (lambda rows, names: rows[1].update(id="f00"), "row 3, column id: no feedback 'f00' in these runs; give"),
        (lambda rows, names: rows.append(rows[0]), "row 12, column id: "),
        (lambda rows, names: names.remove("uncertain"), "row 1: no column 'uncertain'; keep the columns"),
        (lambda rows, names: names.remove("id"), "row 1: no column 'id'"),
    ],
)
def test_a_bad_sheet_is_one_line_that_names_row_and_column(run, tmp_path, change, message):
    sheet = tmp_path / "s.csv"
    write_sheet([run], sheet)
    bad(sheet, lambda rows, names: [row.update(uncertain="x") for row in rows])
    bad(sheet, change)
    with pytest.raises(InputError) as caught:
        read_sheet([run], sheet)
    assert str(caught.value).startswith(f"{sheet}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_csv_a_sheet_that_is_there_and_a_run_without_feedback_are_refused(run, tmp_path):
    (tmp_path / "s.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"s\.csv: cannot be read as CSV in UTF-8"):
        read_sheet([run], tmp_path / "s.csv")
    with pytest.raises(InputError, match="is there already and may hold marks; give another name"):
        write_sheet([run], tmp_path / "s.csv")
    with Run(tmp_path / "empty", Settings("repair", "toy", {}, {})):
        pass
    with pytest.raises(InputError, match="no feedback to annotate"):
        write_sheet([tmp_path / "empty"], tmp_path / "t.csv")


def annotate(*arguments):
    command = [sys.executable, "-m", "regreen.cli", "annotate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_writes_a_sheet_and_reads_it_back(run, tmp_path):
    sheet = tmp_path / "s.csv"
    done = annotate(run, "-o", sheet)
    assert (done.returncode, done.stdout.splitlines()[0][:8]) == (0, "10 texts")
    fill(sheet, lambda row: {"small_change": "x"})
    assert json.loads(annotate(run, "--sheet", sheet, "--json").stdout)["writers"]["gpt-4"]["small_change"] == 4
    assert "Among seemingly correct feedback" in annotate(run, "--sheet", sheet).stdout
    done = annotate(run)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "give either -o, to write a sheet, or --sheet" in done.stderr
