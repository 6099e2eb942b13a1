import gzip
import json
from pathlib import Path

import pytest

from regreen.benchmarks.rows import read_rows
from regreen.errors import InputError

GZIPPED = gzip.compress(b'{"a": 1}\n' * 999)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_lines_lists_and_their_compressed_forms_read_alike(tmp_path: Path) -> None:
    rows = [{"a": 1}, {"a": 2}]
    lines, listed = "".join(json.dumps(r) + "\n" for r in rows).encode(), json.dumps(rows).encode()
    forms = {"l.jsonl": lines, "l.jsonl.gz": gzip.compress(lines), "j.json": listed, "j.json.gz": gzip.compress(listed)}
    for name, data in forms.items():
        assert [row.fields for row in read_rows(written(tmp_path / name, data))] == rows


def test_a_row_knows_its_line_even_after_empty_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", b'\n{"a": 1}\n\n{"a": 2}')
    assert [row.where for row in read_rows(path)] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1}\n{"a": \n', r"a\.jsonl:2: not JSON"),
        (b'{"a": "\xff"}\n', r"a\.jsonl:1: not UTF-8 text"),
        (b"[" * 100_000, r"a\.jsonl:1: not JSON"),
        (b"3\n", r"a\.jsonl:1: expected a JSON object, not int"),
        (b"\n\n", r"a\.jsonl: the file is empty"),
    ],
)
def test_a_bad_file_is_one_line_that_names_file_and_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        list(read_rows(written(tmp_path / "a.jsonl", data)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"no gzip", GZIPPED[:-9], GZIPPED[:12]], ids=["other", "torn", "head"])
def test_a_broken_gzip_file_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: not a whole gzip file"):
        list(read_rows(written(tmp_path / "a.jsonl.gz", data)))


def test_integers_longer_than_python_prints_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", b'{"a": -' + b"9" * 5000 + b"}")
    assert next(read_rows(path)).fields["a"] == -(10**5000 - 1)


def test_a_field_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    row = next(read_rows(written(tmp_path / "a.jsonl", b'{"a": 1}')))
    with pytest.raises(InputError, match=r"a\.jsonl:1: field 'a' cannot be int"):
        row.text("a")
    with pytest.raises(InputError, match=r"a\.jsonl:1: no field 'b'; this row has a"):
        row.text("b")
