"""What is wrong with a negative set, found in its metrics, and what to do about each."""

from collections.abc import Callable
from dataclasses import replace

from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Answer, Facts, TooFew
from negmine.jobs.report.checks.languages import language_findings
from negmine.jobs.report.checks.limits import LIMITS, Finding, Limit
from negmine.jobs.report.checks.quotas import backfilled, short
from negmine.jobs.report.checks.shortcuts import length_bias, lengths, shortcut
from negmine.jobs.report.metrics import Metric
from negmine.jobs.report.settings import own_leak
from negmine.jobs.runs.remarks import listed

HUB, HUB_LEAST = 0.02, 20


def _languages(facts: Facts) -> Answer:
    return [*language_findings(facts.metrics, facts.config)]


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
    "queries without their whole quota": short,
    "negatives from another tier's band": backfilled,
    "shortcut by length and shared words": shortcut,
    "length of negatives": lengths,
    "length bias of the student": length_bias,
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
