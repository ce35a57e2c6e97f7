"""`negmine sweep`: what other settings would give, from stored scores; no model is loaded."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from negmine.jobs.runs.published import Run
from negmine.jobs.sweep.grid import changed
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, StorageError
from negmine.schemas.policies import language_keys
from negmine.schemas.selection import Selection
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.picking import DocumentArrays
from negmine.transforms.kernels.choosing.policies import Decisions, decide
from negmine.transforms.kernels.choosing.tiers import (
    Choice,
    choose,
    served_positive,
    similarity_ratio,
)
from negmine.transforms.kernels.eci import eci, harmonic_mean, query_terms
from negmine.transforms.kernels.measures.expected_gain import expected_gain, repeated
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.hold_out import HeldOut, calibrations, hold_out, wilson
from negmine.transforms.pairs.table import columns_of, to_pairs

HARD_RATIO = 0.8
"""A negative is hard from this s-/s+ on, whatever the run's tiers are called."""

_UNIT = 2**30
"""Sums are of whole multiples of 1 / _UNIT, so that they do not depend on the cut into parts."""


@dataclass(frozen=True)
class Point:
    """One point of the grid: settings, and the selection they make with and without the hidden."""

    settings: JsonObject
    selection: Selection
    held_out: Selection

    @property
    def swept_policies(self) -> list[int]:
        """Numbers of the policies that a setting is about."""
        names = {key.split(".")[0] for key in self.settings}
        return [n for n, policy in enumerate(self.selection.policies) if policy.name in names]


def _artifact(run: Run, name: str) -> Dataset:
    found = run.artifacts().get(name)
    if found is None:
        raise StorageError(f"{run.missing_artifact(name)}; mine the run again")
    return Dataset(str(found))


def _points(
    config: JsonObject, known: tuple[Calibration, Calibration], grid: Sequence[JsonObject]
) -> list[Point]:
    selections = [Selection.of(changed(config, settings)) for settings in grid]
    return [
        Point(settings, *(selection.calibrated(found) for found in known))
        for settings, selection in zip(grid, selections, strict=True)
    ]


def _languages(points: Sequence[Point], collection: Collection) -> None:
    policies = [policy for point in points for policy in point.selection.policies]
    named = [key for policy in policies for key in language_keys(policy)]
    if named and collection.languages is None:
        raise ConfigError(
            f"policies.{named[0]} goes by the languages of the queries, and the run "
            "was mined from an input that tells none"
        )


def sweep(run: Run, grid: Sequence[JsonObject]) -> list[JsonObject]:
    """One row a point of the grid, see `docs/sweep.md`.

    Args:
        run: a complete run whose stage outputs are still there.
        grid: points, from key to value, as from `grid.parse_grid`.

    Raises:
        ConfigError: an unknown policy, tier, key or value.
        StorageError: the run's stage outputs are gone.
    """
    judged = _artifact(run, "judged")
    collection = Collection(
        documents=_artifact(run, "documents"),
        queries=_artifact(run, "queries"),
        positives=_artifact(run, "positives"),
        document_vectors=_artifact(run, "document_vectors"),
        query_vectors=_artifact(run, "query_vectors"),
    )
    config = run.manifest["config"]
    config = {**config, "tiers": {name: config["tiers"][name] for name in run.quotas}}
    return swept(judged, collection, config, grid)


def swept(
    judged: Dataset, collection: Collection, config: JsonObject, grid: Sequence[JsonObject]
) -> list[JsonObject]:
    """One row a point of the grid, from judged pairs and the config that they were judged for.

    Pairs that a lazy judge did not score pass the judge's policies here, and are counted where
    they are chosen (`unjudged`). Memory holds one part of the judged pairs. Raises ConfigError for
    an unknown policy, tier, key or value.
    """
    known = calibrations(judged, config["seed"], collection.languages)
    points = _points(config, known, grid)
    _languages(points, collection)
    totals: list[JsonObject] = [{} for _ in points]
    documents = collection.document_arrays()
    taught = [_Taught(len(documents.vectors)) for _ in points]
    for table in judged.tables(columns_of(judged)):
        pairs = to_pairs(table, collection.languages)
        held = hold_out(collection, pairs, points[0].selection.seed)
        for point, total, lessons in zip(points, totals, taught, strict=True):
            counts = itertools.chain(
                _selected(pairs, point, documents, known[0], lessons),
                _leaked(held, point.held_out, documents),
            )
            for name, count in counts:
                total[name] = total.get(name, 0) + count
    return list(map(_row, points, totals, taught))


def _choice(
    pairs: Pairs, selection: Selection, documents: DocumentArrays
) -> tuple[Decisions, Choice]:
    decisions = decide(pairs, selection.policies)
    return decisions, choose(pairs, decisions.policy < 0, selection, documents)


def _exact(values: np.ndarray) -> int:
    return int(np.rint(values * _UNIT).astype(np.int64).sum())


def _selected(
    pairs: Pairs, point: Point, documents: DocumentArrays, known: Calibration, taught: "_Taught"
) -> Iterator[tuple[str, int | np.ndarray]]:
    """Counts of a block that add up over blocks; what its negatives teach goes to `taught`."""
    selection = point.selection
    decisions, choice = _choice(pairs, selection, documents)
    kept = choice.tier >= 0
    query = pairs.query[kept]
    served = served_positive(pairs)[query]
    ratio = similarity_ratio(pairs.dense[kept], pairs.dense[served])
    terms = query_terms(query, pairs.cosine[kept], pairs.cosine[served], pairs.queries)
    decided = np.where(choice.near & (decisions.policy < 0), _near(selection), decisions.policy)
    yield "dropped", int(np.isin(decided, point.swept_policies).sum())
    yield "tiers", np.bincount(choice.tier[kept], minlength=len(selection.tiers))
    yield "backfilled", int((choice.band != choice.tier)[kept].sum())
    untested = np.isnan(pairs.judge) & ~pairs.confirmed_negative
    yield "unjudged", int(untested[kept].sum()) if selection.judged else 0
    yield "hard_negatives", int((ratio >= HARD_RATIO).sum())
    yield "ratio", _exact(ratio)
    yield "sizes", np.bincount(terms.size, minlength=selection.quota + 1)
    worth = expected_gain(
        pairs.dense[kept], pairs.dense[served], np.nan_to_num(known.share_below(pairs.judge[kept]))
    )
    yield "untested", int(untested[kept].sum())
    taught.add(pairs.doc_ix[kept], worth)
    yield "signal", _exact(terms.signal)
    yield "safety", _exact(terms.safety)


def _near(selection: Selection) -> int:
    names = [policy.name for policy in selection.policies]
    name = "near_duplicate_of_negative"
    return names.index(name) if name in names else -1


def _leaked(
    held: HeldOut, selection: Selection, documents: DocumentArrays
) -> Iterator[tuple[str, int]]:
    chosen = np.zeros(len(held.rows), dtype=bool)
    if held.hidden:
        chosen = _choice(held.pairs, selection, documents)[1].tier >= 0
    yield "hidden", held.hidden
    yield "hidden_queries", held.pairs.queries
    yield "leaked", held.leaked(chosen)
    yield "held_out_negatives", int(chosen.sum())
    yield "false_negatives", held.false_negatives(chosen)


def _share(name: str, hits: int, trials: int) -> dict[str, float | None]:
    low, high = wilson(hits, trials)
    found = {name: hits / trials, f"{name}_low": low, f"{name}_high": high} if trials else {}
    return {key: found.get(key) for key in (name, f"{name}_low", f"{name}_high")}


class _Taught:
    """What a point's negatives teach, by document: sums of worth and of uses, each (documents,)."""

    def __init__(self, documents: int) -> None:
        self.worth = np.zeros(documents)
        self.uses = np.zeros(documents, dtype=np.int64)

    def add(self, doc_ix: np.ndarray, worth: np.ndarray) -> None:
        """Negatives of a block. Whole numbers below 2**53: the cut into blocks does not show."""
        np.add.at(self.worth, doc_ix, np.rint(worth * _UNIT))
        np.add.at(self.uses, doc_ix, 1)

    def gain(self, queries: int) -> float:
        """The expected gain, as the metric of that name."""
        return float(repeated(self.worth / _UNIT, self.uses).sum() / queries)


def _row(point: Point, total: JsonObject, taught: _Taught) -> JsonObject:
    selection, sizes = point.selection, total["sizes"]
    negatives = int((np.arange(len(sizes)) * sizes).sum())
    queries, used = int(sizes.sum()), int(sizes[1:].sum())
    signal, safety = (total[name] / _UNIT / max(used, 1) for name in ("signal", "safety"))
    each = np.repeat(np.arange(1, len(sizes)), sizes[1:])
    median = float(np.median(each)) if used else 0.0
    tiers = zip(selection.tier_names, total["tiers"], strict=True)
    # Without a judge, or where it did not read a negative, nothing is known of its doubt.
    scored = not total["untested"]
    return {
        "settings": point.settings,
        "dropped": total["dropped"] if point.swept_policies else None,
        "tiers": {tier: int(count) for tier, count in tiers},
        "backfilled": total["backfilled"],
        "shortfall": selection.quota * queries - negatives,
        "unjudged": total["unjudged"],
        "hard_negatives": total["hard_negatives"],
        "mean_ratio": total["ratio"] / _UNIT / negatives if negatives else None,
        "signal": signal,
        "safety": safety,
        "harmonic_mean": harmonic_mean(signal, safety),
        "negatives": median,
        "expected_gain": taught.gain(queries) if scored and queries else None,
        "eci": eci(median, signal, safety),
        **{name: total[name] for name in ("hidden", "hidden_queries", "leaked")},
        **_share("leak", total["leaked"], total["hidden"]),
        **{name: total[name] for name in ("held_out_negatives", "false_negatives")},
        **_share("false_negative_rate", total["false_negatives"], total["held_out_negatives"]),
    }
