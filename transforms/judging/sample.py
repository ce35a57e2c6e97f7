"""A sample of known positives and random documents, to see what a judge can tell apart."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import codes_at
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.judging.protocol import BlockJudge, BlockPairs
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.candidates import Ranked, union
from negmine.transforms.kernels.search.random_documents import random_documents
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.bm25 import Bm25Scorer

RANDOM = 2
"""Random documents of a query: the first that the source `random` draws for it."""

_KEY = 0x6A756467_65206365


def sample_queries(queries: Dataset, positives: Dataset, seed: int, most: int) -> np.ndarray:
    """Positions of at most so many queries that have a positive, ascending, by keyed hash."""
    found = [table.column("query_ix").to_numpy() for table in positives.tables(["query_ix"])]
    query_ix = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))
    if len(query_ix) <= most:
        return query_ix
    keys = np.concatenate([t.column("query_key").to_numpy() for t in queries.tables(["query_key"])])
    order = np.argsort(mix(_KEY, seed, keys[query_ix]), kind="stable")
    return np.sort(query_ix[order[:most]])


@dataclass
class ScoreSample(BlockTransform):
    """Pairs of sampled queries with their scores, as `tables.SAMPLE_SCORES`.

    Blocks are ranges of `queries`. A query gives one positive and two random documents, fewer where
    the corpus is small; where the judge has no score of a pair, that is left out.

    Attributes:
        collection: documents, queries, positives and vectors.
        judge: who scores.
        bm25: scores of pairs.
        queries: positions of the sampled queries, ascending.
        seed: the run's.
        pool: candidates that the judge's scale is taken from, by source; empty where there is none.
    """

    collection: Collection
    judge: BlockJudge
    bm25: Bm25Scorer
    queries: tuple[int, ...]
    seed: int
    pool: Mapping[str, Dataset]

    def table(self, block: Block) -> pa.Table:
        queries = np.array(self.queries[block.start : block.stop])
        if not len(queries):
            return tables.SAMPLE_SCORES.empty_table()
        rows = _rows(self, queries)
        asked = np.flatnonzero(rows.pairs.is_positive | (rows.pairs.ranks["random"] > 0))
        scorer = self.judge.bind(rows)
        scores = scorer.score(asked)
        scorer.close()
        candidates = rows.candidates
        columns = [candidates.query_ix, candidates.doc_ix, candidates.is_positive]
        known = ~np.isnan(scores)
        values = [*(column[asked][known] for column in columns), scores[known]]
        return pa.table(values, schema=tables.SAMPLE_SCORES)


def _rows(transform: ScoreSample, queries: np.ndarray) -> BlockPairs:
    """The sampled pairs and the pool of these queries, sorted by query and document."""
    collection = transform.collection
    documents = len(array_column(collection.documents, "text_key"))
    every_query, every_positive = _of(collection.positives, queries, ["doc_ix"])
    keys = array_column(collection.documents, "doc_key")[every_positive]
    order = np.lexsort((mix(_KEY, transform.seed, keys), every_query))
    one = order[np.unique(every_query[order], return_index=True)[1]]
    drawn = _drawn(transform, queries, documents, every_query, every_positive)
    ranked = {"random": drawn}
    for name, dataset in transform.pool.items():
        query_ix, doc_ix, rank = _of(dataset, queries, ["doc_ix", "rank"])
        ranked[name] = Ranked(query_ix, doc_ix, rank, np.zeros(len(rank), dtype=np.float32))
    found = union(every_query[one], every_positive[one], ranked, documents)
    query_ix, query = np.unique(found.query_ix, return_inverse=True)
    texts = binary_column(collection.queries, "text").texts(query_ix)
    languages = codes_at(collection.queries, query_ix)
    blank = {field.name: np.zeros(len(query)) for field in fields(Pairs)}
    given = {
        "query": query,
        "doc_ix": found.doc_ix,
        "is_positive": found.is_positive,
        "ranks": dict(found.rank),
        "dense": collection.similarity(found.query_ix, found.doc_ix),
        "bm25": transform.bm25.pair_scores(texts, query, found.doc_ix, languages),
    }
    return BlockPairs(collection, found, Pairs(**{**blank, **given}))  # type: ignore[arg-type]


def _drawn(
    transform: ScoreSample,
    queries: np.ndarray,
    documents: int,
    positive_query: np.ndarray,
    positive: np.ndarray,
) -> Ranked:
    """The first random documents of each query that are not known positives."""
    keys = array_column(transform.collection.queries, "query_key")[queries]
    most = int(np.bincount(np.searchsorted(queries, positive_query)).max(initial=0))
    drawn = random_documents(transform.seed, keys, documents, RANDOM + most)
    query_ix = np.repeat(queries, drawn.shape[1])
    doc_ix = drawn.ravel()
    known = np.isin(query_ix * documents + doc_ix, positive_query * documents + positive)
    query_ix, doc_ix = query_ix[~known], doc_ix[~known]
    start = np.searchsorted(query_ix, query_ix)
    first = np.arange(len(query_ix)) - start < RANDOM
    query_ix, doc_ix = query_ix[first], doc_ix[first]
    rank = np.ones(len(query_ix), dtype=np.int32)
    return Ranked(query_ix, doc_ix, rank, np.zeros(len(rank), dtype=np.float32))


def _of(dataset: Dataset, queries: np.ndarray, columns: list[str]) -> tuple[np.ndarray, ...]:
    """`query_ix` and columns of the rows of these queries, ascending; reads no other parts."""
    names = ["query_ix", *columns]
    pieces: list[list[np.ndarray]] = []
    for block in dataset.blocks():
        if np.searchsorted(queries, block.start) == np.searchsorted(queries, block.stop):
            continue
        table = dataset.read_part(block.part, names)
        values = [table.column(name).to_numpy() for name in names]
        mine = np.isin(values[0], queries)
        pieces.append([column[mine] for column in values])
    if not pieces:
        return tuple(np.empty(0, dtype=np.int64) for _ in names)
    return tuple(np.concatenate(column) for column in zip(*pieces, strict=True))
