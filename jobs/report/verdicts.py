"""What each verdict means, in a sentence for those who have not read the documentation."""

from negmine.schemas.verdicts import Verdict

MEANINGS: dict[str, str] = {
    Verdict.KEPT: "Chosen as negatives.",
    Verdict.KNOWN_POSITIVE: "Labelled a positive of the query.",
    Verdict.QUERY_ITSELF: "The query's own document: by identifier, by text, or nearly its text.",
    Verdict.SAME_TEXT_AS_POSITIVE: "The text of a positive under another identifier.",
    Verdict.SAME_TEXT_AS_QUERY: "The text is the query's own; newer runs say query_itself.",
    Verdict.NEAR_DUPLICATE_OF_POSITIVE: "Nearly the text or the vector of a positive.",
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
