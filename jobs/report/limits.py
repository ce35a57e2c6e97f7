"""Metrics that should stay below a limit: what it means where one does not, and what to do."""

from dataclasses import dataclass

from negmine.jobs.report import numbers
from negmine.jobs.report.metrics import Metric


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: `serious`, or worth a look."""

    serious: bool
    title: str
    fact: str
    advice: str


@dataclass(frozen=True)
class Limit:
    """A finding where `metric` is above `limit`; `{}` in the title is value and interval."""

    metric: str
    limit: float
    serious: bool
    title: str
    fact: str
    advice: str
    form: numbers.Format = numbers.percent

    def finding(self, metric: Metric) -> Finding:
        shown = numbers.with_interval(metric, self.form)
        return Finding(self.serious, self.title.replace("{}", shown), self.fact, self.advice)


LIMITS: dict[str, Limit] = {
    "evaluation documents": Limit(
        "evaluation_documents",
        0,
        True,
        "{} negatives are documents of the evaluation split",
        "A model trained on them is told that the answers of the test are wrong.",
        "Name the splits in input.evaluation_splits, keep the policy evaluation_document, and "
        "mine again.",
        numbers.count,
    ),
    "leak of hidden positives": Limit(
        "leak",
        0.1,
        True,
        "{} of hidden positives came back as negatives",
        "Positives that nobody labelled are chosen about as often.",
        "Raise policies.judge_calibrated_threshold.positives_above (the plot below shows what "
        "each value costs), or take a stronger judge.",
    ),
    "negatives that the judge prefers": Limit(
        "judge_fn_rate",
        0.1,
        False,
        "The judge scores {} of negatives above their positive",
        "Their own positive is one that the judge rates low: it may be wrong, or the judge is.",
        "Read them below. Where the positives are at fault, mend them; where the negatives answer "
        "the query, raise positives_above or add the policy judge_relative_margin.",
    ),
    "near-duplicates of positives": Limit(
        "near_duplicate_positive",
        0.01,
        True,
        "{} of negatives nearly repeat a positive of their query",
        "Their words are the same but for a few, so most are positives.",
        "Keep the policy near_duplicate_of_positive, and lower its jaccard (0.7, say).",
    ),
    "near-duplicates of negatives": Limit(
        "near_duplicate_negative",
        0.05,
        False,
        "{} of negatives nearly repeat another negative of their query",
        "The query learns the same thing twice.",
        "Keep the policy near_duplicate_of_negative, and lower its jaccard (0.7, say).",
    ),
    "negatives nearer than the positive": Limit(
        "ratio_above_one",
        0.1,
        False,
        "{} of negatives are nearer to the query than its positive",
        "The student puts them first: they teach most, and false negatives hide among them.",
        "Read some below. Where they answer the query, give the hardest tier a max_ratio (1.0, "
        "say) or the judge a stricter policy.",
    ),
    "student's vectors crowded": Limit(
        "anisotropy",
        0.5,
        False,
        "Two random documents have cosine {} under the student",
        "All similarities lie close together, so s-/s+ near 1 does not mean hard.",
        "Choose the tiers' min_ratio from the plot of similarity below.",
        numbers.score,
    ),
}
