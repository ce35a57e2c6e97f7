"""What tells positives from negatives without their meaning: shared words, and length."""

from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Answer, Facts
from negmine.jobs.report.checks.limits import Finding

SHORTCUT, LENGTH = 0.7, 1.5
BIAS = 0.1
"""Of an AUC, from a half."""


def shortcut(facts: Facts) -> Answer:
    tiers = [(t, m) for t in facts.ranked_tiers() if (m := facts.metrics.get("shortcut_auc", t))]
    overall = facts.metrics.get("shortcut_auc")
    if not tiers and overall:
        tiers = [("all tiers", overall)]
    if not tiers:
        return []
    tier, metric = max(tiers, key=lambda entry: entry[1].value)
    if metric.value <= SHORTCUT:
        return [None]
    shown = numbers.with_interval(metric, numbers.score)
    return [
        Finding(
            False,
            f"Length and shared words give positives away: AUC {shown}, {tier}",
            "0.5 is a guess, 1 is certain. A model can learn to prefer documents that repeat the "
            "query's words, or longer ones, rather than meaning.",
            "Raise sampling.lexical_weight so that negatives share as many words as positives "
            "do, and take more from source bm25.",
        )
    ]


def lengths(facts: Facts) -> Answer:
    metric = facts.metrics.get("length_ratio")
    if metric is None or metric.value <= 0:
        return []
    if 1 / LENGTH <= metric.value <= LENGTH:
        return [None]
    return [
        Finding(
            False,
            f"Negatives are {metric.value:.2f} times as long as positives",
            "Length alone then tells them apart.",
            "Cut long documents into passages, or leave out very short ones, before mining.",
        )
    ]


def length_bias(facts: Facts) -> Answer:
    metric = facts.metrics.get("length_bias_auc")
    if metric is None or metric.low is None or metric.high is None:
        return []
    if metric.low <= 0.5 + BIAS and metric.high >= 0.5 - BIAS:
        return [None]
    which = "longer" if metric.value > 0.5 else "shorter"
    return [
        Finding(
            False,
            f"The student prefers {which} documents: AUC {numbers.score(metric.value)}",
            "Of two random documents, which have nothing to do with the query, it puts the "
            f"{which} one first more often than chance would. So negatives are {which} than the "
            "corpus, and the bias is trained with.",
            "Look at the length of negatives and at the shortcut above; weighting.method "
            "inverse_propensity evens lengths out, and cutting documents into passages ends it.",
        )
    ]
