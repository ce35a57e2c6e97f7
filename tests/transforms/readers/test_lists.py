"""Pairs with several positives a query, in a list or in a row each, in every container."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import check, read, sources
from negmine.transforms.readers.rows import Bad
from tests.transforms.input_files import config, ingest, rows, write_lines

ASKED = ["what is a", "what is b", "what is c"]
NAN = float("nan")


def found(path: Path, **values: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of texts, and the reasons of bad rows."""
    made = config(format="pairs", path=str(path), bad_rows=1, **values)
    read_rows = [row for source in sources(made) for row in read(source, made, 1)]
    out = path.parent / "out"
    reasons = [row.reason for row in read_rows if isinstance(row, Bad)]
    ingest(made, out)
    queries, documents = rows(out, "queries"), rows(out, "documents")
    pairs = sorted(
        (queries[row["query_ix"]]["text"], documents[row["doc_ix"]]["text"])
        for row in rows(out, "positives")
    )
    return pairs, reasons


def table(folder: Path, positives: pa.Array, name: str = "positive") -> Path:
    path = folder / "pairs.parquet"
    pq.write_table(pa.table({"query": ASKED[: len(positives)], name: positives}), path)
    return path


TWO = [[f"{letter} one", f"{letter} two"] for letter in "ab"]
EXPECTED = [(f"what is {a}", f"{a} {n}") for a in "ab" for n in ("one", "two")]
STRUCTS = [[{"docid": "7", "title": v[0], "text": v[2:]} for v in values] for values in TWO]
ARRAYS = {
    "list": pa.array(TWO),
    "large list": pa.array(TWO, pa.large_list(pa.large_string())),
    "list of two": pa.array(TWO, pa.list_(pa.string(), 2)),
    "dictionary": pa.array(TWO, pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    "bytes": pa.array([[value.encode() for value in values] for values in TWO]),
    "structs": pa.array(STRUCTS),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_lists_in_parquet_are_several_positives(tmp_path: Path, kind: str) -> None:
    assert found(table(tmp_path, ARRAYS[kind])) == (EXPECTED, [])


@pytest.mark.parametrize("name", ["positive", "pos", "positives", "positive_passages", "answer"])
def test_lists_in_json_are_several_positives(tmp_path: Path, name: str) -> None:
    values = [{"query": query, name: list_} for query, list_ in zip(ASKED, TWO, strict=False)]
    assert found(write_lines(tmp_path / "p.jsonl", values)) == (EXPECTED, [])
    objects = [{"query": query, name: list_} for query, list_ in zip(ASKED, STRUCTS, strict=False)]
    assert found(write_lines(tmp_path / "p.jsonl", objects)) == (EXPECTED, [])


def test_a_query_repeated_is_a_query_with_several_positives(tmp_path: Path) -> None:
    values = [{"query": query, "positive": text} for query, text in EXPECTED]
    assert found(write_lines(tmp_path / "p.jsonl", [*values, values[0]])) == (EXPECTED, [])


def test_the_columns_may_have_any_name_that_is_told(tmp_path: Path) -> None:
    values = [{"Frage": query, "Antwort": text} for query, text in EXPECTED]
    path = write_lines(tmp_path / "p.jsonl", values)
    with pytest.raises(DataError, match=r"its columns are 'Frage', 'Antwort'\. Name it as input\."):
        check(config(format="pairs", path=str(path)))
    assert found(path, query="Frage", positive="Antwort") == (EXPECTED, [])


def test_a_positive_twice_in_a_list_is_one(tmp_path: Path) -> None:
    values = [{"query": "what is a", "pos": ["a one", "a two", "a one"]}]
    path = write_lines(tmp_path / "p.jsonl", values)
    assert found(path) == (EXPECTED[:2], [])
    assert len(rows(tmp_path / "out", "documents")) == 2


def test_one_bad_positive_costs_itself_alone(tmp_path: Path) -> None:
    values = [
        {"query": "what is a", "pos": ["a one", 3, " ", {"x": 1}, ["a"], "a two"]},
        {"query": "what is b", "pos": ["b one", None, NAN, "b two"]},
    ]
    pairs, reasons = found(write_lines(tmp_path / "p.jsonl", values))
    assert pairs == EXPECTED
    assert reasons == [
        "positive 2 of 6 is int, expected text",
        "positive 3 of 6 is empty",
        "positive 4 of 6 is an object without a text (text, document_text, passage, contents, "
        "content, body)",
        "positive 5 of 6 is list, expected text",
    ]


@pytest.mark.parametrize("empty", [[], [None], [NAN, None]])
def test_a_list_without_a_text_is_a_bad_row(tmp_path: Path, empty: list[Any]) -> None:
    values = [{"query": "what is a", "pos": TWO[0]}, {"query": "what is b", "pos": empty}]
    pairs, reasons = found(write_lines(tmp_path / "p.jsonl", values))
    assert (pairs, reasons) == (EXPECTED[:2], ["positive is a list without a text"])


def test_empty_null_and_broken_lists_in_parquet(tmp_path: Path) -> None:
    broken = pa.array([[b"a one", b"\xff", None], [], None])
    strings = pa.ListArray.from_arrays(
        broken.offsets, broken.values.view(pa.string()), mask=pa.array([False, False, True])
    )
    pairs, reasons = found(table(tmp_path, strings))
    assert pairs == EXPECTED[:1]
    assert reasons == [
        "positive 2 of 3 is not UTF-8: invalid start byte at byte 0",
        "positive is a list without a text",
        "positive is missing",
    ]


@pytest.mark.parametrize(
    "positives", [pa.array([[["a"]]]), pa.array([{"text": {"text": [["a"]]}}]), pa.array([[True]])]
)
def test_lists_of_anything_else_are_refused_or_bad(tmp_path: Path, positives: pa.Array) -> None:
    path = table(tmp_path, positives)
    with pytest.raises(DataError, match=r"'positive' holds (list|struct)|is bool, expected"):
        ingest(config(format="pairs", path=str(path)), tmp_path / "out")


def test_a_query_in_a_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"query": [["a"]], "positive": ["b"]}), path)
    with pytest.raises(DataError, match="column 'query' holds list"):
        check(config(format="pairs", path=str(path)))


@pytest.mark.parametrize("second", ["positives", "pos", "Positive", "positive_2"])
def test_of_several_columns_of_positives_none_is_left_out_unsaid(
    tmp_path: Path, second: str
) -> None:
    lines = [{"query": q, "positive": f"{q} one", second: f"{q} two"} for q in ASKED[:2]]
    write_lines(tmp_path / "pairs.jsonl", lines)
    pq.write_table(pa.Table.from_pylist(lines), tmp_path / "pairs.parquet")
    for path in (tmp_path / "pairs.jsonl", tmp_path / "pairs.parquet"):
        with pytest.raises(DataError, match=rf"set input\.positive=\[positive, {second}\] for all"):
            sources(config(format="pairs", path=str(path)))
        assert len(found(path, positive=["positive", second])[0]) == 4
        assert len(found(path, positive="positive")[0]) == 2
