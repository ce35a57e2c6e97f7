"""Rows of every format and container; what is broken is named by file and row."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.foreign import rows
from negmine.transforms.foreign.columns import left_alone
from negmine.transforms.foreign.rows import Passage
from tests.transforms.foreign.sets import (
    Mined,
    flagembedding,
    msmarco,
    n_tuples,
    tevatron,
    triplets,
    write_jsonl,
    write_table,
)

ROWS = [
    Mined("what is a cell", "a cell is small", ("a river", "a 東京 tower")),
    Mined("what is a star", "a star is hot", ("a stone", "a\u2028line")),
]


def upper(text: str) -> str:
    return text.upper().replace(" ", "-")


def texts(path: Path, format: str) -> list[Mined]:
    return [
        Mined(row.query.text, row.positives[0].text, tuple(n.document.text for n in row.negatives))
        for row in rows(str(path), format)
    ]


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow", "f.jsonl", "f.jsonl.gz"])
def test_n_tuples_read_the_same_from_every_container(name: str, tmp_path: Path) -> None:
    records = [{**record, "scores": [1.0, 0.5, 0.1], "row": 7} for record in n_tuples(ROWS)]
    path = tmp_path / name
    if "jsonl" in name:
        write_jsonl(path, records)
    else:
        write_table(path, pa.Table.from_pylist(records))
    assert texts(path, "n_tuple") == ROWS


def test_the_stream_format_of_datasets_is_read(tmp_path: Path) -> None:
    path = write_table(tmp_path / "f.arrow", pa.Table.from_pylist(n_tuples(ROWS)), stream=True)
    assert texts(path, "n_tuple") == ROWS


def test_columns_count_by_order_and_not_by_name(tmp_path: Path) -> None:
    records = [{"z": "query", "label": "x", "a": "positive", "id": 3, "m": "negative"}]
    path = write_jsonl(tmp_path / "f.jsonl", records)
    assert texts(path, "triplet") == [Mined("query", "positive", ("negative",))]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("query_id query positive negative_1", "'query_id', which is called like an identifier"),
        ("id anchor positive negative", "'id', which is called like an identifier"),
        ("a b docid", "'docid', which is called like an identifier, would be the negative"),
        ("negative positive anchor", "'negative' would be the anchor"),
        ("positive anchor negative", "'positive' would be the anchor"),
        ("negative_1 anchor positive negative_2", "'negative_1' would be the anchor"),
        ("source query positive negative_1", "'query' would be the positive"),
        ("a positive query", "'query' would be the negative"),
    ],
)
@pytest.mark.parametrize("container", ["f.jsonl", "f.parquet"])
def test_names_that_gainsay_the_order_are_refused(
    columns: str, said: str, container: str, tmp_path: Path
) -> None:
    record = {name: f"text of {name}" for name in columns.split()}
    path = tmp_path / container
    if container == "f.jsonl":
        write_jsonl(path, [record])
    else:
        write_table(path, pa.Table.from_pylist([record]))
    with pytest.raises(DataError, match=said):
        list(rows(str(path), "n_tuple"))


@pytest.mark.parametrize(
    "columns", ["query answer hard", "question_text pos neg", "a positive hard_negative_1 neg2"]
)
def test_names_that_do_not_gainsay_the_order_are_taken(columns: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "f.jsonl", [{name: name for name in columns.split()}])
    ((*_, negatives),) = texts(path, "n_tuple")
    assert list(negatives) == columns.split()[2:]


@pytest.mark.parametrize("container", ["f.jsonl", "f.parquet"])
def test_columns_beside_named_negatives_are_left_alone(container: str, tmp_path: Path) -> None:
    made = [{**record, "source": "web", "doc_id": "d1"} for record in n_tuples(ROWS)]
    path = tmp_path / container
    if container == "f.jsonl":
        write_jsonl(path, made)
    else:
        write_table(path, pa.Table.from_pylist(made))
    assert texts(path, "n_tuple") == ROWS
    assert left_alone(path, "n_tuple") == ["source", "doc_id"]


def test_list_formats_keep_their_places_and_identifiers(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "f.jsonl", flagembedding(ROWS))
    assert texts(path, "flagembedding") == ROWS
    path = write_jsonl(tmp_path / "t.jsonl", tevatron(ROWS, upper, upper))
    assert texts(path, "tevatron") == ROWS
    (first, _) = rows(str(path), "tevatron")
    assert first.query.id == "WHAT-IS-A-CELL"
    assert [(n.place, n.document.id) for n in first.negatives] == [
        (1, "A-RIVER"),
        (2, "A-東京-TOWER"),
    ]


def test_msmarco_lists_are_kept_apart_by_system(tmp_path: Path) -> None:
    record = {"qid": 3, "pos": [7], "neg": {"bm25": [1, 2], "dense": [{"pid": 1, "ce-score": 2.0}]}}
    path = write_jsonl(tmp_path / "f.jsonl.gz", [record])
    (row,) = rows(str(path), "msmarco")
    assert row.query == Passage("3", "")
    assert [(n.list, n.place, n.document.id) for n in row.negatives] == [
        ("bm25", 1, "1"),
        ("bm25", 2, "2"),
        ("dense", 1, "1"),
    ]


def test_a_negative_may_be_null_where_a_row_is_short(tmp_path: Path) -> None:
    records = n_tuples(ROWS)
    records[1]["negative_2"] = None
    path = write_table(tmp_path / "f.parquet", pa.Table.from_pylist(records))
    assert [row.negatives for row in texts(path, "n_tuple")] == [ROWS[0].negatives, ("a stone",)]


GOOD = flagembedding(ROWS)[0]
BROKEN: list[tuple[str, Any, str]] = [
    ("flagembedding", '{"query": "q", "pos": ', "not JSON"),
    ("flagembedding", "[1]", "expected an object"),
    ("flagembedding", {**GOOD, "neg": []}, "neg is an empty list"),
    ("flagembedding", {**GOOD, "pos": []}, "pos is an empty list"),
    ("flagembedding", {**GOOD, "neg": "text"}, "neg is str, expected a list"),
    ("flagembedding", {"pos": ["a"], "neg": ["b"]}, "query is missing"),
    ("flagembedding", {**GOOD, "neg": ["a", " "]}, "neg 2 is empty"),
    ("flagembedding", {**GOOD, "neg": ["\ud800"]}, "lone surrogate"),
    ("tevatron", GOOD, "positive_passages is missing, expected a list"),
    ("tevatron", {**tevatron(ROWS, upper, upper)[0], "negative_passages": ["x"]}, "expected an"),
    ("msmarco", GOOD, "neg is list, expected"),
    ("msmarco", {"qid": 1, "pos": [1], "neg": {"bm25": []}}, "neg names no document"),
    ("triplet", {"anchor": "q", "positive": None, "negative": "n"}, "positive is missing"),
    ("triplet", {"anchor": "q", "positive": "p", "negative": 3}, "expected text"),
]


@pytest.mark.parametrize(("format", "line", "reason"), BROKEN)
def test_a_broken_line_is_named(format: str, line: Any, reason: str, tmp_path: Path) -> None:
    made = {
        "flagembedding": flagembedding(ROWS),
        "tevatron": tevatron(ROWS, upper, upper),
        "msmarco": msmarco(ROWS, upper, upper),
        "triplet": triplets(ROWS[:1]),
    }
    good = [json.dumps(record) for record in made[format]]
    bad = line if isinstance(line, str) else json.dumps(line)
    path = tmp_path / "f.jsonl"
    path.write_text("\n".join([*good, "", bad]) + "\n")
    with pytest.raises(DataError, match=reason) as error:
        list(rows(str(path), format))
    assert f"{path} line {len(good) + 2}" in str(error.value)


def test_the_columns_that_a_format_needs_are_named(tmp_path: Path) -> None:
    pairs = write_table(
        tmp_path / "pairs.parquet", pa.table({"a": ["x"], "b": ["y"], "score": [1]})
    )
    with pytest.raises(DataError, match=r"2 columns of text.*a, b.*all columns: a, b, score"):
        list(rows(str(pairs), "triplet"))
    wide = write_table(tmp_path / "wide.parquet", pa.Table.from_pylist(n_tuples(ROWS)))
    with pytest.raises(DataError, match="give --format n_tuple"):
        list(rows(str(wide), "triplet"))
    with pytest.raises(DataError, match="row 1: pos is missing"):
        list(rows(str(wide), "flagembedding"))
    (tmp_path / "f.csv").write_text("a,b,c\n")
    with pytest.raises(DataError, match=r"is CSV .* Convert it: python -c"):
        list(rows(str(tmp_path / "f.csv"), "triplet"))


@pytest.mark.parametrize("name", ["f.jsonl.gz", "f.parquet", "f.arrow"])
def test_a_truncated_file_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    records = n_tuples(ROWS) * 200
    if "jsonl" in name:
        write_jsonl(path, [{**record, "n": at} for at, record in enumerate(records)])
    else:
        write_table(path, pa.Table.from_pylist(records))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="cut off or damaged") as error:
        list(rows(str(path), "n_tuple"))
    assert str(path) in str(error.value)
