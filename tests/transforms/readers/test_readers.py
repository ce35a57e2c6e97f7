"""Readers: which rows each format yields, and what happens to rows that cannot be used."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import Input
from negmine.transforms.readers import check, input_files, read, sources
from negmine.transforms.readers.rows import Bad, Document, Judgement, Query, Row
from negmine.transforms.readers.tables.lines import lines
from tests.transforms.input_files import QRELS, config, write_beir, write_lines


def rows_of(made: Input, kind: str | None = None) -> list[Row]:
    return [
        row
        for source in sources(made)
        if kind in (None, source.kind)
        for row in read(source, made, seed=42)
    ]


def bad_of(made: Input, kind: str) -> list[Bad]:
    return [row for row in rows_of(made, kind) if isinstance(row, Bad)]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_beir_gives_documents_with_their_titles_queries_and_judgements(
    tmp_path: Path, suffix: str
) -> None:
    made = config(format="beir", path=str(write_beir(tmp_path, suffix=suffix)))
    assert rows_of(made, "documents") == [
        Document(1, "d1", "Cells Cells divide in two."),
        Document(2, "d2", "Stars burn hydrogen."),
        Document(3, "d3", "Rivers carry sand to the sea."),
    ]
    assert rows_of(made, "queries")[0] == Query(1, "q1", "how do cells divide")
    assert rows_of(made, "qrels") == [
        Judgement(2, "q1", "d1", 1.0),
        Judgement(3, "q2", "d2", 2.0),
        Judgement(4, "q2", "d3", 0.0),
    ]
    assert [source.name for source in sources(made)] == [
        f"qrels/train.tsv{suffix}", f"corpus.jsonl{suffix}", f"queries.jsonl{suffix}",
    ]  # fmt: skip


LIMIT = 1000
BAD_DOCUMENTS = [
    pytest.param(b"not json", "not_json", "not JSON: Expecting value", id="not JSON"),
    pytest.param("[" * 100_000, "not_json", "nested too deeply", id="nested"),
    pytest.param([1], "not_an_object", "JSON list, expected an object", id="list"),
    pytest.param({"text": "x"}, "missing", "id is missing", id="no id"),
    pytest.param({"_id": " ", "text": "x"}, "empty_id", "id is empty", id="blank id"),
    pytest.param({"_id": 1.5, "text": "x"}, "wrong_type", "id is float", id="float id"),
    pytest.param({"_id": True, "text": "x"}, "wrong_type", "id is bool", id="bool id"),
    pytest.param({"_id": "a"}, "missing", "text is missing", id="no text"),
    pytest.param({"_id": "a", "text": " "}, "empty_text", "text is empty", id="blank text"),
    pytest.param({"_id": "a", "text": ["x"]}, "wrong_type", "text is list", id="list text"),
    pytest.param(b'{"_id": "a", "text": "\xff"}', "broken_utf8", "not UTF-8", id="broken UTF-8"),
    pytest.param({"_id": "a", "text": "\ud800"}, "lone_surrogate", "lone", id="lone surrogate"),
    pytest.param({"_id": "\udfff", "text": "x"}, "lone_surrogate", "lone", id="surrogate in id"),
    pytest.param(
        {"_id": "a", "text": "é" * 501}, "too_long",
        "text of 1002 bytes is over max_text_bytes 1000", id="too long",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code", "reason"), BAD_DOCUMENTS)
def test_a_bad_document_is_a_dead_letter_with_line_and_reason(
    tmp_path: Path, row: Any, code: str, reason: str
) -> None:
    folder = write_beir(tmp_path, [{"_id": "ok", "text": "fine"}, row, {"_id": "z", "text": "z"}])
    made = config(format="beir", path=str(folder), max_text_bytes=LIMIT)
    (found,) = bad_of(made, "documents")
    assert (found.line, found.kind, found.code) == (2, "documents", code)
    assert reason in found.reason
    assert len(found.excerpt) <= 200
    assert found.excerpt.encode()
    assert len(rows_of(made, "documents")) == 3


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Cells", "Cells divide"),
        (1984, "1984 divide"),
        (1.5, "1.5 divide"),
        ("", "divide"),
        (None, "divide"),
        (float("nan"), "divide"),
        (float("inf"), "divide"),
        (True, "divide"),
        (["Cells"], "divide"),
        ({"en": "Cells"}, "divide"),
        (10**5000 // 10**1000, "divide"),
        ("\ud800", "divide"),
        ("x" * LIMIT, "divide"),
    ],
)
def test_a_bad_title_costs_no_text(tmp_path: Path, title: Any, text: str) -> None:
    folder = write_beir(tmp_path, [{"_id": "a", "title": title, "text": "divide"}])
    made = config(format="beir", path=str(folder), max_text_bytes=LIMIT)
    assert rows_of(made, "documents") == [Document(1, "a", text)]


def test_a_title_in_parquet_may_be_a_number_or_nan(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    titles = pa.array([2.5, float("nan"), None])
    pq.write_table(pa.table({"id": ["a", "b", "c"], "title": titles, "text": ["x"] * 3}), path)
    made = config(format="parquet", documents=str(path), queries=str(path), qrels=str(path),
                  qrels_query_id="id", qrels_doc_id="id")  # fmt: skip
    assert [row.text for row in rows_of(made, "documents") if isinstance(row, Document)] == [
        "2.5 x",
        "x",
        "x",
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("q1", "wrong_columns"),
        ("q1\td1", "wrong_columns"),
        ("q1\t0\td1\t1", "wrong_columns"),
        ("q1\td1\tyes", "not_a_number"),
        ("q1\td1\tnan", "not_a_number"),
        ("\td1\t1", "empty_id"),
        (b"q1\t\xff\t1", "broken_utf8"),
    ],
)
def test_a_bad_judgement_is_a_dead_letter(tmp_path: Path, row: Any, code: str) -> None:
    folder = write_beir(tmp_path, qrels=[*QRELS, row])
    assert [bad.code for bad in bad_of(config(format="beir", path=str(folder)), "qrels")] == [code]


def test_ids_may_be_integers_and_texts_may_hold_nul(tmp_path: Path) -> None:
    folder = write_beir(tmp_path, [{"_id": 7, "text": "a\x00b"}, {"_id": "\x00", "text": "x"}])
    found = rows_of(config(format="beir", path=str(folder)), "documents")
    assert found == [Document(1, "7", "a\x00b"), Document(2, "\x00", "x")]


def test_blank_lines_and_a_byte_order_mark_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\r\n  \nb")
    assert list(lines(path, 100)) == [(1, b"a", 1), (4, b"b", 1)]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_of_a_line_over_the_cap_only_the_start_is_kept(tmp_path: Path, suffix: str) -> None:
    path = write_lines(tmp_path / f"x.jsonl{suffix}", [b"x" * 5_000_000, b"y" * 10, b"z"])
    kept = list(lines(path, 10))
    assert [(number, len(data)) for number, data, _ in kept] == [(1, 10), (2, 10), (3, 1)]
    assert kept[0][2] >= 5_000_000


def test_an_absurdly_long_line_is_a_dead_letter(tmp_path: Path) -> None:
    folder = write_beir(tmp_path, [{"_id": "a", "text": "x" * (17 << 20)}])
    (found,) = bad_of(config(format="beir", path=str(folder)), "documents")
    assert found.code == "too_long"
    assert "is over the cap" in found.reason


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"\0" * 50])
def test_a_damaged_archive_is_an_error_that_names_it(
    tmp_path: Path, suffix: str, damage: Any
) -> None:
    path = write_lines(tmp_path / f"x.jsonl{suffix}", [f"line {i}" for i in range(10_000)])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=rf"x\.jsonl{suffix} is cut off or damaged"):
        list(lines(path, 100))


COLUMNS = {"doc_id": "pid", "doc_text": "body", "doc_title": "head", "grade": "rel"}


@pytest.mark.parametrize("layout", ["parquet", "jsonl"])
def test_named_columns_are_read_from_folders_of_files(tmp_path: Path, layout: str) -> None:
    tables: dict[str, list[dict[str, Any]]] = {
        "documents": [
            {"pid": 1, "head": None, "body": "one"},
            {"pid": 2, "head": "T", "body": "two"},
        ],
        "queries": [{"query_id": "q", "text": "ask"}],
        "qrels": [
            {"query_id": "q", "pid": 1, "rel": 3},
            {"query_id": "q", "pid": 2, "rel": None},
        ],
    }
    for name, rows in tables.items():
        (tmp_path / name).mkdir()
        if layout == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / name / "a.parquet")
        else:
            write_lines(tmp_path / name / "a.jsonl.gz", rows)
    where = {name: str(tmp_path / name) for name in tables}
    made = config(format=layout, **where, **COLUMNS)
    assert rows_of(made, "documents") == [Document(1, "1", "one"), Document(2, "2", "T two")]
    assert rows_of(made, "queries") == [Query(1, "q", "ask")]
    first, second = rows_of(made, "qrels")
    assert first == Judgement(1, "q", "1", 3.0)
    assert isinstance(second, Bad)
    assert second.code == "not_a_number"


def test_a_parquet_string_that_is_not_utf8_is_a_dead_letter(tmp_path: Path) -> None:
    ids = pa.array([b"a", b"\xff"]).cast(pa.binary()).view(pa.string())
    table = pa.table({"doc_id": ids, "text": ["x", "y"], "query_id": ["q", "r"]})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    made = config(format="parquet", documents=str(path), queries=str(path), qrels=str(path))
    assert [bad.code for bad in bad_of(made, "documents")] == ["broken_utf8"]
    assert [bad.code for bad in bad_of(made, "qrels")] == ["broken_utf8"]


def test_a_missing_column_is_named_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["a"], "text": ["x"]}), path)
    made = config(format="parquet", documents=str(path), queries=str(path), qrels=str(path))
    with pytest.raises(DataError, match=r"input\.qrels_query_id .* columns are 'id', 'text'"):
        check(made)


def test_tsv_collections_with_trec_qrels(tmp_path: Path) -> None:
    collection = write_lines(tmp_path / "collection.tsv", ["0\tzero", "1\tone\tmore", "2\ttwo"])
    queries = write_lines(tmp_path / "queries.tsv", ["9\tnine"])
    qrels = write_lines(tmp_path / "qrels.tsv", ["9\t0\t2\t1", "9 0 0 0", "9\t2\t1", "9\t2", "9"])
    made = config(format="tsv", documents=str(collection), queries=str(queries), qrels=str(qrels))
    assert [row[1:3] for row in rows_of(made, "documents") if isinstance(row, Document)] == [
        ("0", "zero"),
        ("2", "two"),
    ]
    assert bad_of(made, "documents")[0].reason == "3 columns, expected 2"
    assert [row for row in rows_of(made, "qrels") if isinstance(row, Judgement)] == [
        Judgement(1, "9", "2", 1.0),
        Judgement(2, "9", "0", 0.0),
        Judgement(3, "9", "2", 1.0),
        Judgement(4, "9", "2", None),
    ]
    assert bad_of(made, "qrels")[0].reason == "1 columns, expected 2 or 3 or 4"


@pytest.mark.parametrize("layout", ["jsonl", "tsv", "parquet"])
def test_pairs_name_texts_by_their_hash(tmp_path: Path, layout: str) -> None:
    values = [("ask", "yes"), ("ask", "also"), ("", "no query")]
    rows = [{"query": query, "positive": positive} for query, positive in values]
    path = tmp_path / f"pairs.{layout}"
    if layout == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        write_lines(path, ["\t".join(v) for v in values] if layout == "tsv" else rows)
    pool = write_lines(tmp_path / "pool.jsonl", [{"text": "more"}])
    found = rows_of(config(format="pairs", path=str(path), pool=str(pool)))
    queries = [row for row in found if isinstance(row, Query)]
    documents = [row for row in found if isinstance(row, Document)]
    assert [query.text for query in queries] == ["ask", "ask"]
    assert len({query.id for query in queries}) == 1
    assert [document.text for document in documents] == ["yes", "also", "more"]
    assert len({document.id for document in documents}) == 3
    assert [row.reason for row in found if isinstance(row, Bad)] == ["query is empty"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "beir", "path": "nowhere"}, "nowhere is not a folder"),
        ({"format": "pairs", "path": "nowhere.jsonl"}, r"nowhere\.jsonl does not exist"),
        ({"format": "pairs", "path": "*.nothing"}, r"no file matches \*\.nothing"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        check(config(**values))


def test_an_unknown_split_names_the_splits_there_are(tmp_path: Path) -> None:
    write_beir(tmp_path, split="dev", suffix=".gz")
    write_beir(tmp_path, split="test")
    with pytest.raises(DataError, match=r"no split 'train' in .*; found dev, test"):
        check(config(format="beir", path=str(tmp_path)))


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    (write_beir(tmp_path) / "corpus.jsonl").unlink()
    with pytest.raises(DataError, match=r"corpus\.jsonl does not exist"):
        input_files(config(format="beir", path=str(tmp_path)))


def test_globs_and_folders_name_files_relative_to_themselves(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "a/1.jsonl", "a/.hidden.jsonl", "a/notes.md"):
        write_lines(tmp_path / name, [{"query": "x y", "positive": "z"}])
    folder = config(format="pairs", path=str(tmp_path))
    pattern = config(format="pairs", path=str(tmp_path / "*" / "[12].jsonl"))
    for made in (folder, pattern):
        assert [source.name for source in sources(made)] == ["a/1.jsonl", "b/2.jsonl"]
        assert input_files(made) == [tmp_path / "a/1.jsonl", tmp_path / "b/2.jsonl"]
