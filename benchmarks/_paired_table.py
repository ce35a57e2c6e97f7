"""Paired runs as Markdown: medians, ratios, memory, counts, and where and how they were made."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks._paired import WALL, read_json, unequal

_HEADINGS = ("", "ours", "theirs", "ratio", "lowest-highest", "target", "peak memory", "runs")


def cases(out: Path, wanted: Sequence[str] = ()) -> list[Path]:
    """Folders of the cases measured: all of them, or of these parts or `part:case`."""
    found = sorted(file.parent for file in out.glob("*/*/case.json"))
    return [f for f in found if not wanted or selected(f.parent.name, f.name, wanted)]


def selected(part: str, case: str, wanted: Sequence[str]) -> bool:
    """Whether `part` or `part:case` is among those wanted."""
    return not wanted or part in wanted or f"{part}:{case}" in wanted


def records(folder: Path, side: str) -> list[dict[str, Any]]:
    """Runs of `ours` or `theirs`, in order."""
    return [read_json(file) for file in sorted(folder.glob(f"*-{side}.json"))]


def _number(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 1000 else 0
    return f"{value:,.{digits}f}"


def _figures(runs: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [run["figures"][name] for run in runs]


def compared(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of one case: medians of both sides, ratio of the medians, and of each pair."""
    case = read_json(folder / "case.json")
    ours, theirs = records(folder, "ours"), records(folder, "theirs")
    if not ours:
        return
    for row in case["rows"]:
        mine, other = _figures(ours, row["figure"]), _figures(theirs, row["figure"])
        value = middle = statistics.median(mine)
        found: dict[str, Any] = {"label": row["label"], "ours": middle, "pairs": mine}
        if other:
            found["theirs"] = statistics.median(other)
            found["ratio"] = middle / max(found["theirs"], 1e-9)
            value = middle if row["alone"] else found["ratio"]
            found["pairs"] = [a / max(b, 1e-9) for a, b in zip(mine, other, strict=False)]
        if row["limit"] is not None:
            met = value >= row["limit"] if row["at_least"] else value <= row["limit"]
            bound = f"{'≥' if row['at_least'] else '≤'} {row['limit']:g}"
            found["target"] = f"ours {bound}" if row["alone"] and other else bound
            found["met"] = met
        yield found


def _line(case: dict[str, Any], row: dict[str, Any], memory: str, runs: str) -> list[str]:
    target = f"{row['target']}, {'met' if row['met'] else 'missed'}" if "target" in row else ""
    return [
        row["label"],
        _number(row["ours"]),
        f"{_number(row['theirs'])} ({case['sides'][1]})" if "theirs" in row else "",
        f"{row['ratio']:.2f}" if "ratio" in row else "",
        f"{min(row['pairs']):.2f}-{max(row['pairs']):.2f}",
        target,
        memory,
        runs,
    ]


def _peak(runs: Sequence[dict[str, Any]]) -> str:
    return f"{max(run['peak_bytes'] for run in runs) / 2**30:.2f}" if runs else ""


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = [widths[0] * "-", *((max(width, 2) - 1) * "-" + ":" for width in widths[1:])]
    lines = [
        [row[0].ljust(widths[0]), *(v.rjust(w) for v, w in zip(row[1:], widths[1:], strict=True))]
        for row in [rows[0], rule, *rows[1:]]
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _counts(folder: Path, case: dict[str, Any]) -> Iterator[str]:
    sides = [runs for runs in (records(folder, "ours"), records(folder, "theirs")) if runs]
    for name, runs in zip(case["sides"], sides, strict=False):
        facts = {**runs[-1]["counts"], **runs[-1]["details"]}
        facts = {k: v for k, v in facts.items() if not isinstance(v, dict | list)}
        words = ", ".join(
            f"{key.replace('_', ' ')} {f'{value:,}' if isinstance(value, int) else value}"
            for key, value in facts.items()
        )
        yield f"- {case['part']}:{case['name']}, {name}: {words or 'no counts'}"
    every = [run for runs in sides for run in runs]
    for words in unequal(every, case["equal"]):
        yield f"- {case['part']}:{case['name']}: **not alike**: {words}"


def _made(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Machine, versions, dates, load and commands, each said once."""
    for found in {repr(run["machine"]): run["machine"] for run in runs}.values():
        packages = ", ".join(f"{name} {at}" for name, at in found["packages"].items())
        yield (
            f"{found['processor']}, {found['cores']} cores, {found['threads']} threads a side, "
            f"{found['memory_gib']} GiB, {found['system']}, Python {found['python']}; {packages}."
        )
    dates = sorted(run["date"] for run in runs)
    loads = [max(run["load"]) for run in runs]
    yield (
        f"{dates[0]} to {dates[-1]}; load average {min(loads):.1f} to {max(loads):.1f}, the run's "
        "own work included."
    )
    yield "\n".join(f"    {command}" for command in sorted({run["command"] for run in runs}))


def table(out: Path, wanted: Sequence[str] = ()) -> str:
    """Markdown of all that was measured below a folder; says so where nothing was."""
    lines, facts, runs = [list(_HEADINGS)], [], []
    for folder in cases(out, wanted):
        case = read_json(folder / "case.json")
        ours, theirs = records(folder, "ours"), records(folder, "theirs")
        memory = " / ".join(filter(None, (_peak(ours), _peak(theirs))))
        count = " + ".join(str(len(side)) for side in (ours, theirs) if side)
        for number, row in enumerate(compared(folder)):
            shown = (memory, count) if not number else ("", "")
            lines.append(_line(case, row, *shown))
        if ours:
            facts += [*_counts(folder, case), *([f"  {case['note']}"] if case["note"] else [])]
        runs += ours + theirs
    if not runs:
        return f"nothing was measured in {out}"
    legend = (
        "Medians, seconds unless a unit is named; ratio = ours / theirs; lowest-highest over the "
        "pairs of runs, or over our runs; peak memory of the process tree in GiB, ours / theirs."
    )
    return "\n\n".join([_markdown(lines), legend, "\n".join(facts), *_made(runs)])


__all__ = ["WALL", "cases", "compared", "records", "selected", "table"]
