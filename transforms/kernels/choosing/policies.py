"""Policies: each tests every pair and says which it drops, with the numbers it compared."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from negmine.schemas import policies
from negmine.schemas.policies import Policy
from negmine.schemas.verdicts import Verdict
from negmine.transforms.kernels.choosing.limits import (
    by_language,
    of_positives,
    outside,
    places,
)
from negmine.transforms.kernels.choosing.pairs import Pairs

Values: TypeAlias = np.ndarray | np.floating | float
Parameters: TypeAlias = Any
"""Those of the kernel's own policy: each takes another class of `schemas.policies`."""
Calibrated: TypeAlias = policies.SuspectedPositive | policies.JudgeCalibratedThreshold


@dataclass(frozen=True)
class PolicyOutcome:
    """What a policy found: `fired` (n,) bool, and the `value` and `threshold` it compared, (n,)."""

    verdict: Verdict
    fired: np.ndarray
    value: np.ndarray
    threshold: np.ndarray


@dataclass(frozen=True)
class Decisions:
    """First policy that fired for each pair, by number; -1 for none. All arrays (n,)."""

    verdict: np.ndarray
    policy: np.ndarray
    value: np.ndarray
    threshold: np.ndarray


def _outcome(
    verdict: Verdict, fired: np.ndarray, value: Values, threshold: Values
) -> PolicyOutcome:
    shape = fired.shape
    as_float = [np.broadcast_to(np.asarray(x, dtype=np.float32), shape) for x in (value, threshold)]
    return PolicyOutcome(verdict, fired, *as_float)


def _boolean_outcome(verdict: Verdict, fired: np.ndarray) -> PolicyOutcome:
    return _outcome(verdict, fired, fired, 1.0)


def _judge_outcome(
    verdict: Verdict, pairs: Pairs, fired: np.ndarray, threshold: Values
) -> PolicyOutcome:
    """A test of judge scores; what people know to be a negative, no judge drops."""
    return _outcome(verdict, fired & ~pairs.confirmed_negative, pairs.judge, threshold)


def positive_judge_score(pairs: Pairs, against: str) -> np.ndarray:
    """Min, mean or max of the judge scores of each query's positives, (queries,) float64.

    `each` is `min`: every margin here is a growing function of the positive's score, so a score
    below the limit of the lowest positive is below each positive's limit.
    """
    positive = pairs.is_positive
    return of_positives(pairs.query[positive], pairs.judge[positive], pairs.queries, against)


def _positive_similarity(pairs: Pairs, against: str) -> np.ndarray:
    """As `positive_judge_score`, of the student; positives without a similarity do not count."""
    positive = pairs.is_positive & ~np.isnan(pairs.dense)
    return of_positives(pairs.query[positive], pairs.dense[positive], pairs.queries, against)


def known_positive(pairs: Pairs, parameters: policies.KnownPositive) -> list[PolicyOutcome]:
    """Fires on the query's known positives."""
    return [_boolean_outcome(Verdict.KNOWN_POSITIVE, pairs.is_positive)]


def query_itself(pairs: Pairs, parameters: policies.QueryItself) -> list[PolicyOutcome]:
    """Fires on the query's identifier in a common collection, its text, and near-duplicates."""
    reason, jaccard = Verdict.QUERY_ITSELF, pairs.query_jaccard
    return [
        _boolean_outcome(reason, pairs.same_id_as_query),
        _boolean_outcome(reason, pairs.same_text_as_query),
        _outcome(reason, jaccard >= parameters.jaccard, jaccard, parameters.jaccard),
    ]


def same_text(pairs: Pairs, parameters: policies.SameText) -> list[PolicyOutcome]:
    """Fires where the text is a positive's."""
    return [_boolean_outcome(Verdict.SAME_TEXT_AS_POSITIVE, pairs.same_text_as_positive)]


def near_duplicate_of_positive(
    pairs: Pairs, parameters: policies.NearDuplicateOfPositive
) -> list[PolicyOutcome]:
    """Fires at or above the Jaccard or the cosine limit; not on what was made to be near."""
    reason, others = Verdict.NEAR_DUPLICATE_OF_POSITIVE, ~pairs.made
    tests = (
        (pairs.positive_jaccard, parameters.jaccard),
        (pairs.positive_cosine, parameters.cosine),
    )
    return [_outcome(reason, others & (near >= limit), near, limit) for near, limit in tests]


def translation_of_positive(
    pairs: Pairs, parameters: policies.TranslationOfPositive
) -> list[PolicyOutcome]:
    """Fires on the first places of each language that no positive is in."""
    place, limit = pairs.translation_place, parameters.nearest
    fired = (place > 0) & (place <= limit)
    return [_outcome(Verdict.TRANSLATION_OF_POSITIVE, fired, place, limit)]


def evaluation_document(
    pairs: Pairs, parameters: policies.EvaluationDocument
) -> list[PolicyOutcome]:
    """Fires on documents that are positives of an evaluation query."""
    return [_boolean_outcome(Verdict.EVALUATION_DOCUMENT, pairs.in_evaluation)]


def near_duplicate_of_negative(
    pairs: Pairs, parameters: policies.NearDuplicateOfNegative
) -> list[PolicyOutcome]:
    """Never fires here: it depends on what was chosen before, see `tiers`."""
    return []


def hub_cap(pairs: Pairs, parameters: policies.HubCap) -> list[PolicyOutcome]:
    """Fires where the query's place among those that got the document is past the cap."""
    place, limit = pairs.hub_place, parameters.max_queries
    return [_outcome(Verdict.HUB, place > limit, place, limit)]


def rank_window(pairs: Pairs, parameters: policies.RankWindow) -> list[PolicyOutcome]:
    """Fires on raw ranks of the source outside the window."""
    rank = pairs.ranks[parameters.source]
    reason = Verdict.OUTSIDE_RANK_WINDOW
    outcomes = [_outcome(reason, (rank > 0) & (rank < parameters.min), rank, parameters.min)]
    if parameters.max is not None:
        outcomes.append(_outcome(reason, rank > parameters.max, rank, parameters.max))
    return outcomes


def student_score(pairs: Pairs, parameters: policies.StudentScore) -> list[PolicyOutcome]:
    """Fires on similarities outside [min, max]."""
    tests = outside(pairs.dense, parameters.min, parameters.max)
    return [_outcome(Verdict.STUDENT_SCORE, fired, pairs.dense, limit) for fired, limit in tests]


def student_absolute_margin(
    pairs: Pairs, parameters: policies.StudentAbsoluteMargin
) -> list[PolicyOutcome]:
    """Fires unless s- <= s+ - margin, of the student's similarities."""
    limit = _positive_similarity(pairs, parameters.against) - parameters.margin
    limit = limit.astype(np.float32)[pairs.query]
    reason = Verdict.STUDENT_ABSOLUTE_MARGIN
    return [_outcome(reason, pairs.dense > limit, pairs.dense, limit)]


def student_relative_margin(
    pairs: Pairs, parameters: policies.StudentRelativeMargin
) -> list[PolicyOutcome]:
    """Fires unless s- <= s+ - margin |s+|, of the student's similarities."""
    positive = _positive_similarity(pairs, parameters.against)
    limit = (positive - parameters.margin * np.abs(positive)).astype(np.float32)[pairs.query]
    reason = Verdict.STUDENT_RELATIVE_MARGIN
    return [_outcome(reason, pairs.dense > limit, pairs.dense, limit)]


def student_range(
    pairs: Pairs, parameters: policies.StudentRange, left: np.ndarray
) -> list[PolicyOutcome]:
    """Fires outside places `min + 1 .. max` of the rows `left` (n,) bool by earlier policies."""
    place = places(pairs.query, pairs.dense, pairs.doc_ix, pairs.text_key, left)
    first = None if parameters.min == 0 else parameters.min + 1
    tests = outside(place, first, parameters.max)
    reason = Verdict.OUTSIDE_STUDENT_RANGE
    return [_outcome(reason, fired & left, place, limit) for fired, limit in tests]


def _threshold(pairs: Pairs, parameters: Calibrated, name: str) -> Values:
    if parameters.threshold is None:
        raise ValueError(f"{name} has no threshold yet; calibrate the selection first")
    if not parameters.thresholds:
        return float(parameters.threshold)
    return by_language(parameters.threshold, parameters.thresholds, pairs.query_language)


def suspected_positive(pairs: Pairs, parameters: policies.SuspectedPositive) -> list[PolicyOutcome]:
    """Fires where s- reaches both the query's positive and the calibrated threshold."""
    limit = positive_judge_score(pairs, parameters.against)[pairs.query]
    known = _threshold(pairs, parameters, "suspected_positive")
    limit = np.maximum(limit, known).astype(np.float32)
    return [_judge_outcome(Verdict.SUSPECTED_POSITIVE, pairs, pairs.judge >= limit, limit)]


def judge_calibrated_threshold(
    pairs: Pairs, parameters: policies.JudgeCalibratedThreshold
) -> list[PolicyOutcome]:
    """Fires at or above the score that a given share of the known positives reaches.

    The threshold comes from the judge's own score distribution, so it means the same for every
    judge and collection, where a margin does not (see `transforms.kernels.choosing.calibration`).
    """
    limit = np.float32(_threshold(pairs, parameters, "judge_calibrated_threshold"))
    reason = Verdict.JUDGE_CALIBRATED_THRESHOLD
    return [_judge_outcome(reason, pairs, pairs.judge >= limit, limit)]


def judge_score(pairs: Pairs, parameters: policies.JudgeScore) -> list[PolicyOutcome]:
    """Fires on judge scores outside [min, max]."""
    tests = outside(pairs.judge, parameters.min, parameters.max)
    return [_judge_outcome(Verdict.JUDGE_SCORE, pairs, fired, limit) for fired, limit in tests]


def judge_absolute_margin(
    pairs: Pairs, parameters: policies.JudgeAbsoluteMargin
) -> list[PolicyOutcome]:
    """Fires unless s- < s+ - margin (TopK-MarginPos, NV-Retriever, arXiv 2407.15831)."""
    limit = positive_judge_score(pairs, parameters.against) - parameters.margin
    limit = limit.astype(np.float32)[pairs.query]
    return [_judge_outcome(Verdict.JUDGE_ABSOLUTE_MARGIN, pairs, pairs.judge >= limit, limit)]


def judge_relative_margin(
    pairs: Pairs, parameters: policies.JudgeRelativeMargin
) -> list[PolicyOutcome]:
    """Fires unless s- < s+ - (1 - keep_below) |s+|.

    For s+ > 0 this is TopK-PercPos of NV-Retriever (arXiv 2407.15831), s- < keep_below * s+. The
    absolute value keeps the limit below the positive for scores that are zero or negative.
    """
    positive = positive_judge_score(pairs, parameters.against)
    limit = positive - (1 - parameters.keep_below) * np.abs(positive)
    limit = limit.astype(np.float32)[pairs.query]
    return [_judge_outcome(Verdict.JUDGE_RELATIVE_MARGIN, pairs, pairs.judge >= limit, limit)]


KERNELS: dict[str, Callable[[Pairs, Parameters], list[PolicyOutcome]]] = {
    kernel.__name__: kernel
    for kernel in (
        known_positive,
        query_itself,
        same_text,
        evaluation_document,
        near_duplicate_of_positive,
        near_duplicate_of_negative,
        translation_of_positive,
        hub_cap,
        rank_window,
        student_score,
        student_absolute_margin,
        student_relative_margin,
        suspected_positive,
        judge_calibrated_threshold,
        judge_score,
        judge_absolute_margin,
        judge_relative_margin,
    )
}
COUNTING: dict[str, Callable[[Pairs, Parameters, np.ndarray], list[PolicyOutcome]]] = {
    "student_range": student_range
}
"""Kernels that look at what earlier policies left, too."""


def outcomes(pairs: Pairs, chosen: Sequence[Policy]) -> Iterator[tuple[int, PolicyOutcome]]:
    """Every test of the policies in order, with the policy's number."""
    left = np.ones(len(pairs.query), dtype=bool)
    for number, policy in enumerate(chosen):
        name, parameters = policy.name, policy.parameters
        counting = COUNTING.get(name)
        found = counting(pairs, parameters, left) if counting else KERNELS[name](pairs, parameters)
        for outcome in found:
            yield number, outcome
        for outcome in found:
            left &= ~outcome.fired


def decide(pairs: Pairs, chosen: Sequence[Policy]) -> Decisions:
    """Run the policies in order; the first test that fires decides a pair.

    Args:
        pairs: a block's judged pairs.
        chosen: policies of the config.

    Returns:
        Decisions with `verdict` as object array of Verdict or None, `policy` the policy's number.
    """
    count = len(pairs.query)
    verdict = np.full(count, None, dtype=object)
    policy = np.full(count, -1, dtype=np.int64)
    value = np.full(count, np.nan, dtype=np.float32)
    threshold = np.full(count, np.nan, dtype=np.float32)
    undecided = np.ones(count, dtype=bool)
    for number, outcome in outcomes(pairs, chosen):
        hit = undecided & outcome.fired
        verdict[hit] = outcome.verdict
        policy[hit] = number
        value[hit] = outcome.value[hit]
        threshold[hit] = outcome.threshold[hit]
        undecided &= ~hit
    return Decisions(verdict, policy, value, threshold)
