"""Rows to a table: nulls and undefined values."""

import math

from negmine.schemas.metrics import METRICS
from negmine.transforms.metrics.rows import Row, to_table


def test_undefined_values_are_left_out_and_missing_intervals_are_null() -> None:
    table = to_table([Row("gini", math.nan, 0), Row("signal", 0.5, 3, "hard", low=0.4, high=0.6)])
    assert table.schema == METRICS
    assert table.to_pylist() == [
        {
            "metric": "signal",
            "tier": "hard",
            "source": None,
            "key": None,
            "bin": None,
            "value": 0.5,
            "low": 0.4,
            "high": 0.6,
            "count": 3,
        }
    ]
    bare = to_table([Row("gini", 0.5, 3)]).to_pylist()[0]
    assert bare["low"] is None and bare["high"] is None


def test_no_rows_are_an_empty_table() -> None:
    assert to_table([]).num_rows == 0
