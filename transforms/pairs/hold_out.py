"""Held-out positives: known positives hidden as if nobody had labelled them, to see which leak."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow.compute as pc

from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.calibration import Calibration, calibration_of
from negmine.transforms.kernels.choosing.language_mix import translation_places
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.kernels.search.candidates import Candidates
from negmine.transforms.pairs.features import Collection, positive_features

_KEY = 0x48656C642D6F7574
"""Keeps these draws apart from those of sampling, which hash the same seed and pair keys."""
_Z = 1.959963984540054


@dataclass(frozen=True)
class HeldOut:
    """A block's pairs as they would be had the hidden positives never been labelled.

    Attributes:
        pairs: of the queries that have hidden positives, numbered anew from 0. A hidden positive
            that a source returned is an ordinary candidate, another is not there.
        rows: (n,) int64, where each pair was in the block.
        copies: (n,) int64, hidden positives of the query with the pair's normalised text; 0 for
            ordinary candidates.
        hidden: number of hidden positives, those that are not in `pairs` too.
    """

    pairs: Pairs
    rows: np.ndarray
    copies: np.ndarray
    hidden: int

    def leaked(self, chosen: np.ndarray) -> int:
        """Hidden positives among the chosen pairs, (n,) bool; leak is this over `hidden`.

        No query may have a text twice among its chosen.
        """
        return int(self.copies[chosen].sum())

    def false_negatives(self, chosen: np.ndarray) -> int:
        """Chosen pairs, (n,) bool, that are hidden positives; a lower bound of all false ones."""
        return int((self.copies[chosen] > 0).sum())


def hidden_positives(
    query: np.ndarray, is_positive: np.ndarray, pair_key: np.ndarray, seed: int
) -> np.ndarray:
    """Which known positives to hide: 30 % of a query's, rounded up, where it has two or more.

    Args:
        query: (n,) int64 from 0; is_positive: (n,) bool; pair_key: (n,) uint64.
        seed: keys the choice.

    Returns:
        (n,) bool. At least one positive of every query stays.
    """
    rows = np.flatnonzero(is_positive)
    order = rows[np.lexsort((mix(_KEY, seed, pair_key[rows]), query[rows]))]
    size = np.bincount(query[order])[query[order]]
    first = position_in_group(query[order]) < np.minimum((3 * size + 9) // 10, size - 1)
    hidden = np.zeros(len(query), dtype=bool)
    hidden[order[first]] = True
    return hidden


def hold_out(collection: Collection, pairs: Pairs, seed: int) -> HeldOut:
    """Hide positives of a block, and compare its pairs with the positives that stay.

    What depends on the positives is computed anew, so that a hidden one is not dropped for being
    its own duplicate. Scores, ranks and hub places do not depend on them.

    Args:
        collection: its documents and their vectors are read.
        pairs: a block's pairs, all known positives among them.
        seed: keys the choice, see `hidden_positives`.
    """
    hidden = hidden_positives(pairs.query, pairs.is_positive, pairs.pair_key, seed)
    affected = np.bincount(pairs.query[hidden], minlength=pairs.queries) > 0
    returned = np.any([rank > 0 for rank in pairs.ranks.values()], axis=0)
    rows = np.flatnonzero(affected[pairs.query] & (returned | (pairs.is_positive & ~hidden)))
    _, query = np.unique(pairs.query[rows], return_inverse=True)
    known = replace(
        _take(pairs, rows), query=query, is_positive=(pairs.is_positive & ~hidden)[rows]
    )
    features = positive_features(
        collection,
        Candidates(known.query, known.doc_ix, known.is_positive, known.ranks, {}),
        known.query[known.is_positive],
        known.doc_ix[known.is_positive],
    )
    known = replace(
        known,
        positive_cosine=features.cosine,
        positive_jaccard=features.jaccard,
        same_text_as_positive=features.same_text,
        translation_place=_translation_places(collection, known, features.cosine),
    )
    return HeldOut(known, rows, _copies(pairs, hidden)[rows], int(hidden.sum()))


def _translation_places(collection: Collection, known: Pairs, cosine: np.ndarray) -> np.ndarray:
    if collection.languages is None:
        return known.translation_place
    own = collection.languages.documents[known.doc_ix]
    return translation_places(known.query, known.doc_ix, own, known.is_positive, cosine)


def _take(pairs: Pairs, rows: np.ndarray) -> Pairs:
    taken = {f.name: getattr(pairs, f.name)[rows] for f in fields(Pairs) if f.name != "ranks"}
    return Pairs(**taken, ranks={name: rank[rows] for name, rank in pairs.ranks.items()})


def _copies(pairs: Pairs, hidden: np.ndarray) -> np.ndarray:
    _, text = np.unique(pairs.text_key, return_inverse=True)
    _, same = np.unique(pairs.query * (text.max(initial=0) + 1) + text, return_inverse=True)
    return np.bincount(same[hidden], minlength=same.max(initial=0) + 1)[same]


def calibrations(
    judged: Dataset, seed: int, languages: Languages | None = None
) -> tuple[Calibration, Calibration]:
    """Calibration from all known positives of JUDGED, and from those that stay known."""
    queries, scores = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    keys = [np.empty(0, np.uint64)]
    for table in judged.tables(["query_ix", "is_positive", "judge_score", "pair_key"]):
        table = table.filter(table.column("is_positive"))
        queries.append(table.column("query_ix").to_numpy())
        scores.append(pc.fill_null(table.column("judge_score"), float("nan")).to_numpy())
        keys.append(table.column("pair_key").to_numpy())
    query_ix, query = np.unique(np.concatenate(queries), return_inverse=True)
    score, key = np.concatenate(scores), np.concatenate(keys)
    hidden = hidden_positives(query, np.ones(len(query), dtype=bool), key, seed)
    judged_rows = ~np.isnan(score)
    everything, known = (
        calibration_of(query_ix[query[rows]], score[rows], languages)
        for rows in (judged_rows, judged_rows & ~hidden)
    )
    return everything, known


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, JASA 22:209, 1927): (low, high); NaN without trials."""
    if not trials:
        return float("nan"), float("nan")
    share, spread = hits / trials, _Z**2 / trials
    centre = share + spread / 2
    half = np.sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    return max(0.0, float(low)), min(1.0, float(high))
