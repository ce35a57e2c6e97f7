"""A published run written by hand: data sets, manifest, and metrics of the schema's shape."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.metrics import METRICS
from negmine.schemas.tables import LEDGER, NEGATIVES, SETS

TIERS = ("hard", "semi_hard", "random")
DROPS = ("suspected_positive", "judge_calibrated_threshold", "over_quota")


def row(metric: str, value: float, half: float | None = None, **place: Any) -> dict[str, Any]:
    """One row of metrics, with an interval of `value` plus or minus `half`."""
    bounds = {} if half is None else {"low": value - half, "high": value + half}
    return {"metric": metric, "value": value, "count": 807, **bounds, **place}


def good_metrics(queries: int) -> list[dict[str, Any]]:
    """Metrics of a run in which no check finds anything."""
    rows = [
        row("negatives", 3.0 * queries),
        row("size", 3.0),
        row("queries_short", 0),
        row("coverage", 1.0),
        row("dense_positive", 0.57, key="mean"),
        row("equal_n", 3.0),
        row("verdict", 3 * queries, key="kept"),
        row("verdict", 20 * queries, key="over_quota"),
        row("verdict", 9, key="judge_calibrated_threshold"),
        row("judge_fn_rate", 0.004, 0.002),
        row("ratio_above_one", 0.03, 0.01),
        row("length_ratio", 1.1),
        row("length_bias_auc", 0.53, 0.02),
        row("evaluation_documents", 0),
        row("near_duplicate_positive", 0.0),
        row("near_duplicate_negative", 0.01),
        row("anisotropy", 0.04),
        row("hub", 6, key="d1"),
    ]
    for tier, signal in zip((None, *TIERS), (0.308, 0.437, 0.327, 0.085), strict=True):
        rows += [
            row("eci", 0.62 - (0.2 if tier else 0), 0.01, tier=tier),
            row("signal", signal, 0.005, tier=tier),
            row("safety", 0.57 - signal, 0.006, tier=tier),
            row("shortcut_auc", 0.95 if tier == "random" else 0.63, 0.02, tier=tier),
        ]
    for tier, middle in zip(TIERS, (18, 12, 3), strict=True):
        rows += [row("negatives", queries, tier=tier), row("backfilled", 1, tier=tier)]
        rows += [
            row("ratio_histogram", max(0, 60 - 9 * abs(at - middle)), tier=tier, bin=0.05 * at)
            for at in range(31)
        ]
    for source, eci in (("bm25", 0.49), ("dense", 0.53), ("random", 0.31), (None, 0.5)):
        rows.append(row("eci_equal_n", eci, 0.02, source=source))
        rows.append(row("signal", eci / 2, 0.01, source=source))
    for above, leak, hard in ((0.5, 0.012, 496), (0.8, 0.004, 248), (0.9, 0.002, 87)):
        rows.append({**row("leak", leak, key=str(above)), "low": leak / 3, "high": leak * 2.5})
        rows.append(row("leak_hard", hard, key=str(above)))
    return rows


def a_manifest(queries: int) -> dict[str, Any]:
    return {
        "run_id": "first",
        "created": "2026-01-02T03:04:05+00:00",
        "seed": 42,
        "tier_order": list(TIERS),
        "config": {
            "input": {"path": "corpus"},
            "student": {"model": "all-MiniLM-L6-v2"},
            "judge": {"kind": "fusion"},
            "tiers": {
                "hard": {"quota": 1, "min_ratio": 0.8},
                "semi_hard": {"quota": 1, "min_ratio": 0.5, "max_ratio": 0.8},
                "random": {"quota": 1, "source": "random"},
            },
        },
        "policies": [
            {"known_positive": {}},
            {"judge_calibrated_threshold": {"positives_above": 0.5}},
        ],
        "summary": {
            "queries": queries,
            "documents": 5 * queries,
            "dead_letters": 0,
            "zero_vectors": {"documents": 0, "queries": 0},
        },
        "versions": {"negmine": "0.1.0"},
        "remarks": [],
    }


def _scores(number: int) -> dict[str, Any]:
    return {
        "sources": [["bm25"], ["dense", "bm25"], ["random"]][number % 3],
        "bm25_score": 3.5,
        "bm25_rank": number % 50 + 1,
        "dense_score": 0.1 + number % 17 / 40,
        "dense_rank": number % 90 + 1,
        "positive_dense_score": 0.57,
        "judge_score": 1.0 + number % 7,
        "positive_judge_score": 9.0,
    }


def write_run(
    folder: Path,
    queries: int,
    text: str = "a text",
    metrics: list[dict[str, Any]] | None = None,
    inline: bool = True,
) -> Path:
    """A run of `queries` queries: a negative a tier, and one dropped candidate a drop reason.

    Every text is its identifier and `text`; `inline` False leaves texts null.
    """

    def of(name: str) -> str | None:
        return f"{name} {text}" if inline else None

    for n, tier in enumerate(TIERS):
        rows = [
            {
                "query_id": f"q{q}",
                "query": of(f"q{q}"),
                "positive_id": f"p{q}",
                "positive": of(f"p{q}"),
                "negative_id": f"d{q + n}",
                "negative": of(f"d{q + n}"),
                **_scores(q + n),
                "judge_margin": 8.0 - (q + n) % 7,
                "rank": 1,
                "backfilled": q == 0,
                "weight": 1.0,
            }
            for q in range(queries)
        ]
        _write(folder / "negatives" / f"tier={tier}", rows, NEGATIVES)
    for n, verdict in enumerate(DROPS):
        rows = [
            {
                "query_id": f"q{q}",
                "doc_id": f"d{q + n + 3}",
                "is_positive": False,
                "confirmed_negative": False,
                "judge_parts": {"late_interaction": 0.4},
                "positive_cosine": 0.2,
                "positive_jaccard": 0.0,
                **_scores(q + n),
                "policy": verdict,
                "threshold": 0.5,
                "value": 0.7,
                "tier": "hard",
                "backfilled": False,
                "weight": 1.0,
            }
            for q in range(queries)
        ]
        _write(folder / "ledger" / f"verdict={verdict}", rows, LEDGER)
    rows = [
        {
            "query_ix": q,
            "query_id": f"q{q}",
            "positive_id": f"p{q}",
            **dict.fromkeys(("positives", "candidates", "negatives"), 3),
            "tier_counts": {"hard": 1},
            "verdict_counts": {"kept": 3},
            "backfilled": 0,
            "shortfall": 0,
            "signal": 0.3,
            "safety": 0.2,
            "harmonic_mean": 0.24,
            "eci": 0.33,
        }
        for q in range(queries)
    ]
    _write(folder / "sets", rows, SETS)
    if metrics is not None:
        write_metrics(folder, metrics)
    (folder / "manifest.json").write_text(json.dumps(a_manifest(queries)), encoding="utf-8")
    return folder


def write_metrics(folder: Path, metrics: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(metrics, METRICS), folder / "metrics.parquet")


def _write(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "part-000.parquet")
