"""Judged pairs as arrays and as the table that stages exchange, both ways."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.schemas.verdicts import Source
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.kernels.search.candidates import Candidates

FEATURES = tuple(
    field.name
    for field in fields(Pairs)
    if field.name in tables.JUDGED.names
    and field.name not in {"query_ix", "doc_ix", "hub_place", "translation_place", "query_language"}
)
"""What `Pairs` and `tables.JUDGED` have under one name and never null: both ways from one list."""

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


_LATER: dict[str, float | bool] = {"same_id_as_query": False, "query_jaccard": 0.0}
"""Columns that the judged pairs of older runs lack, with the value that lets a pair pass."""


def _feature(judged: pa.Table, name: str) -> np.ndarray:
    if name in judged.column_names:
        return judged.column(name).to_numpy()
    if name == "own_positive":  # queries of one text were always merged before there was it
        return judged.column("is_positive").to_numpy()
    kind = tables.JUDGED.field(name).type.to_pandas_dtype()
    return np.full(judged.num_rows, _LATER[name], dtype=kind)


def to_pairs(judged: pa.Table, languages: Languages | None = None) -> Pairs:
    """A block of `schemas.tables.JUDGED`, sorted by query_ix, as arrays.

    `languages` are those of the collection, for policies with thresholds by language.
    """
    query_ix = judged.column("query_ix").to_numpy()
    dense = _numbers(judged.column("dense_score"), float("nan"))
    _, query = np.unique(query_ix, return_inverse=True)
    known = np.zeros(len(query), np.int32) if languages is None else languages.queries[query_ix]
    return Pairs(
        query=query.astype(np.int64),
        query_ix=query_ix,
        doc_ix=judged.column("doc_ix").to_numpy(),
        dense=dense,
        cosine=_cosine(judged, dense),
        judge=_numbers(judged.column("judge_score"), float("nan")),
        ranks={str(source): _places(judged, f"{source}_rank") for source in Source},
        bm25=judged.column("bm25_pair_score").to_numpy(),
        hub_place=_numbers(judged.column("hub_place"), 0),
        translation_place=_places(judged, "translation_place"),
        query_language=known,
        **{name: _feature(judged, name) for name in FEATURES},
    )


def _places(judged: pa.Table, name: str) -> np.ndarray:
    if name not in judged.column_names:  # of a source or a policy that came later
        return np.zeros(judged.num_rows, dtype=np.int32)
    return _numbers(judged.column(name), 0)


def _sources(pairs: Candidates) -> pa.Array:
    present = np.stack([pairs.rank[source] > 0 for source in Source], axis=1)
    names = np.array([str(source) for source in Source], dtype=object)
    offsets = np.r_[0, np.cumsum(present.sum(axis=1))].astype(np.int32)
    values = np.broadcast_to(names, present.shape)[present]
    return pa.ListArray.from_arrays(offsets, pa.array(values, type=pa.string()))


def _parts(parts: Mapping[str, np.ndarray], rows: int) -> pa.Array:
    """Map arrays name -> score for each row, scores that are NaN left out."""
    names = sorted(parts)
    columns = np.stack([parts[name] for name in names], axis=1) if names else np.empty((rows, 0))
    present = ~np.isnan(columns)
    offsets = np.r_[0, np.cumsum(present.sum(axis=1))].astype(np.int32)
    index = np.broadcast_to(np.arange(len(names), dtype=np.int32), present.shape)[present]
    keys = pa.array(names, pa.string()).take(pa.array(index))
    values = pa.array(columns[present], pa.float32())
    return pa.MapArray.from_arrays(offsets, keys, values)


def _where(values: np.ndarray, known: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.array(values, type=kind, mask=~known)


def _cosine_column(pairs: Pairs) -> pa.Array:
    if pairs.cosine is pairs.dense:
        return pa.nulls(len(pairs.dense), pa.float32())
    return _where(pairs.cosine, ~np.isnan(pairs.cosine), pa.float32())


def judged_table(
    found: Candidates, pairs: Pairs, scores: np.ndarray, parts: Mapping[str, np.ndarray]
) -> pa.Table:
    """A block's pairs as `schemas.tables.JUDGED`, with the judge's `scores`, (n,) float32."""
    columns = {
        "query_ix": found.query_ix,
        "doc_ix": found.doc_ix,
        "sources": _sources(found),
        "bm25_score": _where(found.score[Source.BM25], found.rank[Source.BM25] > 0, pa.float32()),
        "dense_score": _where(pairs.dense, ~np.isnan(pairs.dense), pa.float32()),
        **{f"{s}_rank": _where(found.rank[s], found.rank[s] > 0, pa.int32()) for s in Source},
        "judge_score": _where(scores, ~np.isnan(scores), pa.float32()),
        "judge_parts": _parts(parts, len(scores)),
        "bm25_pair_score": pairs.bm25,
        "query_cosine": _cosine_column(pairs),
        "translation_place": _where(
            pairs.translation_place, pairs.translation_place > 0, pa.int32()
        ),
        "hub_place": _where(pairs.hub_place, pairs.hub_place > 0, pa.int32()),
        **{name: getattr(pairs, name) for name in FEATURES},
    }
    return pa.table([columns[name] for name in tables.JUDGED.names], schema=tables.JUDGED)
