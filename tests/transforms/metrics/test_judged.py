"""The judge's audit: against one query at a time, ties, and pairs that were not judged."""

import numpy as np
import pytest

from negmine.transforms.kernels.measures.bootstrap import Bootstrap
from negmine.transforms.metrics.judged import judge_rows
from tests.transforms.metrics.triples import triples, values


@pytest.mark.parametrize("seed", range(3))
def test_rates_and_margin_are_those_of_each_query(seed: int) -> None:
    sets = triples(seed)
    rows = list(judge_rows(sets, Bootstrap(sets.queries, 1)))
    margins = [
        (sets.positive_judge.astype(float) - sets.judge)[sets.query_ix == query].min()
        for query in range(8)
    ]
    false = (sets.judge > sets.positive_judge).mean()
    assert values(rows, "judge_fn_rate", tier=None) == [pytest.approx(false)]
    assert values(rows, "judge_pos_at_1", tier=None) == [np.mean([m > 0 for m in margins])]
    assert values(rows, "judge_margin", tier=None) == [pytest.approx(np.mean(margins))]
    assert all(row.low <= row.value <= row.high for row in rows)


def test_a_tie_is_no_false_negative_and_no_win() -> None:
    sets = triples()
    sets.judge[:] = sets.positive_judge
    rows = list(judge_rows(sets, Bootstrap(sets.queries, 1)))
    assert values(rows, "judge_fn_rate", tier=None) == [0]
    assert values(rows, "judge_pos_at_1", tier=None) == [0]


def test_pairs_that_were_not_judged_are_left_out() -> None:
    sets = triples()
    sets.judge[1:] = np.nan
    rows = list(judge_rows(sets, Bootstrap(sets.queries, 1)))
    assert {row.count for row in rows if row.tier is None} == {1}
    assert not list(judge_rows(triples(judged=False), Bootstrap(9, 1)))
