"""What is wrong with a negative set, found in its metrics, and what to do about each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from negmine.jobs.report import numbers
from negmine.jobs.report.languages import language_findings
from negmine.jobs.report.limits import LIMITS, Finding, Limit
from negmine.jobs.report.metrics import Metric, Metrics
from negmine.jobs.report.settings import own_leak
from negmine.jobs.runs.remarks import listed
from negmine.schemas import JsonObject
from negmine.schemas.sources import SOURCES
from negmine.transforms.pairs.hold_out import wilson

COVERAGE, BACKFILLED, SHORTCUT, LENGTH = 0.95, 0.2, 0.7, 1.5
HUB, HUB_LEAST = 0.02, 20
BIAS = 0.1
"""Of an AUC, from a half."""


@dataclass(frozen=True)
class Facts:
    """What the checks look at."""

    metrics: Metrics
    manifest: JsonObject
    tiers: Sequence[str]

    @property
    def summary(self) -> JsonObject:
        return self.manifest.get("summary") or {}

    @property
    def config(self) -> JsonObject:
        return self.manifest.get("config") or {}

    @property
    def queries(self) -> float:
        """Queries of the run; 0 where unknown."""
        return float(self.summary.get("queries") or 0)

    def ranked_tiers(self) -> list[str]:
        """Tiers but those of sources that do not retrieve, which are easy on purpose."""
        specs = self.config.get("tiers") or {}
        easy = {source for source, facts in SOURCES.items() if not facts.retrieving}
        return [t for t in self.tiers if (specs.get(t) or {}).get("source") not in easy]


@dataclass(frozen=True)
class TooFew:
    """Nothing was found, among so few that there may be any number: `0 of 3`."""

    seen: str


Answer = list[Finding | TooFew | None]
"""Empty where the run lacks the numbers; None for what is well; findings for what is not."""


def _short(facts: Facts) -> Answer:
    short, missing = facts.metrics.get("queries_short"), facts.metrics.get("shortfall")
    if short is None:
        return []
    if not short.value:
        return [None]
    share = short.value / facts.queries if facts.queries else 0.0
    least = wilson(round(short.value), round(facts.queries))[0] if facts.queries else 0.0
    lost = f"; {numbers.count(missing.value)} negatives are missing" if missing else ""
    return [
        Finding(
            least > 1 - COVERAGE,
            f"{numbers.count(short.value)} queries are short of negatives",
            f"They are {numbers.percent(share)} of {numbers.count(facts.queries)} queries{lost}.",
            "Raise sources.bm25.depth and sources.dense.depth, widen the tier's band (min_ratio), "
            "lower its quota, or drop less (negmine sweep). negmine query RUN short_queries lists "
            "them.",
        )
    ]


def _backfilled(facts: Facts) -> Answer:
    """Not asked where a tier of quota 0 is there to fill the others, as by default."""
    specs = (facts.config.get("tiers") or {}).values()
    if any((spec or {}).get("quota") == 0 for spec in specs):
        return []
    answer: Answer = []
    for tier in facts.tiers:
        count, total = (facts.metrics.get(name, tier) for name in ("backfilled", "negatives"))
        if count is None or total is None or not total.value:
            continue
        share = count.value / total.value
        finding = Finding(
            False,
            f"{numbers.percent(share)} of tier {tier} comes from another band",
            f"{numbers.count(count.value)} of its {numbers.count(total.value)} negatives are "
            "backfilled: easier or harder than the tier's name says.",
            f"Lower tiers.{tier}.quota, raise the sources' depth, or widen the band; or leave "
            "those rows out: negmine export RUN --no-backfilled.",
        )
        answer.append(finding if share > BACKFILLED else None)
    return answer


def _shortcut(facts: Facts) -> Answer:
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


def _languages(facts: Facts) -> Answer:
    return [*language_findings(facts.metrics, facts.config)]


def _lengths(facts: Facts) -> Answer:
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


def _length_bias(facts: Facts) -> Answer:
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


def _crowded(facts: Facts) -> Answer:
    """Crowded vectors, and whether a first pass in fewer dimensions would gain by whitening."""
    answer = _limit(LIMITS["student's vectors crowded"], facts.metrics.get("anisotropy"))
    recall = facts.metrics.by_key("first_pass_recall")
    if "whitening" not in recall or "prefix" not in recall:
        return answer
    best = max(recall, key=lambda kind: recall[kind].value)
    shown = ", ".join(f"{kind} {numbers.score(found.value)}" for kind, found in recall.items())
    more = f" A first pass in half the dimensions finds of the ten nearest: {shown}."
    advice = f" Where search is slow, sources.dense.first_pass.kind {best} loses least."
    return [
        replace(a, fact=a.fact + more, advice=a.advice + advice) if isinstance(a, Finding) else a
        for a in answer
    ]


def _hubs(facts: Facts) -> Answer:
    hubs = facts.metrics.by_key("hub")
    if not hubs or not facts.queries:
        return []
    document, metric = max(hubs.items(), key=lambda entry: entry[1].value)
    share = metric.value / facts.queries
    if share <= HUB or metric.value < HUB_LEAST:
        return [None]
    return [
        Finding(
            False,
            f"One document is a negative of {numbers.percent(share)} of the queries",
            f"Document {document[:80]} is one of {numbers.count(metric.value)} of "
            f"{numbers.count(facts.queries)} queries: the model sees it again and again as wrong.",
            "Add the policy hub_cap (max_queries: 100, say). negmine query RUN hub_documents "
            "lists such documents.",
        )
    ]


def _suspects(facts: Facts) -> Answer:
    verdicts = facts.metrics.by_key("verdict")
    if not verdicts:
        return []
    found = verdicts.get("suspected_positive")
    if found is None or not found.value:
        return [None]
    return [
        Finding(
            False,
            f"{numbers.count(found.value)} suspected positives wait for a review",
            "The judge puts these candidates above the known positive. They were set aside and "
            "are not among the negatives.",
            "negmine relabel RUN --review FILE.jsonl writes them out; what you decide goes into "
            "the next run.",
        )
    ]


def _judge(facts: Facts) -> Answer:
    kind = (facts.config.get("judge") or {}).get("kind")
    if kind is None:
        return []
    if kind != "none":
        return [None]
    return [
        Finding(
            True,
            "No judge looked at these negatives",
            "Nothing removed positives that nobody labelled, and how many there are is not known.",
            "Set judge.kind: fusion needs no download, cross_encoder is stronger.",
        )
    ]


def _bad_rows(facts: Facts) -> Answer:
    rows = facts.summary.get("dead_letters")
    if rows is None:
        return []
    if not rows:
        return [None]
    return [
        Finding(
            False,
            f"{numbers.count(rows)} rows of the input were left out",
            "They could not be read, or name documents or queries that are not there.",
            "The data set dead_letters in the work directory has file, line and reason of each.",
        )
    ]


def _remarks(facts: Facts) -> Answer:
    """What the run itself remarked while it was made."""
    if "remarks" not in facts.manifest:
        return []
    found: Answer = [
        Finding(remark.serious, remark.title, remark.fact, remark.advice)
        for remark in listed(facts.manifest)
    ]
    return found or [None]


def _limit(limit: Limit, metric: Metric | None) -> Answer:
    if metric is None:
        return []
    if metric.value > limit.limit:
        return [limit.finding(metric)]
    few = limit.too_few(metric)
    return [TooFew(few) if few else None]


def _by_name(limit: Limit) -> Callable[[Facts], Answer]:
    return lambda facts: _limit(limit, facts.metrics.get(limit.metric))


def _leak(facts: Facts) -> Answer:
    limit = LIMITS["leak of hidden positives"]
    answer = _limit(limit, own_leak(facts.manifest, facts.metrics))
    if (facts.config.get("judge") or {}).get("kind") != "none":
        return answer
    return [replace(a, advice=_UNJUDGED) if isinstance(a, Finding) else a for a in answer]


_UNJUDGED = (
    "Choose a judge (judge.kind: fusion needs no download), or raise the margin of "
    "student_relative_margin; negmine sweep shows what each value costs."
)


CHECKS: dict[str, Callable[[Facts], Answer]] = {
    "a judge": _judge,
    **{name: _by_name(limit) for name, limit in LIMITS.items()},
    "leak of hidden positives": _leak,
    "queries without their whole quota": _short,
    "negatives from another tier's band": _backfilled,
    "shortcut by length and shared words": _shortcut,
    "length of negatives": _lengths,
    "length bias of the student": _length_bias,
    "student's vectors crowded": _crowded,
    "documents used too often": _hubs,
    "suspected positives": _suspects,
    "bad input rows": _bad_rows,
    "remarks while mining": _remarks,
}
SPECIAL_CHECKS: dict[str, Callable[[Facts], Answer]] = {"languages of negatives": _languages}
"""Checks that are not spoken of where a run has nothing for them."""


def check(facts: Facts) -> tuple[list[Finding], list[str], list[str]]:
    """Findings, serious ones first; names of checks that passed; names of those not measured.

    What was looked for among too few to say is not measured, and its name says among how many.
    """
    findings: list[Finding] = []
    passed, unmeasured = [], []
    for name, run in {**CHECKS, **SPECIAL_CHECKS}.items():
        answers = run(facts)
        wrong = [answer for answer in answers if isinstance(answer, Finding)]
        few = [answer.seen for answer in answers if isinstance(answer, TooFew)]
        findings += wrong
        if not answers:
            unmeasured += [name] if name in CHECKS else []
        elif few and not wrong:
            unmeasured.append(f"{name} ({', '.join(few)}: too few to tell)")
        elif not wrong:
            passed.append(name)
    findings.sort(key=lambda finding: not finding.serious)
    return findings, passed, unmeasured
