"""Read a run's VERDICTS, part by part: its negatives as arrays, and counts of its candidates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import JsonObject
from negmine.schemas.verdicts import Source, Verdict
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.tiers import served_positive
from negmine.transforms.metrics.inputs import CandidateCounts, Negatives
from negmine.transforms.pairs.table import COLUMNS, to_pairs

_FIRST = 10


def read_verdicts(
    verdicts: Dataset, sources: Sequence[str], quotas: Mapping[str, int], queries: int
) -> tuple[Negatives, CandidateCounts]:
    """A run's negatives and candidate counts; memory holds one part and the negatives.

    Args:
        verdicts: `schemas.tables.VERDICTS`.
        sources: those that are on.
        quotas: negatives asked for, by tier in order.
        queries: how many the run has.
    """
    names = tuple(str(source) for source in Source if source in sources)
    counts: Counter[str] = Counter()
    overlap = np.zeros((2, len(names), len(names)), dtype=np.int64)
    found_by: Counter[str] = Counter(dict.fromkeys(names, 0))
    pieces = []
    for table in verdicts.tables([*COLUMNS, "verdict", "tier", "backfilled"]):
        for entry in pc.value_counts(table.column("verdict")).to_pylist():
            counts[entry["values"]] += entry["counts"]
        negatives, rank = _part(table, names, quotas, queries)
        pieces.append(negatives)
        query_ix = table.column("query_ix").to_numpy()
        for name, ranks in zip(names, rank.T, strict=True):
            found_by[name] += len(np.unique(query_ix[ranks > 0]))
        for at, returned in enumerate((rank > 0, (rank > 0) & (rank <= _FIRST))):
            overlap[at] += _together(returned)
    order = [verdict for verdict in Verdict if counts[verdict]]
    found = {str(verdict): counts[verdict] for verdict in order}
    counted = CandidateCounts(found, names, overlap[0], overlap[1], dict(found_by))
    return _joined(pieces), counted


def _together(returned: np.ndarray) -> np.ndarray:
    """How often two columns (n, s) are both true, (s, s) int64."""
    columns = [returned[:, i] for i in range(returned.shape[1])]
    return np.array(
        [[np.count_nonzero(a & b) for b in columns] for a in columns], dtype=np.int64
    ).reshape(len(columns), len(columns))


def _part(
    table: pa.Table, names: tuple[str, ...], quotas: Mapping[str, int], queries: int
) -> tuple[Negatives, np.ndarray]:
    pairs = to_pairs(table)
    ranks = [pairs.ranks[name] for name in names]
    rank = np.stack(ranks, axis=1) if ranks else np.empty((len(pairs.query), 0), dtype=np.int32)
    rows = pc.indices_nonzero(pc.equal(table.column("verdict"), str(Verdict.KEPT))).to_numpy()
    served = served_positive(pairs)[pairs.query[rows]]
    tier = pc.index_in(table.column("tier"), value_set=pa.array(list(quotas), pa.string()))
    negatives = Negatives(
        query_ix=table.column("query_ix").to_numpy()[rows],
        doc_ix=pairs.doc_ix[rows],
        positive_ix=pairs.doc_ix[served],
        dense=pairs.dense[rows],
        positive_dense=pairs.dense[served],
        cosine=pairs.cosine[rows],
        served_cosine=pairs.cosine[served],
        judge=pairs.judge[rows],
        positive_judge=pairs.judge[served],
        tier=pc.fill_null(tier, -1).to_numpy()[rows].astype(np.int64),
        returned=rank[rows] > 0,
        backfilled=table.column("backfilled").to_numpy()[rows],
        known=pairs.confirmed_negative[rows],
        tiers=tuple(quotas),
        sources=names,
        queries=queries,
        quotas=dict(quotas),
    )
    return negatives, rank


def _joined(parts: Sequence[Negatives]) -> Negatives:
    arrays: JsonObject = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Negatives)
        if isinstance(getattr(parts[0], f.name), np.ndarray)
    }
    return replace(parts[0], **arrays)
