"""One test for each defect that users of other miners reported, through whole runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import (
    document,
    negmine,
    static_student,
    write_config,
)
from tests.transforms.input_files import write_beir

BAND = {"any": {"quota": 4}}


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return static_student(tmp_path_factory.mktemp("student") / "student")


def mined(
    output: Path,
    student: Path,
    documents: dict[str, str],
    queries: dict[str, str],
    qrels: list[tuple[str, str, int]],
    prompt: str = "",
    **sections: Any,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Negatives, ledger and manifest of a run over this collection."""
    folder = write_beir(
        output / "collection",
        [{"_id": name, "text": text} for name, text in documents.items()],
        [{"_id": name, "text": text} for name, text in queries.items()],
        qrels,
    )
    settings: dict[str, Any] = {
        "student": {"model": str(student), "device": "cpu", "query_prompt": prompt},
        "judge": {"kind": "none"},
        "tiers": BAND,
        "input": {"format": "beir", "path": str(folder)},
        **sections,
    }
    ended = negmine("mine", write_config(output / "run.yaml", **settings), "--output", str(output))
    assert ended.code == 0, ended.err
    run = output / "runs" / (output / "current").read_text().strip()
    negatives = pq.read_table(run / "negatives").to_pylist()
    ledger = pq.read_table(run / "ledger").to_pylist()
    return negatives, ledger, json.loads((run / "manifest.json").read_text())


def words(at: int) -> str:
    return " ".join(document(at).split()[:2])


def test_flagembedding_serves_a_sibling_positive_as_negative(student: Path, tmp_path: Path) -> None:
    """Rows of one query are not merged, and siblings become negatives."""
    documents = {f"d{i}": document(i) for i in range(12)}
    queries = {"q1": words(3), "q2": words(3), "q3": words(5)}
    qrels = [("q1", "d3", 1), ("q1", "d4", 1), ("q2", "d6", 1), ("q3", "d5", 1)]
    negatives, _, _ = mined(tmp_path, student, documents, queries, qrels)
    served = {(row["query_id"], row["negative_id"]) for row in negatives}
    assert not {name for query, name in served if query == "q1"} & {"d3", "d4", "d6"}
    assert {query for query, _ in served} == {"q1", "q3"}, "q2 has q1's text: one query"


def test_the_positives_text_under_another_id_is_no_negative(student: Path, tmp_path: Path) -> None:
    """7.5 % of the rows of a set hold the positive's own text as negative."""
    documents = {f"d{i}": document(i) for i in range(10)}
    documents |= {"copy": document(3), "shouted": f"  {document(3).upper()}\n"}
    negatives, ledger, _ = mined(tmp_path, student, documents, {"q": words(3)}, [("q", "d3", 1)])
    assert not {row["negative_id"] for row in negatives} & {"copy", "shouted"}
    copies = {r["doc_id"]: r["verdict"] for r in ledger if r["doc_id"] in {"copy", "shouted"}}
    assert copies == dict.fromkeys(copies, "same_text_as_positive")
    assert copies


def test_negative_scores_keep_the_margin_on_the_safe_side(student: Path, tmp_path: Path) -> None:
    """0.95 times a negative score lies above the positive."""
    documents = {f"d{i}": document(i) for i in range(8)}
    scores = {"d3": -1.0, "d0": -0.97, "d1": -1.02, "d2": -1.06, "d4": -3.0}
    file = tmp_path / "scores.jsonl"
    rows = [{"query_id": "q", "doc_id": d, "score": scores.get(d, -9.0)} for d in documents]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    negatives, ledger, _ = mined(
        tmp_path,
        student,
        documents,
        {"q": words(3)},
        [("q", "d3", 1)],
        judge={"kind": "precomputed", "path": str(file)},
        policies=[{"judge_relative_margin": {"keep_below": 0.95}}],
    )
    dropped = {r["doc_id"] for r in ledger if r["verdict"] == "judge_relative_margin"}
    assert dropped == {"d0", "d1"}
    assert all(row["judge_score"] < -1.05 for row in negatives)


def test_filtered_documents_never_come_back_as_padding(student: Path, tmp_path: Path) -> None:
    """Where the margin leaves too few, dropped documents fill the row."""
    documents = {f"d{i}": document(i) for i in range(6)}
    file = tmp_path / "scores.jsonl"
    rows = [
        {"query_id": "q", "doc_id": name, "score": 0.1 if name == "d5" else 0.9}
        for name in documents
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    negatives, _, manifest = mined(
        tmp_path,
        student,
        documents,
        {"q": words(3)},
        [("q", "d3", 1)],
        judge={"kind": "precomputed", "path": str(file)},
        policies=[{"judge_score": {"max": 0.5}}],
    )
    assert [row["negative_id"] for row in negatives] == ["d5"]
    assert manifest["summary"]["queries_short"] == 1


def test_a_shortfall_is_counted_as_it_is(student: Path, tmp_path: Path) -> None:
    """The count of missing negatives is 15 times wrong."""
    documents = {f"d{i}": document(i) for i in range(4)}
    queries = {"q1": words(0), "q2": words(1)}
    qrels = [("q1", "d0", 1), ("q2", "d1", 1), ("q2", "d2", 1), ("q2", "d3", 0)]
    negatives, _, manifest = mined(tmp_path, student, documents, queries, qrels)
    found = {query: sum(r["query_id"] == query for r in negatives) for query in queries}
    assert found == {"q1": 3, "q2": 2}
    run = tmp_path / "runs" / manifest["run_id"]
    sets = {row["query_id"]: row for row in pq.read_table(run / "sets").to_pylist()}
    assert {name: row["shortfall"] for name, row in sets.items()} == {"q1": 1, "q2": 2}


def test_changed_weights_or_a_changed_prompt_embed_anew(tmp_path: Path) -> None:
    """The cache hits after the weights or the prompt changed."""
    import safetensors.numpy

    documents = {f"d{i}": document(i) for i in range(20)}
    own = static_student(tmp_path / "own")

    def similarities(prompt: str = "") -> dict[str, float]:
        _, ledger, _ = mined(tmp_path, own, documents, {"q": words(3)}, [("q", "d3", 1)], prompt)
        return {row["doc_id"]: row["dense_score"] for row in ledger}

    before = similarities()
    prompted = similarities(words(7) + " ")
    (file,) = own.rglob("*.safetensors")
    tensors = safetensors.numpy.load_file(file)
    noise = np.random.default_rng(0)
    changed = {
        name: noise.normal(size=value.shape).astype(value.dtype) for name, value in tensors.items()
    }
    safetensors.numpy.save_file(changed, file)
    for after in (prompted, similarities()):
        assert any(abs(before[name] - after[name]) > 1e-3 for name in before.keys() & after.keys())
