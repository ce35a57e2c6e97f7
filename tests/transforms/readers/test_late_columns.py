"""Columns that a JSON file's objects have after the first ones only."""

from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.inputs import Input
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Document, Query
from negmine.transforms.readers.tables.json_objects import HEAD
from tests.transforms.input_files import config, write_beir, write_lines, write_table

LATE = {"title": "Late", "lang": "de", "group_id": "g", "group_place": 3}


def documents(identity: str) -> list[dict[str, Any]]:
    """Objects of which only one far behind has more than identifier and text."""
    plain = [{identity: f"d{i}", "text": f"text {i}"} for i in range(HEAD + 20)]
    return [*plain, {identity: "late", "text": "the last", **LATE}]


def columns(folder: Path, suffix: str) -> Input:
    paths = {
        "documents": write_table(folder / f"docs.{suffix}", documents("doc_id")),
        "queries": write_lines(folder / "queries.jsonl", [{"query_id": "q", "text": "what"}]),
        "qrels": write_lines(folder / "qrels.jsonl", [{"query_id": "q", "doc_id": "late"}]),
    }
    return config(format="jsonl", **{kind: str(path) for kind, path in paths.items()})


def beir(folder: Path, suffix: str) -> Input:
    queries = [{"_id": f"q{i}", "text": "what"} for i in range(HEAD + 1)]
    queries.append({"_id": "late", "text": "was", "language": "de"})
    write_beir(folder, documents("_id"), queries, [("late", "late", 1)])
    return config(format="beir", path=str(folder))


def texts(made: Input, kind: type) -> dict[str, Any]:
    found = (read(source, made, 42) for source in sources(made))
    return {row.id: row for rows in found for row in rows if isinstance(row, kind)}


@pytest.mark.parametrize(("of", "suffix"), [(columns, "jsonl"), (columns, "json"), (beir, "")])
def test_title_language_and_group_may_come_late(tmp_path: Path, of: Any, suffix: str) -> None:
    found = texts(of(tmp_path, suffix), Document)
    late = found["late"]
    assert late[2:] == ("Late the last", "g", 3, "de")
    assert found["d0"][2:] == ("text 0", None, None, None)


def test_a_querys_language_may_come_late(tmp_path: Path) -> None:
    found = texts(beir(tmp_path, ""), Query)
    assert (found["q0"].language, found["late"].language) == (None, "de")


def test_what_is_set_to_null_is_not_read_late_either(tmp_path: Path) -> None:
    made = columns(tmp_path, "jsonl")
    none = made.model_copy(update={"doc_title": None, "doc_language": None, "doc_group": None})
    assert texts(none, Document)["late"][2:] == ("the last", None, 3, None)


def test_a_late_title_asks_for_its_document(tmp_path: Path) -> None:
    rows = [{"text": f"some text number {i} here"} for i in range(HEAD + 1)]
    rows.append({"text": "the last one of them all", "title": "a late title here"})
    path = str(write_lines(tmp_path / "docs.jsonl", rows))
    made = config(format="documents", path=path)
    assert "a late title here" in {row.text for row in texts(made, Query).values()}


def test_late_titles_of_a_pool_are_read_as_those_of_the_positives(tmp_path: Path) -> None:
    pool = str(write_lines(tmp_path / "pool.jsonl", documents("id")))
    for positive, text in (({"title": "a", "text": "b"}, "Late the last"), ("b", "the last")):
        path = write_lines(tmp_path / "pairs.jsonl", [{"query": "what", "positive": positive}])
        made = config(format="pairs", path=str(path), pool=pool)
        assert text in {row.text for row in texts(made, Document).values()}
