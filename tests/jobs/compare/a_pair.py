"""Small published runs, written from a list of candidates with their verdicts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs.runs.published import Run
from negmine.schemas.metrics import METRICS
from negmine.schemas.tables import LEDGER, NEGATIVES, SETS

TIERS = ("hard", "semi_hard", "random")


@dataclass(frozen=True)
class Pair:
    """A candidate of a query: a negative where it has a tier."""

    query: str
    document: str
    tier: str | None = "hard"
    verdict: str = "kept"
    dense: float = 0.5
    positive: float = 0.8
    judge: float | None = 1.0
    positive_judge: float | None = 3.0
    backfilled: bool = False

    def row(self) -> dict[str, Any]:
        return {
            "query_id": self.query,
            "query": f"text of {self.query}",
            "positive_id": "positive",
            "positive": "its text",
            "negative_id": self.document,
            "doc_id": self.document,
            "negative": f"text of {self.document}",
            "tier": self.tier,
            "verdict": self.verdict,
            "rank": 1,
            "sources": ["bm25"],
            "dense_score": self.dense,
            "positive_dense_score": self.positive,
            "judge_score": self.judge,
            "positive_judge_score": self.positive_judge,
            "backfilled": self.backfilled,
            "weight": 1.0,
            "is_positive": self.verdict == "known_positive",
            "confirmed_negative": False,
            "positive_cosine": 0.1,
            "positive_jaccard": 0.0,
        }


def dropped(query: str, document: str, verdict: str = "over_quota") -> Pair:
    """A candidate that was not chosen."""
    return Pair(query, document, None, verdict)


def float32(pair: Pair) -> Pair:
    """The pair with its similarities as they are stored."""
    return replace(
        pair, dense=float(np.float32(pair.dense)), positive=float(np.float32(pair.positive))
    )


def _write(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "part-000.parquet")


def write_run(
    output: Path,
    run_id: str,
    pairs: Sequence[Pair],
    queries: Sequence[str] = (),
    metrics: list[dict[str, Any]] | None = None,
    **manifest: Any,
) -> Run:
    """Publish the run: `queries` has those without a pair, and `manifest` replaces entries."""
    folder = output / "runs" / run_id
    rows = [pair.row() for pair in pairs]
    negatives = [row for row in rows if row["verdict"] == "kept"]
    for rows_of, name, key, schema in (
        (negatives, "negatives", "tier", NEGATIVES),
        (rows, "ledger", "verdict", LEDGER),
    ):
        by_key = itemgetter(key)
        for value, part in groupby(sorted(rows_of, key=by_key), by_key):
            _write(folder / name / f"{key}={value}", list(part), schema)
    sets = []
    for at, query in enumerate(sorted({*queries, *(pair.query for pair in pairs)})):
        size = sum(row["query_id"] == query for row in negatives)
        zeros = dict.fromkeys(("signal", "safety", "harmonic_mean", "eci"), 0.0)
        counts = {"positives": 1, "candidates": 1, "negatives": size, "backfilled": 0}
        maps = {"tier_counts": [], "verdict_counts": []}
        named = {"query_ix": at, "query_id": query, "positive_id": "positive"}
        sets.append({**named, **counts, **maps, **zeros, "shortfall": max(0, 3 - size)})
    _write(folder / "sets", sets, SETS)
    if metrics is not None:
        pq.write_table(pa.Table.from_pylist(metrics, METRICS), folder / "metrics.parquet")
    text = json.dumps({**a_manifest(run_id), **manifest}, sort_keys=True)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return Run(folder)


def a_manifest(run_id: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "created": "2026-01-02T03:04:05+00:00",
        "tier_order": list(TIERS),
        "inputs": {"documents": "aaaa"},
        "models": {"student": "0123"},
        "policies": [{"known_positive": {}}, {"judge_relative_margin": {"keep_below": 0.95}}],
        "config": {
            "student": {"model": "all-MiniLM-L6-v2"},
            "judge": {"kind": "fusion"},
            "tiers": {tier: {"quota": 1} for tier in sorted(TIERS)},
            "output": {"run_id": run_id, "path": "."},
        },
        "versions": {"negmine": "0.1.0"},
        "summary": {"documents": 100, "positives": 9, "dead_letters": 0},
    }


def metric(name: str, value: float, half: float | None = None, **place: Any) -> dict[str, Any]:
    """A row of metrics.parquet, with an interval of `value` plus or minus `half`."""
    bounds = {} if half is None else {"low": value - half, "high": value + half}
    return {"metric": name, "value": value, "count": 100, **bounds, **place}
