"""Whether queries got as many negatives as were asked for, and from the bands asked for."""

from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Answer, Facts
from negmine.jobs.report.checks.limits import Finding
from negmine.transforms.pairs.hold_out import wilson

COVERAGE, BACKFILLED = 0.95, 0.2


def short(facts: Facts) -> Answer:
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


def backfilled(facts: Facts) -> Answer:
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
