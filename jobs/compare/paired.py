"""Metrics of the same queries in two runs: the mean difference, bootstrapped over queries."""

import numpy as np

from negmine.jobs.compare.read import SIDES, TwoRuns
from negmine.jobs.compare.result import Paired
from negmine.transforms.data.sql import COSINE, POSITIVE_COSINE
from negmine.transforms.kernels.eci import set_terms
from negmine.transforms.kernels.measures.bootstrap import Bootstrap, interval, quotient

PAIRED = ("eci", "signal", "safety", "harmonic_mean", "size", "hard_negatives", "judge_margin")
HARD_RATIO = 0.8
_SEED = 42
_TERMS = f"""
SELECT place, count(*) AS size, count(margin) AS scored,
       sum(TRY_CAST(round(cosine * 1e12) AS BIGINT)) FILTER (margin IS NOT NULL)::DOUBLE AS signal,
       sum(TRY_CAST(round(greatest(0, margin) * 1e12) AS BIGINT))::DOUBLE AS safety,
       count(*) FILTER (1 - (positive - dense) / greatest(abs(positive), 1e-6) >= {HARD_RATIO})
           AS hard_negatives,
       min(judge_margin) FILTER (isfinite(judge_margin)) AS judge_margin
FROM (
    SELECT place, dense_score::DOUBLE AS dense, positive_dense_score::DOUBLE AS positive,
           {COSINE}::DOUBLE AS cosine,
           CASE WHEN isfinite({COSINE}) AND isfinite({POSITIVE_COSINE})
                THEN {POSITIVE_COSINE}::DOUBLE - {COSINE}::DOUBLE END AS margin,
           positive_judge_score::DOUBLE - judge_score::DOUBLE AS judge_margin
    FROM {{}}_negatives JOIN common USING (query_id) {{}}
)
GROUP BY place
"""
"""Integers are summed, so that the order in which threads read does not show."""


def paired(runs: TwoRuns) -> list[Paired]:
    """Paired metrics of all tiers together, then by tier; `match` comes first.

    `size` and `hard_negatives` (s-/s+ >= 0.8) are over all common queries, `judge_margin` (lowest
    j(d+) - j(n) of the query) over those judged in both runs, the rest over those with negatives
    in both. Means are over queries, so the ECI is the mean of the queries' own.
    """
    ((queries,),) = runs.all("SELECT count(*) FROM common")
    if not queries:
        return []
    bootstrap = Bootstrap(queries, _SEED)
    found = []
    for tier in (None, *runs.tiers()):
        a, b = (_terms(runs, side, tier, queries) for side in SIDES)
        if a["size"].any() or b["size"].any():
            found += _differences(tier, a, b, bootstrap)
    return found


def _terms(runs: TwoRuns, side: str, tier: str | None, queries: int) -> dict[str, np.ndarray]:
    """Each metric, (queries,) float64; NaN where a query has none."""
    where = "" if tier is None else "WHERE tier = ?"
    rows = runs.arrays(_TERMS.format(side, where), *([] if tier is None else [tier]))
    place = np.asarray(rows["place"])
    found = {}
    for name in ("size", "scored", "signal", "safety", "hard_negatives", "judge_margin"):
        empty = np.nan if name == "judge_margin" else 0.0
        found[name] = np.full(queries, empty)
        found[name][place] = np.ma.filled(np.ma.asarray(rows[name], dtype=np.float64), empty)
    scored = found.pop("scored")
    for name in ("signal", "safety"):
        found[name] = quotient(found[name] / 1e12, scored)
    terms = set_terms(found["size"], found["signal"], found["safety"])
    return {**found, "harmonic_mean": terms.harmonic_mean, "eci": terms.eci}


def _differences(
    tier: str | None, a: dict[str, np.ndarray], b: dict[str, np.ndarray], bootstrap: Bootstrap
) -> list[Paired]:
    columns = []
    for name in PAIRED:
        used = ~np.isnan(a[name] + b[name])
        if name not in ("size", "hard_negatives", "judge_margin"):
            used &= ~np.isnan(a["signal"] + b["signal"])
        columns += [used, np.where(used, a[name], 0.0), np.where(used, b[name], 0.0)]
        columns.append(columns[-1] - columns[-2])
    numbers = np.stack(columns, axis=1).astype(np.float64)
    totals, drawn = numbers.sum(axis=0), bootstrap.sums(numbers)
    found = []
    for at, name in enumerate(PAIRED):
        count, *sums = totals[4 * at : 4 * at + 4].tolist()
        if count:
            low, high = interval(quotient(drawn[:, 4 * at + 3], drawn[:, 4 * at]))
            in_a, in_b, difference = (value / count for value in sums)
            found.append(Paired(name, tier, in_a, in_b, difference, low, high, int(count)))
    return found
