"""Judge pairs block by block: union of the sources, features, and the judge's scores."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.schemas.selection import Selection
from negmine.schemas.sources import RETRIEVING
from negmine.schemas.verdicts import Source
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.protocol import BlockJudge, BlockPairs
from negmine.transforms.kernels.choosing.policies import Pairs
from negmine.transforms.kernels.choosing.waves import judge_needed
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.candidates import Candidates, Ranked, pair_keys, union
from negmine.transforms.pairs.features import Collection, positive_features
from negmine.transforms.pairs.neighbours import neighbour_cosine
from negmine.transforms.pairs.query_itself import query_features
from negmine.transforms.sources.bm25 import Bm25Scorer


@dataclass
class JudgePairs(beam.PTransform):
    """`PCollection[Block of queries] -> PCollection[(Block, table)]`, as `tables.JUDGED`.

    Attributes:
        collection: documents, queries, positives and vectors.
        candidates: of each source.
        judge: who scores.
        selection: decides which pairs a lazy judge is asked for; calibrated.
        bm25: scores of pairs that BM25 did not return.
        places: `tables.PAIR_PLACES`, where a policy caps hubs.
    """

    collection: Collection
    candidates: Mapping[str, Dataset]
    judge: BlockJudge
    selection: Selection
    bm25: Bm25Scorer
    places: Dataset | None = None

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Judge" >> beam.ParDo(_Judge(self))


class _Judge(beam.DoFn):
    def __init__(self, transform: JudgePairs) -> None:
        self.transform = transform

    def process(self, block: Block) -> Iterator[tuple[Block, pa.Table]]:
        transform = self.transform
        rows = block_rows(
            transform.collection, transform.candidates, transform.bm25, transform.places, block
        )
        judged = judge_rows(rows, transform.judge, transform.selection)
        count("rows_read", judged.num_rows)
        scores = judged.column("judge_score")
        count("pairs_judged", len(scores) - scores.null_count)
        yield block, judged


def _ranked(dataset: Dataset, block: Block) -> Ranked:
    table = dataset.read_queries(block, ["doc_ix", "rank", "score"])
    return Ranked(*(table.column(name).to_numpy() for name in table.column_names))


def known_positives(
    collection: Collection, block: Block
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positives of a block's queries: query_ix and doc_ix, (p,) int64, and `own`, (p,) bool."""
    table = collection.positives.read_queries(block, ["doc_ix", "own"])
    query_ix, doc_ix, own = (table.column(n).to_numpy() for n in ("query_ix", "doc_ix", "own"))
    return query_ix, doc_ix, own


def block_rows(
    collection: Collection,
    candidates: Mapping[str, Dataset],
    bm25: Bm25Scorer,
    places: Dataset | None,
    block: Block,
) -> BlockPairs:
    """Candidates and positives of a block of queries, sorted by query and document, unjudged."""
    positive_query_ix, positive_doc_ix, own = known_positives(collection, block)
    documents = collection.documents
    text_key = array_column(documents, "text_key")
    ranked = {name: _ranked(dataset, block) for name, dataset in candidates.items()}
    found = union(positive_query_ix, positive_doc_ix, ranked, len(text_key))
    held = collection.holding(found.doc_ix)
    own_positive = found.is_positive.copy()
    own_positive[own_positive] = own
    features = positive_features(held, found, positive_query_ix, positive_doc_ix)
    query_ix, query = np.unique(found.query_ix, return_inverse=True)
    retrieved = np.any([found.rank[source] > 0 for source in RETRIEVING], axis=0)
    texts = binary_column(collection.queries, "text").texts(query_ix)
    asked = query_features(collection, found, texts, query)
    keys = array_column(collection.queries, "query_key")[found.query_ix]
    dense = held.similarity(found.query_ix, found.doc_ix)
    pairs = Pairs(
        query=query,
        doc_ix=found.doc_ix,
        is_positive=found.is_positive,
        own_positive=own_positive,
        dense=dense,
        cosine=dense if held.normalized else held.cosine(found.query_ix, found.doc_ix),
        judge=np.full(len(query), np.nan, dtype=np.float32),
        ranks=dict(found.rank),
        positive_cosine=features.cosine,
        positive_jaccard=features.jaccard,
        same_text_as_positive=features.same_text,
        same_text_as_query=asked.same_text,
        same_id_as_query=asked.same_id,
        query_jaccard=asked.jaccard,
        text_key=text_key[found.doc_ix],
        pair_key=mix(keys, array_column(documents, "doc_key")[found.doc_ix]),
        bm25=bm25.pair_scores(texts, query, found.doc_ix),
        neighbour_cosine=neighbour_cosine(held, found, retrieved),
        in_evaluation=array_column(documents, "in_evaluation")[found.doc_ix],
        hub_place=_places(found, places, block, len(text_key)),
        confirmed_negative=_confirmed(found, collection.confirmed_negatives, block, len(text_key)),
    )
    return BlockPairs(collection, found, pairs)


def _confirmed(
    candidates: Candidates, negatives: Dataset | None, block: Block, documents: int
) -> np.ndarray:
    if negatives is None:
        return np.zeros(len(candidates.query_ix), dtype=bool)
    query_ix, doc_ix = negatives.read_queries(block, ["doc_ix"]).columns
    known = pair_keys(query_ix.to_numpy(), doc_ix.to_numpy(), documents)
    return np.isin(pair_keys(candidates.query_ix, candidates.doc_ix, documents), known)


def _places(
    candidates: Candidates, places: Dataset | None, block: Block, documents: int
) -> np.ndarray:
    out = np.zeros(len(candidates.query_ix), dtype=np.int32)
    if places is not None:
        table = places.read_queries(block, ["doc_ix", "place"])
        query_ix, doc_ix, place = (column.to_numpy() for column in table.columns)
        mine = pair_keys(candidates.query_ix, candidates.doc_ix, documents)
        out[np.searchsorted(mine, pair_keys(query_ix, doc_ix, documents))] = place
    return out


def judge_rows(rows: BlockPairs, judge: BlockJudge, selection: Selection) -> pa.Table:
    """Judged pairs of a block, as `tables.JUDGED`; a lazy judge scores what choosing needs."""
    scorer = judge.bind(rows)
    if judge.lazy:
        arrays = rows.collection.document_arrays()
        scores = judge_needed(rows.pairs, selection, arrays, scorer.score)
    else:
        scores = scorer.score(np.arange(len(rows)))
    scorer.close()
    return _table(rows.candidates, rows.pairs, scores, scorer.parts)


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


def _cosine(pairs: Pairs) -> pa.Array:
    if pairs.cosine is pairs.dense:
        return pa.nulls(len(pairs.dense), pa.float32())
    return _where(pairs.cosine, ~np.isnan(pairs.cosine), pa.float32())


def _table(
    found: Candidates, pairs: Pairs, scores: np.ndarray, parts: Mapping[str, np.ndarray]
) -> pa.Table:
    ranks: dict[Source, np.ndarray] = {source: found.rank[source] for source in Source}
    columns = {
        "query_ix": found.query_ix,
        "doc_ix": found.doc_ix,
        "sources": _sources(found),
        "bm25_score": _where(found.score[Source.BM25], ranks[Source.BM25] > 0, pa.float32()),
        "dense_score": _where(pairs.dense, ~np.isnan(pairs.dense), pa.float32()),
        **{f"{s}_rank": _where(ranks[s], ranks[s] > 0, pa.int32()) for s in Source},
        "is_positive": pairs.is_positive,
        "own_positive": pairs.own_positive,
        "judge_score": _where(scores, ~np.isnan(scores), pa.float32()),
        "judge_parts": _parts(parts, len(scores)),
        "bm25_pair_score": pairs.bm25,
        "query_cosine": _cosine(pairs),
        "neighbour_cosine": pairs.neighbour_cosine,
        "positive_cosine": pairs.positive_cosine,
        "positive_jaccard": pairs.positive_jaccard,
        "same_text_as_positive": pairs.same_text_as_positive,
        "same_text_as_query": pairs.same_text_as_query,
        "same_id_as_query": pairs.same_id_as_query,
        "query_jaccard": pairs.query_jaccard,
        "text_key": pairs.text_key,
        "pair_key": pairs.pair_key,
        "in_evaluation": pairs.in_evaluation,
        "hub_place": _where(pairs.hub_place, pairs.hub_place > 0, pa.int32()),
        "confirmed_negative": pairs.confirmed_negative,
    }
    return pa.table([columns[name] for name in tables.JUDGED.names], schema=tables.JUDGED)
