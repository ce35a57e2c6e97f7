"""Labels of each format: which pairs they make positives and negatives, and what they cannot."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import Input
from negmine.schemas.inputs.passages import Passages
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.readers import check, fingerprint_input, input_files
from negmine.transforms.readers.rows import text_id
from tests.transforms.input_files import (
    DOCUMENTS,
    QRELS,
    QUERIES,
    config,
    ingest,
    rows,
    write_beir,
    write_lines,
)

Pairs = list[tuple[str, str]]


def label(query_id: Any, doc_id: Any, decision: Any) -> dict[str, Any]:
    return {"query_id": query_id, "doc_id": doc_id, "decision": decision, "run_id": "one"}


def labels(folder: Path, *given: Any) -> str:
    return str(write_lines(folder / "labels.jsonl", given))


def labelled(folder: Path, *given: Any, **values: Any) -> Input:
    path = str(write_beir(folder / "in", **values))
    made = labels(folder, *given)
    return config(format="beir", path=path, labels=made, bad_rows=1)


def found(directory: Path, name: str) -> Pairs:
    """Pairs of a data set, by identifiers."""
    queries, documents = rows(directory, "queries"), rows(directory, "documents")
    return [
        (queries[row["query_ix"]]["query_id"], documents[row["doc_ix"]]["doc_id"])
        for row in rows(directory, name)
    ]


def reasons(directory: Path) -> list[tuple[str, int, str, str]]:
    return [
        (row["file"], row["line"], row["kind"], row["reason"])
        for row in rows(directory, "dead_letters")
    ]


def test_labels_become_positives_and_confirmed_negatives(tmp_path: Path) -> None:
    given = [label("q1", "d2", "positive"), label("q1", "d3", "negative")]
    counts = ingest(labelled(tmp_path, *given, label("q2", "d3", "negative")), tmp_path)
    assert found(tmp_path, "positives") == [("q1", "d1"), ("q1", "d2"), ("q2", "d2")]
    assert found(tmp_path, "confirmed_negatives") == [("q1", "d3"), ("q2", "d3")]
    assert (counts["positives"], counts["labelled_positives"]) == (3, 1)
    assert (counts["confirmed_negatives"], counts["unused_labels"]) == (2, 0)
    assert (counts["rows"], counts["dead_letters"]) == (12, 0)


def test_a_label_of_a_merged_query_counts_for_the_one_it_was_merged_into(tmp_path: Path) -> None:
    queries = [*QUERIES, {"_id": "q9", "text": "How do  cells divide"}]
    qrels = [*QRELS, ("q9", "d1", 1)]
    given = [label("q9", "d2", "positive"), label("q9", "d3", "negative")]
    ingest(labelled(tmp_path, *given, queries=queries, qrels=qrels), tmp_path)
    assert ("q1", "d2") in found(tmp_path, "positives")
    assert found(tmp_path, "confirmed_negatives") == [("q1", "d3")]


def test_a_query_without_qrels_is_not_mined_for_its_labels(tmp_path: Path) -> None:
    given = [label("q3", "d1", "positive"), label("q3", "d2", "negative")]
    counts = ingest(labelled(tmp_path, *given), tmp_path)
    assert [row["query_id"] for row in rows(tmp_path, "queries")] == ["q1", "q2"]
    assert found(tmp_path, "confirmed_negatives") == []
    assert (counts["unused_labels"], counts["dead_letters"]) == (2, 0)


def test_labels_that_cannot_be_used_are_dead_letters(tmp_path: Path) -> None:
    given = [
        label("q1", "d9", "positive"),
        label("q9", "d1", "negative"),
        label("q1", "d1", "negative"),
        label("q1", "d3", None),
        label("q1", "d3", "perhaps"),
        label(" ", "d3", "negative"),
        "{",
        label("q1", "empty", "negative"),
        label("q2", "d3", "positive"),
        label("q2", "d3", "negative"),
    ]
    documents = [*DOCUMENTS, {"_id": "empty", "text": ""}]
    ingest(labelled(tmp_path, *given, documents=documents), tmp_path)
    known = "document '{}' is a known positive of query '{}' and stays one"
    told = [
        "unknown document 'd9'",
        "unknown query 'q9'",
        known.format("d1", "q1"),
        "decision is missing",
        "decision is 'perhaps', expected 'positive', 'answers', 'negative' or null",
        "query_id is empty",
        "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "document 'empty' is a dead letter itself (corpus.jsonl line 4)",
    ]
    expected = [("labels.jsonl", i, "labels", reason) for i, reason in enumerate(told, 1)]
    expected.append(("labels.jsonl", 10, "labels", known.format("d3", "q2")))
    assert [row for row in reasons(tmp_path) if row[2] == "labels"] == expected
    assert found(tmp_path, "positives") == [("q1", "d1"), ("q2", "d2"), ("q2", "d3")]
    assert found(tmp_path, "confirmed_negatives") == []
    assert rows(tmp_path, "dead_letters")[-1]["excerpt"] == "q2\td3"


def test_a_rejected_label_of_a_document_does_nothing_to_its_other_passages(tmp_path: Path) -> None:
    documents = [*DOCUMENTS, {"_id": "long", "text": " ".join(f"word{i}" for i in range(34))}]
    given = [label("q1", "long", "negative"), label("q1", "long#3", "negative")]
    given += [label("q2", "long", "negative"), label("q2", "d1#1", "negative")]
    qrels = [*QRELS, ("q1", "long#1", 1)]
    made = labelled(tmp_path, *given, documents=documents, qrels=qrels)
    ingest(made.model_copy(update={"passages": Passages(words=10)}), tmp_path)
    known = "document 'long' is a known positive of query 'q1' and stays one"
    assert reasons(tmp_path) == [("labels.jsonl", 1, "labels", known)]
    of_q2 = [("q2", name) for name in ("d1#1", "long#1", "long#2", "long#3")]
    assert found(tmp_path, "confirmed_negatives") == [("q1", "long#3"), *of_q2]


def test_a_label_that_several_passages_reject_is_one_bad_row(tmp_path: Path) -> None:
    documents = [*DOCUMENTS, {"_id": "long", "text": " ".join(f"word{i}" for i in range(34))}]
    qrels = [*QRELS, ("q1", "long", 1)]
    made = labelled(tmp_path, label("q1", "long", "negative"), documents=documents, qrels=qrels)
    cut = Passages(words=10, labels="all")
    counts = ingest(made.model_copy(update={"passages": cut}), tmp_path)
    assert counts["dead_letters"] == 1 and found(tmp_path, "confirmed_negatives") == []


def test_confirmed_negatives_are_parted_by_blocks_of_queries(tmp_path: Path) -> None:
    queries = [{"_id": f"{i:02}", "text": f"query {i}"} for i in range(7)]
    qrels = [(f"{i:02}", "d1", 1) for i in range(7)]
    given = [label(f"{i:02}", d, "negative") for i in (5, 0, 6) for d in ("d3", "d2", "d3")]
    ingest(labelled(tmp_path, *given, queries=queries, qrels=qrels), tmp_path, block_size=3)
    dataset = Dataset(str(tmp_path / "confirmed_negatives"))
    assert dataset.blocks() == [(0, 3), (3, 6), (6, 7)]
    pairs = [(q, d) for q in ("00", "05", "06") for d in ("d2", "d3")]
    assert found(tmp_path, "confirmed_negatives") == pairs


def test_the_fingerprint_covers_the_labels_content_and_not_their_place(tmp_path: Path) -> None:
    made = labelled(tmp_path, label("q1", "d2", "positive"))
    before = fingerprint_input(made, 42, None)
    (tmp_path / "labels.jsonl").rename(tmp_path / "moved.jsonl")
    moved = made.model_copy(update={"labels": str(tmp_path / "moved.jsonl")})
    assert fingerprint_input(moved, 42, None) == before
    write_lines(tmp_path / "moved.jsonl", [label("q1", "d2", "negative")])
    assert fingerprint_input(moved, 42, None) != before
    without = fingerprint_input(made.model_copy(update={"labels": None}), 42, None)
    assert without == {k: v for k, v in before.items() if k != "labels"}


def test_a_labels_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    made = labelled(tmp_path)
    with pytest.raises(DataError, match=r"input\.labels: .*gone\.jsonl is not a file"):
        check(made.model_copy(update={"labels": str(tmp_path / "gone.jsonl")}))


def hf(base: Path) -> dict[str, Any]:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed")
    tables = {
        "documents": [{"doc_id": f"d{i}", "text": f"text {i}"} for i in range(4)],
        "queries": [{"query_id": "q1", "text": "first"}],
        "qrels": [{"query_id": "q1", "doc_id": "d1"}],
    }
    for kind, table in tables.items():
        datasets.Dataset.from_list(table).save_to_disk(str(base / kind))
    return {"format": "hf", **{kind: str(base / kind) for kind in tables}}


def tsv(base: Path) -> dict[str, Any]:
    tables = {
        "documents": [f"d{i}\ttext {i}" for i in range(4)],
        "queries": ["q1\tfirst"],
        "qrels": ["q1\td1"],
    }
    paths = {k: str(write_lines(base / f"{k}.tsv", lines)) for k, lines in tables.items()}
    return {"format": "tsv", **paths}


@pytest.mark.parametrize("write", [hf, tsv])
def test_formats_of_named_parts_take_labels(tmp_path: Path, write: Any) -> None:
    file = labels(tmp_path, label("q1", "d2", "positive"), label("q1", "d3", "negative"))
    made = config(**write(tmp_path / "in"), labels=file)
    ingest(made, tmp_path)
    assert found(tmp_path, "positives") == [("q1", "d1"), ("q1", "d2")]
    assert found(tmp_path, "confirmed_negatives") == [("q1", "d3")]
    assert fingerprint_input(made, 0, None)["labels"]
    assert Path(file) in input_files(made)


def test_pairs_take_labels_by_the_hashes_of_their_texts(tmp_path: Path) -> None:
    lines = [{"query": "first", "positive": "one"}, {"query": "second", "positive": "two"}]
    file = labels(tmp_path, label(text_id("first"), text_id("two"), "negative"))
    path = str(write_lines(tmp_path / "in.jsonl", lines))
    ingest(config(format="pairs", path=path, labels=file), tmp_path)
    assert found(tmp_path, "confirmed_negatives") == [(text_id("first"), text_id("two"))]


def test_the_standard_library_takes_labels(tmp_path: Path) -> None:
    ingest(config(format="stdlib", limit=5), tmp_path / "bare")
    first, second, *_ = (row["doc_id"] for row in rows(tmp_path / "bare", "documents"))
    file = labels(tmp_path, label(first, second, "positive"))
    made = config(format="stdlib", limit=5, labels=file)
    ingest(made, tmp_path)
    assert (first, second) in found(tmp_path, "positives")
    assert fingerprint_input(made, 0, None)["labels"]


def test_ir_datasets_take_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"default_text": lambda self: self.text}
    row = type("row", (SimpleNamespace,), text)
    subset = SimpleNamespace(
        has_docs=lambda: True,
        has_queries=lambda: True,
        has_qrels=lambda: True,
        docs_iter=lambda: [row(doc_id=f"d{i}", text=f"text {i}") for i in range(3)],
        queries_iter=lambda: [row(query_id="q1", text="ask")],
        qrels_iter=lambda: [row(query_id="q1", doc_id="d1", relevance=1)],
    )
    library = ModuleType("ir_datasets")
    library.load = {"a": subset}.__getitem__  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ir_datasets", library)
    file = labels(tmp_path, label("q1", "d2", "negative"))
    made = config(format="ir_datasets", name="a", labels=file)
    ingest(made, tmp_path)
    assert found(tmp_path, "confirmed_negatives") == [("q1", "d2")]
    assert fingerprint_input(made, 0, None)["labels"]
