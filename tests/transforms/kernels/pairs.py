"""Builds pairs, selections and document arrays from short values, for tests."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from negmine.schemas.config import Sampling, Tier
from negmine.schemas.policies import Policy
from negmine.schemas.selection import Selection
from negmine.schemas.verdicts import Source
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.picking import DocumentArrays


def pairs_of(rows: list[dict[str, Any]]) -> Pairs:
    """Pairs with the rows' fields; everything else is harmless. Rows must be sorted by query."""

    def column(name: str, default: Any, dtype: Any) -> np.ndarray:
        values = [
            row.get(name, default(i) if callable(default) else default)
            for i, row in enumerate(rows)
        ]
        return np.array(values, dtype=dtype)

    dense = column("dense", 0.5, np.float32)
    return Pairs(
        query=column("query", 0, np.int64),
        doc_ix=column("doc_ix", lambda i: i, np.int64),
        is_positive=column("is_positive", False, bool),
        dense=dense,
        cosine=dense,
        own_positive=column("own_positive", lambda i: rows[i].get("is_positive", False), bool),
        judge=column("judge", 0.0, np.float32),
        ranks={str(source): column(f"{source}_rank", 0, np.int32) for source in Source},
        positive_cosine=column("positive_cosine", 0.0, np.float32),
        positive_jaccard=column("positive_jaccard", 0.0, np.float32),
        same_text_as_positive=column("same_text_as_positive", False, bool),
        same_text_as_query=column("same_text_as_query", False, bool),
        same_id_as_query=column("same_id_as_query", False, bool),
        query_jaccard=column("query_jaccard", 0.0, np.float32),
        text_key=column("text_key", lambda i: 1000 + i, np.uint64),
        pair_key=column("pair_key", lambda i: 7 * i + 1, np.uint64),
        bm25=column("bm25", 0.0, np.float32),
        neighbour_cosine=column("neighbour_cosine", 0.0, np.float32),
        in_evaluation=column("in_evaluation", False, bool),
        hub_place=column("hub_place", 0, np.int32),
        confirmed_negative=column("confirmed_negative", False, bool),
        query_ix=column("query", 0, np.int64),
        translation_place=column("translation_place", 0, np.int32),
        query_language=column("query_language", 0, np.int32),
    )


def selection_of(
    tiers: Mapping[str, Tier], policies: Iterable[Any] = (), seed: int = 0, **sampling: Any
) -> Selection:
    """A selection from tiers, policies as in the config, and settings of the sampling."""
    parsed = tuple(Policy.model_validate(policy) for policy in policies)
    chosen = Sampling.model_validate({"method": "top", **sampling})
    return Selection(parsed, tuple(tiers.items()), chosen, seed)


def distinct_documents(count: int, dimension: int = 16) -> DocumentArrays:
    """Documents that are near to none: random directions, unrelated MinHash values."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(count, dimension)).astype(np.float32)
    return DocumentArrays(vectors, random.integers(0, 256, (count, 128), dtype=np.uint8))
