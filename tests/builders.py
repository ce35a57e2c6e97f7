"""Builders of test data: a small published run, with the real schemas and hostile texts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import tables
from negmine.transforms.choosing.publish import with_texts

HOSTILE = (
    'says "quoted" and \\ backslash',
    "two\nlines\r\nand a\ttab",
    "<script>alert('x')</script> &amp; [bold red]markup[/]",
    "'; DROP VIEW negatives; --",
    "emoji 👩‍🚀 and 東京 and naïve",
    "bidi \u202eevil\u202c \u2066isolated\u2069",
    "separators \u2028 \u2029 \x85 \x0b end",
    "nul \x00 and escape \x1b[31m red",
)
TIERS = ("hard", "semi_hard", "random")
QUOTAS = {"hard": 2, "semi_hard": 1, "random": 1}


@dataclass(frozen=True)
class Layout:
    """What the run should look like.

    The last query has no random negative, so it is one short; query q001 has its semi_hard one
    backfilled. Rows of query i in tier t, rank r name document d<i>-<t>-<r>. Of its `positives`
    the best is d<i>, the others d<i>-positive-<n>, with grades 3, 2, 1, 0; with `known` off the
    run is as older code published it, without a data set of them. One with a `parent` has the same
    negatives as that, all of them easy now. One with `lists` has the positive and the negatives of
    a query as its teacher list.
    """

    queries: int = 8
    judge: bool = True
    texts: str = "inline"
    artifacts: bool = True
    parts: int = 2
    positives: int = 1
    known: bool = True
    run_id: str = "run-1"
    created: str = "2026-01-01T00:00:00Z"
    parent: str | None = None
    lists: bool = False
    weighted: bool = False


def query_text(at: int) -> str:
    """Text of query number `at`."""
    return f"query {at}: {HOSTILE[at % len(HOSTILE)]}"


def document_text(name: str) -> str:
    """Text of a document, by its identifier."""
    return f"document {name}: {HOSTILE[sum(map(ord, name)) % len(HOSTILE)]}"


def positive_id(at: int, number: int) -> str:
    """Identifier of a query's positive, from 1 for the best."""
    return f"d{at:03d}" if number == 1 else f"d{at:03d}-positive-{number}"


def _score(at: int, tier: str, rank: int) -> float:
    return 0.9 - 0.25 * TIERS.index(tier) - 0.01 * rank - 0.001 * at


def _rows(layout: Layout) -> list[dict[str, Any]]:
    rows = []
    for at in range(layout.queries):
        for tier in TIERS:
            for rank in range(1, QUOTAS[tier] + 1):
                if tier == "random" and at == layout.queries - 1:
                    continue
                dense = _score(at, tier, rank)
                name = f"d{at:03d}-{tier}-{rank}"
                rows.append(
                    {
                        "query_ix": at,
                        "query_id": f"q{at:03d}",
                        "query": query_text(at),
                        "positive_id": f"d{at:03d}",
                        "positive": document_text(f"d{at:03d}"),
                        "negative_id": name,
                        "doc_id": name,
                        "negative": document_text(name),
                        "tier": tier,
                        "rank": rank,
                        "sources": ["random"] if tier == "random" else ["bm25", "dense"],
                        "bm25_score": None if tier == "random" else 10.0 - rank,
                        "bm25_rank": None if tier == "random" else rank,
                        "dense_score": dense,
                        "dense_rank": None if tier == "random" else rank,
                        "positive_dense_score": 0.95,
                        "judge_score": dense * 10 - 5 if layout.judge else None,
                        "positive_judge_score": 6.0 if layout.judge else None,
                        "judge_margin": 11 - dense * 10 if layout.judge else None,
                        "is_positive": False,
                        "confirmed_negative": False,
                        "positive_cosine": 0.5,
                        "positive_jaccard": 0.1,
                        "verdict": "kept",
                        "policy": None,
                        "threshold": None,
                        "value": None,
                        "backfilled": at == 1 and tier == "semi_hard",
                        "weight": rank / 2 if layout.weighted else 1.0,
                    }
                )
    return rows


def _dropped(layout: Layout) -> list[dict[str, Any]]:
    rows = []
    for row in _rows(layout):
        if row["tier"] != "hard" or row["rank"] != 1:
            continue
        common = {**row, "tier": None, "rank": None, "backfilled": False}
        positive = {"doc_id": row["positive_id"], "is_positive": True}
        rows.append({**common, **positive, "verdict": "known_positive", "policy": "known_positive"})
        if layout.judge:
            limits = {"threshold": 5.7, "value": 7.5, "judge_score": 7.5}
            name = {"doc_id": row["doc_id"] + "-lost", "policy": "judge_relative_margin"}
            rows.append({**common, **limits, **name, "verdict": "judge_relative_margin"})
    return rows


def _positives(layout: Layout) -> list[dict[str, Any]]:
    return [
        {
            "query_ix": at,
            "query_id": f"q{at:03d}",
            "query": query_text(at),
            "positive_id": positive_id(at, number),
            "positive": document_text(positive_id(at, number)),
            "grade": max(0.0, 4.0 - number),
            "dense_score": 0.96 - 0.01 * number,
            "judge_score": 7.0 - number if layout.judge else None,
            "served": number == 1,
        }
        for at in range(layout.queries)
        for number in range(1, layout.positives + 1)
    ]


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pydict(
        {name: [row.get(name) for row in rows] for name in schema.names}, schema=schema
    )


def _write(folder: Path, table: pa.Table, start: int, stop: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / f"part-{start:012d}-{stop:012d}.parquet")


def _sets(layout: Layout, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sets = []
    for at in range(layout.queries):
        mine = [row for row in rows if row["query_ix"] == at]
        counts = {tier: sum(row["tier"] == tier for row in mine) for tier in TIERS}
        sets.append(
            {
                "query_ix": at,
                "query_id": f"q{at:03d}",
                "positive_id": f"d{at:03d}",
                "positives": layout.positives,
                "candidates": len(mine) + 2,
                "negatives": len(mine),
                "tier_counts": list(counts.items()),
                "verdict_counts": [("kept", len(mine)), ("known_positive", 1)],
                "backfilled": sum(row["backfilled"] for row in mine),
                "shortfall": sum(QUOTAS.values()) - len(mine),
                "signal": 0.6,
                "safety": 0.3,
                "harmonic_mean": 0.4,
                "eci": 0.4 * (1 + at / 100),
            }
        )
    return sets


def _lists(layout: Layout, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for positive in _positives(layout):
        mine = [row for row in rows if row["query_ix"] == positive["query_ix"]]
        first = {"doc_id": positive["positive_id"], "verdict": "known_positive", "sources": []}
        for place, row in enumerate(({**positive, **first}, *mine), 1):
            scores = {"judge_score": row["judge_score"] or 0.0, "teacher_score": 0.5}
            found.append({**row, **scores, "place": place, "is_positive": place == 1})
    return found


def _refreshed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("tier", "rank", "dense_score", "positive_dense_score", "dense_rank", "judge_score")
    now = {"candidate": True, "dense_score": 0.1, "easy": True, "stale": False}
    return [{**row, **{f"parent_{name}": row[name] for name in names}, **now} for row in rows]


def _drift(rows: list[dict[str, Any]]) -> dict[str, Any]:
    whole = len(rows)
    same = dict.fromkeys(("negatives", "candidates", "chosen", "compared", "easy", "kept"), whole)
    top = {"parent": whole, "now": whole, "jaccard": 1.0}
    easy = {tier: sum(row["tier"] == tier for row in rows) for tier in TIERS}
    tiers = {tier: {tier: easy[tier]} for tier in TIERS}
    same |= {"queries": 8, "stale": 0, "kept_new": 0}
    return {**same, "top": {"10": top}, "tiers": tiers, "easy_tiers": easy}


def manifest(layout: Layout, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The manifest of the run."""
    eci = {
        "eci": 0.6438,
        "signal": 0.6,
        "safety": 0.3,
        "harmonic_mean": 0.4,
        "negatives": len(rows),
        "queries": layout.queries,
    }
    parent = {"parent": layout.parent, "drift": _drift(rows)} if layout.parent else {}
    return {
        **parent,
        "run_id": layout.run_id,
        "created": layout.created,
        "tier_order": list(TIERS),
        "config": {
            "judge": {"kind": "cross_encoder" if layout.judge else "none"},
            "tiers": {tier: {"quota": QUOTAS[tier]} for tier in sorted(TIERS)},
            "output": {"texts": layout.texts, "workdir": None},
        },
        "artifacts": {
            "documents": "ingest/abc/documents",
            "queries": "ingest/abc/queries",
            "candidates_bm25": "retrieve/def/bm25",
            "candidates_dense": "retrieve/def/dense",
        },
        "timings": {
            "ingest": {"seconds": 0.5, "reused": True},
            "judge": {"seconds": 187.2, "reused": False},
        },
        "peak_memory_bytes": 3 * 2**29,
        "summary": {
            "tiers": {
                tier: {
                    "negatives": sum(row["tier"] == tier for row in rows),
                    "backfilled": sum(row["tier"] == tier and row["backfilled"] for row in rows),
                    "queries_short": int(tier == "random"),
                    "sources": {"random": 7} if tier == "random" else {"bm25": 5, "dense": 6},
                }
                for tier in sorted(TIERS)
            },
            "verdicts": {"kept": len(rows), "known_positive": layout.queries},
            "judge": {"pairs_scored": 40, "pairs_total": 160},
            "eci": {"overall": eci, "tiers": dict.fromkeys(TIERS, eci)},
            "queries": layout.queries,
            "queries_short": 1,
            "documents": 5_000,
            "positives": layout.queries * layout.positives,
            "rows": {"sets": layout.queries, "positives": layout.queries * layout.positives}
            if layout.known
            else {},
            "input": {"merged_queries": 1, "dead_letter_reasons": {"unknown_document": 2}},
            "dead_letters": 2,
        },
    }


def _write_artifacts(work: Path, layout: Layout, rows: list[dict[str, Any]]) -> None:
    known = {row["positive_id"] for row in _positives(layout)}
    names = sorted({row["negative_id"] for row in rows} | known)
    keys = {"doc_key": 1, "text_key": 2, "minhash": bytes(128), "in_evaluation": False}
    keys |= {"group_key": 0, "place": -1}
    documents = [
        {"doc_ix": ix, "doc_id": name, "text": document_text(name), **keys}
        for ix, name in enumerate(names)
    ]
    queries = [
        {
            "query_ix": at,
            "query_id": f"q{at:03d}",
            "text": query_text(at),
            "query_key": at,
            "text_key": at,
            "merged_ids": [],
        }
        for at in range(layout.queries)
    ]
    candidates = [
        {
            "query_ix": row["query_ix"],
            "doc_ix": names.index(row["negative_id"]),
            "rank": row["rank"],
            "score": 1.0,
        }
        for row in rows
        if row["tier"] != "random"
    ]
    for folder, data, schema in (
        ("ingest/abc/documents", documents, tables.DOCUMENTS),
        ("ingest/abc/queries", queries, tables.QUERIES),
        ("retrieve/def/bm25", candidates, tables.CANDIDATES),
        ("retrieve/def/dense", candidates, tables.CANDIDATES),
    ):
        _write(work / folder, _table(data, schema), 0, len(data))


def build_run(output: Path, layout: Layout = Layout(), current: bool = True) -> Path:
    """Write a published run into `output`; returns its folder."""
    rows = _rows(layout)
    run = output / "runs" / layout.run_id
    negatives, positives = (
        with_texts(schema, layout.texts == "inline")
        for schema in (tables.NEGATIVES, tables.RUN_POSITIVES)
    )
    ledger = rows + _dropped(layout)
    sets = _sets(layout, rows)
    step = -(-layout.queries // layout.parts)
    for start in range(0, layout.queries, step):
        stop = min(start + step, layout.queries)
        block = range(start, stop)
        for tier in TIERS:
            mine = [row for row in rows if row["tier"] == tier and row["query_ix"] in block]
            _write(run / "negatives" / f"tier={tier}", _table(mine, negatives), start, stop)
        for verdict in sorted({row["verdict"] for row in ledger}):
            mine = [r for r in ledger if r["verdict"] == verdict and r["query_ix"] in block]
            _write(run / "ledger" / f"verdict={verdict}", _table(mine, tables.LEDGER), start, stop)
        if layout.known:
            mine = [row for row in _positives(layout) if row["query_ix"] in block]
            _write(run / "positives", _table(mine, positives), start, stop)
        _write(run / "sets", _table(sets[start:stop], tables.SETS), start, stop)
    if layout.lists:
        _write(run / "lists", _table(_lists(layout, rows), tables.LISTS), 0, 8)
    if layout.parent:
        _write(run / "refreshed", _table(_refreshed(rows), tables.REFRESHED), 0, len(rows))
    if layout.artifacts:
        _write_artifacts(output / "work", layout, rows)
    text = json.dumps(manifest(layout, rows), indent=2, sort_keys=True)
    (run / "manifest.json").write_text(text, encoding="utf-8")
    if current:
        (output / "current").write_text(layout.run_id + "\n", encoding="utf-8")
    return run
