"""Builds `Pairs` from short rows, for tests."""

from typing import Any

import numpy as np

from transforms.kernels.policies import Pairs


def pairs_of(rows: list[dict[str, Any]]) -> Pairs:
    """Pairs with the rows' fields; everything else is harmless. Rows must be sorted by query."""

    def column(name: str, default: Any, dtype: Any) -> np.ndarray:
        values = [
            row.get(name, default(i) if callable(default) else default)
            for i, row in enumerate(rows)
        ]
        return np.array(values, dtype=dtype)

    return Pairs(
        query=column("query", 0, np.int64),
        doc_ix=column("doc_ix", lambda i: i, np.int64),
        is_positive=column("is_positive", False, bool),
        dense=column("dense", 0.5, np.float32),
        judge=column("judge", 0.0, np.float32),
        ranks={
            source: column(f"{source}_rank", 0, np.int32) for source in ("bm25", "dense", "random")
        },
        positive_cosine=column("positive_cosine", 0.0, np.float32),
        positive_jaccard=column("positive_jaccard", 0.0, np.float32),
        same_text_as_positive=column("same_text_as_positive", False, bool),
        same_text_as_query=column("same_text_as_query", False, bool),
        text_key=column("text_key", lambda i: 1000 + i, np.uint64),
    )
