"""Exporters: a published run's negatives in the formats that trainers read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from schemas.errors import ConfigError
from transforms import storage
from transforms.exporters import flagembedding, n_tuple, triplet
from transforms.exporters.files import Written, replacing
from transforms.exporters.rows import Options, Rows, Source
from transforms.storage.locks import writing


class Exporter(Protocol):
    """A module that writes one format. `SUFFIX` is the usual ending of its file."""

    SUFFIX: str

    def write(self, rows: Rows, path: Path) -> Written:
        """Write the file, whole or not at all, and say what it holds."""


EXPORTERS: dict[str, Exporter] = {
    "triplet": triplet,
    "n_tuple": n_tuple,
    "flagembedding": flagembedding,
}


@dataclass(frozen=True)
class Report:
    """What was exported; the same facts lie beside the file in `<file>.export.json`.

    `scores` says whose they are: `judge`, `dense` (the student's) or None. `queries_left_out`
    had too few negatives.
    """

    format: str
    path: Path
    run_id: str
    tiers: list[str]
    rows: int
    queries: int
    queries_left_out: int
    scores: str | None
    notes: list[str]
    details: dict[str, Any]


def exporter(name: str) -> Exporter:
    """The exporter of a format. Raises ConfigError, naming those that exist."""
    found = EXPORTERS.get(name.replace("-", "_"))
    if found is None:
        raise ConfigError(f"no format {name!r}; there are {', '.join(EXPORTERS)}")
    return found


def export(source: Source, format: str, path: Path, options: Options) -> Report:
    """Write a run's negatives to `path` in a trainer's format, and the report beside it.

    The same run and options give the same bytes. Who writes the same file meanwhile waits, so the
    report is of the file beside it. Raises ConfigError for a format, tier or path
    that cannot be used, DataError where texts or negatives are missing, StorageError where the
    disk refuses.
    """
    writer = exporter(format)
    path = storage.local_path(path)
    if storage.is_dir(path):
        raise ConfigError(
            f"{path} is a folder; give a file name, for example export{writer.SUFFIX}"
        )
    if path.resolve().is_relative_to(source.run.resolve()):
        raise ConfigError(f"{path} lies inside the run, and a published run is never changed")
    with Rows(source, options) as rows, writing(path):
        written = writer.write(rows, path)
        report = Report(
            format=format.replace("-", "_"),
            path=path,
            run_id=source.run_id,
            tiers=rows.tiers,
            rows=written.rows,
            queries=written.queries,
            queries_left_out=written.short,
            scores=rows.scores if options.scores else None,
            notes=rows.notes,
            details=written.details,
        )
        facts = {**asdict(report), "path": path.name, "options": asdict(options)}
        text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
        with replacing(path.with_name(path.name + ".export.json")) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return report
