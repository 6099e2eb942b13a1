"""Files that survive a kill, and what they add up to."""

import json

import pytest

from regreen.errors import InputError
from regreen.records import Counts, Lines, Places, read_counts, read_json, read_records, write_json


def test_records_come_back_in_order_and_by_place(tmp_path):
    lines = Lines(tmp_path / "a.jsonl")
    places = [lines.append({"i": i, "text": "é\ud800\n" * i}) for i in range(5)]
    assert [lines.at(place)["i"] for place in places] == [0, 1, 2, 3, 4]
    lines.close()
    found = [(place, record["i"]) for place, record in read_records(tmp_path / "a.jsonl")]
    assert found == list(zip(places, range(5), strict=True))


@pytest.mark.parametrize("torn", [b"{", b'{"i": 1}', b"\xff" * 200_000])
def test_a_torn_last_line_is_not_read_and_is_cut_off_at_opening(tmp_path, torn):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"i":0}\n' + torn)
    assert [record for _, record in read_records(path)] == [{"i": 0}]
    lines = Lines(path)
    lines.append({"i": 2})
    lines.close()
    assert [record["i"] for _, record in read_records(path)] == [0, 2]


def test_a_file_that_is_one_torn_line_is_emptied(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"i":')
    Lines(path).close()
    assert path.read_bytes() == b""


def test_a_line_that_is_no_record_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"i":0}\nnonsense\n{"i":1}\n')
    with pytest.raises(InputError, match=r"a\.jsonl:2: not a record"):
        list(read_records(path))


def test_a_key_has_one_place():
    places = Places()
    places.put(("p", 3, "sample"), 70)
    assert ("p", 3, "sample") in places
    assert places.find(("p", 3, "sample")) == 70
    for absent in (("p", 2, "sample"), ("p", 4, "sample"), ("q", 3, "sample"), ("p", 3, "control:x")):
        assert absent not in places
    with pytest.raises(ValueError, match="twice"):
        places.put(("p", 3, "sample"), 99)


def test_a_json_file_is_replaced_whole_and_a_broken_one_is_named(tmp_path):
    path = tmp_path / "m.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.json"]
    path.write_text("{")
    with pytest.raises(InputError, match=r"m\.json: cannot be read"):
        read_json(path)
    path.write_text("[1]")
    with pytest.raises(InputError, match=r"m\.json: expected a JSON object"):
        read_json(path)


def verdict(problem, outcome, checks, index=0, mode="separate", **more):
    records = [{"index": i, "outcome": o} for i, o in enumerate(checks)]
    return {"problem": problem, "index": index, "outcome": outcome, "checks": records, "mode": mode, **more}


def test_counts_tell_outcomes_exceptions_parts_and_refusals_apart():
    counts = Counts()
    counts.add_problem({"id": "a", "meta": {"scores": {"base": [0], "plus": [0, 1]}, "date": "2024-01-01"}})
    counts.add_verdict(verdict("a", "wrong_answer", ["passed", "wrong_answer"]))
    counts.add_verdict(verdict("a", "passed", ["passed", "passed"], index=1))
    failing = verdict("b", "exception", ["exception"], mode="shared")
    failing["checks"][0]["error_type"] = "KeyError"
    counts.add_verdict(failing)
    counts.add_program({"problem": "b", "index": 1, "error": "context too long"})
    counts.add_program({"problem": "b", "index": 2, "extraction": "none"})
    counts.add_verdict(verdict("b", "passed", ["passed"], index=7, role="control:resampling"))
    assert (counts.problems["a"].programs, counts.problems["a"].passed) == (2, 1)
    assert counts.problems["a"].passed_part == {"base": 2, "plus": 1}
    assert (counts.problems["b"].programs, counts.problems["b"].passed) == (2, 0)
    assert counts.exceptions == {"KeyError": 1}
    assert (counts.shared, counts.refused, counts.no_program) == ({"b"}, 1, 1)
    assert (counts.judged, counts.programs) == (3, 4)


def test_a_timed_out_check_fails_every_part_that_needs_it():
    counts = Counts()
    counts.add_problem({"id": "a", "meta": {"scores": {"base": [0], "plus": [0, 1]}}})
    counts.add_verdict(verdict("a", "timeout", ["passed", "timeout"]))
    counts.add_verdict(verdict("a", "timeout", ["timeout", None], index=1))
    assert counts.problems["a"].passed_part == {"base": 1}


@pytest.mark.parametrize(("settings", "programs"), [({}, 2), ({"order": "dfs", "full": False}, 1)])
def test_the_counts_of_a_directory_are_those_of_its_files_and_settings(tmp_path, settings, programs):
    write_json(tmp_path / "manifest.json", {"settings": settings})
    (tmp_path / "problems.jsonl").write_text('{"id":"a"}\n')
    lines = [{**verdict("a", "passed", ["passed"]), "index": index} for index in range(2)]
    (tmp_path / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = read_counts(tmp_path)
    assert found.outcomes == {"passed": 2}
    assert found.problems["a"].programs == programs
