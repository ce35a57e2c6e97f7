"""Paths into values, and pairs whose texts are deep in their rows or in several columns."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import check
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.nested import Path as Way
from negmine.transforms.readers.tables.nested import path_of
from tests.transforms.input_files import config, ingest, rows, write_lines, write_table

ROW: dict[str, Any] = {
    "a.b": "dotted",
    "a": {"b": "inner", "c": ["x", "y"]},
    "list": [{"t": "one", "n": [1, 2]}, {"t": "two"}],
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a.b", "dotted"),
        ("a.c", ["x", "y"]),
        ("a.c[1]", "y"),
        ("a.c[7]", None),
        ("a.nothing", None),
        ("list[].t", ["one", "two"]),
        ("list.t", ["one", "two"]),
        ("list[0].t", "one"),
        ("list[].n", [1, 2, None]),
    ],
)
def test_a_path_leads_to_a_value(written: str, value: object) -> None:
    path = path_of(written, list(ROW))
    assert path is not None
    assert path.of(ROW[path.column]) == value


@pytest.mark.parametrize("written", ["nothing", "nothing.b", "a.", "list[", "list[x]", "a..b", ""])
def test_what_is_no_path_from_a_column_is_none(written: str) -> None:
    assert path_of(written, list(ROW)) is None


@pytest.mark.parametrize("written", ["a.b.c", "list[0].t.u", "a[0]"])
def test_a_path_into_a_text_is_a_bad_row(written: str) -> None:
    path = path_of(written, ["a", "list"])
    assert path is not None
    with pytest.raises(Rejected, match=r"expected an object|expected a list"):
        path.of(ROW[path.column])


def test_nothing_leads_on_from_null() -> None:
    assert Way("a", ("b", None, 3)).of(None) is None


def found(path: Path, **values: Any) -> tuple[list[tuple[str, str, float | None]], list[str]]:
    """Pairs of texts with their grades, and every text of the corpus."""
    out = path.parent / "out"
    ingest(config(format="pairs", path=str(path), bad_rows=0, **values), out)
    queries, documents = rows(out, "queries"), rows(out, "documents")
    pairs = [
        (queries[row["query_ix"]]["text"], documents[row["doc_ix"]]["text"], row["grade"])
        for row in rows(out, "positives")
    ]
    return sorted(pairs, key=lambda pair: pair[:2]), sorted(row["text"] for row in documents)


SQUAD = [
    {"question": "who is a", "answers": {"text": ["a one", "a two"], "answer_start": [1, 2]}},
    {"question": "who is b", "answers": {"text": ["b one"], "answer_start": [4]}},
]
ANSWERED = [("who is a", "a one", None), ("who is a", "a two", None), ("who is b", "b one", None)]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.parquet", "rows.arrow"])
def test_texts_in_objects_are_positives_by_their_path(tmp_path: Path, name: str) -> None:
    path = write_table(tmp_path / name, SQUAD)
    pairs, _ = found(path, query="question", positive="answers.text")
    assert pairs == ANSWERED


def test_several_columns_are_positives_and_blank_ones_are_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("query,positive_1,positive_2\nwho is a,a one,a two\nwho is b,b one,\n")
    assert found(path, positive=["positive_1", "positive_2"])[0] == ANSWERED


def test_a_row_without_any_positive_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("query,positive_1,positive_2\nwho is a,a one,a two\nwho is b,,\n")
    with pytest.raises(DataError, match="line 3: positive is a list without a text"):
        found(path, positive=["positive_1", "positive_2"])


def test_given_negatives_join_the_corpus_and_are_no_positives(tmp_path: Path) -> None:
    values = [{"query": "who is a", "positive": "a one", "negative": ["b one", None, "c one"]}]
    pairs, corpus = found(write_lines(tmp_path / "r.jsonl", values), negative="negative")
    assert pairs == [("who is a", "a one", None)]
    assert corpus == ["a one", "b one", "c one"]


def test_a_row_with_negatives_counts_once(tmp_path: Path) -> None:
    values = [{"query": "who is a", "positive": "a one", "negative": ["b one", "c one"]}]
    path = write_lines(tmp_path / "r.jsonl", values)
    counts = ingest(config(format="pairs", path=str(path), negative="negative"), tmp_path / "out")
    assert (counts["rows"], counts["documents"]) == (1, 3)


def test_labels_say_what_is_a_positive_and_are_its_grade(tmp_path: Path) -> None:
    lines = ["query,text,label", "who is a,a one,2", "who is a,b one,0", "who is a,c one,1"]
    pairs, corpus = found(write_lines(tmp_path / "r.csv", lines), label="label")
    assert pairs == [("who is a", "a one", 2.0), ("who is a", "c one", 1.0)]
    assert corpus == ["a one", "b one", "c one"]
    pairs, _ = found(tmp_path / "r.csv", label="label", label_above=1)
    assert pairs == [("who is a", "a one", 2.0)]


def test_labels_in_a_list_go_with_the_texts_of_theirs(tmp_path: Path) -> None:
    values = [{"query": "who is a", "positive": ["a one", "b one"], "labels": [True, False]}]
    pairs, corpus = found(write_lines(tmp_path / "r.jsonl", values), label="labels")
    assert pairs == [("who is a", "a one", 1.0)]
    assert corpus == ["a one", "b one"]


@pytest.mark.parametrize(
    ("label", "reason"),
    [("x", "label 'x' is not a number"), ([1], "1 labels for 2 texts"), (None, "not a number")],
)
def test_a_label_that_says_nothing_is_a_bad_row(tmp_path: Path, label: Any, reason: str) -> None:
    values = [{"query": "who is a", "positive": ["a one", "b one"], "label": label}]
    with pytest.raises(DataError, match=reason):
        found(write_lines(tmp_path / "r.jsonl", values), label="label")


TALK = {
    "messages": [
        {"role": "system", "content": "Find it."},
        {"role": "user", "content": "who is a"},
    ],
    "positive_messages": [
        [{"role": "user", "content": "a one"}],
        [{"role": "user", "content": "a two"}],
    ],
}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_conversations_are_what_they_say(tmp_path: Path, name: str) -> None:
    path = write_table(tmp_path / name, [TALK])
    pairs, corpus = found(path, query="messages", positive="positive_messages")
    assert pairs == ANSWERED[:2]
    assert corpus == ["a one", "a two"]


def test_a_path_that_leads_nowhere_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = write_table(tmp_path / "rows.parquet", SQUAD)
    with pytest.raises(DataError, match=r"has no column 'answer.text'; its columns are 'question'"):
        check(config(format="pairs", path=str(path), positive="answer.text"))


def test_columns_that_need_a_header_are_refused_without_one(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.tsv", [f"who is {i}\t{i} one" for i in "abc"])
    with pytest.raises(DataError, match=r"input.label cannot be found in it; give it a header"):
        check(config(format="pairs", path=str(path), label="label"))


def test_lists_of_lists_are_conversations_or_nothing(tmp_path: Path) -> None:
    pq.write_table(pa.table({"query": ["a"], "positive": [[["b"]]]}), tmp_path / "p.parquet")
    with pytest.raises(DataError, match="column 'positive' holds list"):
        check(config(format="pairs", path=str(tmp_path / "p.parquet")))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "gbk", "shift_jis"])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_text_in_any_encoding_is_read_as_it_was_meant(
    tmp_path: Path, encoding: str, suffix: str
) -> None:
    word = {"gbk": "苹果", "shift_jis": "りんご"}.get(encoding, "Äpfel")
    mark = "," if suffix == "csv" else "\t"
    lines = f"query{mark}answer\r\nwo sind {word}{mark}da sind {word}\r\n"
    path = tmp_path / f"rows.{suffix}"
    path.write_bytes(lines.encode(encoding))
    pairs, _ = found(path, encoding=encoding)
    assert pairs == [(f"wo sind {word}", f"da sind {word}", None)]


def test_bytes_that_are_none_of_the_encoding_cost_their_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"query,answer\nwho is a,a one\nwho is b,b \x81 one\n")
    made = config(format="pairs", path=str(path), encoding="cp1252", bad_rows=1)
    counts = ingest(made, tmp_path / "out")
    assert (counts["queries"], counts["dead_letters"]) == (1, 1)
    (bad,) = rows(tmp_path / "out", "dead_letters")
    assert bad["reason"] == "record is not cp1252"


def test_the_semicolon_cuts_where_commas_are_in_the_texts(tmp_path: Path) -> None:
    lines = ["query, in words;answer", "who, pray, is a;a, one", "who is b;b one"]
    pairs, _ = found(
        write_lines(tmp_path / "rows.csv", lines), query="query, in words", positive="answer"
    )
    assert pairs == [("who is b", "b one", None), ("who, pray, is a", "a, one", None)]


def test_a_spreadsheet_may_say_what_cuts_its_rows(tmp_path: Path) -> None:
    lines = ["sep=;", "query;answer", "who, is a;a one", "who is b;b one"]
    pairs, _ = found(write_lines(tmp_path / "rows.csv", lines))
    assert pairs == [("who is b", "b one", None), ("who, is a", "a one", None)]


def test_the_index_that_pandas_writes_is_no_column(tmp_path: Path) -> None:
    lines = [",query,answer", "0,who is a,a one", "1,who is b,b one"]
    pairs, _ = found(write_lines(tmp_path / "rows.csv", lines))
    assert pairs == [("who is a", "a one", None), ("who is b", "b one", None)]
