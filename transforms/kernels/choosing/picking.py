"""Picking negatives one a query at a time, because each may rule out or shift the next."""

from dataclasses import dataclass

import numpy as np

from negmine.schemas.config import Sampling
from negmine.schemas.policies import NearDuplicateOfNegative
from negmine.transforms.kernels.choosing.diversity import Gain, NearestGain, SpanGain
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.kernels.near_duplicates import minhash_jaccard
from negmine.transforms.kernels.search.dense import pair_scores


@dataclass(frozen=True)
class DocumentArrays:
    """What chosen negatives are compared by: `vectors` (documents, d), `minhash` (documents, 128).

    Both may be memory-mapped; only the rows of pairs under comparison are read. `languages` are
    those of documents and queries, None where the collection has none.
    """

    vectors: np.ndarray
    minhash: np.ndarray
    languages: Languages | None = None

    def cosine(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Cosine of documents paired by position, (m,) float32; a zero vector gives 0."""
        a, b = self.vectors[left], self.vectors[right]
        norms = np.sqrt(pair_scores(a, a) * pair_scores(b, b))
        return np.asarray(pair_scores(a, b) / np.maximum(norms, 1e-12), dtype=np.float32)

    def jaccard(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """MinHash estimate of the shingle Jaccard of documents paired by position, (m,) float32."""
        return minhash_jaccard(self.minhash[left], self.minhash[right])


class Picker:
    """Takes rows for tiers, and skips those too close to what the query already has.

    Attributes:
        tier: (n,) int64, the tier each row was taken for, -1 for none.
        near: (n,) bool, skipped as a near-duplicate of a chosen negative.
        value, threshold: (n,) float32, what was compared where `near`.
    """

    def __init__(
        self,
        pairs: Pairs,
        slots: int,
        near: NearDuplicateOfNegative | None,
        documents: DocumentArrays,
    ) -> None:
        count = len(pairs.query)
        slots = min(slots, int(np.bincount(pairs.query).max(initial=0)))
        self.pairs = pairs
        self.documents = documents
        self.tier = np.full(count, -1, dtype=np.int64)
        self.near = np.zeros(count, dtype=bool)
        self.value = np.full(count, np.nan, dtype=np.float32)
        self.threshold = np.full(count, np.nan, dtype=np.float32)
        self._limits = near
        self._made = pairs.made
        self._chosen = np.full((pairs.queries, slots), -1, dtype=np.int64)
        self._count = np.zeros(pairs.queries, dtype=np.int64)

    def take(self, rows: np.ndarray, need: np.ndarray, tier: int, sampling: Sampling) -> np.ndarray:
        """Take up to `need` rows of each query; returns what is still needed.

        Args:
            rows: (m,) sorted by query and then by order of choice.
            need: (queries,) int64.
            tier: number of the tier they are taken for.
            sampling: mmr and log_det weigh what was taken; every other method keeps the order.
        """
        need = need.copy()
        rows = rows[need[self.pairs.query[rows]] > 0]
        if sampling.method in {"mmr", "log_det"}:
            self._take_diverse(rows, need, tier, sampling)
        else:
            self._take_ordered(rows, need, tier)
        return need

    def _take_ordered(self, rows: np.ndarray, need: np.ndarray, tier: int) -> None:
        # All queries step together: each offers its first row, those taken count, and each moves on
        # to its next. Queries with rows a b c and x y take two wanted in three steps at most:
        # (a, x), then (b, y), then c where b was too close to a.
        query = self.pairs.query[rows]
        active, start = np.unique(query, return_index=True)
        end = np.r_[start[1:], len(rows)]
        while len(active):
            self._offer(rows[start], need, tier)
            start = start + 1
            open_ = (start < end) & (need[active] > 0)
            active, start, end = active[open_], start[open_], end[open_]

    def _offer(self, candidates: np.ndarray, need: np.ndarray, tier: int) -> np.ndarray:
        """Take those candidates, one a query, that are not too close; returns them."""
        taken = candidates[~self._too_close(candidates)]
        query = self.pairs.query[taken]
        self.tier[taken] = tier
        self._chosen[query, self._count[query]] = taken
        self._count[query] += 1
        need[query] -= 1
        return taken

    def _too_close(self, candidates: np.ndarray) -> np.ndarray:
        chosen = self._chosen[self.pairs.query[candidates]]
        close = (
            (self.pairs.text_key[chosen] == self.pairs.text_key[candidates, None]) & (chosen >= 0)
        ).any(axis=1)
        if self._limits is None:
            return close
        made = self._made[chosen] | self._made[candidates, None]  # near to its positive on purpose
        which, slot = np.nonzero((chosen >= 0) & ~made)
        left = self.pairs.doc_ix[candidates[which]]
        right = self.pairs.doc_ix[chosen[which, slot]]
        for measure, limit in (
            (self.documents.cosine, self._limits.cosine),
            (self.documents.jaccard, self._limits.jaccard),
        ):
            highest = np.full(len(candidates), -np.inf, dtype=np.float32)
            np.maximum.at(highest, which, measure(left, right))
            found = ~close & (highest >= np.float32(limit))
            rows = candidates[found]
            self.near[rows], self.value[rows], self.threshold[rows] = True, highest[found], limit
            close |= found
        return close

    def _take_diverse(
        self, rows: np.ndarray, need: np.ndarray, tier: int, sampling: Sampling
    ) -> None:
        """Take the best of (1 - diversity) s(q, n) + diversity gain(n), again and again."""
        # mmr at diversity .5: of rows at .80, .79 and .60 the first goes. Its twin, at cosine .99
        # to it, is now worth .5 (.79) - .5 (.99) = -.10, the third, at .30, .30 - .15 = .15.
        query, vectors = self.pairs.query[rows], self.documents.vectors
        relevance = (1 - sampling.diversity) * self.pairs.dense[rows].astype(np.float64)
        own = vectors[self.pairs.doc_ix[rows]]
        gain: Gain
        if sampling.method == "mmr":
            gain = NearestGain(query, own, self.pairs.queries)
        else:
            gain = SpanGain(query, own, self.pairs.queries, self._chosen.shape[1])
        for slot in range(self._chosen.shape[1]):
            filled = np.flatnonzero(self._chosen[:, slot] >= 0)
            gain.add(filled, vectors[self.pairs.doc_ix[self._chosen[filled, slot]]])
        open_ = np.ones(len(rows), dtype=bool)
        while True:
            open_ &= need[query] > 0
            at = np.flatnonzero(open_)
            if not len(at):
                return
            value = relevance[at] + sampling.diversity * gain.values()[at]
            order = np.lexsort((at, -value, query[at]))
            best = at[order][np.unique(query[at][order], return_index=True)[1]]
            open_[best] = False
            taken = self._offer(rows[best], need, tier)
            gain.add(self.pairs.query[taken], vectors[self.pairs.doc_ix[taken]])
