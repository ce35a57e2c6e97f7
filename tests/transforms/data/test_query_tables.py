"""Tables of identifiers that others wrote: what is read is what they wrote, letter for letter."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.data.query_tables import files_sql

COLUMNS = {"query": ("query_id", "VARCHAR"), "score": ("score", "DOUBLE")}


def read(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection, files_sql([str(path)], COLUMNS) as sql:
        return connection.execute(sql).fetchall()


def as_jsonl(folder: Path, identifiers: Sequence[object]) -> list[tuple[Any, ...]]:
    rows = [{"query_id": name, "score": 0.5} for name in identifiers]
    path = folder / "scores.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read(path)


def as_parquet(folder: Path, identifiers: Sequence[object]) -> list[tuple[Any, ...]]:
    path = folder / "query_id=0" / "scores.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"query_id": identifiers, "score": [0.5] * len(identifiers)}), path)
    return read(path)


@pytest.mark.parametrize(
    "identifiers",
    [
        ["550E8400-E29B-41D4-A716-446655440000", "550E8400-E29B-41D4-A716-446655440001"],
        ["2020-01-01T00:00:00", "2020-01-02T00:00:00"],
        ["2020-1-1", "12:30:5", "0017", "1e3", "true", "null", "NaN", " a ", ""],
        ["[1, 2]", '{"a":  1}', '"quoted"'],
    ],
)
def test_identifiers_that_look_like_something_else_stay_as_they_are(
    identifiers: list[str], tmp_path: Path
) -> None:
    expected = [(name, 0.5) for name in identifiers]
    assert as_jsonl(tmp_path, identifiers) == expected
    assert as_parquet(tmp_path, identifiers) == expected


def test_a_number_beside_a_text_is_its_digits(tmp_path: Path) -> None:
    found = as_jsonl(tmp_path, ["a", 17, 12345678901234567890123])
    assert [name for name, _ in found] == ["a", "17", "12345678901234567890123"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_is_an_identifier(identifiers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        expected = [(name, 0.5) for name in identifiers]
        assert as_jsonl(Path(folder), identifiers) == expected
        assert as_parquet(Path(folder), identifiers) == expected


def test_what_a_line_lacks_is_null(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text('{"query_id": "a"}\n{"score": 1}\n')
    assert read(path) == [("a", None), (None, 1.0)]
