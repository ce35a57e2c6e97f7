"""Figures of a set of negatives against hidden positives, with intervals, and the two claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._selections import Bench, Selection
from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.transforms.kernels.choosing.tiers import similarity_ratio
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.measures.shortcut import shortcut_auc
from negmine.transforms.pairs.hold_out import wilson as interval
from negmine.transforms.sources.bm25 import open_index

HARD_RATIO = 0.8
TARGET = 0.40
_Z = 1.959963984540054
_RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval; nan where there is none."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class Counts:
    """Of each query, (queries,) int64: negatives, hidden positives among them, hard negatives."""

    negatives: np.ndarray
    false: np.ndarray
    hard: np.ndarray


@dataclass(frozen=True)
class Measured:
    """A method with its figures, by name, and its counts by query."""

    selection: Selection
    figures: dict[str, Figure]
    counts: Counts

    @property
    def hard(self) -> int:
        """Number of hard negatives."""
        return int(self.counts.hard.sum())

    @property
    def rate(self) -> float:
        """False negatives per negative; nan without negatives."""
        return self.figures["false_negative_rate"].value


def wilson(hits: int, trials: int) -> Figure:
    """Share with its score interval (Wilson, JASA 1927, 95 %); nan and [0, 1] without trials."""
    if not trials:
        return Figure(float("nan"), 0.0, 1.0)
    return Figure(hits / trials, *interval(hits, trials))


def mean_by_query(values: np.ndarray, query: np.ndarray) -> Figure:
    """Mean with a normal interval whose error lets values of one query depend on each other."""
    if not len(values):
        return Figure(float("nan"))
    mean = float(values.mean())
    residuals = np.bincount(query, weights=values - mean)
    half = _Z * float(np.sqrt((residuals**2).sum())) / len(values)
    return Figure(mean, mean - half, mean + half)


def auc_interval(auc: float, positives: int, negatives: int) -> Figure:
    """AUC with its interval (Hanley and McNeil, Radiology 1982)."""
    if not positives or not negatives or np.isnan(auc):
        return Figure(float("nan"))
    above, below = auc / (2 - auc) - auc**2, 2 * auc**2 / (1 + auc) - auc**2
    spread = auc * (1 - auc) + (positives - 1) * above + (negatives - 1) * below
    half = _Z * float(np.sqrt(max(spread, 0.0) / positives / negatives))
    return Figure(auc, max(0.0, auc - half), min(1.0, auc + half))


def measure(bench: Bench, selection: Selection, hidden: np.ndarray) -> Measured:
    """Figures of a method's negatives.

    Args:
        bench: the collection.
        selection: the negatives.
        hidden: keys of the hidden positives, see `Bench.hidden_keys`.
    """
    query, doc = selection.query, selection.doc
    is_false = np.isin(bench.pair_keys(query, doc), hidden)
    served = bench.similarity(query, bench.served[query])
    ratio = similarity_ratio(bench.similarity(query, doc), served)
    is_hard = ratio >= HARD_RATIO
    found = int(is_false.sum())
    auc, positives = _shortcut(bench, query, doc)
    figures = {
        "negatives": Figure(len(query)),
        "false_negatives": Figure(found),
        "false_negative_rate": wilson(found, len(query)),
        "leak": wilson(found, len(hidden)),
        "hard": Figure(int(is_hard.sum())),
        "hard_share": wilson(int(is_hard.sum()), len(query)),
        "hard_below_positive": Figure(int((is_hard & (ratio < 1)).sum())),
        "hard_without_false": Figure(int((is_hard & ~is_false).sum())),
        "hard_ratio": mean_by_query(ratio[is_hard], query[is_hard]),
        "ratio": mean_by_query(ratio, query),
        "shortcut_auc": auc_interval(auc, positives, len(query)),
    }
    queries = bench.base.rows("queries")
    counts = Counts(
        np.bincount(query, minlength=queries),
        np.bincount(query[is_false], minlength=queries),
        np.bincount(query[is_hard], minlength=queries),
    )
    return Measured(selection, figures, counts)


def _shortcut(bench: Bench, query: np.ndarray, doc: np.ndarray) -> tuple[float, int]:
    """Shortcut AUC of the known positives against these negatives, and how many positives."""
    positive_query, positive_doc = bench.positives
    used = np.isin(positive_query, query)
    query = np.concatenate([positive_query[used], query])
    doc = np.concatenate([positive_doc[used], doc])
    scorer = bm25_scorer(bench.base)
    names = bench.base.ingested["queries"].read(["text"])["text"].to_pylist()
    overlap = scorer.pair_scores(names, query, doc)
    lengths = open_index(scorer.index, scorer.config).lengths
    is_positive = np.arange(len(query)) < used.sum()
    return shortcut_auc(overlap, np.log1p(lengths[doc]), is_positive, query), int(used.sum())


def _rate(counts: Counts, weights: np.ndarray) -> np.ndarray:
    total = weights @ counts.negatives
    return np.divide(
        weights @ counts.false, total, out=np.full(len(total), np.nan), where=total > 0
    )


def rate_ratio(mine: Counts, theirs: Counts, seed: int) -> Figure:
    """Ratio of two false-negative rates with the interval of 1,000 resamples of the queries."""
    queries = len(mine.negatives)
    every = np.ones((1, queries))
    draws = mix(seed, np.arange(_RESAMPLES)[:, None], np.arange(queries)[None, :])
    picked = (draws % np.uint64(queries)).astype(np.int64)
    weights = np.zeros((_RESAMPLES, queries))
    np.add.at(weights, (np.arange(_RESAMPLES)[:, None], picked), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float((_rate(mine, every) / _rate(theirs, every))[0])
        resampled = _rate(mine, weights) / _rate(theirs, weights)
    resampled = resampled[np.isfinite(resampled)]
    if not len(resampled):
        return Figure(value)
    return Figure(value, *(float(np.quantile(resampled, at)) for at in (0.025, 0.975)))


def best_at(ours: Sequence[Measured], hard: int) -> Measured | None:
    """Lowest false-negative rate among methods with at least that many hard negatives."""
    able = [m for m in ours if m.hard >= hard and not np.isnan(m.rate)]
    return min(able, key=lambda m: (m.rate, -m.hard, m.selection.name), default=None)


def crossfit_ratio(ours: Sequence[Measured], theirs: Counts, seed: int) -> float:
    """Ratio of rates where ours is chosen on one half of the queries and measured on the other.

    nan where no method has enough hard negatives on one of the halves, or where theirs has no
    false negative.
    """
    side = (mix(seed, np.arange(len(theirs.negatives))) & np.uint64(1)).astype(bool)
    false = negatives = 0
    for chosen_on in (side, ~side):
        able = [m for m in ours if m.counts.hard[chosen_on].sum() >= theirs.hard[chosen_on].sum()]
        able = [m for m in able if m.counts.negatives[chosen_on].sum()]
        if not able:
            return float("nan")
        best = min(able, key=lambda m: float(_rate(m.counts, chosen_on[None] * 1.0)[0]))
        false += int(best.counts.false[~chosen_on].sum())
        negatives += int(best.counts.negatives[~chosen_on].sum())
    their_rate = theirs.false.sum() / max(int(theirs.negatives.sum()), 1)
    return float(false / negatives / their_rate) if negatives and their_rate else float("nan")


def _below(measured: Measured) -> float:
    return measured.figures["hard_below_positive"].value


def claims(measured: Sequence[Measured], seed: int) -> list[dict[str, Any]]:
    """The two claims, each with `text`, `holds` and what it rests on."""
    ours = [m for m in measured if m.selection.family == "ours"]
    theirs = [m for m in measured if m.selection.family == "sentence-transformers"]
    found = []
    for rival in theirs:
        parameters = rival.selection.parameters
        if parameters.get("relative_margin") != 0.05 or "sampling_strategy" in parameters:
            continue
        best = best_at(ours, rival.hard)
        ratio = rate_ratio(best.counts, rival.counts, seed) if best else Figure(float("nan"))
        cross = crossfit_ratio(ours, rival.counts, seed)
        strict = best_at([m for m in ours if _below(m) >= _below(rival)], 0)
        strict_ratio = (
            rate_ratio(strict.counts, rival.counts, seed) if strict else Figure(float("nan"))
        )
        who = best.selection.name if best else "no setting of ours has as many hard negatives"
        found.append(
            {
                "text": f"false-negative rate at most {TARGET:.2f} of {rival.selection.name}'s "
                f"at no fewer hard negatives: {ratio.value:.2f} [{ratio.low:.2f}, "
                f"{ratio.high:.2f}] ({who}); {cross:.2f} where the setting is chosen on the "
                f"other half of the queries; {strict_ratio.value:.2f} at no fewer hard negatives "
                f"below s+ ({strict.selection.name if strict else 'none'})",
                "holds": bool(ratio.value <= TARGET),
                "ratio": vars(ratio),
                "crossfit_ratio": cross,
                "ratio_below_positive": vars(strict_ratio),
                "ours": who,
            }
        )
    below = [
        rival
        for rival in theirs
        if rival.counts.negatives.sum()
        and ((best := best_at(ours, rival.hard)) is None or rival.rate < best.rate)
    ]
    names = [rival.selection.name for rival in below]
    hard = [rival.selection.name for rival in below if rival.hard]
    text = (
        f"no setting of sentence-transformers lies below our curve: {len(below)} of {len(theirs)} "
        f"do ({', '.join(names) or 'none'}); with any hard negative: {', '.join(hard) or 'none'}"
    )
    entry = {"text": text, "holds": not below, "below": names, "below_with_hard": hard}
    return [*found, entry]
