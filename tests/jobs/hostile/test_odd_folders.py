"""Folders whose names mean something to DuckDB and to patterns change nothing."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import digest, negmine, static_student, write_collection, write_config
from tests.jobs.vector_files import DOCUMENTS, QUERIES, export


def mine(base: Path) -> Path:
    """A run with all that can be given to it, everything in one folder; returns the run's."""
    base.mkdir(parents=True)
    pairs = [
        (query, (7 * query + 3 * rank) % DOCUMENTS, rank) for query in range(8) for rank in (1, 2)
    ]
    candidates = {
        "query_id": [f"q{query:04}" for query, _, _ in pairs],
        "doc_id": [f"d{document:04}" for _, document, _ in pairs],
        "rank": [rank for _, _, rank in pairs],
    }
    pq.write_table(pa.table(candidates), base / "candidates.parquet")
    config = write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(write_collection(base / "c", DOCUMENTS, QUERIES))},
        student={"vectors": export(base / "vectors")},
        sources={
            "bm25": {"depth": 10},
            "given": {"path": str(base / "candidates.parquet")},
        },
        judge={"kind": "none"},
        output={"path": str(base / "out"), "run_id": "r"},
    )
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return base / "out" / "runs" / "r"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mine(tmp_path_factory.mktemp("plain") / "x")


ODD = ("id=9/doc_ix=7/query_id=8/row=6", "a [v1]", "b*?", "it's; DROP TABLE ids --")


@pytest.mark.parametrize(
    "name", ["/".join(ODD), *(pytest.param(name, marks=pytest.mark.long) for name in ODD)]
)
def test_a_run_has_the_same_bytes_in_any_folder(name: str, plain: Path, tmp_path: Path) -> None:
    run = mine(tmp_path / name)
    for data_set in ("negatives", "positives", "ledger", "sets"):
        assert digest(run, data_set) == digest(plain, data_set)
    asked = "SELECT count(*), count(DISTINCT query_id), sum(rank) FROM negatives"
    answers = [negmine("query", str(place), asked, "--format", "csv") for place in (run, plain)]
    assert answers[0].code == 0, answers[0].err
    assert answers[0].out == answers[1].out
    written = tmp_path / name / "set.jsonl"
    exported = negmine("export", str(run), "--format", "flagembedding", "-o", str(written))
    assert exported.code == 0, exported.err
    options = ["--student", str(static_student(tmp_path / name / "student")), "--judge", "none"]
    audit = ["audit", str(written), "--format", "flagembedding", *options]
    audited = negmine(*audit, "--output", str(tmp_path / name / "audit"))
    assert audited.code == 0, audited.err
