"""The manifest of a published run: what made it, what it holds, and how long it took."""

import os
import platform
import resource
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb

from jobs.mine import Miner
from schemas.tables import SCHEMA_VERSION
from transforms.kernels.eci import set_terms
from transforms.kernels.eci import summarise as summarise_terms
from transforms.views import dataset_sql, partitioned_sql

_PACKAGES = (
    "negmine",
    "apache-beam",
    "pyarrow",
    "numpy",
    "scipy",
    "faiss-cpu",
    "torch",
    "transformers",
    "sentence-transformers",
    "duckdb",
)


def run_manifest(miner: Miner, run_id: str, staging: Path) -> dict[str, Any]:
    """The manifest as JSON values; no absolute paths and nothing from the environment."""
    summary = summarise(miner, staging)
    config = miner.config
    judge = {} if not (digest := miner.cross_encoder_digest()) else {"judge": digest}
    tokens = miner.token_encoder
    if tokens is not None and tokens.identity != miner.student.identity:
        judge = {"judge": tokens.weights.digest}
    return {
        "run_id": run_id,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "schema_version": SCHEMA_VERSION,
        "config": _shareable(miner),
        "tier_order": list(config.tiers),
        "seed": config.seed,
        "inputs": miner.input_fingerprint,
        "models": {"student": miner.student.weights.digest, **judge},
        "precision": {
            "student": miner.student.precision,
            "lowest_cosine_with_fp32": miner.student.agreement,
        },
        "artifacts": _artifacts(miner),
        "versions": _versions(),
        "counts": {
            key: summary[key]
            for key in ("documents", "queries", "positives", "dead_letters", "queries_short")
        },
        "timings": miner.work.timings,
        "peak_memory_bytes": peak_memory(),
        "summary": summary,
    }


def peak_memory() -> int:
    """Highest resident memory of this process and of its largest child, bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return unit * (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _shareable(miner: Miner) -> dict[str, Any]:
    """The resolved config with absolute paths cut to their last name."""

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cut(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [cut(entry) for entry in value]
        if isinstance(value, str) and (os.path.isabs(value) or value.startswith("~")):
            return os.path.basename(value.rstrip("/"))
        return value

    config = cut(miner.config.model_dump(mode="json"))
    workdir = os.path.relpath(miner.work.root.resolve(), Path(miner.config.output.path).resolve())
    config["output"] = {**config["output"], "path": ".", "workdir": workdir}
    return dict(config)


def _artifacts(miner: Miner) -> dict[str, str]:
    datasets = {
        **miner.ingested,
        "document_vectors": miner.document_vectors,
        "query_vectors": miner.query_vectors,
        **{f"candidates_{name}": dataset for name, dataset in miner.candidates.items()},
        "judged": miner.judged,
        "verdicts": miner.verdicts,
    }
    root = miner.work.root
    return {name: str(dataset.directory.relative_to(root)) for name, dataset in datasets.items()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def summarise(miner: Miner, run: Path) -> dict[str, Any]:
    """Counts and ECI of a run's Parquet, in the shape that `show` prints."""
    with duckdb.connect() as database:
        views = {
            "negatives": partitioned_sql(run / "negatives", "tier"),
            "ledger": partitioned_sql(run / "ledger", "verdict"),
            "sets": dataset_sql(run / "sets"),
        }
        for name, sql in views.items():
            database.execute(f"CREATE VIEW {name} AS {sql}")
        tiers = {tier: _tier(database, tier) for tier in miner.config.tiers}
        for tier, spec in miner.config.tiers.items():
            count = f"coalesce(element_at(tier_counts, '{tier}')[1], 0)"
            (short,) = _row(database, f"SELECT count(*) FROM sets WHERE {count} < {spec.quota}")
            tiers[tier]["queries_short"] = short
        verdicts = database.execute("SELECT verdict, count(*) FROM ledger GROUP BY ALL").fetchall()
        scored, total = _row(database, "SELECT count(judge_score), count(*) FROM ledger")
        (short,) = _row(database, "SELECT count(*) FROM sets WHERE shortfall > 0")
        by_tier = {tier: _eci(database, f"WHERE tier = '{tier}'") for tier in tiers}
        overall = _eci(database, "")
    return {
        "tiers": tiers,
        "verdicts": dict(sorted(verdicts, key=lambda entry: (-entry[1], entry[0]))),
        "judge": {"pairs_scored": scored, "pairs_total": total},
        "eci": {"overall": overall, "tiers": by_tier},
        "queries": miner.rows("queries"),
        "queries_short": short,
        "documents": miner.rows("documents"),
        "positives": miner.rows("positives"),
        "dead_letters": miner.rows("dead_letters"),
    }


def _row(database: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> tuple[Any, ...]:
    row = database.execute(sql, list(values)).fetchone()
    return tuple(row) if row else ()


def _tier(database: duckdb.DuckDBPyConnection, tier: str) -> dict[str, Any]:
    count, backfilled = _row(
        database,
        "SELECT count(*), count(*) FILTER (backfilled) FROM negatives WHERE tier = ?",
        tier,
    )
    sources = database.execute(
        "SELECT source, count(*) FROM (SELECT unnest(sources) AS source FROM negatives "
        "WHERE tier = ?) GROUP BY source ORDER BY source",
        [tier],
    ).fetchall()
    return {"negatives": count, "backfilled": backfilled, "sources": dict(sources)}


def _eci(database: duckdb.DuckDBPyConnection, where: str) -> dict[str, float]:
    """ECI of a part of the negatives: S and D averaged per query, then over queries; median N."""
    terms = database.execute(
        f"""
        SELECT count(*) AS size, avg(dense_score) AS signal,
               avg(greatest(0, positive_dense_score - dense_score)) AS safety
        FROM negatives {where} GROUP BY query_id ORDER BY query_id
        """
    ).fetchnumpy()
    return summarise_terms(set_terms(terms["size"], terms["signal"], terms["safety"]))
