"""What an export says of itself, on the terminal and in the report beside the file."""

from dataclasses import dataclass, field, fields
from pathlib import Path

from negmine.schemas import JsonObject
from negmine.transforms.exporters.reading.tally import Tally


@dataclass(frozen=True)
class Report:
    """What was exported; the same facts lie beside the file in `<file>.export.json`.

    `path` is None where it went to standard output. `queries` and `positives` count what the run
    has and what the file has, `grades` those of the positives. `scores` says whose they are:
    `judge`, `teacher` (the judge's on the student's scale), `dense` (the student's) or None, and
    `scale` what was made of them. `parts` are rows and queries of each part of a split or a
    schedule, `files` the names that were written.
    """

    format: str
    path: Path | None
    run_id: str
    tiers: list[str]
    rows: int
    queries: Tally
    positives: Tally
    grades: dict[str, int]
    scores: str | None
    notes: list[str]
    details: JsonObject
    input: JsonObject
    scale: str | None = None
    parts: list[JsonObject] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def as_json(self) -> JsonObject:
        """As JSON values; the file by its name alone."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        counted = {name: values[name].as_json() for name in ("queries", "positives")}
        return {**values, **counted, "path": self.path.name if self.path else None}
