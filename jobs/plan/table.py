"""A plan for people: a table and one sentence."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.plan.estimate import Plan, Stage
from negmine.jobs.runs.show import format_bytes, format_seconds
from negmine.jobs.terminal import printable


def about(seconds: float) -> str:
    """A duration as precise as an estimate is: `8 s`, `12 min`, `3.4 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def disk(size: float) -> str:
    """A size in decimal units with two digits: `85 MB`, `1.4 GB`."""
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB" if size < 999.5 else f"{size / 1000:.1f} TB"


def sentence(plan: Plan) -> str:
    """What the run still takes and writes, in one sentence."""
    time = about(plan.seconds)
    if about(plan.seconds_most) != time:
        time += f", at most {about(plan.seconds_most)},"
    return f"about {time} on this machine; {disk(plan.bytes)} of disk"


def _time(stage: Stage) -> str:
    if stage.state == "reused":
        return "-"
    low, high = format_seconds(stage.seconds), format_seconds(stage.seconds_most)
    return low if low == high else f"{low} to {high}"


def render_plan(plan: Plan) -> RenderableType:
    """The stages of a plan, its total, and what of it is an estimate."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("stage", "rows", "time", "writes", "memory", "", "note"):
        right = name in {"rows", "time", "writes", "memory"}
        table.add_column(name, justify="right" if right else "left")
    for stage in plan.stages:
        written = "-" if stage.state == "reused" else format_bytes(stage.bytes)
        rows = f"{stage.rows:,} {stage.unit}"
        held = "-" if stage.state == "reused" else format_bytes(stage.memory)
        table.add_row(
            *map(Text, (printable(stage.what), rows, _time(stage), written, held, stage.state)),
            Text(printable(stage.note)),
        )
    what, size = plan.memory
    notes = (
        f"{sentence(plan)[0].upper()}{sentence(plan)[1:]}. Largest in memory: {what}, "
        f"{format_bytes(size)}, beside the program itself.\n"
        "Times and sizes are extrapolated from a small sample, timed just now; ingest is done and "
        "measured."
    )
    return Group(table, Padding(Text(notes), (1, 0, 0, 0)))
