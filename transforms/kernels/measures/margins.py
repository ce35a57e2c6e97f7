"""Ratio margins: how much nearer two texts are than either's neighbours, and pairs found by it."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.kernels.measures.geometry import normalised
from negmine.transforms.kernels.search.dense import exact_top_k, pair_scores
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.kernels.threads import one_thread

NEIGHBOURS = 4
_MAD = 1.4826
_ROUNDS = 5


@dataclass(frozen=True)
class Margins:
    """Two collections and each one's nearest in the other.

    The ratio margin of x and y is cos(x, y) / ((m(x) + m(y)) / 2), m the mean cosine of a text
    with its k nearest in the other collection (Artetxe and Schwenk, arXiv 1811.01136, `ratio`,
    k = 4, as in LASER). A text that is near to everything needs a higher cosine.

    Attributes:
        left, right: (n, d) and (m, d) float32 of length 1.
        forward: of each left one the k nearest right ones, by cosine; backward the other way.
    """

    left: np.ndarray
    right: np.ndarray
    forward: TopK
    backward: TopK

    @classmethod
    def of(cls, left: np.ndarray, right: np.ndarray, k: int = NEIGHBOURS) -> "Margins":
        """Of vectors (n, d) and (m, d) float32 of any length but 0."""
        left, right = normalised(left), normalised(right)
        k = min(k, len(left), len(right))
        return cls(left, right, exact_top_k(left, right, k), exact_top_k(right, left, k))

    def cosine(self, left_ix: np.ndarray, right_ix: np.ndarray) -> np.ndarray:
        """Cosine of pairs by position, (p,) float64."""
        return pair_scores(self.left[left_ix], self.right[right_ix]).astype(np.float64)

    def ratio(self, left_ix: np.ndarray, right_ix: np.ndarray) -> np.ndarray:
        """Ratio margin of pairs by position, (p,) float64; 0 where no neighbour is near."""
        near = self.forward.scores.mean(axis=1, dtype=np.float64)[left_ix]
        near = (near + self.backward.scores.mean(axis=1, dtype=np.float64)[right_ix]) / 2
        cosine = self.cosine(left_ix, right_ix)
        return np.divide(cosine, near, out=np.zeros(len(cosine)), where=near > 1e-6)

    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each left text the right one of highest ratio among its nearest (n,), and the other
        way (m,)."""
        rows = np.repeat(np.arange(len(self.left)), self.forward.ids.shape[1])
        forward = self.ratio(rows, self.forward.ids.ravel()).reshape(self.forward.ids.shape)
        columns = np.repeat(np.arange(len(self.right)), self.backward.ids.shape[1])
        backward = self.ratio(self.backward.ids.ravel(), columns).reshape(self.backward.ids.shape)
        return (
            np.take_along_axis(self.forward.ids, forward.argmax(axis=1)[:, None], 1)[:, 0],
            np.take_along_axis(self.backward.ids, backward.argmax(axis=1)[:, None], 1)[:, 0],
        )

    def mutual(self) -> np.ndarray:
        """Pairs (p, 2) int64 that are each other's best by ratio, by left position."""
        if not len(self.left) or not len(self.right):
            return np.empty((0, 2), dtype=np.int64)
        forward, backward = self.best()
        left = np.flatnonzero(backward[forward] == np.arange(len(forward)))
        return np.stack([left, forward[left]], axis=1)


@dataclass(frozen=True)
class Confidence:
    """What is known of given pairs, all arrays (p,).

    Attributes:
        cosine, ratio: float64.
        forward, backward: bool, the right one is the left one's best by ratio, and the other way.
    """

    cosine: np.ndarray
    ratio: np.ndarray
    forward: np.ndarray
    backward: np.ndarray

    @classmethod
    def of(cls, margins: Margins, left_ix: np.ndarray, right_ix: np.ndarray) -> "Confidence":
        """Of pairs by position."""
        forward, backward = margins.best()
        return cls(
            margins.cosine(left_ix, right_ix),
            margins.ratio(left_ix, right_ix),
            forward[left_ix] == right_ix,
            backward[right_ix] == left_ix,
        )

    @property
    def weight(self) -> np.ndarray:
        """clip((ratio - 1) / 0.2, 0, 1), (p,) float32; a reconstruction, not of any paper."""
        return np.clip((self.ratio - 1.0) / 0.2, 0.0, 1.0).astype(np.float32)

    def limit(self, deviations: float) -> float:
        """The ratio so many robust standard deviations below the median of the mutual pairs.

        1.4826 times the median absolute deviation stands for a standard deviation. Mutual pairs
        are the ones least likely to be wrong; -inf where there are fewer than 10.
        """
        sure = self.ratio[self.forward & self.backward]
        if len(sure) < 10:
            return float("-inf")
        middle = float(np.median(sure))
        return middle - deviations * _MAD * float(np.median(np.abs(sure - middle)))


@dataclass(frozen=True)
class FoundPairs:
    """Pairs of two collections without labels: `pairs` (p, 2) int64 and their `ratio` (p,).

    `rounds` counts the mutual pairs of each round, `kept` those that the round before had too.
    """

    pairs: np.ndarray
    ratio: np.ndarray
    rounds: tuple[int, ...]
    kept: tuple[int, ...]


def find_pairs(
    left: np.ndarray, right: np.ndarray, least: float, k: int = NEIGHBOURS
) -> FoundPairs:
    """Mutual best pairs by ratio margin, of which every round of self-learning is sure.

    A round finds mutual pairs with a ratio of `least` or more, turns the left vectors by the
    orthogonal map that brings those pairs together (Schonemann, Psychometrika 31, 1966; as in
    self-learning, Artetxe et al., ACL 2018), and looks again. It stops where a round finds what
    the one before did, at most after 5; what is returned was found by the first and the last.

    Args:
        left, right: vectors (n, d) and (m, d) float32 of one encoder, none of them 0.
        least: lowest ratio of a pair; LASER takes 1.04 to 1.06 of its own vectors.
        k: neighbours that a ratio goes by.
    """
    left, right = normalised(left), normalised(right)
    first, turned, sizes, kept = None, left, [], []
    before: np.ndarray | None = None
    margins = Margins.of(left, right, k)
    own = margins
    while True:
        mutual = margins.mutual()
        sure = mutual[margins.ratio(mutual[:, 0], mutual[:, 1]) >= least]
        keys = sure[:, 0] * max(len(right), 1) + sure[:, 1]
        sizes.append(len(keys))
        first = keys if first is None else first
        if before is not None:
            kept.append(len(np.intersect1d(keys, before)))
        if (
            len(sizes) == _ROUNDS
            or not len(keys)
            or (before is not None and np.array_equal(keys, before))
        ):
            break
        before = keys
        with one_thread():
            product = left[sure[:, 0]].astype(np.float64).T @ right[sure[:, 1]].astype(np.float64)
            u, _, v = np.linalg.svd(product)
            turned = (left.astype(np.float64) @ (u @ v)).astype(np.float32)
        margins = Margins.of(turned, right, k)
    both = np.intersect1d(first, keys)
    pairs = np.stack([both // max(len(right), 1), both % max(len(right), 1)], axis=1)
    return FoundPairs(pairs, own.ratio(pairs[:, 0], pairs[:, 1]), tuple(sizes), tuple(kept))
