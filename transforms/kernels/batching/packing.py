"""Communities packed into batches by lot, those apart that should not be together."""

from collections.abc import Callable

import numpy as np

from negmine.transforms.kernels.hashing import mix

_ROUNDS = 12

Clashes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From an order of pairs to the places, in pairs, that share a batch and should not."""


def pack(
    order: np.ndarray, lots: np.ndarray, community: int, size: int, clashes: Clashes
) -> np.ndarray:
    """Shuffle communities, and deal anew those that clash with others of their batch.

    Args:
        order: (n,) rows, each `community` of which stay together; the last may be fewer and stays
            last.
        lots: (n,) uint64 of the rows.
        community, size: pairs in a community and in a batch.
        clashes: finds what should not be together.

    Returns:
        (n,) rows in their new order, which has no more clashes than chance dealt.
    """
    count = len(order) // community
    head = order[: count * community].reshape(count, community)
    rest = order[count * community :]
    chosen = np.argsort(mix(1, lots[head[:, 0]]), kind="stable")

    def laid_out(chosen: np.ndarray) -> np.ndarray:
        return np.concatenate([head[chosen].ravel(), rest])

    best, left = chosen, _clashing(laid_out(chosen), community, count, clashes)
    for turn in range(_ROUNDS if community < size else 0):
        if not len(left):
            break
        # Those that clash and as many others, drawn, change places among themselves by lot.
        others = np.argsort(mix(2, turn, lots[head[best, 0]]), kind="stable")[: len(left) + 2]
        places = np.union1d(left, others)
        moved = best[places]
        tried = best.copy()
        tried[places] = moved[np.argsort(mix(3, turn, lots[head[moved, 0]]), kind="stable")]
        found = _clashing(laid_out(tried), community, count, clashes)
        if len(found) < len(left):
            best, left = tried, found
    return laid_out(best)


def _clashing(order: np.ndarray, community: int, count: int, clashes: Clashes) -> np.ndarray:
    """Places of communities that clash with another one, the later of the two."""
    rows, others = clashes(order)
    one, other = rows // community, others // community
    later = np.maximum(one, other)[one != other]
    return np.unique(later[later < count])
