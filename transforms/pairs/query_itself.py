"""Which documents are a query itself: by identifier, by text, by near-duplicate."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import BinaryColumn, array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.near_duplicates import jaccard, minhash_jaccard, shingles, sketches
from negmine.transforms.kernels.search.candidates import Candidates, pair_keys
from negmine.transforms.pairs.features import EXACT_JACCARD_FROM, PAIRS_AT_ONCE, Collection

LOOKED_UP, COMPARED = 4096, 256
"""Queries whose identifier is looked for in the corpus, and pairs whose texts are compared."""
SHARED, AGREEING, LEAST = 0.5, 0.5, 2
"""Two texts of one identifier agree from this share of the shorter one's shingles on; queries and
corpus are one collection from this share of agreeing pairs on, and this many."""
_KEY = 0x4F776E


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
    return QueryFeatures(_same_id(collection, candidates, len(document_keys)), same_text, overlap)


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


def _same_id(collection: Collection, candidates: Candidates, documents: int) -> np.ndarray:
    pairs = len(candidates.query_ix)
    asked = collection.queries_are_documents
    if asked is False or not pairs:
        return np.zeros(pairs, dtype=bool)
    if asked == "auto" and not one_collection(collection.documents, collection.queries):
        return np.zeros(pairs, dtype=bool)
    block = Block(int(candidates.query_ix[0]), int(candidates.query_ix[-1]) + 1)
    table = collection.queries.read_queries(block, ["query_id", "merged_ids"])
    ids = binary_column(collection.documents, "doc_id")
    own = []
    for query_ix, identifier, others in zip(*(c.to_pylist() for c in table.columns), strict=True):
        places = [_position(ids, name) for name in (identifier, *(others or ()))]
        own += [(query_ix, place) for place in places if place is not None]
    query_ix, doc_ix = np.array(own, dtype=np.int64).reshape(-1, 2).T
    mine = pair_keys(candidates.query_ix, candidates.doc_ix, documents)
    return np.isin(mine, pair_keys(query_ix, doc_ix, documents))


def _position(ids: BinaryColumn, identifier: str) -> int | None:
    """Position of an identifier in a column that ascends by bytes; None where it is not there."""
    wanted = identifier.encode()
    at = bisect_left(range(len(ids)), wanted, key=lambda i: bytes(ids.bytes_at(i)))
    return at if at < len(ids) and bytes(ids.bytes_at(at)) == wanted else None


@lru_cache(maxsize=16)
def one_collection(documents: Dataset, queries: Dataset) -> bool:
    """Whether an identifier means the same among queries as among documents.

    Numbers often meet by accident, so the texts decide: of queries whose identifier a document
    has, drawn by key, at least two and at least half must have that document's text or share half
    of the shorter text's shingles with it, as a title does that is part of the document, or a
    passage cut out of it.
    """
    keys = array_column(queries, "query_key")
    drawn = np.argsort(mix(_KEY, keys), kind="stable")[:LOOKED_UP]
    ids = binary_column(documents, "doc_id")
    named = zip(drawn.tolist(), binary_column(queries, "query_id").texts(drawn), strict=True)
    pairs: list[tuple[int, int]] = []
    for query, name in named:
        document = _position(ids, name)
        if document is not None:
            pairs.append((query, document))
        if len(pairs) == COMPARED:
            break
    agreeing = sum(_agree(documents, queries, *pair) for pair in pairs)
    return agreeing >= max(LEAST, AGREEING * len(pairs))


def _agree(documents: Dataset, queries: Dataset, query_ix: int, doc_ix: int) -> bool:
    if array_column(documents, "text_key")[doc_ix] == array_column(queries, "text_key")[query_ix]:
        return True
    (asked,) = binary_column(queries, "text").texts([query_ix])
    (text,) = binary_column(documents, "text").texts([doc_ix])
    left, right = shingles(asked), shingles(text)
    shorter = min(len(left), len(right))
    both = len(np.intersect1d(left, right, assume_unique=True))
    return bool(shorter) and both >= SHARED * shorter
