"""Bad rows are counted by kind: many documents do not outweigh judgements that are lost."""

from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from tests.transforms.input_files import config, ingest, rows, write_beir, write_lines

MANY = 3000
QUERIES = 20


def collection(
    folder: Path, train: list[tuple[str, str, int]], test: list[tuple[str, str, int]] | None = None
) -> dict[str, Any]:
    """Many documents, some queries, and judgements of two splits."""
    documents = [{"_id": f"d{i}", "text": f"text number {i}"} for i in range(MANY)]
    queries = [{"_id": f"q{i}", "text": f"question number {i}"} for i in range(2 * QUERIES)]
    write_beir(folder, documents, queries, train)
    if test is None:
        return {"format": "beir", "path": str(folder)}
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in test)]
    write_lines(folder / "qrels" / "test.tsv", lines)
    return {"format": "beir", "path": str(folder), "evaluation_splits": ["test"]}


def judged(start: int, query: str = "q", document: str = "d") -> list[tuple[str, str, int]]:
    return [(f"{query}{i}", f"{document}{i}", 1) for i in range(start, start + QUERIES)]


@pytest.mark.parametrize(("query", "document"), [("Q", "D"), ("q", "D"), ("Q", "d")])
def test_an_evaluation_split_whose_identifiers_are_unknown_stops(
    tmp_path: Path, query: str, document: str
) -> None:
    values = collection(tmp_path / "in", judged(0), judged(QUERIES, query, document))
    with pytest.raises(
        DataError, match=r"^20 of 20 evaluation judgements cannot be used .*qrels/test\.tsv line 2"
    ):
        ingest(config(**values), tmp_path)
    with pytest.raises(DataError, match=r"no judgement of the evaluation in qrels/test\.tsv names"):
        ingest(config(**values, bad_rows=1), tmp_path)


def test_training_judgements_of_which_half_is_unknown_stop(tmp_path: Path) -> None:
    train = [*judged(0)[:10], *judged(10, document="D")[:10]]
    with pytest.raises(DataError, match=r"^10 of 20 judgements cannot be used \(50\.00%"):
        ingest(config(**collection(tmp_path / "in", train)), tmp_path)


@pytest.mark.parametrize(("lost", "share"), [(3, 0.01), (20, 1.0)])
def test_labels_that_are_lost_stop(tmp_path: Path, lost: int, share: float) -> None:
    values = collection(tmp_path / "in", judged(0))
    labels = [
        {"query_id": f"q{i}", "doc_id": f"{'D' if i < lost else 'd'}{i}", "decision": "positive"}
        for i in range(QUERIES)
    ]
    values["labels"] = str(write_lines(tmp_path / "labels.jsonl", labels))
    with pytest.raises(DataError, match=rf"({lost} of 20 labels|no label in labels\.jsonl)"):
        ingest(config(**values, bad_rows=share), tmp_path)


def test_a_slip_among_few_rows_stops_nothing(tmp_path: Path) -> None:
    test = [*judged(QUERIES), ("q30", "D1", 1)]
    values = collection(tmp_path / "in", [*judged(0), ("q1", "D1", 1)], test)
    counts = ingest(config(**values), tmp_path)
    assert (counts["dead_letters"], counts["evaluation_judgements"]) == (2, 20)
    assert counts["evaluation_documents"] == 20
    assert len(rows(tmp_path, "queries")) == 20
