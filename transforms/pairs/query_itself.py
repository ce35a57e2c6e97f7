"""Which documents are a query itself: by identifier, by text, by near-duplicate."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow.compute as pc

from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.near_duplicates import jaccard, minhash_jaccard, shingles, sketches
from negmine.transforms.kernels.search.candidates import Candidates
from negmine.transforms.pairs.features import EXACT_JACCARD_FROM, PAIRS_AT_ONCE, Collection

LOOKED_UP, COMPARED = 4096, 256
"""Queries whose identifier is looked for in the corpus, and pairs whose texts are compared."""
SHARED, AGREEING, LEAST = 0.5, 0.5, 2
"""Two texts of one identifier agree from this share of the shorter one's shingles on; queries and
corpus are one collection from this share of agreeing pairs on, and this many."""
_KEY = 0x4F776E
_SCANNED_AT_ONCE = 1 << 20
_NAMES = ("doc_key", "group_key")
"""Keys of the identifiers that name a document: its own, and of the one it is a passage of."""
_PASSAGES = 64
"""Passages of a document that a query's text is compared with."""


@dataclass(frozen=True)
class QueryFeatures:
    """How close each pair's document is to the query's own text and identifier; all arrays (n,)."""

    same_id: np.ndarray
    same_text: np.ndarray
    jaccard: np.ndarray


def query_features(
    collection: Collection, candidates: Candidates, texts: list[str], query: np.ndarray
) -> QueryFeatures:
    """Compare a block's pairs, sorted by query, with their queries.

    Args:
        collection: documents and queries are read.
        candidates: the pairs, (n,).
        texts: of the block's queries that have pairs, in order.
        query: (n,) number of each pair's query in `texts`.
    """
    document_keys = array_column(collection.documents, "text_key")
    query_keys = array_column(collection.queries, "text_key")
    same_text = document_keys[candidates.doc_ix] == query_keys[candidates.query_ix]
    overlap = _jaccard(collection.documents, candidates.doc_ix, texts, query)
    overlap[same_text] = 1.0
    return QueryFeatures(_same_id(collection, candidates), same_text, overlap)


def _jaccard(
    documents: Dataset, doc_ix: np.ndarray, texts: list[str], query: np.ndarray
) -> np.ndarray:
    """Exact where the MinHash estimate is at least 0.5, else the estimate; (n,) float32."""
    own = sketches(texts)[1]
    signatures = array_column(documents, "minhash")
    document_texts = binary_column(documents, "text")
    out = np.zeros(len(doc_ix), dtype=np.float32)
    for start in range(0, len(out), PAIRS_AT_ONCE):
        rows = slice(start, start + PAIRS_AT_ONCE)
        out[rows] = minhash_jaccard(own[query[rows]], signatures[doc_ix[rows]])
    found: dict[int, np.ndarray] = {}
    for row in np.flatnonzero(out >= EXACT_JACCARD_FROM):
        at = int(query[row])
        if at not in found:
            found[at] = shingles(texts[at])
        (text,) = document_texts.texts(doc_ix[row : row + 1])
        out[row] = jaccard(found[at], shingles(text))
    return out


def _same_id(collection: Collection, candidates: Candidates) -> np.ndarray:
    query_ix, doc_ix = candidates.query_ix, candidates.doc_ix
    asked, corpus = collection.queries_are_documents, collection.corpus
    if asked is False or not len(query_ix):
        return np.zeros(len(query_ix), dtype=bool)
    if asked == "auto" and not one_collection(collection.documents, collection.queries, corpus):
        return np.zeros(len(query_ix), dtype=bool)
    keys = [array_column(collection.documents, name)[doc_ix] for name in _NAMES]
    own = array_column(collection.queries, "query_key")[query_ix]
    found = np.any([key == own for key in keys], axis=0)
    block = Block(int(query_ix[0]), int(query_ix[-1]) + 1)
    merged = collection.queries.read_queries(block, ["merged_ids"])
    merged = merged.filter(pc.greater(pc.list_value_length(merged.column("merged_ids")), 0))
    for query, names in zip(*(c.to_pylist() for c in merged.columns), strict=True):
        rows = slice(*query_ix.searchsorted([query, query + 1]))
        found[rows] |= np.any([np.isin(key[rows], text_keys(names)) for key in keys], axis=0)
    return found if corpus is None else found & (doc_ix < corpus)


@lru_cache(maxsize=16)
def one_collection(documents: Dataset, queries: Dataset, corpus: int | None = None) -> bool:
    """Whether an identifier means the same among queries as among documents.

    Numbers often meet by accident, so the texts decide: of queries whose identifier a document
    has, drawn by key, at least two and at least half must have that document's text or share half
    of the shorter text's shingles with it, as a title does that is part of the document, or a
    passage cut out of it. A document that was cut is its passages, one after another. Of the
    documents only the first `corpus` count: behind them stand texts that were made.
    """
    keys = array_column(queries, "query_key")
    drawn = np.argsort(mix(_KEY, keys), kind="stable")[:LOOKED_UP]
    found = [_named(array_column(documents, name)[:corpus], keys[drawn]) for name in _NAMES]
    place, doc_ix = (np.concatenate(both) for both in zip(*found, strict=True))
    order = np.lexsort((doc_ix, place))
    places, starts = np.unique(place[order], return_index=True)
    named = np.split(doc_ix[order], starts[1:])[:COMPARED] if len(places) else []
    compared = zip(drawn[places].tolist(), named, strict=False)
    agreeing = sum(_agree(documents, queries, *pair) for pair in compared)
    return agreeing >= max(LEAST, AGREEING * len(named))


def _named(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where wanted keys, each of them once, stand: their places and those among `keys`, int64."""
    order = np.argsort(wanted)
    ascending = wanted[order]
    places, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, len(keys) if len(wanted) else 0, _SCANNED_AT_ONCE):
        some = np.asarray(keys[start : start + _SCANNED_AT_ONCE])
        at = np.minimum(ascending.searchsorted(some), len(wanted) - 1)
        hit = np.flatnonzero(ascending[at] == some)
        places.append(order[at[hit]])
        rows.append(hit + start)
    return np.concatenate(places), np.concatenate(rows)


def _agree(documents: Dataset, queries: Dataset, query_ix: int, doc_ix: np.ndarray) -> bool:
    doc_ix = doc_ix[:_PASSAGES]
    text_key = array_column(queries, "text_key")[query_ix]
    if np.any(array_column(documents, "text_key")[doc_ix] == text_key):
        return True
    (asked,) = binary_column(queries, "text").texts([query_ix])
    text = " ".join(binary_column(documents, "text").texts(doc_ix))
    left, right = shingles(asked), shingles(text)
    shorter = min(len(left), len(right))
    both = len(np.intersect1d(left, right, assume_unique=True))
    return bool(shorter) and both >= SHARED * shorter
