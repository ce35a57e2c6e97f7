"""Whether the sources find and the judge can tell: what was checked of each, with numbers."""

from negmine.jobs.html.markup import Markup, table
from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Facts
from negmine.jobs.report.metrics import Metric
from negmine.schemas import JsonObject


def checked(facts: Facts) -> list[Markup]:
    """A table of the sources and one of the judge; what was not measured is left out."""
    return [part for part in (_sources(facts), _judge(facts)) if part is not None]


def _sources(facts: Facts) -> Markup | None:
    without = facts.metrics.by_source("queries_without")
    gain = facts.metrics.by_source("eci_equal_n")
    names = [*dict.fromkeys([*without, *gain])]
    if not names:
        return None
    chosen = {name: _chosen(facts, name) for name in names}
    total = facts.metrics.get("negatives")
    rows = []
    for name in names:
        missed, share = without.get(name), "-"
        if missed is not None and facts.queries:
            found = Metric(missed.value / facts.queries, over=round(facts.queries))
            share = numbers.share_of(found, "queries")
        negatives = chosen[name]
        part = "-"
        if negatives is not None:
            part = numbers.count(negatives)
            if total is not None and total.value:
                part += f" ({numbers.percent(negatives / total.value)})"
        signal = numbers.with_interval(facts.metrics.get("signal", source=name), numbers.score)
        rows.append([name, share, part, signal])
    headings = ["source", "finds nothing for", "negatives that it returned", "their similarity"]
    caption = "Sources; a negative that several returned counts for each"
    return table(caption, headings, rows, stacked=True)


def _chosen(facts: Facts, source: str) -> float | None:
    found = [
        metric.value
        for tier in facts.tiers
        if (metric := facts.metrics.get("tier_source", tier, source)) is not None
    ]
    return sum(found) if found else None


def _judge(facts: Facts) -> Markup | None:
    rows = [_tells(check) for check in facts.manifest.get("judge_checks") or []]
    for words, name, things in (
        ("puts the positive above every negative", "judge_pos_at_1", "queries"),
        ("puts the negative above its positive", "judge_fn_rate", "negatives"),
    ):
        metric = facts.metrics.get(name)
        if metric is not None:
            rows.append([words, numbers.share_of(metric, things)])
    pairs = facts.summary.get("judge") or {}
    if pairs.get("pairs_total"):
        read, every = pairs.get("pairs_scored") or 0, pairs["pairs_total"]
        share = numbers.percent(read / every)
        told = f"{numbers.count(read)} of {numbers.count(every)} pairs ({share})"
        rows.append(["had to read", told])
    kind = (facts.config.get("judge") or {}).get("kind")
    if not rows or kind == "none":
        return None
    caption = f"Judge: {kind}" if kind else "Judge"
    return table(caption, ["the judge", "measured"], rows, stacked=True)


def _tells(check: JsonObject) -> list[str]:
    auc, low, high = (numbers.score(check.get(key, float("nan"))) for key in ("auc", "low", "high"))
    seen = ", ".join(
        f"{numbers.count(check[key])} {words}"
        for key, words in (("positives", "known positives"), ("random", "random documents"))
        if check.get(key) is not None
    )
    return [
        f"tells known positives from random documents: AUC ({check.get('judge', '?')})",
        f"{auc} [{low}, {high}]{f', {seen}' if seen else ''}",
    ]
