"""Which passages of a positive's document may be negatives, against a plain statement of it."""

from math import floor, log2

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.sources.same_document import Passages, others

rows = st.lists(
    st.tuples(st.integers(1, 3), st.integers(-1, 12), st.integers(1, 500)), min_size=1, max_size=20
)


@given(rows, st.integers(0, 3), st.data())
def test_it_is_what_is_said(
    corpus: list[tuple[int, int, int]], window: int, data: st.DataObject
) -> None:
    positives = data.draw(st.sets(st.integers(0, len(corpus) - 1), min_size=1))
    group, place, length = (np.array(column) for column in zip(*corpus, strict=True))
    passages = Passages(group, place, length)
    members = np.flatnonzero(np.isin(group, group[list(positives)]))
    found, apart = others(passages, np.array(sorted(positives)), members, window)
    expected = {}
    for at, (own, here, long) in enumerate(corpus):
        beside = [corpus[p] for p in positives if corpus[p][0] == own]
        unknown = here < 0 or any(there < 0 for _, there, _ in beside)
        near = window and (unknown or any(abs(here - there) <= window for _, there, _ in beside))
        if beside and at not in positives and not near:
            expected[at] = min(floor(abs(log2(long) - log2(other))) for _, _, other in beside)
    assert dict(zip(found.tolist(), apart.tolist(), strict=True)) == expected
