"""Judge pairs block by block: union of the sources, features, and the judge's scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from negmine.schemas.selection import Selection
from negmine.schemas.sources import MADE, RETRIEVING
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import codes_at
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.judging.protocol import BlockJudge, BlockPairs
from negmine.transforms.kernels import underway
from negmine.transforms.kernels.choosing.language_mix import translation_places
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.waves import judge_needed
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.candidates import Candidates, Ranked, pair_keys, union
from negmine.transforms.pairs.features import Collection, positive_features
from negmine.transforms.pairs.neighbours import neighbour_cosine
from negmine.transforms.pairs.query_itself import query_features
from negmine.transforms.pairs.table import judged_table
from negmine.transforms.sources.bm25 import Bm25Scorer

_JUDGED_FOR_ONE = 1.5
"""Pairs that a lazy judge reads for a negative, about: for progress only."""


@dataclass
class JudgePairs(BlockTransform):
    """Candidates and positives of a block of queries, judged, as `tables.JUDGED`.

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

    @property
    def shared(self) -> bool:
        return not self.judge.lazy  # lazy judges run models

    def table(self, block: Block) -> pa.Table:
        rows = block_rows(self.collection, self.candidates, self.bm25, self.places, block)
        with underway.block(block.stop - block.start):
            judged = judge_rows(rows, self.judge, self.selection)
        count("rows_read", judged.num_rows)
        scores = judged.column("judge_score")
        count("pairs_judged", len(scores) - scores.null_count)
        return judged


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
        bm25=bm25.pair_scores(texts, query, found.doc_ix, codes_at(collection.queries, query_ix)),
        neighbour_cosine=neighbour_cosine(held, found, retrieved),
        in_evaluation=array_column(documents, "in_evaluation")[found.doc_ix],
        hub_place=_places(found, places, block, len(text_key)),
        confirmed_negative=_confirmed(found, collection, block, len(text_key)),
        query_ix=found.query_ix,
        translation_place=collection_places(collection, query, found, features.cosine),
        query_language=collection.query_languages(found.query_ix),
    )
    return BlockPairs(collection, found, pairs)


def collection_places(
    collection: Collection, query: np.ndarray, found: Candidates, positive_cosine: np.ndarray
) -> np.ndarray:
    """`Pairs.translation_place` of candidates, (n,) int32."""
    known = collection.languages
    if known is None:
        return np.zeros(len(query), dtype=np.int32)
    own = known.documents[found.doc_ix]
    return translation_places(query, found.doc_ix, own, found.is_positive, positive_cosine)


def _confirmed(
    candidates: Candidates, collection: Collection, block: Block, documents: int
) -> np.ndarray:
    negatives, made = collection.confirmed_negatives, np.zeros(len(candidates.query_ix), dtype=bool)
    if not collection.made_are_judged:
        made = np.any([candidates.rank[source] > 0 for source in MADE], axis=0)
    if negatives is None:
        return made
    query_ix, doc_ix = negatives.read_queries(block, ["doc_ix"]).columns
    known = pair_keys(query_ix.to_numpy(), doc_ix.to_numpy(), documents)
    return made | np.isin(pair_keys(candidates.query_ix, candidates.doc_ix, documents), known)


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
        queries = int(rows.pairs.query.max(initial=-1)) + 1
        positives = int(rows.pairs.is_positive.sum())
        underway.expect(positives + _JUDGED_FOR_ONE * selection.quota * queries)
        arrays = rows.collection.document_arrays()
        scores = judge_needed(rows.pairs, selection, arrays, scorer.score)
    else:
        underway.expect(len(rows))
        scores = scorer.score(np.arange(len(rows)))
    scorer.close()
    return judged_table(rows.candidates, rows.pairs, scores, scorer.parts)
