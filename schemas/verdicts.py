"""The closed lists of words a candidate can end with: verdicts, drop reasons and sources."""

from enum import StrEnum


class Source(StrEnum):
    """Where a candidate came from. The order is the order of names in a row's `sources`.

    What there is to know of each: `schemas.sources`.
    """

    BM25 = "bm25"
    DENSE = "dense"
    RANDOM = "random"
    GIVEN = "given"
    SAME_DOCUMENT = "same_document"
    CLUSTER = "cluster"
    MEMORY = "memory"
    EDITED = "edited"


class Verdict(StrEnum):
    """What became of a candidate: `kept`, or the reason it was dropped.

    Reasons down to `JUDGE_CALIBRATED_THRESHOLD` come from a policy that fired. The rest are about
    choosing: the candidate was safe, and another was taken instead. `SAME_TEXT_AS_QUERY` stands in
    runs made before there was `QUERY_ITSELF`, and in no newer one.
    """

    KEPT = "kept"
    KNOWN_POSITIVE = "known_positive"
    QUERY_ITSELF = "query_itself"
    SAME_TEXT_AS_POSITIVE = "same_text_as_positive"
    SAME_TEXT_AS_QUERY = "same_text_as_query"
    NEAR_DUPLICATE_OF_POSITIVE = "near_duplicate_of_positive"
    TRANSLATION_OF_POSITIVE = "translation_of_positive"
    EVALUATION_DOCUMENT = "evaluation_document"
    HUB = "hub"
    OUTSIDE_RANK_WINDOW = "outside_rank_window"
    STUDENT_SCORE = "student_score"
    STUDENT_ABSOLUTE_MARGIN = "student_absolute_margin"
    STUDENT_RELATIVE_MARGIN = "student_relative_margin"
    OUTSIDE_STUDENT_RANGE = "outside_student_range"
    SUSPECTED_POSITIVE = "suspected_positive"
    JUDGE_SCORE = "judge_score"
    JUDGE_ABSOLUTE_MARGIN = "judge_absolute_margin"
    JUDGE_RELATIVE_MARGIN = "judge_relative_margin"
    JUDGE_CALIBRATED_THRESHOLD = "judge_calibrated_threshold"
    SAME_TEXT_AS_NEGATIVE = "same_text_as_negative"
    NEAR_DUPLICATE_OF_NEGATIVE = "near_duplicate_of_negative"
    OUTSIDE_TIERS = "outside_tiers"
    OVER_QUOTA = "over_quota"
    NOT_JUDGED = "not_judged"


NOT_NEEDED = (Verdict.OUTSIDE_TIERS, Verdict.OVER_QUOTA, Verdict.NOT_JUDGED)
"""Verdicts of what nothing speaks against: it lies outside the tiers, or came too late."""

MEANINGS: dict[str, str] = {
    Verdict.KEPT: "Chosen as negatives.",
    Verdict.KNOWN_POSITIVE: "Labelled a positive of the query.",
    Verdict.QUERY_ITSELF: "The query's own document: by identifier, by text, or nearly its text.",
    Verdict.SAME_TEXT_AS_POSITIVE: "The text of a positive under another identifier.",
    Verdict.SAME_TEXT_AS_QUERY: "The text is the query's own; newer runs say query_itself.",
    Verdict.NEAR_DUPLICATE_OF_POSITIVE: "Nearly the text or the vector of a positive.",
    Verdict.TRANSLATION_OF_POSITIVE: "In its language among the nearest to a positive.",
    Verdict.EVALUATION_DOCUMENT: "A positive of a query that is kept for evaluation.",
    Verdict.HUB: "Already used for as many queries as hub_cap allows.",
    Verdict.OUTSIDE_RANK_WINDOW: "Its rank in a source is outside the window asked for.",
    Verdict.STUDENT_SCORE: "The student's similarity is outside the limits asked for.",
    Verdict.STUDENT_ABSOLUTE_MARGIN: "For the student it is too close to the positive, or above.",
    Verdict.STUDENT_RELATIVE_MARGIN: "For the student it is too close to the positive, or above.",
    Verdict.OUTSIDE_STUDENT_RANGE: "By similarity, before or after the places asked for.",
    Verdict.SUSPECTED_POSITIVE: "The judge puts it above the known positive: review it.",
    Verdict.JUDGE_SCORE: "The judge's score is outside the limits asked for.",
    Verdict.JUDGE_ABSOLUTE_MARGIN: "For the judge it is too close to the positive, or above it.",
    Verdict.JUDGE_RELATIVE_MARGIN: "For the judge it is too close to the positive, or above it.",
    Verdict.JUDGE_CALIBRATED_THRESHOLD: "The judge scores it as it scores known positives.",
    Verdict.SAME_TEXT_AS_NEGATIVE: "Safe; a chosen negative of the query has this text.",
    Verdict.NEAR_DUPLICATE_OF_NEGATIVE: "A chosen negative of the query is nearly the same.",
    Verdict.OUTSIDE_TIERS: "No policy dropped it, and no tier's band takes it.",
    Verdict.OVER_QUOTA: "Safe and in a tier's band; the tier was full.",
    Verdict.NOT_JUDGED: "In a tier's band; the choice did not need its judgement.",
}
"""A sentence each, for those who have not read the documentation."""
