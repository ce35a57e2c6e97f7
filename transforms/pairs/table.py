"""Judged pairs as arrays: from the table that stages exchange to what kernels take."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.schemas.verdicts import Source
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.policies import Pairs

_NOT_READ = {"sources", "bm25_score", "judge_parts"}
COLUMNS = [name for name in tables.JUDGED.names if name not in _NOT_READ]
"""Of `tables.JUDGED`, what `to_pairs` reads."""


def columns_of(judged: Dataset) -> list[str]:
    """Those of COLUMNS that a data set has, which older code may have written."""
    file = judged.directory / judged.part_names()[0]
    try:
        known = set(pq.read_schema(storage.fetch(file)).names)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(
            f"{file} cannot be read ({str(error).splitlines()[0]}); mine the run again"
        ) from error
    return [name for name in COLUMNS if name in known]


def _numbers(column: pa.ChunkedArray, missing: float | int) -> np.ndarray:
    return pc.fill_null(column, missing).to_numpy()


def _cosine(judged: pa.Table, dense: np.ndarray) -> np.ndarray:
    """Cosines of query and document: the similarities, except where they are told apart."""
    if "query_cosine" not in judged.column_names:  # as in runs before there was this column
        return dense
    column = judged.column("query_cosine")
    return dense if column.null_count == len(column) else _numbers(column, float("nan"))


def _own(judged: pa.Table) -> str:
    """Queries of one text were always merged before there was the column."""
    return "own_positive" if "own_positive" in judged.column_names else "is_positive"


_LATER: dict[str, float | bool] = {"same_id_as_query": False, "query_jaccard": 0.0}
"""Columns that the judged pairs of older runs lack, with the value that lets a pair pass."""


def _later(judged: pa.Table, name: str) -> np.ndarray:
    if name in judged.column_names:
        return judged.column(name).to_numpy()
    kind = tables.JUDGED.field(name).type.to_pandas_dtype()
    return np.full(judged.num_rows, _LATER[name], dtype=kind)


def to_pairs(judged: pa.Table) -> Pairs:
    """A block of `schemas.tables.JUDGED`, sorted by query_ix, as arrays."""
    query_ix = judged.column("query_ix").to_numpy()
    dense = _numbers(judged.column("dense_score"), float("nan"))
    _, query = np.unique(query_ix, return_inverse=True)
    return Pairs(
        query=query.astype(np.int64),
        doc_ix=judged.column("doc_ix").to_numpy(),
        is_positive=judged.column("is_positive").to_numpy(),
        own_positive=judged.column(_own(judged)).to_numpy(),
        dense=dense,
        cosine=_cosine(judged, dense),
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
