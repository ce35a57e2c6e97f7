"""The held-out leak curve: hidden positives that would be chosen, for several thresholds."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from negmine.schemas.policies import Policy
from negmine.schemas.selection import Selection
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.policies import decide
from negmine.transforms.kernels.choosing.tiers import choose, served_positive, similarity_ratio
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.hold_out import calibrations, hold_out, wilson
from negmine.transforms.pairs.table import COLUMNS, to_pairs

SHARES = (0.3, 0.5, 0.7, 0.9)
HARD_RATIO = 0.8
QUERIES = 2000
_KEY = 0x4C65616B


def leak_rows(collection: Collection, judged: Dataset, selection: Selection) -> Iterator[Row]:
    """leak (with its Wilson interval) and leak_hard, see `transforms.pairs.hold_out`.

    One point for each share of positives that calibrated policies keep above their threshold, or
    one without a key where no policy is calibrated; on at most 2000 keyed queries of those with
    two or more positives.

    Args:
        collection: of the run.
        judged: `schemas.tables.JUDGED`; memory holds one part.
        selection: not calibrated.
    """
    queries = _several_positives(collection, selection.seed)
    if not len(queries):
        return
    points = _points(judged, selection, collection)
    totals = np.zeros((len(points), 3), dtype=np.int64)
    hidden = 0
    documents = collection.document_arrays()
    for table in judged.tables(COLUMNS):
        table = table.filter(np.isin(table.column("query_ix").to_numpy(), queries))
        if not table.num_rows:
            continue
        pairs = to_pairs(table, collection.languages)
        held = hold_out(collection, pairs, selection.seed)
        pairs, hidden = held.pairs, hidden + held.hidden
        served = pairs.dense[served_positive(pairs)]
        hard = similarity_ratio(pairs.dense, served[pairs.query]) >= HARD_RATIO
        for at, point in enumerate(points.values()):
            eligible = decide(pairs, point.policies).policy < 0
            chosen = choose(pairs, eligible, point, documents).tier >= 0
            totals[at] += (held.leaked(chosen), (hard & chosen).sum(), chosen.sum())
    for key, (leaked, hard_chosen, all_chosen) in zip(points, totals.tolist(), strict=True):
        low, high = wilson(leaked, hidden)
        yield Row("leak", leaked / hidden, hidden, key=key, low=low, high=high)
        yield Row("leak_hard", float(hard_chosen), all_chosen, key=key)


def _several_positives(collection: Collection, seed: int) -> np.ndarray:
    """At most 2000 queries with two or more positives, drawn by key; ascending."""
    known = collection.positives.read(["query_ix"]).column("query_ix").to_numpy()
    queries = np.flatnonzero(np.bincount(known) > 1)
    return np.sort(queries[np.argsort(mix(_KEY, seed, queries), kind="stable")[:QUERIES]])


def _points(
    judged: Dataset, selection: Selection, collection: Collection
) -> dict[str | None, Selection]:
    """Selections by the text of their share, thresholds from the positives that stay known."""
    if not any(_is_calibrated(policy) for policy in selection.policies):
        return {None: selection}
    known = calibrations(judged, selection.seed, collection.languages)[1]
    shares = sorted({*SHARES, *_own_share(selection)})
    return {f"{share:g}": _at(selection, share).calibrated(known) for share in shares}


def _own_share(selection: Selection) -> list[float]:
    policy = selection.policy("judge_calibrated_threshold")
    return [float(policy.positives_above)] if policy is not None else []


def _is_calibrated(policy: Policy) -> bool:
    return hasattr(policy.parameters, "positives_above")


def _at(selection: Selection, share: float) -> Selection:
    changed = {"positives_above": share, "threshold": None, "thresholds": ()}
    policies = tuple(
        policy.model_copy(update={"parameters": policy.parameters.model_copy(update=changed)})
        if _is_calibrated(policy)
        else policy
        for policy in selection.policies
    )
    return replace(selection, policies=policies)
