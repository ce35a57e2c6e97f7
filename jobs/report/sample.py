"""A keyed sample of negatives by tier and of dropped candidates by verdict, with their texts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.report.read import RunData
from schemas.verdicts import Verdict
from transforms.kernels.hashing import mix, text_keys

ROWS_A_GROUP = 40
ROWS_IN_ALL = 600
_BATCH = 500_000
_MINED = "negatives", "tier", "negative_id"
_DROPPED = "ledger", "verdict", "doc_id"


@dataclass(frozen=True)
class Group:
    """Some rows of one tier, or of one drop reason (`tier` is None), out of `total`."""

    tier: str | None
    verdict: str
    total: int
    rows: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return self.verdict if self.tier is None else self.tier


def draw(run: RunData) -> list[Group]:
    """Groups of at most 40 rows, 600 in all: tiers first, hardest first, then drop reasons.

    A row is drawn where the hash of seed, query and document is among the smallest of its group,
    so the same run always shows the same rows.
    """
    tiers = run.groups("negatives", "tier")
    verdicts = run.groups("ledger", "verdict")
    verdicts.pop(Verdict.KEPT, None)
    order = [tier for tier in run.manifest.get("tier_order") or [] if tier in tiers]
    order += [tier for tier in tiers if tier not in order]
    reasons = [str(verdict) for verdict in Verdict if verdict in verdicts]
    reasons += [verdict for verdict in verdicts if verdict not in reasons]
    size = min(ROWS_A_GROUP, ROWS_IN_ALL // max(len(order) + len(reasons), 1))
    groups = [
        Group(tier, str(Verdict.KEPT), tiers[tier], _rows(run, *_MINED, tier, size))
        for tier in order
    ]
    groups += [
        Group(None, verdict, verdicts[verdict], _rows(run, *_DROPPED, verdict, size))
        for verdict in reasons
    ]
    _add_texts(run, [row for group in groups if group.tier is None for row in group.rows])
    return groups


def _rows(
    run: RunData, view: str, partition: str, document: str, value: str, size: int
) -> list[dict[str, Any]]:
    pairs = run.connection.sql(
        f"SELECT query_id, {document} AS doc_id FROM {view} WHERE {partition} = ?", params=[value]
    )
    newer = getattr(pairs, "to_arrow_reader", None)
    reader = newer(_BATCH) if newer else pairs.fetch_record_batch(_BATCH)
    chosen = smallest_keys(reader, int(run.manifest.get("seed") or 0), size)
    run.connection.register("chosen", chosen)
    answer = run.connection.execute(
        f"SELECT {view}.* FROM {view} JOIN chosen "
        f"ON {view}.query_id = chosen.query_id AND {view}.{document} = chosen.doc_id "
        f"WHERE {partition} = ? ORDER BY chosen.place",
        [value],
    )
    names = [column[0] for column in answer.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    run.connection.unregister("chosen")
    return rows


def smallest_keys(batches: Iterable[pa.RecordBatch], seed: int, size: int) -> pa.Table:
    """The `size` pairs with the smallest hash: query_id, doc_id and `place` from 0, in that order.

    Args:
        batches: columns query_id and doc_id.
        seed: first key of the hash.
        size: pairs to keep; ties go to the smaller ids.
    """
    kept: list[tuple[int, str, str]] = []
    for batch in batches:
        keys = mix(seed % 2**64, _hashed(batch.column(0)), _hashed(batch.column(1)))
        at = np.argsort(keys, kind="stable")
        # Equal keys beyond the cut could have smaller ids: they are kept until the last sort.
        at = at[keys[at] <= keys[at[min(size, len(at)) - 1]]] if len(at) and size else at[:0]
        queries, documents = (batch.column(n).take(pa.array(at)).to_pylist() for n in (0, 1))
        kept = sorted([*kept, *zip(keys[at].tolist(), queries, documents, strict=True)])[:size]
    return pa.table(
        {
            "query_id": pa.array([row[1] for row in kept], pa.string()),
            "doc_id": pa.array([row[2] for row in kept], pa.string()),
            "place": pa.array(range(len(kept)), pa.int32()),
        }
    )


def _hashed(column: pa.Array) -> np.ndarray:
    words = pc.dictionary_encode(column)
    keys = text_keys(words.dictionary.to_pylist())
    return keys[words.indices.to_numpy(zero_copy_only=False)]


def _add_texts(run: RunData, rows: list[dict[str, Any]]) -> None:
    """Give ledger rows the query, its positive and the candidate's text, where the run has them.

    The ledger has no texts; a candidate's text is known where it is a negative or a positive
    of some query.
    """
    queries = _ids(rows, "query_id")
    positives = dict(_wanted(run, "query_id", "positive_id", "sets", queries))
    for row in rows:
        row["positive_id"] = positives.get(row["query_id"])
        row["negative_id"] = row["doc_id"]
    texts = dict(_wanted(run, "query_id", "query", "negatives", queries))
    documents = sorted(set(_ids(rows, "doc_id")) | set(_ids(rows, "positive_id")))
    known = dict(_wanted(run, "positive_id", "positive", "negatives", documents))
    known |= dict(_wanted(run, "negative_id", "negative", "negatives", documents))
    for row in rows:
        row["query"] = texts.get(row["query_id"])
        row["positive"] = known.get(row["positive_id"])
        row["negative"] = known.get(row["doc_id"])


def _ids(rows: list[dict[str, Any]], name: str) -> list[str]:
    return sorted({row[name] for row in rows if row[name] is not None})


def _wanted(
    run: RunData, key: str, value: str, view: str, ids: list[str]
) -> Iterator[tuple[Any, ...]]:
    run.connection.register("wanted", pa.table({"id": pa.array(ids, pa.string())}))
    yield from run.all(
        f"SELECT {key}, min({value}) FROM {view} SEMI JOIN wanted ON {key} = wanted.id "
        f"WHERE {value} IS NOT NULL GROUP BY {key}"
    )
    run.connection.unregister("wanted")
