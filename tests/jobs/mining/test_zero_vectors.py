"""A text of which the student knows no word has a zero vector, and is similar to nothing."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.jobs.collections import (
    THREE_TIERS,
    document,
    negmine,
    static_student,
    write_config,
)
from tests.transforms.input_files import write_beir

DOCUMENTS, QUERIES = 40, 8
UNKNOWN = ("zzyzx qwfp", "xyzzy plugh")
METHODS = (
    "fused",
    "top",
    "contrast",
    "uniform",
    "softmax",
    "simans",
    "trisampler",
    "mmr",
    "log_det",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 documents, two more of unknown words; 8 queries, one of unknown words, and one whose
    positive is."""
    folder = tmp_path_factory.mktemp("zero")
    texts = {f"d{i:02}": document(i) for i in range(DOCUMENTS)}
    texts |= {f"u{i}": text for i, text in enumerate(UNKNOWN)}
    queries = {f"q{i}": " ".join(document(i).split()[:2]) for i in range(QUERIES)}
    queries["unknown"] = "plover qwfp"
    positives = {f"q{i}": f"d{i:02}" for i in range(QUERIES)} | {"unknown": "d20", "q7": "u1"}
    write_beir(
        folder / "collection",
        [{"_id": name, "text": text} for name, text in texts.items()],
        [{"_id": name, "text": text} for name, text in queries.items()],
        [(query, positive, 1) for query, positive in positives.items()],
    )
    static_student(folder / "student", knows_all=False)
    write_config(
        folder / "run.yaml",
        input={"format": "beir", "path": str(folder / "collection")},
        student={"model": str(folder / "student"), "device": "cpu"},
        sources={"random": {"count": DOCUMENTS + len(UNKNOWN)}},
        judge={"kind": "none"},
        tiers=THREE_TIERS,
        runner={"block_size": 3},
    )
    return folder


def mine(base: Path, run_id: str, *settings: str) -> Path:
    sets = [word for setting in settings for word in ("--set", setting)]
    output = base / "out"
    ended = negmine(
        "mine", str(base / "run.yaml"), "--output", str(output), "--set", f"output.run_id={run_id}",
        *sets,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return output / "runs" / run_id


@pytest.fixture(scope="module")
def run(base: Path) -> Path:
    return mine(base, "run")


def ask(run: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        for name in ("negatives", "ledger", "sets"):
            files = f"{run}/{name}/**/*.parquet"
            database.execute(
                f"CREATE VIEW {name} AS FROM read_parquet('{files}', hive_partitioning = true)"
            )
        return database.execute(sql).fetchall()


WITHOUT = "doc_id IN ('u0', 'u1') OR query_id IN ('unknown', 'q7')"
"""Pairs without a similarity, of their own or of the served positive."""


def test_pairs_without_a_similarity_are_outside_the_tiers(run: Path) -> None:
    found = dict(ask(run, f"SELECT verdict, count(*) FROM ledger WHERE {WITHOUT} GROUP BY verdict"))
    assert set(found) == {"outside_tiers", "known_positive"}
    assert found["known_positive"] == 2
    assert ask(run, "SELECT count(*) FROM negatives WHERE query_id IN ('unknown', 'q7')") == [(0,)]
    assert ask(run, "SELECT count(*) FROM negatives WHERE negative_id IN ('u0', 'u1')") == [(0,)]
    kept = dict(ask(run, "SELECT query_id, count(*) FROM negatives GROUP BY query_id"))
    assert kept == {f"q{i}": 8 for i in range(7)}


def test_the_ledger_has_no_similarity_for_them(run: Path) -> None:
    nothing = "doc_id IN ('u0', 'u1') OR query_id = 'unknown'"
    assert ask(run, f"SELECT count(dense_score), count(*) > 0 FROM ledger WHERE {nothing}") == [
        (0, True)
    ]
    others = f"SELECT count(*) - count(dense_score) FROM ledger WHERE NOT ({nothing})"
    assert ask(run, others) == [(0,)]
    served = "SELECT count(positive_dense_score) FROM ledger WHERE query_id IN ('unknown', 'q7')"
    assert ask(run, served) == [(0,)]


def test_s_and_delta_are_of_the_others(run: Path) -> None:
    rows = ask(run, "SELECT signal, safety, eci, negatives, shortfall FROM sets ORDER BY query_id")
    assert np.isfinite(rows).all()
    assert [row[3:] for row in rows] == [(8, 0)] * 7 + [(0, 8)] * 2
    eci = json.loads((run / "manifest.json").read_text())["summary"]["eci"]["overall"]
    assert eci["queries"] == 7
    of_sets = np.mean([row[0] for row in rows[:7]])
    assert eci["signal"] == pytest.approx(of_sets, abs=1e-6)


def test_they_are_counted_and_named(run: Path) -> None:
    summary = json.loads((run / "manifest.json").read_text())["summary"]
    assert summary["zero_vectors"] == {"documents": 2, "queries": 1}
    shown = negmine("show", str(run))
    assert "2 documents and 1 query have a zero vector. Nothing is similar" in shown.out
    assert "2 documents and 1 query have a zero vector" in (run / "report.html").read_text()
    told = negmine("why", str(run), "q1", "u0")
    assert "no similarity: the vector of query, document or served positive is zero" in told.out


@pytest.mark.parametrize("method", METHODS)
def test_no_sampling_chooses_them(base: Path, run: Path, method: str) -> None:
    other = mine(base, f"run-{method}", f"sampling.method={method}")
    rows = ask(other, "SELECT query_id, negative_id FROM negatives")
    assert len(rows) == 7 * 8
    assert not any(query in ("unknown", "q7") or document[0] == "u" for query, document in rows)


def test_a_judge_that_weighs_similarities_still_scores_the_rest(base: Path, run: Path) -> None:
    """Mean and deviation over a query's candidates leave no score undefined."""
    swept = negmine("sweep", str(run), "--set", "sampling.method=simans,top", "--json")
    assert swept.code == 0, swept.err
    assert all(np.isfinite(row["signal"]) for row in json.loads(swept.out))
