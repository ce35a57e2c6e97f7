"""Buckets: every row once, in a shape that its length alone decides."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.models.gpu.buckets import Buckets, Padding, rows_of, widths
from negmine.transforms.models.gpu.tokens import Tokens


def tokens(lengths: list[int]) -> Tokens:
    """Rows whose ids count up from 1, so that each tells where it is from."""
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = np.arange(1, offsets[-1] + 1, dtype=np.int32)
    return Tokens(ids, None, offsets, typed=False, rest={})


@given(
    pieces=st.lists(st.lists(st.integers(0, 70), min_size=1, max_size=30), min_size=1, max_size=5),
    budget=st.integers(16, 400),
    limit=st.sampled_from([None, 70, 75, 512]),
    left=st.booleans(),
)
def test_every_row_comes_once_in_the_shape_of_its_length(
    pieces: list[list[int]], budget: int, limit: int | None, left: bool
) -> None:
    buckets = Buckets(Padding(0, left, limit), budget)
    batches, first, lengths = [], 0, [length for piece in pieces for length in piece]
    for piece in pieces:
        batches += buckets.add(np.arange(first, first + len(piece)), tokens(piece))
        first += len(piece)
    batches += buckets.rest()
    numbers = np.concatenate([batch.numbers for batch in batches])
    assert sorted(numbers.tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert batch.size == rows_of(batch.width, budget * (1 if batch.masked else 2))
        assert len(batch.numbers) <= max(1, batch.size - batch.masked)
        for number, row in zip(batch.numbers, batch.packed, strict=True):
            length = lengths[number]
            assert row[-1] == length
            assert batch.width == widths(np.array([length]), limit)[0]
            assert batch.masked == (length != limit)
            ids = row[: batch.width]
            own = ids[batch.width - length :] if left else ids[:length]
            assert (np.diff(own) == 1).all() and (own > 0).all()
            assert (ids != 0).sum() == length


@given(length=st.integers(0, 100_000))
def test_about_an_eighth_is_padding_at_most(length: int) -> None:
    (width,) = widths(np.array([length]), None)
    assert length <= width <= max(length + 16, length * 1.125 + 1)


def test_a_model_of_8192_tokens_has_56_widths() -> None:
    assert len(np.unique(widths(np.arange(1, 8193), 8192))) == 56


def test_a_shape_has_whole_eights_of_rows_where_it_can() -> None:
    assert [rows_of(width, 4096) for width in (16, 48, 512, 600, 5000)] == [256, 80, 8, 6, 1]
