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
