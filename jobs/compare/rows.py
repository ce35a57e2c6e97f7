"""A comparison as tables of words: what the terminal and the page both show."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from negmine.jobs.compare.measured import OWN
from negmine.jobs.compare.result import Comparison, Measured, Move, Paired
from negmine.jobs.report import numbers
from negmine.schemas import JsonObject

ALL = "all"
NO_CANDIDATE = "not a candidate"
_DECIMALS = 4


@dataclass(frozen=True)
class Shown:
    """A table: headings, rows, and how many of its first columns are words."""

    name: str
    title: str
    headings: list[str]
    rows: list[list[str]]
    words: int = 1


def setting(value: Any) -> str:
    """A value of the config as JSON; `-` where there is none."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def signed(value: float | None, decimals: int = _DECIMALS) -> str:
    """A difference with its sign: `+1,204`, `-0.0123`; `-` where it is not known."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:+,d}" if isinstance(value, int) else f"{value:+z,.{decimals}f}"


def _count(value: int | None) -> str:
    return "-" if value is None else numbers.count(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.{_DECIMALS}f}"


def _bounded(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return _number(value)
    return f"{_number(value)} [{_number(low)}, {_number(high)}]"


def shown(comparison: Comparison, every: bool) -> Iterator[Shown]:
    """The tables that hold anything, in reading order; `every` metric, or only run-wide ones."""
    for table in (
        _settings(comparison),
        _policies(comparison),
        _inputs(comparison),
        _counts(comparison),
        _overlap(comparison),
        _tier_changes(comparison),
        _moves("left", "Negatives of A alone: their verdict in B", comparison.left),
        _moves("entered", "Negatives of B alone: their verdict in A", comparison.entered),
        _paired(comparison, every),
        _measured(comparison, every),
    ):
        if table.rows:
            yield table


def _settings(found: Comparison) -> Shown:
    rows = [[row.key, setting(row.a), setting(row.b)] for row in found.config]
    return Shown("config", "Config: keys that differ", ["key", "A", "B"], rows, words=3)


def _policies(found: Comparison) -> Shown:
    rows = [
        [
            row.name,
            *(
                "-" if values is None else f"{place}. {_parameters(values)}".strip()
                for place, values in ((row.place_a, row.a), (row.place_b, row.b))
            ),
        ]
        for row in found.policies
    ]
    title = "Policies that differ, with their place in the list"
    return Shown("policies", title, ["policy", "A", "B"], rows, words=3)


def _parameters(values: JsonObject) -> str:
    known = ((key, value) for key, value in values.items() if value is not None)
    return ", ".join(f"{key}={setting(value)}" for key, value in known)


def _inputs(found: Comparison) -> Shown:
    rows = [[row.key, setting(row.a), setting(row.b)] for row in found.inputs]
    title = "Inputs, models and versions that differ"
    return Shown("inputs", title, ["key", "A", "B"], rows, words=3)


def _counts(found: Comparison) -> Shown:
    rows = [
        [row.group, row.name, _count(row.a), _count(row.b), signed(row.difference)]
        for row in found.counts
    ]
    return Shown(
        "counts", "Counts, each run whole", ["what", "", "A", "B", "difference"], rows, words=2
    )


def _overlap(found: Comparison) -> Shown:
    rows = [
        [
            row.tier or ALL,
            *(_count(n) for n in (row.a, row.b, row.both, row.only_a, row.only_b)),
            _number(row.jaccard),
            _count(row.identical),
            _count(row.queries),
        ]
        for row in found.overlap
    ]
    title = f"Negatives of the {numbers.count(found.queries.both)} queries of both runs"
    headings = ["tier", "A", "B", "both", "only A", "only B", "Jaccard", "same set", "of queries"]
    return Shown("overlap", title, headings, rows)


def _tier_changes(found: Comparison) -> Shown:
    rows = [[row.a, row.b, _count(row.count)] for row in found.tier_changes]
    title = "Negatives of both runs in another tier"
    return Shown("tier_changes", title, ["tier in A", "tier in B", "negatives"], rows, words=2)


def _moves(name: str, title: str, moves: list[Move]) -> Shown:
    tiers = list(dict.fromkeys(move.tier for move in moves))
    counted: dict[str | None, dict[str, int]] = {}
    for move in moves:
        counted.setdefault(move.verdict, {})[move.tier] = move.count
    order = sorted(counted, key=lambda verdict: (-sum(counted[verdict].values()), verdict or ""))
    rows = [
        [
            verdict or NO_CANDIDATE,
            _count(sum(counted[verdict].values())),
            *(_count(counted[verdict].get(tier, 0)) for tier in tiers),
        ]
        for verdict in order
    ]
    return Shown(name, title, ["verdict", ALL, *tiers], rows)


def _paired(found: Comparison, every: bool) -> Shown:
    rows = [_paired_row(row) for row in found.paired if every or row.tier is None]
    title = "Metrics of the same queries: means, and the mean difference with its 95 % interval"
    headings = ["metric", "tier", "A", "B", "difference", "queries"]
    return Shown("paired", title, headings, rows, words=2)


def _paired_row(row: Paired) -> list[str]:
    bounds = f"[{signed(row.low)}, {signed(row.high)}]"
    return [
        row.metric,
        row.tier or ALL,
        _number(row.a),
        _number(row.b),
        f"{signed(row.difference)} {bounds}",
        _count(row.queries),
    ]


def _measured(found: Comparison, every: bool) -> Shown:
    rows = [
        [
            row.metric,
            ", ".join(_place(row)),
            _bounded(row.a, row.a_low, row.a_high),
            _bounded(row.b, row.b_low, row.b_high),
            signed(row.difference),
            {None: "-", True: "meet", False: "do not meet"}[row.intervals_meet],
        ]
        for row in found.metrics
        if every or _is_run_wide(row)
    ]
    title = "Other metrics, with each run's own 95 % interval"
    headings = ["metric", "of", "A", "B", "difference", "intervals"]
    return Shown("metrics", title, headings, rows, words=2)


def _place(row: Measured) -> list[str]:
    if row.key == OWN and row.metric == "leak":
        return ["own setting"]
    named = [row.tier, row.source, row.key, None if row.bin is None else f"{row.bin:g}"]
    return [name for name in named if name is not None]


def _is_run_wide(row: Measured) -> bool:
    own = row.key is None or row.key == OWN or row.key == "mean"
    return own and row.tier is None and row.source is None
