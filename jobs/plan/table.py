"""A plan: its stages and totals, as JSON, and for people as a table and one sentence."""

from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.terminal import format_seconds, printable
from negmine.schemas import JsonObject


@dataclass(frozen=True)
class Stage:
    """A step of the run: `rows` of a `unit`, and what they take; `state` is `done` or `reused`
    where nothing is left to do, else `estimate`. `seconds_most` exceeds `seconds` where the work
    depends on what the judge finds. `memory` is what the run is expected to hold at most
    meanwhile, mapped pages too.
    """

    stage: str
    what: str
    rows: int
    unit: str
    seconds: float
    seconds_most: float
    bytes: int
    state: str
    note: str = ""
    memory: int = 0


@dataclass(frozen=True)
class Plan:
    """What a run would cost on this machine; `memory` is the largest thing that it holds."""

    stages: tuple[Stage, ...]
    memory: tuple[str, int]

    def _total(self, column: str) -> float:
        return sum(getattr(s, column) for s in self.stages if s.state == "estimate")

    @property
    def sentence(self) -> str:
        """What the run still takes and writes."""
        time, most = about(self._total("seconds")), about(self._total("seconds_most"))
        time += f", at most {most}," if most != time else ""
        return f"about {time} on this machine; {disk(self._total('bytes'))} of disk"

    def as_json(self) -> JsonObject:
        """The plan as JSON values; the totals are of what is still to come."""
        what, size = self.memory
        return {
            "stages": [asdict(stage) for stage in self.stages],
            "seconds": round(self._total("seconds"), 1),
            "seconds_most": round(self._total("seconds_most"), 1),
            "bytes": self._total("bytes"),
            "largest_in_memory": {"what": what, "bytes": size},
            "sentence": self.sentence,
        }


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


def _time(stage: Stage) -> str:
    low, high = format_seconds(stage.seconds), format_seconds(stage.seconds_most)
    return low if low == high else f"{low} to {high}"


def render_plan(plan: Plan) -> RenderableType:
    """The stages of a plan, its total, and what of it is an estimate."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("stage", "rows", "time", "writes", "memory", "", "note"):
        right = name in {"rows", "time", "writes", "memory"}
        table.add_column(name, justify="right" if right else "left")
    for stage in plan.stages:
        costs = _time(stage), disk(stage.bytes), disk(stage.memory)
        costs = ("-", "-", "-") if stage.state == "reused" else costs
        rows = f"{stage.rows:,} {stage.unit}"
        cells = (printable(stage.what), rows, *costs, stage.state, printable(stage.note))
        table.add_row(*map(Text, cells))
    what, size = plan.memory
    notes = (
        f"{plan.sentence[0].upper()}{plan.sentence[1:]}. Largest in memory: {what}, {disk(size)}, "
        "beside the program itself.\n"
        "Times and sizes are extrapolated from a small sample, timed just now; ingest is done and "
        "measured."
    )
    return Group(table, Padding(Text(notes), (1, 0, 0, 0)))
