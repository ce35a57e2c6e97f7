"""One finished run with a judge that knows, shared by all tests of plans."""

import json
from pathlib import Path

import pytest

from tests.jobs.collections import document, negmine, static_student, write_config
from tests.transforms.input_files import write_beir

QUERIES, DOCUMENTS = 12, 40
SEVERAL = {0: [0, 15], 1: [1, 16, 17]}
"""Positives of the queries that have several, by number; each other has the one of its number."""
SAME_TEXT = 18
"""A document with the text of document 2, and the positive of query 3 besides 3."""
SUSPECTED = (4, 5)
"""Query and document that the judge scores above every positive."""


def positives(query: int) -> list[int]:
    return {**SEVERAL, 3: [3, SAME_TEXT]}.get(query, [query])


def text_of(doc: int) -> str:
    return document(2 if doc == SAME_TEXT else doc)


def score(query: int, doc: int) -> float:
    if (query, doc) == SUSPECTED:
        return 5.0
    return 2.0 if doc in positives(query) else ((7 * query + 3 * doc) % 10) / 10


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of a run that every candidate was judged for, by scores from a file."""
    base = tmp_path_factory.mktemp("batches")
    pairs = [(query, doc) for query in range(QUERIES) for doc in range(DOCUMENTS)]
    scores = [
        {"query_id": f"q{query:04}", "doc_id": f"d{doc:04}", "score": score(query, doc)}
        for query, doc in pairs
    ]
    (base / "scores.jsonl").write_text("\n".join(map(json.dumps, scores)))
    write_beir(
        base / "collection",
        [{"_id": f"d{doc:04}", "text": text_of(doc)} for doc in range(DOCUMENTS)],
        [
            {"_id": f"q{query:04}", "text": " ".join(document(query).split()[:2]) + f" {query}"}
            for query in range(QUERIES)
        ],
        [(f"q{query:04}", f"d{doc:04}", 1) for query in range(QUERIES) for doc in positives(query)],
    )
    config = write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(base / "collection")},
        student={"model": str(static_student(base / "student")), "device": "cpu"},
        judge={"kind": "precomputed", "path": str(base / "scores.jsonl")},
        output={"path": str(base / "out"), "run_id": "one"},
    )
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return base / "out"
