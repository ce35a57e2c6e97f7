"""How the student takes edits and probes of positives, as two tables."""

from negmine.jobs.html.markup import Markup, element, table
from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Facts


def edited(facts: Facts) -> list[Markup]:
    """Of each edit how often the student is fooled, of each probe how far it falls."""
    shown = []
    for first, second, title, heads in (
        (
            "edit_fooled",
            "edit_drop",
            "Edits, which no longer answer",
            ["edit", "texts", "above the positive", "similarity lost"],
        ),
        (
            "probe_below_negative",
            "probe_drop",
            "Probes, which say what the positive says",
            ["probe", "texts", "fall below a negative", "similarity lost"],
        ),
    ):
        share, drop = facts.metrics.by_key(first), facts.metrics.by_key(second)
        rows = [
            [
                name,
                numbers.count(lost.over or 0),
                numbers.with_interval(share.get(name), numbers.percent),
                numbers.score(lost.value),
            ]
            for name, lost in drop.items()
        ]
        if rows:
            shown.append(table(title, heads, rows))
    if shown:
        told = "An edit that costs no similarity the student cannot see; a probe should cost none."
        shown.insert(0, element("p", told))
    return shown
