"""Lists and objects that were written as text are no texts."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import (
    PAIR_TEXTS,
    PAIRS,
    QUERIES,
    TEXTS,
    jsonl,
    said,
)


def test_lists_that_were_written_as_text_are_refused(tmp_path: Path) -> None:
    rows = [{"query": q, "positives": str([t, t])} for q, t in zip(QUERIES, TEXTS, strict=True)]
    with pytest.raises(DataError, match=r"'positives' holds lists written as text .*to_parquet"):
        inspect(jsonl(tmp_path, rows))


WRITTEN = {
    "a list": str,
    "JSON": json.dumps,
    "a tuple": lambda texts: str(tuple(texts)),
    "a set": lambda texts: str(set(texts)),
    "an object": lambda texts: str({"text": texts[0]}),
    "objects": lambda texts: json.dumps([{"text": text} for text in texts]),
    "with nan": lambda texts: str([*texts, float("nan")]),
    "numbers": lambda texts: str([1, 2]),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("of", ["positive", "query", "text"])
def test_what_was_written_as_text_in_a_fifth_of_the_rows_is_refused(
    tmp_path: Path, kind: str, of: str
) -> None:
    """Of 300 rows the last 60: all of a file is looked at."""
    rows = [{"query": f"{q} {n}", "positive": t} for n in range(50) for q, t in PAIR_TEXTS]
    rows = [{"text": row["positive"]} for row in rows] if of == "text" else rows
    for row in rows[240:]:
        row[of] = WRITTEN[kind]([row[of], "another"])
    with pytest.raises(DataError, match=f"'{of}' holds lists written as text .* 60 of 300 rows"):
        inspect(jsonl(tmp_path, rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=f"'{of}' holds lists written as text .* 60 of 300 rows"):
        inspect(str(tmp_path / "rows.parquet"))


def test_empty_lists_among_the_written_ones_do_not_hide_them(tmp_path: Path) -> None:
    rows = [
        {"query": q, "positives": "[]" if at % 2 else str([t])}
        for at, (q, t) in enumerate(PAIR_TEXTS)
    ]
    with pytest.raises(DataError, match="6 of 6 rows"):
        inspect(jsonl(tmp_path, rows))


def test_a_few_texts_that_are_code_are_read_and_noted(tmp_path: Path) -> None:
    rows = [{"query": f"{q} {n}", "positive": t} for n in range(50) for q, t in PAIR_TEXTS]
    rows[7]["positive"] = rows[250]["positive"] = "[1, 2]"
    for row in rows[8:100]:
        row["positive"] = "(see above) and [1] or {x}"
    found = inspect(jsonl(tmp_path, rows))
    assert "2 of the 300 texts of positive are lists or objects written as text ([1, 2])" in said(
        found
    )


def test_lists_written_in_a_column_without_a_use_are_left_alone(tmp_path: Path) -> None:
    rows = [{**row, "tags": "['a', 'b']"} for row in PAIRS]
    assert "not used: tags" in said(inspect(jsonl(tmp_path, rows)))


def test_a_pool_of_lists_written_as_text_is_refused(tmp_path: Path) -> None:
    pool = jsonl(tmp_path, [{"text": str([t])} for t in TEXTS], "more.jsonl")
    with pytest.raises(DataError, match=r"more.jsonl: column 'text' holds lists written as text"):
        inspect(jsonl(tmp_path, PAIRS), pool=pool)
