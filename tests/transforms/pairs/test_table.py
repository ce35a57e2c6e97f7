"""Judged pairs as arrays: what is null, and what an older table lacks."""

import numpy as np
import pyarrow as pa

from negmine.transforms.pairs.table import to_pairs
from tests.transforms.choosing.test_select import judged


def test_a_null_similarity_is_not_a_number() -> None:
    pairs = to_pairs(judged({"dense_score": 0.5}, {"dense_score": None}))
    assert pairs.dense.tolist()[0] == 0.5 and np.isnan(pairs.dense[1])


def test_similarities_are_the_cosines_unless_these_are_told_apart() -> None:
    same = to_pairs(judged({"dense_score": 0.5}, {"dense_score": None}))
    assert same.cosine is same.dense
    apart = to_pairs(judged({"dense_score": 7.0, "query_cosine": 0.5}, {"dense_score": None}))
    assert apart.dense[0] == 7.0 and apart.cosine[0] == 0.5 and np.isnan(apart.cosine[1])


def test_a_table_from_before_there_was_the_column_is_read() -> None:
    table: pa.Table = judged({"dense_score": 0.5})
    pairs = to_pairs(table.drop_columns(["query_cosine"]))
    assert pairs.cosine.tolist() == [0.5]
