"""Language mix: how many of a query's negatives each language gives, and which pair is of which."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from negmine.schemas.languages import language_code
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import mix as combined
from negmine.transforms.kernels.languages import Languages, numbered

Mix = tuple[tuple[str, float], ...] | Literal["corpus", "positives"]
_KEY = 0x6C616E67_5F6D6978


@dataclass(frozen=True)
class Quotas:
    """Parts of each quota, by group of languages.

    Attributes:
        group: (n,) int64, group of each pair, -1 for one that no part is for.
        shares: (queries, groups) float64; a row adds up to 1.
        draw: (queries,) float64 in [0, 1), which of the even roundings of shares a query has.
    """

    group: np.ndarray
    shares: np.ndarray
    draw: np.ndarray

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return self.shares.shape[1]

    def of(self, quota: int, number: int) -> np.ndarray:
        """Negatives of each group that make up the `quota` of tier `number`, (queries, groups).

        Whole numbers whose mean over queries is quota times share: systematic sampling, by the
        query's draw.
        """
        # Five of halves: the marks 2.5 and 5 are moved by the draw and cut off, so that a query at
        # .2 has 2 and 3, one at .7 has 3 and 2. The last mark is whole, and so always the quota.
        moved = combined(number, (self.draw * 2.0**53).astype(np.uint64)) if number else None
        draw = self.draw if moved is None else _uniform(moved)
        marks = np.round(np.cumsum(self.shares, axis=1) * quota, 9)
        marks[:, -1] = quota
        return np.diff(np.floor(marks + draw[:, None]).astype(np.int64), axis=1, prepend=0)


def _uniform(keys: np.ndarray) -> np.ndarray:
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53


def quotas_of(
    pairs: Pairs, served: np.ndarray, seed: int, mix: Mix | None, languages: Languages | None
) -> Quotas:
    """How the quotas of a block's queries are parted by language.

    `same` and `other` are seen from the query; a query without a language has no mix, and a
    document without one is in neither. `positives` gives each query's negatives the languages of
    its own positives; where none of these has one, there is no mix. What is not known is no share.

    Args:
        pairs: a block's pairs.
        served: (queries,) row of each query's served positive, whose key draws the rounding.
        seed: keys it too.
        mix: as of `Selection`; None = one group.
        languages: of the collection; needed where there is a mix.

    Raises:
        ValueError: there is a mix, and the collection has no languages.
    """
    draw = _uniform(combined(_KEY, seed, pairs.pair_key[served]))
    if mix is None:
        whole = np.ones((pairs.queries, 1))
        return Quotas(np.zeros(len(pairs.query), dtype=np.int64), whole, draw)
    if languages is None:
        raise ValueError("a language mix needs languages of the documents")
    own = languages.documents[pairs.doc_ix]
    if isinstance(mix, str):
        group, shares = _as_found(pairs, own, mix, languages)
    elif {name for name, _ in mix} <= {"same", "other"}:
        group, shares = _relative(pairs, own, dict(mix), languages)
    else:
        codes = numbered([language_code(name) for name, _ in mix])
        group = _places(own, codes)
        shares = np.tile([share for _, share in mix], (pairs.queries, 1))
    return Quotas(group, shares, draw)


def translation_places(
    query: np.ndarray,
    doc_ix: np.ndarray,
    own: np.ndarray,
    is_positive: np.ndarray,
    positive_cosine: np.ndarray,
) -> np.ndarray:
    """Place of each candidate by cosine with a positive among the query's of its language, from 1.

    0 for positives, for languages that a positive of the query is in, and where no language is
    known. Ties go by position.

    Args:
        query: (n,) int64, ascending.
        doc_ix: (n,) int64.
        own: (n,) int32, languages of the documents as numbers, 0 where not known.
        is_positive: (n,) bool.
        positive_cosine: (n,) float32, highest cosine with a positive.

    Returns:
        (n,) int32.
    """
    key = query.astype(np.int64) << 32 | own
    rows = np.flatnonzero((own != 0) & ~np.isin(key, key[is_positive]))
    rows = rows[np.lexsort((doc_ix[rows], -positive_cosine[rows], key[rows]))]
    out = np.zeros(len(query), dtype=np.int32)
    out[rows] = position_in_group(key[rows]) + 1
    return out


def _relative(
    pairs: Pairs, own: np.ndarray, mix: dict[str, float], languages: Languages
) -> tuple[np.ndarray, np.ndarray]:
    asked = languages.queries[pairs.query_ix]
    group = np.where(own == 0, -1, (own != asked).astype(np.int64))
    group[asked == 0] = 0
    shares = np.tile([mix.get("same", 0.0), mix.get("other", 0.0)], (pairs.queries, 1))
    first = np.searchsorted(pairs.query, np.arange(pairs.queries))
    shares[asked[first] == 0] = (1.0, 0.0)
    return group, shares


def _as_found(
    pairs: Pairs, own: np.ndarray, mix: str, languages: Languages
) -> tuple[np.ndarray, np.ndarray]:
    if mix == "corpus":
        codes, found = (values[languages.of_documents[0] != 0] for values in languages.of_documents)
        counts = np.tile(found.astype(np.float64), (pairs.queries, 1))
    else:
        known = np.flatnonzero(pairs.is_positive & (own != 0))
        codes, place = np.unique(own[known], return_inverse=True)
        counts = np.zeros((pairs.queries, len(codes)))
        np.add.at(counts, (pairs.query[known], place), 1)
    if not len(codes):
        counts = np.zeros((pairs.queries, 1))
    none = counts.sum(axis=1) == 0
    counts[none, 0] = 1
    group = np.where(none[pairs.query], 0, _places(own, codes))
    return group, counts / counts.sum(axis=1, keepdims=True)


def _places(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Which of the codes each value is, (n,) int64; -1 for none."""
    order = np.argsort(codes, kind="stable")
    at = np.clip(np.searchsorted(codes[order], values), 0, max(len(codes) - 1, 0))
    found = order[at] if len(codes) else np.zeros(len(values), dtype=np.int64)
    return np.where(codes[found] == values, found, -1) if len(codes) else found - 1
