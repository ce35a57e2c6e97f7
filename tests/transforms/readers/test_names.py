"""Columns found by their usual names: hub layouts in every container, and what is said of none."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import check, read, sources
from negmine.transforms.readers.rows import Document, Judgement
from negmine.transforms.readers.tables.names import USUAL
from tests.transforms.input_files import config, ingest, rows, write_lines

Tables = dict[str, list[dict[str, Any]]]
HUB: Tables = {
    "documents": [
        {"_id": "d1", "title": "T", "text": "one"},
        {"_id": "d2", "title": "", "text": "two"},
    ],
    "queries": [{"_id": "q1", "text": "first"}, {"_id": "q2", "text": "second"}],
    "qrels": [
        {"query-id": "q1", "corpus-id": "d1", "score": 2},
        {"query-id": "q2", "corpus-id": "d2", "score": 1},
        {"query-id": "q1", "corpus-id": "d2", "score": 0},
    ],
}  # fmt: skip
MARCO: Tables = {
    "documents": [{"pid": 1, "passage": "one"}, {"pid": 2, "passage": "two"}],
    "queries": [{"qid": 1, "query": "first"}, {"qid": 2, "query": "second"}],
    "qrels": [{"qid": 1, "pid": 1}, {"qid": 2, "pid": 2}],
}
ODD: Tables = {
    "documents": [{"Doc ID": "d1", "Contents": "one"}, {"Doc ID": "d2", "Contents": "two"}],
    "queries": [{"QueryId": "q1", "Question": "first"}, {"QueryId": "q2", "Question": "second"}],
    "qrels": [{"docId": "d1", "queryId": "q1"}, {"docId": "d2", "queryId": "q2"}],
}


def jsonl(base: Path, tables: Tables) -> dict[str, Any]:
    paths = {kind: write_lines(base / f"{kind}.jsonl", table) for kind, table in tables.items()}
    return {"format": "jsonl", **{kind: str(path) for kind, path in paths.items()}}


def parquet(base: Path, tables: Tables) -> dict[str, Any]:
    base.mkdir(parents=True, exist_ok=True)
    for kind, table in tables.items():
        pq.write_table(pa.Table.from_pylist(table), base / f"{kind}.parquet")
    return {"format": "parquet", **{kind: str(base / f"{kind}.parquet") for kind in tables}}


def hf(base: Path, tables: Tables) -> dict[str, Any]:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed")
    for kind, table in tables.items():
        datasets.Dataset.from_list(table).save_to_disk(str(base / kind))
    return {"format": "hf", **{kind: str(base / kind) for kind in tables}}


FORMATS = pytest.mark.parametrize("write", [jsonl, parquet, hf])


def positives(made: dict[str, Any], out: Path) -> list[tuple[str, str]]:
    counts = ingest(config(**made, bad_rows=0), out)
    assert counts["dead_letters"] == 0
    queries, documents = rows(out, "queries"), rows(out, "documents")
    return [
        (queries[row["query_ix"]]["text"], documents[row["doc_ix"]]["text"])
        for row in rows(out, "positives")
    ]


@FORMATS
@pytest.mark.parametrize("tables", [HUB, MARCO, ODD], ids=["hub", "marco", "odd"])
def test_a_usual_layout_is_read_without_any_key(tmp_path: Path, write: Any, tables: Tables) -> None:
    first = "T one" if tables is HUB else "one"
    made = write(tmp_path / "in", tables)
    assert positives(made, tmp_path) == [("first", first), ("second", "two")]


@FORMATS
def test_one_name_of_both_identifiers_is_none_of_the_qrels(tmp_path: Path, write: Any) -> None:
    keys = {"doc_id": "_id", "query_id": "_id", "doc_title": "title", "grade": "score"}
    made = {**write(tmp_path / "in", HUB), **keys}
    assert positives(made, tmp_path) == [("first", "T one"), ("second", "two")]


@FORMATS
def test_null_says_that_there_is_no_title_and_no_grade(tmp_path: Path, write: Any) -> None:
    made = {**write(tmp_path / "in", HUB), "doc_title": None, "grade": None}
    assert positives(made, tmp_path) == [("first", "one"), ("first", "two"), ("second", "two")]


@FORMATS
def test_the_columns_that_are_there_are_named(tmp_path: Path, write: Any) -> None:
    made = write(tmp_path / "in", {**HUB, "documents": [{"name": "d1", "words": "one"}]})
    with pytest.raises(DataError, match=r"input\.doc_id .*'name', 'words'\. Name it as input\.doc"):
        check(config(**made))
    made = write(tmp_path / "other", {**HUB, "qrels": [{"asked": "q1", "found": "d1"}]})
    with pytest.raises(DataError, match=r"input\.qrels_query_id .*'asked', 'found'\. Name it as"):
        check(config(**made))
    names = {"qrels_query_id": "asked", "qrels_doc_id": "found"}
    assert positives({**made, **names}, tmp_path) == [("first", "T one")]
    with pytest.raises(DataError, match=r"has no column 'docno'; its columns are '_id', 'title'"):
        check(config(**{**made, **names, "doc_id": "docno"}))


@FORMATS
def test_grades_are_kept_and_none_is_not_1(tmp_path: Path, write: Any) -> None:
    for tables, grades in ((HUB, [2.0, 1.0, 0.0]), (MARCO, [None, None])):
        settings = config(**write(tmp_path / str(len(grades)), tables))
        qrels = next(source for source in sources(settings) if source.kind == "qrels")
        found = [row.grade for row in read(qrels, settings, 1) if isinstance(row, Judgement)]
        assert found == grades


def test_a_grade_that_comes_late_is_no_silence(tmp_path: Path) -> None:
    ungraded, graded = {"query_id": "q1", "doc_id": "d1"}, {**HUB["qrels"][2]}
    made = jsonl(tmp_path, {**HUB, "qrels": [*[ungraded] * 200, graded]})
    settings = config(**made)
    qrels = next(source for source in sources(settings) if source.kind == "qrels")
    with pytest.raises(DataError, match=r"line 201 has a grade, 'score'.*input\.grade: score"):
        list(read(qrels, settings, 1))


def test_dictionaries_and_large_strings_in_parquet(tmp_path: Path) -> None:
    made = parquet(tmp_path / "in", HUB)
    ids = pa.array(["d1", "d2"]).dictionary_encode()
    texts = pa.array(["one", "two"], pa.large_string())
    pq.write_table(pa.table({"_id": ids, "text": texts}), made["documents"])
    assert positives(made, tmp_path) == [("first", "one"), ("second", "two")]


def test_the_guide_lists_every_name() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "own-corpus.md").read_text()
    for role in USUAL.keys() - {"iteration"}:
        assert f"| {', '.join(USUAL[role])} |" in guide, role


ARRAYS = {
    "pretty": '[\n {"_id": "a",\n  "text": "one"},\n {"_id": "b", "text": "two"}\n]\n',
    "on one line": '[{"_id": "a", "text": "one"}, {"_id": "b", "text": "two"}]',
    "byte-order mark": '\ufeff[{"_id": "a", "text": "one"},{"_id": "b", "text": "two"}]',
}


def documents(base: Path, text: str, name: str = "docs.json") -> list[Any]:
    made = jsonl(base, HUB)
    path = base / name
    path.write_text(text)
    settings = config(**{**made, "documents": str(path)})
    return list(read(sources(settings)[0], settings, 1))


@pytest.mark.parametrize("name", ["docs.json", "docs.jsonl"])
@pytest.mark.parametrize("layout", ARRAYS)
def test_an_array_of_objects_is_read(tmp_path: Path, layout: str, name: str) -> None:
    found = documents(tmp_path, ARRAYS[layout], name)
    assert found == [Document(1, "a", "one"), Document(2, "b", "two")]


def test_a_bad_element_of_an_array_is_a_bad_row(tmp_path: Path) -> None:
    wrong = '7, {"_id": "b", "_id": "c"}, "x", {"_id": "\\ud800", "text": "y"}'
    _, *bad = documents(tmp_path, f'[{{"_id": "a", "text": "one"}}, {wrong}]')
    assert [(row.line, row.code) for row in bad] == [
        (2, "not_an_object"),
        (3, "repeated_key"),
        (4, "not_an_object"),
        (5, "lone_surrogate"),
    ]


def test_an_array_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    long = "é" * 1_500_000
    elements = [{"_id": str(at), "text": f"{at} {long if at == 3 else 'short'}"} for at in range(9)]
    made = jsonl(tmp_path, {**HUB, "documents": []})
    (tmp_path / "docs.json").write_text(json.dumps(elements, indent=1, ensure_ascii=False))
    values = {**made, "documents": str(tmp_path / "docs.json"), "max_text_bytes": 4_000_000}
    settings = config(**values)
    found = [row.text for row in read(sources(settings)[0], settings, 1)]
    assert found == [element["text"] for element in elements]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"_id": "a", "text": "x"}, {"_id": "b", "te', "broken at element 2"),
        ('[{"_id": "a", "text": "x"},]', "broken at element 2"),
        ('[{"_id": "a"} {"_id": "b"}]', "broken at element 1 .*instead of a comma"),
        ('[{"_id": "a"}', "broken at element 1"),
        ('[{"_id": "a"}] more', "broken at element 1 .*behind the closing"),
        ('{\n "data": [\n  {"_id": "a"}\n ]\n}', "one JSON value over several lines.*jq -c"),
    ],
)
def test_json_that_is_no_rows_is_named_for_what_it_is(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        documents(tmp_path, text)
