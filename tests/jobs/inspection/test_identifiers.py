"""Positives that are identifiers and no texts, alone, in lists and objects: asked about."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.collections import negmine
from tests.jobs.inspection.test_inspection import PAIRS, QUERIES, TEXTS, jsonl, roles

IDS = [f"d{at}" for at in range(len(QUERIES))]
TITLES = [f"Thing {letter}" for letter in "abcdef"]


def rows(name: str, values: list[Any]) -> list[dict[str, Any]]:
    return [{"query": q, name: value} for q, value in zip(QUERIES, values, strict=True)]


def corpus(folder: Path, ids: list[Any], name: str = "corpus.jsonl") -> None:
    jsonl(folder, [{"_id": i, "text": t} for i, t in zip(ids, TEXTS, strict=True)], name)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pos", IDS),
        ("pos", [f"{i}, {i}0" for i in IDS]),
        ("pos", [[i] for i in IDS]),
        ("positives", [[at, at + 1] for at in range(6)]),
        ("answer", [[f"https://x.org/{i}", "ftp://y.org/2"] for i in IDS]),
        ("pos_doc", [[{"id": i}] for i in IDS]),
        ("pos_doc", [[{"docid": t}] for t in "abcdef"]),
        ("positive_passages", [[{"docid": i, "score": 0.5, "title": "Of things"}] for i in IDS]),
        ("positive", [{"_id": i} for i in IDS]),
        ("positive_document_ids", [[i] for i in IDS]),
    ],
)
def test_identifiers_are_no_positives(tmp_path: Path, name: str, values: list[Any]) -> None:
    path = jsonl(tmp_path, rows(name, values))
    with pytest.raises(DataError, match=f"{name} holds identifiers .*write the texts in their"):
        inspect(path)
    pq.write_table(pa.Table.from_pylist(rows(name, values)), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=f"{name} holds identifiers"):
        inspect(str(tmp_path / "rows.parquet"))


def test_texts_that_look_like_identifiers_can_be_named(tmp_path: Path) -> None:
    path = jsonl(tmp_path, rows("answers", [["B-52"], ["1967"]] * 3))
    with pytest.raises(DataError, match="Where they are texts: --positive answers"):
        inspect(path)
    assert inspect(path, settings={"positive": "answers"}).rows[0].positives == ["B-52"]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("told", [{}, {"positive": "pos"}])
def test_names_of_documents_beside_are_no_texts(
    tmp_path: Path, listed: bool, told: dict[str, str]
) -> None:
    """Any name may be an identifier: the documents beside say which are."""
    jsonl(tmp_path, rows("pos", [[t] if listed else t for t in TITLES]), "train.jsonl")
    assert inspect(str(tmp_path / "train.jsonl"), settings=told).rows[0].positives == ["Thing a"]
    corpus(tmp_path, TITLES)
    with pytest.raises(DataError, match=r"identifiers of documents in .*corpus\.jsonl \('Thing"):
        inspect(str(tmp_path), settings=told)


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_a_pool_says_which_are_identifiers(tmp_path: Path, kind: str) -> None:
    path = jsonl(tmp_path, rows("pos", TITLES), "train.jsonl")
    pool = tmp_path / f"pool.{kind}"
    table = [{"id": i, "passage": t} for i, t in zip(TITLES, TEXTS, strict=True)]
    if kind == "jsonl":
        jsonl(tmp_path, table, pool.name)
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(table), pool)
    else:
        pool.write_text("id,passage\n" + "".join(f"{r['id']},{r['passage']}\n" for r in table))
    with pytest.raises(DataError, match="identifiers of documents in"):
        inspect(path, pool=str(pool))


def test_a_document_that_is_called_by_its_text_is_a_text(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    corpus(tmp_path, TEXTS)
    assert inspect(str(tmp_path)).rows[0].positives == TEXTS[:1]


@pytest.mark.parametrize(
    "values",
    [
        [["apple"]] * 6,
        [["1967"], ["the blue whale"], ["at 5"]] * 2,
        [{"text": ["on 1 shelf"], "answer_start": [3]}] * 6,
        [[{"id": "d1", "title": "Of things", "text": "a thing"}]] * 6,
    ],
)
def test_short_texts_and_texts_with_identifiers_are_positives(
    tmp_path: Path, values: list[Any]
) -> None:
    assert roles(inspect(jsonl(tmp_path, rows("answers", values))))["answers"] == "positive"


def test_given_negatives_that_are_identifiers_are_no_documents(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, [{**row, "neg": [{"id": "d9"}]} for row in PAIRS]))
    assert "neg" not in roles(found)
    assert "not used: neg" in found.notes


def test_a_config_with_identifiers_for_positives_ends_before_it_reads_all(tmp_path: Path) -> None:
    path = jsonl(tmp_path, rows("pos", [[i] for i in IDS]), "train.jsonl")
    corpus(tmp_path, IDS)
    config = tmp_path / "mine.yaml"
    section = f"{{format: pairs, path: {path}, pool: {tmp_path / 'corpus.jsonl'}}}"
    config.write_text(f"input: {section}\njudge: {{kind: none}}\n")
    ended = negmine("mine", str(config), "--output", str(tmp_path / "out"))
    assert ended.code == 3
    assert "the positives are identifiers of documents in" in ended.err
