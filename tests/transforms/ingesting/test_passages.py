"""Passages of longer documents: as the input says, as identifiers say, and cut on request."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import Input
from negmine.transforms.kernels.crops import passages
from negmine.transforms.kernels.hashing import text_keys
from tests.transforms.input_files import config, ingest, rows, write_beir

LONG = " ".join(f"word{i}" for i in range(34))
QUERIES = ({"_id": "q1", "text": "one"}, {"_id": "q2", "text": "two"})


def beir(folder: Path, documents: Any, qrels: Any, **values: Any) -> Input:
    write_beir(folder / "in", documents, QUERIES, qrels)
    return config(format="beir", path=str(folder / "in"), bad_rows=1, **values)


def cut(folder: Path, qrels: Any, *documents: Any, **values: Any) -> dict[str, int]:
    """Documents `long` (3 passages) and `short` (1), and others, cut to ten words."""
    whole = ({"_id": "long", "text": LONG}, {"_id": "short", "text": "a few words"}, *documents)
    return ingest(beir(folder, whole, qrels, passages={"words": 10, **values}), folder)


def positives(folder: Path) -> set[tuple[str, str, bool]]:
    ids = [row["doc_id"] for row in rows(folder, "documents")]
    queries = [row["query_id"] for row in rows(folder, "queries")]
    found = rows(folder, "positives")
    return {(queries[row["query_ix"]], ids[row["doc_ix"]], row["own"]) for row in found}


def test_a_group_and_a_place_are_read_from_the_input(tmp_path: Path) -> None:
    documents = (
        {"_id": "a", "text": "one", "group_id": "g", "group_place": 4},
        {"_id": "h#12", "text": "two"},
        {"_id": "c", "text": "three"},
        {"_id": "d#1", "text": "four", "group_id": "g"},
        {"_id": "e", "text": "five", "group_id": "g", "group_place": "x"},
    )
    ingest(beir(tmp_path, documents, [("q1", "a", 1)]), tmp_path)
    g, h = text_keys(["g", "h"]).tolist()
    found = {r["doc_id"]: (r["group_key"], r["place"]) for r in rows(tmp_path, "documents")}
    assert found == {"a": (g, 4), "h#12": (h, 12), "c": (0, -1), "d#1": (g, 1)}
    (dead,) = rows(tmp_path, "dead_letters")
    assert dead["reason"] == "place 'x' is not a whole number from 0"


def test_a_document_is_cut_into_passages_that_are_numbered_and_grouped(tmp_path: Path) -> None:
    counts = cut(tmp_path, [("q1", "short", 1)])
    found = {row["doc_id"]: row for row in rows(tmp_path, "documents")}
    assert list(found) == ["long#1", "long#2", "long#3", "short#1"]
    assert " ".join(found[f"long#{n}"]["text"] for n in (1, 2, 3)) == LONG
    assert [row["place"] for row in found.values()] == [1, 2, 3, 1]
    assert counts["rows"] == 5, "two documents, two queries and a judgement: passages are no rows"


def test_the_only_passage_of_a_document_is_what_its_judgement_names(tmp_path: Path) -> None:
    cut(tmp_path, [("q1", "short", 1)])
    assert positives(tmp_path) == {("q1", "short#1", True)}


def test_a_judgement_may_name_a_passage(tmp_path: Path) -> None:
    cut(tmp_path, [("q1", "long#2", 1)])
    assert positives(tmp_path) == {("q1", "long#2", True)}


def test_which_passage_answers_is_never_guessed(tmp_path: Path) -> None:
    counts = cut(tmp_path, [("q1", "long", 1), ("q1", "short", 1), ("q2", "long", 1)])
    known = {("q1", f"long#{n}", False) for n in (1, 2, 3)}
    assert positives(tmp_path) == {("q1", "short#1", True), *known}, "none of them is a negative"
    assert counts["queries"] == 1, "q2 has no positive that is certain"
    dead = rows(tmp_path, "dead_letters")
    assert [row["line"] for row in dead] == [2, 4]
    assert dead[0]["reason"] == (
        "document 'long' was cut into 3 passages, and which of them answers is not said; name one, "
        "as 'long#1', or set input.passages.labels: all"
    )


def test_a_run_stops_where_all_judgements_name_documents_that_were_cut(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no query has a positive.*which of them answers"):
        cut(tmp_path, [("q1", "long", 1)])


def test_all_passages_are_positives_where_that_is_said(tmp_path: Path) -> None:
    counts = cut(tmp_path, [("q1", "long", 1)], labels="all")
    assert positives(tmp_path) == {("q1", f"long#{n}", True) for n in (1, 2, 3)}
    assert counts["dead_letters"] == 0


def test_a_name_that_is_a_document_and_a_passage_is_the_document(tmp_path: Path) -> None:
    cut(tmp_path, [("q1", "long#2", 1)], {"_id": "long#2", "text": "another one"})
    assert positives(tmp_path) == {("q1", "long#2#1", True)}


def test_a_second_document_of_an_identifier_adds_no_passage(tmp_path: Path) -> None:
    longer = {"_id": "long", "text": f"other {LONG} {LONG}"}
    counts = cut(tmp_path, [("q1", "short", 1)], longer)
    assert [r["doc_id"] for r in rows(tmp_path, "documents")][:3] == ["long#1", "long#2", "long#3"]
    assert counts["documents"] == 4 and counts["dead_letters"] == 3


@given(st.text(alphabet="ab \n日本。", max_size=200), st.integers(1, 12), st.data())
def test_passages_hold_every_word_once_but_for_the_overlap(
    text: str, words: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, words // 2))
    found = passages(text, words, overlap)
    if not text.split():
        assert found == []
        return
    assert all(piece == piece.strip() and piece in text for piece in found)
    letters = "".join(text.split())
    if overlap == 0:
        assert "".join("".join(piece.split()) for piece in found) == letters
    else:
        assert found[0].split()[0] == text.split()[0][: len(found[0].split()[0])]
        assert letters.endswith("".join(found[-1].split()))
