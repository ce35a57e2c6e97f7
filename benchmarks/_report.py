"""The benchmark's figures as a Markdown table, as JSON and as a plot."""

import math
from collections.abc import Sequence
from typing import Any

from benchmarks._measures import Figure, Measured, best_at
from benchmarks._plot import Point, Series, scatter
from benchmarks._selections import CALIBRATED, judge_name, st_name

COLUMNS = {
    "negatives": "negatives",
    "false_negative_rate": "false negatives per negative",
    "leak": "leak",
    "hard": "hard",
    "hard_below_positive": "below s+",
    "hard_ratio": "s-/s+ of hard",
    "ratio": "s-/s+ of all",
    "shortcut_auc": "shortcut AUC",
}


def share_of(measured: Measured) -> float | None:
    """Level of the calibrated threshold; None for methods without one."""
    for policy in measured.selection.parameters.get("policies", ()):
        for name, parameters in policy.items():
            if name == CALIBRATED:
                return float(parameters["positives_above"])
    return None


def _level(measured: Measured) -> float:
    share = share_of(measured)
    return math.inf if share is None else share


def _reference_hard(measured: Sequence[Measured]) -> int:
    """Hard negatives of sentence-transformers' setting that the first claim is about."""
    reference = st_name({"relative_margin": 0.05, "range_max": 100})
    return next((m.hard for m in measured if m.selection.name == reference), 0)


def _shown(figure: Figure, name: str) -> str:
    if name in {"negatives", "hard", "hard_below_positive"}:
        return f"{int(figure.value):,}"
    if math.isnan(figure.value):
        return "-"
    digits = 4 if name in {"false_negative_rate", "leak"} else 3
    value, low, high = (f"{x:.{digits}f}" for x in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def markdown(measured: Sequence[Measured]) -> str:
    """The figures as a Markdown table, columns aligned."""
    rows = [["method", *COLUMNS.values()]]
    rows += [
        [m.selection.name, *(_shown(m.figures[name], name) for name in COLUMNS)] for m in measured
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = [widths[0] * "-", *((width - 1) * "-" + ":" for width in widths[1:])]
    aligned = [
        [row[0].ljust(widths[0]), *(v.rjust(w) for v, w in zip(row[1:], widths[1:], strict=True))]
        for row in [rows[0], rule, *rows[1:]]
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in aligned)


def plot(title: str, measured: Sequence[Measured]) -> str:
    """Our threshold sweep as a curve, sentence-transformers' settings and naive as points."""
    swept: dict[tuple[str, str], list[Measured]] = {}
    for m in measured:
        if share_of(m) is not None:
            parameters = m.selection.parameters
            key = (judge_name(parameters["judge"]), parameters["sampling"])
            swept.setdefault(key, []).append(m)
    series = []
    if swept:
        longest = max(map(len, swept.values()))
        able = [m for curve in swept.values() if len(curve) == longest for m in curve]
        best = best_at(able, _reference_hard(measured)) or best_at(able, 0) or able[0]
        parameters = best.selection.parameters
        key = (judge_name(parameters["judge"]), parameters["sampling"])
        curve = sorted(swept[key], key=_level)
        points = [Point(m.hard, m.rate, f"{_level(m):g}") for m in curve if not math.isnan(m.rate)]
        series.append(Series(f"negmine {' '.join(key)}, by positives_above", points, joined=True))
    else:
        mine = [m for m in measured if m.selection.family == "ours"]
        points = [Point(m.hard, m.rate, m.selection.name.removeprefix("ours ")) for m in mine]
        series.append(Series("negmine", points))
    for family, prefix in (("sentence-transformers", "ST "), ("naive", "")):
        them = [m for m in measured if m.selection.family == family and not math.isnan(m.rate)]
        labels = [m.selection.name.removeprefix(prefix).replace(" r100", "") for m in them]
        points = [Point(m.hard, m.rate, label) for m, label in zip(them, labels, strict=True)]
        series.append(Series(family, points))
    return scatter(title, "hard negatives", "false negatives per negative", series)


def plain(value: Any) -> Any:
    """A value as JSON: nan and infinity become null, other fractions six digits."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def as_json(measured: Measured) -> dict[str, Any]:
    """A method's figures with their intervals."""
    figures = {name: plain(vars(figure)) for name, figure in measured.figures.items()}
    own = vars(measured.selection)
    return {name: own[name] for name in ("name", "family", "parameters")} | {"figures": figures}
