"""Random documents of each query, all alike or by how many queries found them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pyarrow as pa

from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.kernels.search.random_documents import random_documents, weighted_documents
from negmine.transforms.sources.by_language import groups, known_languages
from negmine.transforms.sources.search import candidates


@dataclass
class DrawRandom(BlockTransform):
    """Random documents of each query of a block, as `tables.CANDIDATES`.

    Attributes:
        near: candidates whose number of queries a document's weight follows, where it has one.
        hubs: whether documents of many queries are likelier, or less likely.
    """

    queries: Dataset
    documents: int
    count: int
    seed: int
    near: Dataset | None = None
    hubs: bool = True
    corpus: Dataset | None = None
    languages: Literal["any", "same", "other", "both"] = "any"
    """Of which languages, seen from the query's; `corpus` is then what they are looked up in."""

    def table(self, block: Block) -> pa.Table:
        keys = self.queries.read_rows(block, ["query_key"])["query_key"].to_numpy()
        if self.languages != "any" and self.corpus is not None:
            drawn = self._of_languages(block, keys, known_languages(self.corpus, self.queries))
        elif self.near is None:
            drawn = random_documents(self.seed, keys, self.documents, self.count)
        else:
            weights = 1.0 + _queries_of_each(self.near, self.documents)
            weights = weights if self.hubs else 1 / weights
            drawn = weighted_documents(self.seed, keys, weights, self.count)
        return candidates(block.start, np.zeros(drawn.shape, dtype=np.float32), drawn)

    def _of_languages(self, block: Block, keys: np.ndarray, known: Languages) -> np.ndarray:
        assert self.languages != "any"
        drawn = np.full((len(keys), self.count), -1, dtype=np.int64)
        own = known.queries[block.start : block.stop]
        for rows, allowed, part in groups(own, known.documents, self.languages, self.count):
            pool = np.flatnonzero(allowed)
            width = part.stop - part.start
            places = random_documents(self.seed, keys[rows], len(pool), width)
            drawn[rows, part.start : part.start + places.shape[1]] = pool[places]
        return drawn


@lru_cache(maxsize=1)
def _queries_of_each(found: Dataset, documents: int) -> np.ndarray:
    counts = np.zeros(documents, dtype=np.int64)
    for table in found.tables(["doc_ix"]):
        counts += np.bincount(table.column("doc_ix").to_numpy(), minlength=documents)
    return counts
