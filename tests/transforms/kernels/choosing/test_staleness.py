"""When a negative is easy now: its similarity, relative to the positive's, fell by 15 %."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.choosing.staleness import now_easy

NAN = float("nan")
SIMILARITY = st.floats(-1, 1, width=32) | st.just(NAN)


def easy(before: float, positive_before: float, now: float, positive_now: float) -> bool:
    return bool(now_easy(*(np.array([s]) for s in (before, positive_before, now, positive_now)))[0])


def test_it_is_the_fall_relative_to_the_positive_that_counts() -> None:
    assert easy(0.6, 0.8, 0.5, 0.8)
    assert not easy(0.6, 0.8, 0.55, 0.8)
    assert not easy(0.6, 0.8, 0.3, 0.4), "both fell alike"
    assert easy(0.6, 0.8, 0.6, 0.95), "the positive rose"
    assert easy(0.1, 0.8, -0.2, 0.8)


def test_what_was_easy_before_or_is_not_known_is_not_easy_now() -> None:
    assert not easy(-0.1, 0.8, -0.9, 0.8)
    assert not easy(0.6, -0.1, 0.1, 0.8) and not easy(0.6, 0.8, 0.1, 0.0)
    assert not any(easy(*(NAN if at == n else 0.5 for at in range(4))) for n in range(4))


@given(st.lists(st.tuples(*[SIMILARITY] * 4), max_size=20))
def test_rows_are_judged_one_by_one(rows: list[tuple[float, float, float, float]]) -> None:
    columns = [np.array([row[at] for row in rows], dtype=np.float32) for at in range(4)]
    assert now_easy(*columns).tolist() == [easy(*row) for row in rows]
