"""Search held to documents of the query's language, to those of others, or to half of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from negmine.schemas.errors import ConfigError
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import languages_of
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.kernels.search.topk import TopK, merge, top_k

Which = Literal["same", "other", "both"]


class Among(Protocol):
    """A searcher that can be held to some documents; travels to the workers."""

    @property
    def shared(self) -> bool:
        """See `transforms.sources.search.Searcher`."""
        ...

    def search_among(
        self, shard: Block, queries: Block, rows: np.ndarray, allowed: np.ndarray, k: int
    ) -> TopK:
        """(rows, k) best of the allowed (shard,) documents for some `rows` of a block; ids are
        doc_ix."""
        ...


@dataclass(frozen=True)
class ByLanguage:
    """A `Searcher` of documents in the query's language (`same`), in others, or half of each.

    Of `both` the first half of a row is of the query's language. A query whose language is not
    known is searched for in all documents; a document without one is in no half.
    """

    searcher: Among
    documents: Dataset
    queries: Dataset
    which: Which

    @property
    def shared(self) -> bool:
        """As of the searcher that it holds."""
        return self.searcher.shared

    def search(self, shard: Block, queries: Block, k: int) -> TopK:
        out = TopK.empty(queries.stop - queries.start, k)
        known = known_languages(self.documents, self.queries)
        own = known.queries[queries.start : queries.stop]
        documents = known.documents[shard.start : shard.stop]
        for rows, allowed, part in groups(own, documents, self.which, k):
            width = part.stop - part.start
            found = self.searcher.search_among(shard, queries, rows, allowed, width)
            out.scores[rows, part] = found.scores
            out.ids[rows, part] = found.ids
        return out

    def halved(self, queries: Block) -> np.ndarray:
        """Whether the row of each query of a block is of two halves, (queries,) bool."""
        own = known_languages(self.documents, self.queries).queries[queries.start : queries.stop]
        return (own != 0) & (self.which == "both")


def known_languages(documents: Dataset, queries: Dataset) -> Languages:
    """Languages of a collection. Raises ConfigError where it has none."""
    known = languages_of(documents, queries)
    if known is None:
        raise ConfigError(
            "the config asks for documents by language, and the collection has no languages; name "
            "the columns (input.doc_language, input.query_language) or set input.detect_language"
        )
    return known


def halves(which: Which, k: int) -> list[tuple[bool, slice]]:
    """Whether a part of k places is for the query's own language, and which places it has."""
    middle = (k + 1) // 2
    if which == "both":
        return [(True, slice(0, middle)), (False, slice(middle, k))]
    return [(which == "same", slice(0, k))]


def groups(
    own: np.ndarray, documents: np.ndarray, which: Which, k: int
) -> Iterator[tuple[np.ndarray, np.ndarray, slice]]:
    """Rows of queries that are held to the same documents, which these are, and their places.

    `own` (queries,) and `documents` (documents,) are numbers of languages, 0 where not known.
    """
    for code in np.unique(own):
        rows = np.flatnonzero(own == code)
        if code == 0:
            yield rows, np.ones(len(documents), dtype=bool), slice(0, k)
            continue
        for same, part in halves(which, k):
            if part.start < part.stop:
                other = (documents != code) & (documents != 0)
                yield rows, documents == code if same else other, part


def merged_halves(found: list[TopK], k: int, halved: np.ndarray) -> TopK:
    """Partial results of `both`: (queries,) rows that are `halved` half by half, others whole."""
    out = TopK.empty(len(halved), k)
    rows, whole = np.flatnonzero(halved), np.flatnonzero(~halved)
    parts = [(rows, part) for _, part in halves("both", k)] + [(whole, slice(0, k))]
    for some, part in parts:
        cut = [TopK(partial.scores[some, part], partial.ids[some, part]) for partial in found]
        best = merge(cut, part.stop - part.start)
        out.scores[some, part] = best.scores
        out.ids[some, part] = best.ids
    return out


def in_order(found: TopK) -> TopK:
    """The two halves of `both` as one row, best first."""
    return top_k(found.scores, found.ids, found.ids.shape[1])
