"""Teacher lists: positives, negatives and an even sample of the rank order, held to an oracle."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.choosing.listing import _KEY, listed
from negmine.transforms.kernels.hashing import mix

POSITIVE, NEGATIVE, OTHER, LEFT_OUT = range(4)


def oracle(group, order, similarity, text_key, pair_key, size, seed):  # type: ignore[no-untyped-def]
    """One query's list, (row, drawn), in the words of the docstring."""
    hashed = mix(_KEY, seed, pair_key)
    kinds: dict[int, list[int]] = {POSITIVE: [], NEGATIVE: [], OTHER: []}
    seen = set()
    for row in sorted(range(len(group)), key=lambda r: (group[r], order[r], hashed[r])):
        known = group[row] != OTHER or not np.isnan(similarity[row])
        if group[row] != LEFT_OUT and known and text_key[row] not in seen:
            seen.add(text_key[row])
            kinds[group[row]].append(row)
    positives = kinds[POSITIVE][: size // 2]
    rest = kinds[NEGATIVE] + kinds[OTHER]
    strata = max(0, size - len(positives) - len(kinds[NEGATIVE]))
    ranked = sorted(rest, key=lambda r: (-similarity[r], hashed[r]))
    pieces: dict[int, list[int]] = {}
    for at, row in enumerate(ranked):
        pieces.setdefault(at * strata // len(ranked), []).append(row)
    turn = {
        row: at
        for piece in pieces.values()
        for at, row in enumerate(sorted(piece, key=lambda r: hashed[r]))
    }
    others = sorted(kinds[OTHER], key=lambda r: (turn[r], hashed[r]))
    found = (positives + kinds[NEGATIVE] + others)[:size]
    return [(row, row in turn and turn[row] == 0 and strata > 0) for row in found]


@st.composite
def queries(draw: st.DrawFn) -> list[dict[str, np.ndarray]]:
    found = []
    for number in range(draw(st.integers(1, 3))):
        count = draw(st.integers(1, 40))
        rng = np.random.default_rng(draw(st.integers(0, 2**32)))
        group = rng.choice(4, count, p=[0.15, 0.2, 0.55, 0.1])
        similarity = rng.choice(np.linspace(-1, 1, 30), count)
        similarity[(group == OTHER) & (rng.random(count) < 0.1)] = np.nan
        found.append(
            {
                "group": group,
                "order": np.where(group < 2, rng.permutation(count), 0),
                "similarity": similarity,
                "text_key": rng.integers(0, 2 * count, count).astype(np.uint64),
                "pair_key": mix(number, np.arange(count, dtype=np.uint64)),
            }
        )
    return found


def together(parts: list[dict[str, np.ndarray]], size: int, seed: int):  # type: ignore[no-untyped-def]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    query = np.repeat(np.arange(len(parts)), [len(part["group"]) for part in parts])
    return query, listed(query, *joined.values(), size, seed)


@given(queries(), st.integers(8, 64), st.integers(0, 2**63 - 1))
def test_lists_are_those_of_the_oracle_whatever_the_block(
    parts: list[dict[str, np.ndarray]], size: int, seed: int
) -> None:
    query, found = together(parts, size, seed)
    start = 0
    for number, part in enumerate(parts):
        mine = query[found.row] == number
        rows = (found.row[mine] - start).tolist()
        assert list(zip(rows, found.drawn[mine].tolist(), strict=True)) == oracle(
            *part.values(), size, seed
        )
        assert found.place[mine].tolist() == list(range(1, len(rows) + 1))
        start += len(part["group"])


def one(count: int, positives: int, negatives: int) -> dict[str, np.ndarray]:
    """A query whose documents are ranked by their number, each with a text of its own."""
    group = np.full(count, OTHER)
    group[:positives], group[positives : positives + negatives] = POSITIVE, NEGATIVE
    numbers = np.arange(count)
    keys = mix(1, numbers.astype(np.uint64))
    return dict(zip(("group", "order", "similarity", "text_key", "pair_key"),
                    (group, numbers, -numbers / count, keys, keys), strict=True))  # fmt: skip


def test_what_is_drawn_covers_the_whole_rank_order_evenly() -> None:
    _, found = together([one(201, 1, 5)], 16, 0)
    drawn = np.sort(found.row[found.drawn]) - 1
    assert (drawn * 10 // 200).tolist() == list(range(10))


def test_a_seed_draws_other_documents() -> None:
    first, second = (together([one(201, 1, 5)], 16, seed)[1].row for seed in (0, 1))
    assert first[:6].tolist() == second[:6].tolist() == list(range(6))
    assert set(first) != set(second)


def test_positives_take_half_of_a_list_at_most() -> None:
    _, found = together([one(100, 40, 3)], 16, 0)
    assert found.row[:8].tolist() == list(range(8)) and len(found.row) == 16
    assert not set(found.row[8:]) & set(range(8, 40))
