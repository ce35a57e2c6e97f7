"""Exporters: a published run's negatives and positives in the formats that trainers read."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms.exporters import flagembedding, lists, n_tuple, triplet
from negmine.transforms.exporters.block import QueryBlock
from negmine.transforms.exporters.files import ENDINGS, STDOUT, written
from negmine.transforms.exporters.list_rows import RunLists
from negmine.transforms.exporters.rows import Options, RunNegatives, Source
from negmine.transforms.exporters.tally import Tally
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.locks import writing
from negmine.transforms.storage.targets import refuse_special, target

COMMON_OPTIONS = frozenset({"tiers", "backfilled", "positives", "without_fold", "lists", "raw"})
"""Options that every format takes: they choose what is exported."""


class Exporter(Protocol):
    """A module that makes one format's rows; files of any kind are written of them.

    `SUFFIX` is the usual ending, `OPTIONS` the fields of `Options` that it takes beside
    COMMON_OPTIONS, `TAKES_GRADES` whether its rows have a place for a positive's grade.
    """

    SUFFIX: str
    OPTIONS: frozenset[str]
    TAKES_GRADES: bool

    def schema(self, rows: RunNegatives) -> pa.Schema:
        """Columns of a row; called once, first."""

    def choose(self, rows: RunNegatives, block: QueryBlock) -> QueryBlock:
        """The queries that the format can take; the others are counted by `rows.leave_out`."""

    def tables(
        self, rows: RunNegatives, block: QueryBlock, schema: pa.Schema
    ) -> Iterator[pa.Table]:
        """The rows of a chosen block, all of its positives among them, in bounded tables."""


EXPORTERS: dict[str, Exporter] = {
    "triplet": triplet,
    "n_tuple": n_tuple,
    "flagembedding": flagembedding,
}

OF_LISTS: dict[str, Exporter] = {"lists": lists}
"""Formats that only teacher lists fill; those of EXPORTERS take them too."""


@dataclass(frozen=True)
class Report:
    """What was exported; the same facts lie beside the file in `<file>.export.json`.

    `path` is None where it went to standard output. `queries` and `positives` count what the run
    has and what the file has, `grades` those of the positives. `scores` says whose they are:
    `judge`, `teacher` (the judge's on the student's scale), `dense` (the student's) or None.
    `input` is what the run says of its input.
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

    def as_json(self) -> JsonObject:
        """As JSON values; the file by its name alone."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        counted = {name: values[name].as_json() for name in ("queries", "positives")}
        return {**values, **counted, "path": self.path.name if self.path else None}


def exporter(name: str) -> Exporter:
    """The exporter of a format. Raises ConfigError, naming those that exist."""
    every = {**EXPORTERS, **OF_LISTS}
    found = every.get(name.replace("-", "_"))
    if found is None:
        raise ConfigError(f"no format {name!r}; there are {', '.join(every)}")
    return found


def export(source: Source, format: str, path: str | Path, options: Options) -> Report:
    """Write a run's negatives and positives in a trainer's format, and the report beside it.

    The same run and options give the same bytes. Who writes the same file meanwhile waits, so the
    report is of the file beside it.

    Args:
        source: the run.
        format: a key of EXPORTERS or OF_LISTS.
        path: a file whose ending says JSONL, CSV or Parquet, a folder, or `-` for JSON lines on
            standard output, without a report beside them.
        options: what to export.

    Raises:
        ConfigError: a format, option, tier or path that cannot be used.
        DataError: texts or negatives are missing, or nothing is left to export; no file is
            written, and one that is there stays as it is.
        StorageError: the run cannot be read, or the disk refuses.
    """
    made = exporter(format)
    format = format.replace("-", "_")
    _refuse_options(format, made, options)
    if format in OF_LISTS:
        options = replace(options, lists=True, scores=True)
    opened = RunLists if options.lists else RunNegatives
    file = _target(source, format, made, path)
    alone = nullcontext() if file is None else writing(file)
    with opened(source, options) as rows, alone:
        schema = made.schema(rows)
        with written(file, schema) as write:
            count = 0
            for block in rows.blocks():
                chosen = made.choose(rows, block)
                for table in made.tables(rows, chosen, schema):
                    write(table)
                    count += table.num_rows
                rows.queries.written += len(chosen.counts)
                rows.positives.written += chosen.positives.num_rows
                rows.graded += len(chosen.positives) - chosen.positives["grade"].null_count
            _check(rows, count)
        report = _report(rows, format, made, file, count)
        if file is not None:
            facts = {**report.as_json(), "options": asdict(options)}
            with replacing(_beside(file)) as temporary:
                text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
                temporary.write_text(text, encoding="utf-8")
    return report


def _refuse_options(format: str, made: Exporter, options: Options) -> None:
    if options.raw and not options.lists and format not in OF_LISTS:
        raise ConfigError("--raw is about the scores of teacher lists; add --lists")
    for field in fields(Options):
        given = getattr(options, field.name) != field.default
        if given and field.name not in made.OPTIONS | COMMON_OPTIONS:
            every = {**EXPORTERS, **OF_LISTS}
            takers = [name for name, other in every.items() if field.name in other.OPTIONS]
            raise ConfigError(
                f"--{field.name} does not apply to {format}; it is for {', '.join(takers)}"
            )


def _beside(file: Path) -> Path:
    return file.with_name(file.name + ".export.json")


def _target(source: Source, format: str, made: Exporter, path: str | Path) -> Path | None:
    if str(path) == STDOUT:
        return None
    file = target(
        path,
        "--output",
        ENDINGS,
        name=f"{source.run_id}-{format}{made.SUFFIX}",
        outputs=(source.run, *source.outputs),
        instead="or give - for standard output",
    )
    refuse_special(_beside(file), "--output")
    return file


def _check(rows: RunNegatives, count: int) -> None:
    """Refuse an empty export, and one that does not account for everything that the run has."""
    if not count:
        raise DataError(
            f"nothing is left to export of run {rows.source.run_id}: {rows.queries.told('queries')}"
        )
    for what, tally in (("queries", rows.queries), ("positives", rows.positives)):
        if not tally.adds_up:
            raise StorageError(
                f"run {rows.source.run_id} does not hold the {what} that it counts "
                f"({tally.told(what)}); check it with negmine doctor, and mine it again"
            )


def _report(
    rows: RunNegatives, format: str, made: Exporter, file: Path | None, count: int
) -> Report:
    if rows.grades_differ and not made.TAKES_GRADES:
        rows.notes.append(
            f"{rows.graded:,} positives have a grade, and {format} has no place for it; the run's "
            "data set positives has"
        )
    return Report(
        format=format,
        path=file,
        run_id=rows.source.run_id,
        tiers=rows.tiers,
        rows=count,
        queries=rows.queries,
        positives=rows.positives,
        grades={"in": rows.grades, "out": rows.graded if made.TAKES_GRADES else 0},
        scores=rows.scores if rows.options.scores else None,
        notes=rows.notes,
        details=rows.details,
        input=dict(rows.source.input),
    )
