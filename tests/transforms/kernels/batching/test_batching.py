"""Batches of pairs that are hard for one another: kernels against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.batching import epochs
from negmine.transforms.kernels.batching.cells import cells
from negmine.transforms.kernels.batching.cosines import UNIT, centred, whole
from negmine.transforms.kernels.batching.epochs import TrainingPairs, compose
from negmine.transforms.kernels.batching.growing import grow
from negmine.transforms.kernels.batching.packing import pack
from negmine.transforms.kernels.batching.suspects import Suspects, together
from negmine.transforms.kernels.hashing import mix

NOBODY = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def vectors(rows: int, seed: int = 1, width: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


def training_pairs(count: int) -> TrainingPairs:
    """As many queries and texts as pairs."""
    at = np.arange(count, dtype=np.int64)
    return TrainingPairs(at, at, at.astype(np.int32), mix(3, at.astype(np.uint64)))


def own_only(count: int) -> Suspects:
    at = np.arange(count)
    return Suspects.of(at, at, count, count)


def test_whole_vectors_keep_cosines_and_their_products_are_exact_in_any_order() -> None:
    one, other = vectors(50, 1, 384), vectors(50, 2, 384)
    rounded = whole(one) @ whole(other).T
    exact = np.rint(whole(one)).astype(np.int64) @ whole(other).astype(np.int64).T
    assert (rounded == exact).all()
    shuffled = np.random.default_rng(3).permutation(384)
    assert (whole(one)[:, shuffled] @ whole(other)[:, shuffled].T == rounded).all()
    lengths = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)
    assert np.abs(rounded / UNIT**2 - (one @ other.T) / lengths).max() < 0.002


def test_a_zero_vector_stays_zero() -> None:
    assert (whole(np.zeros((2, 4), dtype=np.float32)) == 0).all()


def test_what_all_have_in_common_is_taken_off() -> None:
    common = np.array([[50.0, 3.0], [50.0, -3.0]], dtype=np.float32)
    assert centred(common).tolist() == [[0.0, 3.0], [0.0, -3.0]]


@given(st.data())
def test_together_finds_what_brute_force_finds(data: st.DataObject) -> None:
    queries, texts, count = 4, 5, data.draw(st.integers(0, 12))
    numbers = st.integers(0, queries - 1)
    query = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)), dtype=np.int64)
    text = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)), dtype=np.int32)
    group = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)), dtype=np.int64)
    known = data.draw(st.lists(st.tuples(numbers, st.integers(0, texts - 1)), max_size=15))
    one, other = (
        (np.array(part, dtype=np.int64) for part in zip(*known, strict=True)) if known else NOBODY
    )
    suspects = Suspects.of(one, other, queries, texts)
    rows, others = together(suspects, query, text, group)
    expected = [
        (i, j)
        for i in range(count)
        for j in range(count)
        if i != j and group[i] == group[j] and (query[i], text[j]) in known
    ]
    assert list(zip(rows.tolist(), others.tolist(), strict=True)) == expected


@given(st.integers(1, 300), st.integers(2, 40), st.integers(1, 9))
def test_cells_hold_every_pair_once_and_a_multiple_of_a_batch(
    count: int, most: int, multiple: int
) -> None:
    one, other = whole(vectors(count)), whole(vectors(count, 2))
    found = cells(lambda rows: (one[rows], other[rows]), mix(np.arange(count)), most, multiple, 5)
    assert sorted(np.concatenate(found).tolist()) == list(range(count))
    assert all(len(rows) <= max(most, multiple) for rows in found)
    assert all(len(rows) % multiple == 0 for rows in found[:-1])


def clusters(count: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Queries and positives about `count` subjects, `each` of them, the subjects taking turns."""
    subject = np.tile(vectors(count, 4, 32), (each, 1))
    return subject + 0.3 * vectors(count * each, 5, 32), subject + 0.3 * vectors(
        count * each, 6, 32
    )


def test_a_batch_grows_of_pairs_on_one_subject() -> None:
    queries, positives = clusters(6, 8)
    order = grow(whole(queries), whole(positives), NOBODY, 8, mix(np.arange(48)))
    assert sorted(order.tolist()) == list(range(48))
    assert all(len(set(batch % 6)) == 1 for batch in order.reshape(6, 8))


def test_what_may_be_an_answer_is_taken_only_where_nothing_else_is_left() -> None:
    queries, positives = clusters(2, 4)
    lots = mix(np.arange(8))
    apart = (np.array([0, 0, 0]), np.array([2, 4, 6]))  # pair 0 with all others on its subject
    order = grow(whole(queries), whole(positives), apart, 4, lots)
    mine = next(batch for batch in order.reshape(2, 4).tolist() if 0 in batch)
    assert not {2, 4, 6} & set(mine)
    everyone = (np.repeat(np.arange(8), 8), np.tile(np.arange(8), 8))
    order = grow(whole(queries), whole(positives), everyone, 4, lots)
    assert sorted(order.tolist()) == list(range(8))


@given(st.integers(2, 60), st.integers(1, 5), st.integers(1, 4), st.data())
def test_packing_keeps_communities_whole_and_clashes_no_more_than_chance(
    count: int, community: int, several: int, data: st.DataObject
) -> None:
    size = community * several
    lots = mix(9, np.arange(count))
    subject = np.array(data.draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)))

    def clashes(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        of = subject[order]
        batch = np.arange(count) // size
        return np.nonzero(
            (of[:, None] == of) & (batch[:, None] == batch) & ~np.eye(count, dtype=bool)
        )

    order = pack(np.arange(count), lots, community, size, clashes)
    assert sorted(order.tolist()) == list(range(count))
    for start in range(0, count - count % community, community):
        piece = order[start : start + community]
        assert piece[0] % community == 0
        assert (np.diff(piece) == 1).all()
    plain = pack(np.arange(count), lots, community, size, lambda _: NOBODY)

    def clashing(order: np.ndarray) -> int:
        rows, others = clashes(order)
        return len(
            {
                max(a, b) // community
                for a, b in zip(rows, others, strict=True)
                if a // community != b // community
            }
        )

    assert clashing(order) <= clashing(plain)


@pytest.mark.parametrize("cell", [16, 4096])
def test_an_epoch_has_every_pair_once_and_is_harder_than_chance(
    cell: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "MOST_IN_CELL", cell)
    queries, positives = clusters(10, 10)
    pairs, known = training_pairs(100), own_only(100)

    def hardness(share: float, epoch: int = 0) -> float:
        order = compose(pairs, queries, positives, known, 8, share, 42, epoch)
        assert sorted(order.tolist()) == list(range(100))
        near = whole(queries) @ whole(positives).T / UNIT**2
        batches = [order[start : start + 8] for start in range(0, 96, 8)]
        return float(
            np.mean([near[np.ix_(b, b)].sum() - np.trace(near[np.ix_(b, b)]) for b in batches])
        )

    assert hardness(1.0) > hardness(0.5) > hardness(0.0)
    assert hardness(1.0, 1) != hardness(1.0)


def test_two_positives_of_one_query_are_in_two_batches() -> None:
    queries, positives = clusters(4, 6)
    at = np.arange(24)
    pairs = TrainingPairs(at % 12, at, at.astype(np.int32), mix(3, at))
    known = Suspects.of(pairs.query, pairs.text, 12, 24)
    for share in (0.0, 0.5, 1.0):
        order = compose(pairs, queries[:12], positives, known, 6, share, 42, 0)
        assert len(pairs.in_one_batch(known, order, 6)[0]) == 0
