"""Ingest: positions, duplicates, merged queries, dead letters and refusals."""

import itertools
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import Input
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.near_duplicates import minhash, shingles
from negmine.transforms.kernels.text import identity
from tests.transforms.input_files import (
    DOCUMENTS,
    QRELS,
    QUERIES,
    SCHEMAS,
    config,
    ingest,
    rows,
    write_beir,
    write_lines,
)


def reasons(directory: Path) -> list[tuple[str, int, str]]:
    return [(r["file"], r["line"], r["reason"]) for r in rows(directory, "dead_letters")]


def beir(folder: Path, **values: Any) -> Input:
    return config(format="beir", path=str(folder), **values)


def test_a_small_collection_becomes_five_data_sets(tmp_path: Path) -> None:
    counts = ingest(beir(write_beir(tmp_path / "in")), tmp_path)
    assert counts == {
        "rows": 9,
        "documents": 3,
        "queries": 2,
        "positives": 2,
        "dead_letters": 0,
        "repeated_rows": 0,
        "dead_letter_reasons": {},
        "ignored_judgements": 1,
        "judgements": 2,
        "dangling_judgements": 0,
        "unmined_judgements": 0,
        "repeated_judgements": 0,
        "merged_queries": 0,
        "queries_over_limit": 0,
        "queries_without_positives": 1,
        "evaluation_queries": 0,
        "evaluation_documents": 0,
        "evaluation_judgements": 0,
        "labelled_positives": 0,
        "confirmed_negatives": 0,
        "unused_labels": 0,
        "texts_with_language": 0,
    }
    assert json.loads((tmp_path / "counts.json").read_text()) == counts
    first = rows(tmp_path, "documents")[0]
    assert first == {
        "doc_ix": 0,
        "doc_id": "d1",
        "text": "Cells Cells divide in two.",
        "doc_key": int(text_keys(["d1"])[0]),
        "text_key": int(text_keys([identity("cells cells divide in two.")])[0]),
        "minhash": minhash(shingles("cells cells divide in two")),
        "in_evaluation": False,
        "group_key": 0,
        "place": -1,
    }
    assert [row["query_id"] for row in rows(tmp_path, "queries")] == ["q1", "q2"]
    assert rows(tmp_path, "positives") == [
        {"query_ix": 0, "doc_ix": 0, "grade": 1.0, "own": True},
        {"query_ix": 1, "doc_ix": 1, "grade": 2.0, "own": True},
    ]
    assert not (tmp_path / "raw").exists()


def test_parts_have_the_schema_and_are_named_by_their_rows(tmp_path: Path) -> None:
    documents = [{"_id": f"{i:03d}", "text": f"document {i}"} for i in range(25)]
    queries = [{"_id": f"{i:03d}", "text": f"query {i}"} for i in range(12)]
    qrels = [(f"{i:03d}", f"{j:03d}", 1) for i in range(12) for j in range(i + 1)]
    folder = write_beir(tmp_path / "in", documents, queries, qrels)
    ingest(beir(folder), tmp_path, block_size=10)
    for name, schema in SCHEMAS.items():
        dataset = Dataset(str(tmp_path / name))
        for part in dataset.part_names():
            file = tmp_path / name / part
            assert pq.read_schema(file).equals(schema)
    assert Dataset(str(tmp_path / "documents")).blocks() == [(0, 10), (10, 20), (20, 25)]
    assert Dataset(str(tmp_path / "queries")).blocks() == [(0, 10), (10, 12)]
    positives = Dataset(str(tmp_path / "positives"))
    assert positives.blocks() == [(0, 10), (10, 12)]
    assert positives.read_part(positives.part_names()[1])["query_ix"].unique().to_pylist() == [
        10,
        11,
    ]
    pairs = [(row["query_ix"], row["doc_ix"]) for row in rows(tmp_path, "positives")]
    assert pairs == [(i, j) for i in range(12) for j in range(i + 1)]
    assert Dataset(str(tmp_path / "dead_letters")).blocks() == [(0, 0)]


def test_positions_are_ranks_of_the_ids_bytes(tmp_path: Path) -> None:
    ids = ["b", "a", "a\x00", "A", "é", "\uffff", "\U0001f600", "10", "9", "aa"]
    documents = [{"_id": identity, "text": "x"} for identity in ids]
    folder = write_beir(tmp_path / "in", documents, QUERIES[:1], [("q1", "a", 1)])
    ingest(beir(folder), tmp_path)
    found = [row["doc_id"] for row in rows(tmp_path, "documents")]
    assert found == sorted(ids, key=str.encode)


def test_of_documents_with_one_id_the_first_stays(tmp_path: Path) -> None:
    double = [*DOCUMENTS, {"_id": "d2", "text": "another"}, {"_id": "d2", "text": "a third"}]
    ingest(beir(write_beir(tmp_path / "in", double), bad_rows=1), tmp_path)
    assert rows(tmp_path, "documents")[1]["text"] == "Stars burn hydrogen."
    said = "duplicate id 'd2', first seen in corpus.jsonl line 2"
    assert reasons(tmp_path) == [("corpus.jsonl", 4, said), ("corpus.jsonl", 5, said)]
    assert rows(tmp_path, "dead_letters")[0]["excerpt"] == "d2\tanother"


def test_identical_rows_are_counted_and_no_damage(tmp_path: Path) -> None:
    documents, queries = [*DOCUMENTS, DOCUMENTS[0], DOCUMENTS[0]], [*QUERIES, QUERIES[1]]
    qrels = [*QRELS, QRELS[0], ("q1", "d1", 2)]
    folder = write_beir(tmp_path / "in", documents, queries, qrels)
    counts = ingest(beir(folder, bad_rows=0), tmp_path)
    assert (counts["repeated_rows"], counts["dead_letters"]) == (4, 0)
    highest = [("q1", "d1", 2), *QRELS[1:]]
    ingest(beir(write_beir(tmp_path / "once", qrels=highest)), tmp_path / "b")
    for name in SCHEMAS:
        assert rows(tmp_path, name) == rows(tmp_path / "b", name)


def test_an_identical_row_beside_another_text_of_the_same_id(tmp_path: Path) -> None:
    documents = [*DOCUMENTS, {"_id": "d2", "text": "another"}, DOCUMENTS[1]]
    counts = ingest(beir(write_beir(tmp_path / "in", documents), bad_rows=1), tmp_path)
    assert (counts["repeated_rows"], counts["dead_letters"]) == (1, 1)
    assert reasons(tmp_path)[0][1] == 4


def test_queries_with_the_same_text_are_one_and_their_positives_united(tmp_path: Path) -> None:
    queries = [
        {"_id": "q9", "text": "What do STARS burn?"},
        {"_id": "q2", "text": "what do stars  burn?"},
        {"_id": "q1", "text": "what do stars burn!"},
        {"_id": "q3", "text": "???"},
        {"_id": "q4", "text": "!!!"},
    ]
    qrels = [("q9", "d1", 1), ("q2", "d2", 1), ("q9", "d2", 1), ("q3", "d1", 1), ("q4", "d1", 1)]
    counts = ingest(beir(write_beir(tmp_path / "in", queries=queries, qrels=qrels)), tmp_path)
    found = [(row["query_id"], row["merged_ids"]) for row in rows(tmp_path, "queries")]
    assert found == [("q2", ["q9"]), ("q3", []), ("q4", [])]
    pairs = [(row["query_ix"], row["doc_ix"]) for row in rows(tmp_path, "positives")]
    assert pairs == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert (counts["merged_queries"], counts["queries_without_positives"]) == (1, 1)


def test_equal_queries_stay_apart_where_asked_and_know_each_others_positives(
    tmp_path: Path,
) -> None:
    queries = [{"_id": "q1", "text": "What is it"}, {"_id": "q2", "text": "what IS it"}]
    qrels = [("q1", "d1", 1), ("q2", "d2", 3), ("q2", "d1", 2)]
    folder = write_beir(tmp_path / "in", queries=queries, qrels=qrels)
    counts = ingest(beir(folder, merge_equal_queries=False), tmp_path)
    assert [(row["query_id"], row["merged_ids"]) for row in rows(tmp_path, "queries")] == [
        ("q1", []),
        ("q2", []),
    ]
    assert rows(tmp_path, "positives") == [
        {"query_ix": 0, "doc_ix": 0, "grade": 1.0, "own": True},
        {"query_ix": 0, "doc_ix": 1, "grade": None, "own": False},
        {"query_ix": 1, "doc_ix": 0, "grade": 2.0, "own": True},
        {"query_ix": 1, "doc_ix": 1, "grade": 3.0, "own": True},
    ]
    assert counts["merged_queries"] == 0


def test_judgements_that_dangle_say_why(tmp_path: Path) -> None:
    documents = [*DOCUMENTS, {"_id": "empty", "text": ""}]
    queries = [*QUERIES, {"_id": "mute", "text": ""}]
    qrels = [*QRELS, ("q1", "d7", 1), ("q7", "d1", 1), ("q1", "empty", 1), ("mute", "d1", 1)]
    folder = write_beir(tmp_path / "in", documents, queries, [*qrels, ("q8", "d8", 0)])
    counts = ingest(beir(folder, bad_rows=1), tmp_path)
    assert reasons(tmp_path) == [
        ("corpus.jsonl", 4, "text is empty"),
        ("qrels/train.tsv", 5, "unknown document 'd7'"),
        ("qrels/train.tsv", 6, "unknown query 'q7'"),
        ("qrels/train.tsv", 7, "document 'empty' is a dead letter itself (corpus.jsonl line 4)"),
        ("qrels/train.tsv", 8, "query 'mute' is a dead letter itself (queries.jsonl line 4)"),
        ("queries.jsonl", 4, "text is empty"),
    ]
    assert counts["dead_letter_reasons"] == {
        "dead_document": 1,
        "dead_query": 1,
        "empty_text": 2,
        "unknown_document": 1,
        "unknown_query": 1,
    }


def test_more_bad_rows_than_allowed_fail_after_they_are_written(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "in", [*DOCUMENTS, b"oops", b"oops"])
    with pytest.raises(DataError) as caught:
        ingest(beir(folder), tmp_path)
    message = str(caught.value)
    assert "2 of 11 rows cannot be used (18.18%, the limit is 1.00%)" in message
    assert "corpus.jsonl line 4: not JSON: Expecting value" in message
    assert "(2 such rows)" in message
    assert str(tmp_path / "dead_letters") in message
    assert "input.bad_rows" in message
    assert len(rows(tmp_path, "dead_letters")) == 2
    assert not (tmp_path / "documents").exists()


@pytest.mark.parametrize(
    ("documents", "queries", "qrels", "message"),
    [
        ([], QUERIES, [], "the corpus is empty"),
        (DOCUMENTS, [], [], "there are no queries"),
        (DOCUMENTS, QUERIES, [], "no query has a positive: of 3 queries"),
        (DOCUMENTS, QUERIES, [("q1", "d1", 0)], "no query has a positive"),
        (DOCUMENTS, QUERIES, [("q1", "nowhere", 1)], r"no query has a positive.*unknown document"),
        ([b"x"], [b"x"], [b"x"], r"the corpus is empty.*not JSON"),
    ],
)
def test_a_collection_without_anything_to_mine_is_refused(
    tmp_path: Path, documents: Any, queries: Any, qrels: Any, message: str
) -> None:
    folder = write_beir(tmp_path / "in", documents, queries, qrels)
    with pytest.raises(DataError, match=message):
        ingest(beir(folder, bad_rows=1), tmp_path)


def test_limit_keeps_the_corpus_and_some_queries_chosen_by_seed(tmp_path: Path) -> None:
    queries = [{"_id": f"q{i}", "text": f"query number {i}"} for i in range(40)]
    qrels = [(query["_id"], "d1", 1) for query in queries]
    folder = write_beir(tmp_path / "in", queries=queries, qrels=qrels)

    def chosen(limit: int, seed: int) -> list[str]:
        counts = ingest(beir(folder, limit=limit), tmp_path / f"{limit}-{seed}", seed=seed)
        assert (counts["documents"], counts["positives"]) == (3, limit)
        assert counts["queries_over_limit"] == 40 - limit
        return [row["query_id"] for row in rows(tmp_path / f"{limit}-{seed}", "queries")]

    assert set(chosen(5, 42)) < set(chosen(6, 42))
    assert chosen(5, 42) != chosen(5, 43)


def test_pairs_unite_equal_texts_without_dead_letters(tmp_path: Path) -> None:
    pairs = [("a b", "x"), ("a b", "y"), ("A  B", "x"), ("c d", "x")]
    path = write_lines(
        tmp_path / "in.jsonl", [{"query": query, "positive": positive} for query, positive in pairs]
    )
    counts = ingest(config(format="pairs", path=str(path)), tmp_path)
    assert counts["rows"] == 4
    assert (counts["documents"], counts["queries"], counts["positives"]) == (2, 2, 3)
    assert (counts["dead_letters"], counts["repeated_rows"]) == (0, 0)
    write_lines(path, [{"query": query, "positive": positive} for query, positive in 2 * pairs])
    counts = ingest(config(format="pairs", path=str(path)), tmp_path / "twice")
    assert (counts["positives"], counts["dead_letters"], counts["repeated_rows"]) == (3, 0, 4)


def test_a_text_has_the_same_language_whichever_of_its_lines_comes_first(tmp_path: Path) -> None:
    told = [("fr", "en"), (None, "de"), ("en", None)]
    for at, order in enumerate(itertools.permutations(told)):
        lines = [
            {"query": "who", "positive": "it", "query_lang": asked, "positive_lang": answered}
            for asked, answered in order
        ]
        lines += [{"query": "why", "positive": "so"}]
        write_lines(tmp_path / f"{at}.jsonl", lines)
        ingest(config(format="pairs", path=str(tmp_path / f"{at}.jsonl")), tmp_path / str(at))
        for name, expected in (("queries", {"who": "en", "why": None}),
                               ("documents", {"it": "de", "so": None})):  # fmt: skip
            found = rows(tmp_path / str(at), name)
            assert {row["text"]: row["language"] for row in found} == expected


def test_a_repeated_id_takes_no_language_from_another_text(tmp_path: Path) -> None:
    documents = [
        {"_id": "d1", "text": "one", "lang": "fr"},
        {"_id": "d1", "text": "one", "lang": "en"},
        {"_id": "d1", "text": "another", "lang": "de"},
    ]
    folder = write_beir(tmp_path / "in", documents, QUERIES, [("q1", "d1", 1)])
    ingest(beir(folder, bad_rows=1), tmp_path)
    assert [row["language"] for row in rows(tmp_path, "documents")] == ["en"]


def test_what_an_unfinished_attempt_left_is_replaced(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "in")
    stale = tmp_path / "documents" / "part-000000000000-000000000099.parquet"
    stale.parent.mkdir()
    pq.write_table(pa.table({"x": [1]}), stale)
    (tmp_path / "raw" / "resolve").mkdir(parents=True)
    (tmp_path / "raw" / "resolve" / "resolve.duckdb").write_bytes(b"half")
    ingest(beir(folder), tmp_path)
    assert Dataset(str(tmp_path / "documents")).blocks() == [(0, 3)]


EVALUATED = [*QUERIES, {"_id": "q4", "text": "How do  CELLS divide"}, {"_id": "q5", "text": "sand"}]
SPLIT = [("q4", "d2", 1), ("q4", "d3", 0), ("q3", "d2", 1)]


def evaluation(folder: Path, split: Any = SPLIT, **rows_of: Any) -> Path:
    """A BEIR folder whose train split asks q1 and q2, and whose test split asks q4 and q3."""
    rows_of = {"queries": EVALUATED, **rows_of}
    write_beir(folder, **{**rows_of, "qrels": split}, split="test")
    return write_beir(folder, **rows_of)


def test_a_positive_of_an_evaluation_query_is_flagged_and_stays_a_positive(tmp_path: Path) -> None:
    documents = [*DOCUMENTS, {"_id": "d4", "text": "stars BURN  hydrogen."}]
    folder = evaluation(tmp_path / "in", documents=documents)
    counts = ingest(beir(folder, evaluation_splits=["test"]), tmp_path)
    flagged = {row["doc_id"]: row["in_evaluation"] for row in rows(tmp_path, "documents")}
    assert flagged == {"d1": False, "d2": True, "d3": False, "d4": True}
    assert (counts["evaluation_documents"], counts["evaluation_judgements"]) == (2, 2)
    assert [row["query_id"] for row in rows(tmp_path, "queries")] == ["q2"]
    assert rows(tmp_path, "positives") == [{"query_ix": 0, "doc_ix": 1, "grade": 2.0, "own": True}]


def test_a_query_with_an_evaluation_querys_text_is_listed_and_no_bad_row(tmp_path: Path) -> None:
    counts = ingest(beir(evaluation(tmp_path / "in"), evaluation_splits=["test"]), tmp_path)
    reason = "has the text of an evaluation query, so it is not mined"
    assert reasons(tmp_path) == [("queries.jsonl", 1, reason)]
    assert rows(tmp_path, "dead_letters")[0]["excerpt"] == "q1\thow do cells divide"
    assert (counts["evaluation_queries"], counts["dead_letters"]) == (1, 1)
    assert counts["dead_letter_reasons"] == {"evaluation_query": 1}
    assert (counts["queries"], counts["queries_without_positives"]) == (1, 3)


def test_a_query_whose_evaluation_judgements_are_all_0_is_one_of_it(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "in", [("q3", "d3", 1), ("q1", "d2", 0)])
    ingest(beir(folder, evaluation_splits=["test"]), tmp_path)
    assert [row["query_id"] for row in rows(tmp_path, "queries")] == ["q2"]
    assert [row["in_evaluation"] for row in rows(tmp_path, "documents")] == [False, False, True]


def test_without_evaluation_splits_another_split_changes_nothing(tmp_path: Path) -> None:
    ingest(beir(write_beir(tmp_path / "a" / "in", queries=EVALUATED)), tmp_path / "a")
    counts = ingest(beir(evaluation(tmp_path / "b" / "in")), tmp_path / "b")
    for name in SCHEMAS:
        assert rows(tmp_path / "a", name) == rows(tmp_path / "b", name)
    assert counts["evaluation_documents"] == counts["evaluation_queries"] == 0


def test_bad_rows_and_dangling_judgements_of_evaluation_splits_are_dead_letters(
    tmp_path: Path,
) -> None:
    split = [*SPLIT, "q4", ("q4", "d7", 1), ("q7", "d1", 1), ("q8", "d8", 0)]
    folder = evaluation(tmp_path / "in", split)
    ingest(beir(folder, evaluation_splits=["test"], bad_rows=0.5), tmp_path)
    assert reasons(tmp_path)[:3] == [
        ("qrels/test.tsv", 5, "1 columns, expected 3"),
        ("qrels/test.tsv", 6, "unknown document 'd7'"),
        ("qrels/test.tsv", 7, "unknown query 'q7'"),
    ]
    with pytest.raises(DataError, match=r"^3 of 18 rows .*qrels/test\.tsv line 5: 1 columns"):
        ingest(beir(folder, evaluation_splits=["test"]), tmp_path)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ([("q4", "d2", 0)], r"no judgement above 0.*qrels/test\.tsv"),
        ([("q1", "d3", 1), ("q2", "d3", 1)], r"each of the 2 queries .* evaluation query"),
    ],
)
def test_an_evaluation_split_that_keeps_out_nothing_or_everything_is_refused(
    tmp_path: Path, split: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ingest(beir(evaluation(tmp_path / "in", split), evaluation_splits=["test"]), tmp_path)
