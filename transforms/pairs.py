"""Judged pairs as arrays: from the table that stages exchange to what kernels take."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import tables
from schemas.verdicts import Source
from transforms import storage
from transforms.datasets import Dataset
from transforms.kernels.policies import Pairs


def _numbers(column: pa.ChunkedArray, missing: float | int) -> np.ndarray:
    return pc.fill_null(column, missing).to_numpy()


_LATER: dict[str, float | bool] = {"same_id_as_query": False, "query_jaccard": 0.0}
"""Columns that the judged pairs of older runs lack, with the value that lets a pair pass."""


def _later(judged: pa.Table, name: str) -> np.ndarray:
    if name in judged.column_names:
        return judged.column(name).to_numpy()
    kind = tables.JUDGED.field(name).type.to_pandas_dtype()
    return np.full(judged.num_rows, _LATER[name], dtype=kind)


def columns_of(judged: Dataset, names: Sequence[str]) -> list[str]:
    """Those of the named columns that judged pairs have: older runs lack some."""
    for part in judged.part_names()[:1]:
        found = pq.read_schema(storage.fetch(judged.directory / part)).names
        return [name for name in names if name in found or name not in _LATER]
    return list(names)


def to_pairs(judged: pa.Table) -> Pairs:
    """A block of `schemas.tables.JUDGED`, sorted by query_ix, as arrays."""
    query_ix = judged.column("query_ix").to_numpy()
    _, query = np.unique(query_ix, return_inverse=True)
    return Pairs(
        query=query.astype(np.int64),
        doc_ix=judged.column("doc_ix").to_numpy(),
        is_positive=judged.column("is_positive").to_numpy(),
        dense=judged.column("dense_score").to_numpy(),
        judge=_numbers(judged.column("judge_score"), float("nan")),
        ranks={str(source): _numbers(judged.column(f"{source}_rank"), 0) for source in Source},
        positive_cosine=judged.column("positive_cosine").to_numpy(),
        positive_jaccard=judged.column("positive_jaccard").to_numpy(),
        same_text_as_positive=judged.column("same_text_as_positive").to_numpy(),
        same_text_as_query=judged.column("same_text_as_query").to_numpy(),
        same_id_as_query=_later(judged, "same_id_as_query"),
        query_jaccard=_later(judged, "query_jaccard"),
        text_key=judged.column("text_key").to_numpy(),
        pair_key=judged.column("pair_key").to_numpy(),
        bm25=judged.column("bm25_pair_score").to_numpy(),
        neighbour_cosine=judged.column("neighbour_cosine").to_numpy(),
        in_evaluation=judged.column("in_evaluation").to_numpy(),
        hub_place=_numbers(judged.column("hub_place"), 0),
        confirmed_negative=judged.column("confirmed_negative").to_numpy(),
    )
