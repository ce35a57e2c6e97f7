"""Judge pairs block by block: union of the sources, features, and the judge's scores."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from schemas import tables
from schemas.verdicts import Source
from transforms.blocks import Block
from transforms.datasets import Dataset
from transforms.features import Collection, PositiveFeatures, positive_features
from transforms.judging import BlockJudge, Scores
from transforms.kernels.candidates import Candidates, Ranked, union
from transforms.kernels.policies import Pairs
from transforms.stores import array_column


@dataclass
class JudgePairs(beam.PTransform):
    """`PCollection[Block of queries] -> PCollection[(Block, table)]`, as `tables.JUDGED`."""

    collection: Collection
    candidates: Mapping[str, Dataset]
    judge: BlockJudge

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Judge" >> beam.ParDo(_Judge(self))


class _Judge(beam.DoFn):
    def __init__(self, transform: JudgePairs) -> None:
        self.collection = transform.collection
        self.candidates = dict(transform.candidates)
        self.judge = transform.judge

    def process(self, block: Block) -> Iterator[tuple[Block, pa.Table]]:
        yield block, judge_block(self.collection, self.candidates, self.judge, block)


def _ranked(dataset: Dataset, block: Block) -> Ranked:
    table = dataset.read_queries(block, ["doc_ix", "rank", "score"])
    return Ranked(*(table.column(name).to_numpy() for name in table.column_names))


def judge_block(
    collection: Collection, candidates: Mapping[str, Dataset], judge: BlockJudge, block: Block
) -> pa.Table:
    """Judged pairs of a block of queries, sorted by query_ix and doc_ix."""
    known = collection.positives.read_queries(block, ["doc_ix"])
    positive_query_ix = known.column("query_ix").to_numpy()
    positive_doc_ix = known.column("doc_ix").to_numpy()
    documents = len(array_column(collection.documents, "text_key"))
    pairs = union(
        positive_query_ix,
        positive_doc_ix,
        {name: _ranked(dataset, block) for name, dataset in candidates.items()},
        documents,
    )
    dense = collection.similarity(pairs.query_ix, pairs.doc_ix)
    features = positive_features(collection, pairs, positive_query_ix, positive_doc_ix)
    text_key = array_column(collection.documents, "text_key")[pairs.doc_ix]
    query_text = array_column(collection.queries, "text_key")[pairs.query_ix]
    same_as_query = text_key == query_text
    judged = judge.score(
        collection,
        pairs,
        Pairs(
            query=np.unique(pairs.query_ix, return_inverse=True)[1],
            doc_ix=pairs.doc_ix,
            is_positive=pairs.is_positive,
            dense=dense,
            judge=np.full(len(dense), np.nan, dtype=np.float32),
            ranks=dict(pairs.rank),
            positive_cosine=features.cosine,
            positive_jaccard=features.jaccard,
            same_text_as_positive=features.same_text,
            same_text_as_query=same_as_query,
            text_key=text_key,
        ),
    )
    return _table(pairs, dense, features, judged, same_as_query, text_key)


def _sources(pairs: Candidates) -> pa.Array:
    present = np.stack([pairs.rank[source] > 0 for source in Source], axis=1)
    names = np.array([str(source) for source in Source], dtype=object)
    offsets = np.r_[0, np.cumsum(present.sum(axis=1))].astype(np.int32)
    values = np.broadcast_to(names, present.shape)[present]
    return pa.ListArray.from_arrays(offsets, pa.array(values, type=pa.string()))


def _optional(values: np.ndarray | None, absent: np.ndarray, kind: pa.DataType) -> pa.Array:
    if values is None:
        return pa.nulls(len(absent), kind)
    return pa.array(values, type=kind, mask=absent)


def _table(
    pairs: Candidates,
    dense: np.ndarray,
    features: PositiveFeatures,
    scores: Scores,
    same_as_query: np.ndarray,
    text_key: np.ndarray,
) -> pa.Table:
    none = np.zeros(len(dense), dtype=bool)
    no_bm25, no_dense = pairs.rank[Source.BM25] == 0, pairs.rank[Source.DENSE] == 0
    columns = {
        "query_ix": pairs.query_ix,
        "doc_ix": pairs.doc_ix,
        "sources": _sources(pairs),
        "bm25_score": _optional(pairs.score[Source.BM25], no_bm25, pa.float32()),
        "bm25_rank": _optional(pairs.rank[Source.BM25], no_bm25, pa.int32()),
        "dense_score": dense,
        "dense_rank": _optional(pairs.rank[Source.DENSE], no_dense, pa.int32()),
        "random_rank": _optional(
            pairs.rank[Source.RANDOM], pairs.rank[Source.RANDOM] == 0, pa.int32()
        ),
        "is_positive": pairs.is_positive,
        "judge_score": _optional(scores.judge, np.isnan(scores.judge), pa.float32()),
        "bm25_pair_score": _optional(scores.bm25_pair, none, pa.float32()),
        "late_interaction_score": _optional(scores.late_interaction, none, pa.float32()),
        "positive_cosine": features.cosine,
        "positive_jaccard": features.jaccard,
        "same_text_as_positive": features.same_text,
        "same_text_as_query": same_as_query,
        "text_key": text_key,
    }
    return pa.table(columns, schema=tables.JUDGED)
