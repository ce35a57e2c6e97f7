"""A published run of any size, its Parquet written directly, for measuring what reads runs."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import tables
from negmine.transforms.kernels.hashing import mix

TIERS = {"hard": 3, "semi_hard": 1, "random": 1}
_QUERIES_AT_ONCE = 8_192
_TEXT = (
    "search index vector query corpus margin judge student ranking negative positive teacher "
    "batch epoch score token model layer cosine threshold document passage answer question "
    "graph table column shard block manifest tier ledger verdict"
)
_WORDS = np.array(_TEXT.split())


def texts(kind: int, numbers: np.ndarray, words: int) -> pa.Array:
    """Texts of so many words, drawn by a hash of the number; large_string."""
    drawn = (mix(kind, numbers[:, None], np.arange(words)[None, :]) % len(_WORDS)).astype(np.int64)
    made = (" ".join(row) for row in _WORDS[drawn])
    names = zip(made, numbers.tolist(), strict=True)
    return pa.array([f"{text} {number}" for text, number in names], pa.large_string())


def _ids(letter: str, numbers: np.ndarray) -> pa.Array:
    return pa.array([f"{letter}{number:08d}" for number in numbers.tolist()])


def _scores(kind: int, numbers: np.ndarray, low: float, high: float) -> np.ndarray:
    share = (mix(kind, numbers) >> np.uint64(40)).astype(np.float64) / 2**24
    return (low + (high - low) * share).astype(np.float32)


def _table(columns: dict[str, object], schema: pa.Schema, rows: int) -> pa.Table:
    made = [
        pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type)
        for f in schema
    ]
    fields = [field.with_nullable(True) for field in schema]
    return pa.Table.from_arrays(made, schema=pa.schema(fields))


def _write(folder: Path, table: pa.Table, start: int, stop: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / f"part-{start:012d}-{stop:012d}.parquet", compression="zstd")


def write_run(output: Path, queries: int, corpus: int, words: int = 50) -> Path:
    """A run of so many queries, each with a positive and five negatives, in `output`.

    Documents are drawn from a corpus of so many. The ledger holds the chosen and the positives.
    """
    run = output / "runs" / "big"
    for start in range(0, queries, _QUERIES_AT_ONCE):
        stop = min(start + _QUERIES_AT_ONCE, queries)
        query = np.arange(start, stop)
        _block(run, output / "work", query, corpus, words)
    numbers = np.arange(corpus)
    for start in range(0, corpus, _QUERIES_AT_ONCE * 8):
        mine = numbers[start : start + _QUERIES_AT_ONCE * 8]
        columns = {"doc_ix": mine, "doc_id": _ids("d", mine), "text": texts(2, mine, words)}
        columns |= {"doc_key": mine.astype(np.uint64), "text_key": mine.astype(np.uint64)}
        table = _table(columns, tables.DOCUMENTS, len(mine))
        _write(output / "work" / "ingest" / "a" / "documents", table, start, start + len(mine))
    manifest = {
        "run_id": "big",
        "created": "2026-01-01T00:00:00Z",
        "tier_order": list(TIERS),
        "config": {
            "judge": {"kind": "cross_encoder"},
            "student": {"model": "synthetic", "query_prompt": None},
            "seed": 42,
            "tiers": {tier: {"quota": quota} for tier, quota in TIERS.items()},
            "output": {"texts": "inline", "workdir": None},
        },
        "artifacts": {"documents": "ingest/a/documents", "queries": "ingest/a/queries"},
        "summary": {"queries": queries, "documents": corpus, "positives": queries},
    }
    (run / "manifest.json").write_text(json.dumps(manifest, indent=2))
    (output / "current").write_text("big\n")
    return run


def _block(run: Path, work: Path, query: np.ndarray, corpus: int, words: int) -> None:
    start, stop, count = int(query[0]), int(query[-1]) + 1, len(query)
    query_ids, query_texts = _ids("q", query), texts(1, query, 8)
    positive = (mix(3, query) % np.uint64(corpus)).astype(np.int64)
    positive_ids, positive_texts = _ids("d", positive), texts(2, positive, words)
    above = {"dense": _scores(4, query, 0.6, 0.9), "judge": _scores(5, query, 0.7, 0.999)}
    common = {
        "query_id": query_ids,
        "positive_id": positive_ids,
        "dense_score": above["dense"],
        "judge_score": above["judge"],
    }
    known = {**common, "query": query_texts, "positive": positive_texts, "served": [True] * count}
    _write(run / "positives", _table(known, tables.RUN_POSITIVES, count), start, stop)
    sets = {**common, "query_ix": query, "positives": [1] * count, "negatives": [5] * count}
    _write(run / "sets", _table(sets, tables.SETS, count), start, stop)
    listed = {**common, "doc_id": positive_ids, "is_positive": [True] * count}
    listed |= {"sources": [["dense"]] * count, "dense_rank": [1] * count}
    _write(
        run / "ledger" / "verdict=known_positive", _table(listed, tables.LEDGER, count), start, stop
    )
    texts_of = {"query_ix": query, "query_id": query_ids, "text": query_texts}
    _write(work / "ingest" / "a" / "queries", _table(texts_of, tables.QUERIES, count), start, stop)
    kept = []
    for at, (tier, quota) in enumerate(TIERS.items()):
        row = np.repeat(query, quota)
        rank = np.tile(np.arange(1, quota + 1), count)
        document = (mix(6 + at, row, rank) % np.uint64(corpus)).astype(np.int64)
        picks = pa.array(row - start)
        columns = {
            "query_id": query_ids.take(picks),
            "query": query_texts.take(picks),
            "positive_id": positive_ids.take(picks),
            "positive": positive_texts.take(picks),
            "negative_id": _ids("d", document),
            "negative": texts(2, document, words),
            "rank": rank,
            "dense_score": _scores(7, document + row, 0.1, 0.8),
            "judge_score": _scores(8, document + row, 0.001, 0.5),
            "backfilled": np.zeros(len(row), dtype=bool),
        }
        table = _table(columns, tables.NEGATIVES, len(row))
        _write(run / "negatives" / f"tier={tier}", table, start, stop)
        source = [["random"] if tier == "random" else ["dense"]] * len(row)
        more = {"doc_id": columns["negative_id"], "is_positive": columns["backfilled"]}
        more |= {"sources": source, "tier": [tier] * len(row), "dense_rank": 10 * at + 1 + rank}
        kept.append(_table({**columns, **more}, tables.LEDGER, len(row)))
    order = pa.concat_tables(kept).sort_by([("query_id", "ascending"), ("doc_id", "ascending")])
    _write(run / "ledger" / "verdict=kept", order, start, stop)
