"""What the negatives count in the loss, and the cells of inverse propensity before and after."""

from negmine.jobs.html.markup import Markup, table
from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Facts
from negmine.schemas.config import Weighting

_SHOWN = ("min", "q25", "median", "mean", "q75", "max")
_TOLD = {
    "inverse_propensity": "rare kinds of negatives count more",
    "focal": "what the student has right already counts less",
    "true_negative": "what may be a positive counts less",
}


def weights(facts: Facts) -> list[Markup]:
    """Tables of the weights by tier and of the cells; none for a run without weights."""
    metrics = facts.metrics
    if not metrics.by_key("weight"):
        return []
    section = facts.config.get("weighting") or {}
    method = section.get("method", Weighting().method)
    rows = []
    for tier in [*facts.tiers, None]:
        found = metrics.by_key("weight", tier)
        if not found:
            continue
        effective = metrics.get("weight_effective", tier)
        values = [numbers.score(found[key].value) for key in _SHOWN]
        share = numbers.percent(effective.value) if effective else "-"
        rows.append([tier or "all", *values, share])
    told = f"{method}: {_TOLD.get(method, '')}"
    heading = ["tier", *_SHOWN, "of the negatives, in effect"]
    shown = [table(f"Weights, {told}", heading, rows, stacked=True)]
    before, after = (metrics.by_key(name) for name in ("weight_cell", "weight_cell_after"))
    if before:
        cells = sorted(before, key=lambda key: -before[key].value)
        lines = [
            [
                key,
                numbers.count(before[key].over or 0),
                numbers.percent(before[key].value),
                numbers.percent(after[key].value),
            ]
            for key in cells
        ]
        caption = "Cells, from the lowest values (1) up: share of the negatives, of the weight"
        shown.append(table(caption, ["cell", "negatives", "before", "after"], lines, stacked=True))
    return shown
