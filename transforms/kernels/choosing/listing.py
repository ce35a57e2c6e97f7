"""Teacher lists: which documents of a query a teacher's scores are given for."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import mix

_KEY = 0x6C697374_6472_6177


@dataclass(frozen=True)
class Listed:
    """Documents of the lists, by query and place; all arrays (m,).

    `row` numbers the pairs, `place` counts from 1 in each query's list, and `drawn` marks what a
    stratum gave, whether or not it is a chosen negative too: a sample that no judge had a part in.
    """

    row: np.ndarray
    place: np.ndarray
    drawn: np.ndarray


def listed(
    query: np.ndarray,
    group: np.ndarray,
    order: np.ndarray,
    similarity: np.ndarray,
    text_key: np.ndarray,
    pair_key: np.ndarray,
    size: int,
    seed: int,
) -> Listed:
    """Each query's list: its positives, its negatives, and a sample over the whole rank order.

    Positives take half of a list at most, negatives what is left. The places after them are as many
    strata: all that is no positive, by falling similarity, cut into even pieces, of which each
    gives the document with the least hash. Where that is a chosen negative, which is there already,
    second documents of the strata fill up. No text is in a list twice.

    Args:
        query: (n,) int64 from 0, ascending.
        group: (n,) int64: 0 a positive, 1 a chosen negative, 2 any other, 3 never to be listed.
        order: (n,) order among the positives and among the negatives of a query, least first.
        similarity: (n,) the student's; NaN, which has no rank, is listed only of groups 0 and 1.
        text_key, pair_key: (n,) uint64.
        size: documents of a list.
        seed: keys the draws.
    """
    hashed = mix(_KEY, seed, pair_key)
    usable = (group < 2) | ((group == 2) & ~np.isnan(similarity))
    rows = np.flatnonzero(usable)
    rows = rows[np.lexsort((hashed[rows], order[rows], group[rows], query[rows]))]
    rows = rows[_first_of_text(query[rows], text_key[rows])]
    # A list of 8 with one positive and two negatives has 5 strata. Of 20 ranked documents (the two
    # among them) each stratum is of 4.
    which = group[rows]
    place = position_in_group(query[rows] * 4 + which)
    rows = rows[~((which == 0) & (place >= size // 2))]
    queries = int(query[-1]) + 1 if len(query) else 0
    which = group[rows]
    sizes = np.stack([np.bincount(query[rows[which == g]], minlength=queries) for g in (0, 1)])
    free = np.maximum(size - sizes.sum(axis=0), 0)
    inside, first = _strata(rows[which > 0], query, similarity, hashed, free)
    within = np.zeros(len(query), dtype=np.int64)
    drawn = np.zeros(len(query), dtype=bool)
    within[rows[which > 0]], drawn[rows[which > 0]] = inside, first
    key = np.where(group[rows] == 2, within[rows], order[rows])
    rows = rows[np.lexsort((hashed[rows], key, group[rows], query[rows]))]
    place = position_in_group(query[rows]) + 1
    rows, place = rows[place <= size], place[place <= size]
    return Listed(rows, place.astype(np.int32), drawn[rows])


def _first_of_text(query: np.ndarray, text_key: np.ndarray) -> np.ndarray:
    """Rows that have the first occurrence of their text in their query, ascending."""
    by_text = np.lexsort((np.arange(len(query)), text_key, query))
    query, text_key = query[by_text], text_key[by_text]
    new = np.ones(len(query), dtype=bool)
    new[1:] = (query[1:] != query[:-1]) | (text_key[1:] != text_key[:-1])
    return np.sort(by_text[new])


def _strata(
    rows: np.ndarray,
    query: np.ndarray,
    similarity: np.ndarray,
    hashed: np.ndarray,
    strata: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Place of each row in its stratum by hash, (m,) from 0, and whether it is drawn.

    `strata` (queries,) are even pieces of the order by falling similarity.
    """
    ranked = rows[
        np.lexsort((hashed[rows], -np.nan_to_num(similarity[rows], nan=-np.inf), query[rows]))
    ]
    known = ~np.isnan(similarity[ranked])
    count = np.bincount(query[ranked], minlength=len(strata))
    mine = query[ranked]
    stratum = position_in_group(mine) * strata[mine] // np.maximum(count[mine], 1)
    by_hash = np.lexsort((hashed[ranked], stratum, mine))
    within = np.empty(len(rows), dtype=np.int64)
    within[by_hash] = position_in_group(
        mine[by_hash] * (int(strata.max(initial=0)) + 1) + stratum[by_hash]
    )
    found = np.zeros(len(query), dtype=np.int64)
    found[ranked] = within
    drawn = np.zeros(len(query), dtype=bool)
    drawn[ranked] = (within == 0) & known & (strata[mine] > 0)
    return found[rows], drawn[rows]
