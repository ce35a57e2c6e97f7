"""Score negative sets block by block: counts, shortfall and the ECI terms of each query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import JsonObject, tables
from negmine.schemas.config import Tier
from negmine.schemas.verdicts import Verdict
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.kernels.choosing.tiers import served_positive
from negmine.transforms.kernels.eci import query_terms
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.table import to_pairs


@dataclass
class ScoreSets(BlockTransform):
    """One row a query of a block, as `schemas.tables.SETS`."""

    verdicts: Dataset
    collection: Collection
    tiers: Mapping[str, Tier]

    @property
    def shared(self) -> bool:
        return True

    def table(self, block: Block) -> pa.Table:
        verdicts = self.verdicts.read_queries(block)
        count("rows_read", verdicts.num_rows)
        return score_block(verdicts, self.collection, self.tiers)


def _counts(query: np.ndarray, names: pa.Array, known: Sequence[str], queries: int) -> pa.Array:
    """Map arrays name -> count for each query; names that do not occur are left out."""
    places = pc.index_in(names, value_set=pa.array(known, pa.string())).to_numpy()
    columns = np.bincount(query * len(known) + places, minlength=queries * len(known))
    columns = columns.reshape(queries, len(known))
    present = columns > 0
    offsets = np.r_[0, np.cumsum(present.sum(axis=1))].astype(np.int32)
    keys = np.broadcast_to(np.array(known, dtype=object), columns.shape)[present]
    return pa.MapArray.from_arrays(
        offsets, pa.array(keys, pa.string()), pa.array(columns[present], pa.int32())
    )


def score_block(verdicts: pa.Table, collection: Collection, tiers: Mapping[str, Tier]) -> pa.Table:
    """One row of `schemas.tables.SETS` for each query of a block of VERDICTS."""
    pairs = to_pairs(verdicts)
    queries = pairs.queries
    names = verdicts.column("verdict")
    tier = verdicts.column("tier")
    backfilled = verdicts.column("backfilled").to_numpy()
    kept = pc.equal(names, str(Verdict.KEPT)).to_numpy()
    served = served_positive(pairs)
    query, positive = pairs.query[kept], pairs.cosine[served[pairs.query[kept]]]
    terms = query_terms(query, pairs.cosine[kept], positive, queries)
    query_ix = np.unique(verdicts.column("query_ix").to_numpy())
    asked = sum(spec.quota for spec in tiers.values())

    def per_query(mask: np.ndarray) -> np.ndarray:
        return np.bincount(pairs.query[mask], minlength=queries).astype(np.int32)

    columns: JsonObject = {
        "query_ix": query_ix,
        "query_id": binary_column(collection.queries, "query_id").texts(query_ix),
        "positive_id": binary_column(collection.documents, "doc_id").texts(pairs.doc_ix[served]),
        "positives": per_query(pairs.is_positive & pairs.own_positive),
        "candidates": per_query(np.ones(len(kept), dtype=bool)),
        "negatives": terms.size.astype(np.int32),
        "tier_counts": _counts(query, tier.filter(pa.array(kept)), list(tiers), queries),
        "verdict_counts": _counts(pairs.query, names, [str(v) for v in Verdict], queries),
        "backfilled": per_query(kept & backfilled),
        "shortfall": (asked - terms.size).astype(np.int32),
        "signal": terms.signal.astype(np.float32),
        "safety": terms.safety.astype(np.float32),
        "harmonic_mean": terms.harmonic_mean.astype(np.float32),
        "eci": terms.eci.astype(np.float32),
    }
    return pa.table(columns, schema=tables.SETS)
