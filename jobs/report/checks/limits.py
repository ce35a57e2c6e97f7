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
    """A finding where `metric` is above `limit`; `{}` in the title is value and interval.

    It is serious only where the whole interval is above. A metric of `of` is a share of so many of
    those, and `{}` in the title says of how many.
    """

    metric: str
    limit: float
    serious: bool
    title: str
    fact: str
    advice: str
    of: str = ""
    form: numbers.Format = numbers.score

    def measured(self, metric: Metric) -> Metric:
        """The metric with an interval, where it is a share."""
        return numbers.proportion(metric) if self.of else metric

    def finding(self, metric: Metric) -> Finding:
        shown = numbers.with_interval(metric, self.form)
        if self.of:
            shown = numbers.share_of(metric, self.of)
        low = self.measured(metric).low
        certain = low is None or low > self.limit
        fact = self.fact
        if self.serious and not certain:
            least = numbers.percent(self.limit) if self.of else self.form(self.limit)
            fact += f" Too few to be certain: the interval reaches down to the limit of {least}."
        return Finding(self.serious and certain, self.title.replace("{}", shown), fact, self.advice)

    def too_few(self, metric: Metric) -> str:
        """`0 of 3` where a share is below the limit and might as well be above; else nothing."""
        high = self.measured(metric).high
        few = self.of and metric.over and high is not None and high > self.limit
        return f"{numbers.hits(metric)} of {metric.over}" if few else ""


LIMITS: dict[str, Limit] = {
    "evaluation documents": Limit(
        "evaluation_documents",
        0,
        True,
        "{} negatives are documents of the evaluation split",
        "A model trained on them is told that the answers of the test are wrong.",
        "Name the splits in input.evaluation_splits, keep the policy evaluation_document, and "
        "mine again.",
        form=numbers.count,
    ),
    "leak of hidden positives": Limit(
        "leak",
        0.1,
        True,
        "Leak: {} were taken for negatives",
        "Positives that nobody labelled are taken about as often.",
        "Raise policies.judge_calibrated_threshold.positives_above (the plot below shows what "
        "each value costs), or take a stronger judge.",
        of="hidden positives",
    ),
    "negatives that the judge prefers": Limit(
        "judge_fn_rate",
        0.1,
        False,
        "The judge scores {} above their positive",
        "Their own positive is one that the judge rates low: it may be wrong, or the judge is.",
        "Read them below. Where the positives are at fault, mend them; where the negatives answer "
        "the query, raise positives_above or add the policy judge_relative_margin.",
        of="negatives",
    ),
    "near-duplicates of positives": Limit(
        "near_duplicate_positive",
        0.01,
        True,
        "{} nearly repeat a positive of their query",
        "Their words are the same but for a few, so most are positives.",
        "Keep the policy near_duplicate_of_positive, and lower its jaccard (0.7, say).",
        of="negatives",
    ),
    "near-duplicates of negatives": Limit(
        "near_duplicate_negative",
        0.05,
        False,
        "{} nearly repeat another negative of their query",
        "The query learns the same thing twice.",
        "Keep the policy near_duplicate_of_negative, and lower its jaccard (0.7, say).",
        of="negatives",
    ),
    "negatives nearer than the positive": Limit(
        "ratio_above_one",
        0.1,
        False,
        "{} are nearer to the query than its positive",
        "The student puts them first: they teach most, and false negatives hide among them.",
        "Read some below. Where they answer the query, give the hardest tier a max_ratio (1.0, "
        "say) or the judge a stricter policy.",
        of="negatives",
    ),
    "student's vectors crowded": Limit(
        "anisotropy",
        0.5,
        False,
        "Two random documents have cosine {} under the student",
        "All similarities lie close together, so s-/s+ near 1 does not mean hard.",
        "Choose the tiers' min_ratio from the plot of similarity below.",
    ),
}
