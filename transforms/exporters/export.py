"""Write a run's negatives and positives in a trainer's format."""

from contextlib import nullcontext
from dataclasses import asdict, fields, replace
from pathlib import Path

from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms.exporters.formats import (
    COMMON_OPTIONS,
    OF_LISTS,
    AnyFormat,
    every_format,
    exporter,
)
from negmine.transforms.exporters.parts import Part, parts_of, with_sample_size
from negmine.transforms.exporters.reading.list_rows import RunLists
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.reading.ranking import RunRanking
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.report import Report
from negmine.transforms.exporters.sinks import opened_sink
from negmine.transforms.exporters.targets import is_folder, place
from negmine.transforms.exporters.uses import check_scores
from negmine.transforms.storage.locks import writing


def export(source: Source, format: str, path: str | Path, options: Options) -> Report:
    """Write a run's negatives and positives in a trainer's format, and the report beside it.

    The same run and options give the same bytes. Who writes the same file meanwhile waits, so the
    report is of the file beside it.

    Args:
        source: the run.
        format: a key of EXPORTERS, FOLDERS or OF_LISTS.
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
    asked = options.scores
    if format in OF_LISTS:
        options = replace(options, lists=True, scores=True)
    elif getattr(made, "SCORED", False):
        options = replace(options, scores=True)
    file = place(source, format, made, options, path)
    alone = nullcontext() if file is None else writing(file)
    with _reader(made, options)(source, options) as rows, alone:
        check_scores(options, rows.scores, source.run_id)
        rows.asked_for_scores = asked
        rows.options = with_sample_size(rows)
        parts = parts_of(rows)
        with opened_sink(made, rows, parts, file, is_folder(made, options)) as sink:
            for block in rows.blocks():
                chosen = sink.choose(block)
                for part in parts:
                    mine = part.pick(chosen)
                    if len(mine.counts):
                        sink.add(part, mine)
                        part.queries += len(mine.counts)
                rows.queries.written += len(chosen.counts)
                rows.positives.written += chosen.positives.num_rows
                rows.graded += len(chosen.positives) - chosen.positives["grade"].null_count
            _check(rows, parts)
            return sink.finish(
                lambda files: _report(rows, format, made, file, parts, files), asdict(options)
            )


def _reader(made: AnyFormat, options: Options) -> type[RunNegatives]:
    """What reads the run for a format and these options."""
    if options.lists and options.ranking:
        raise ConfigError("--lists and --ranking are two things to export; give one of them")
    named: type[RunNegatives] | None = getattr(made, "READER", None)
    if named is not None:
        return named
    if options.ranking:
        return RunRanking
    return RunLists if options.lists else RunNegatives


def _refuse_options(format: str, made: AnyFormat, options: Options) -> None:
    if options.raw and not options.lists and format not in OF_LISTS:
        raise ConfigError("--raw is about the scores of teacher lists; add --lists")
    scored = options.scores or format in OF_LISTS or getattr(made, "SCORED", False)
    if options.scale and not scored:
        raise ConfigError("--scale is about scores; add --scores")
    taken = made.OPTIONS | COMMON_OPTIONS
    if getattr(made, "SCORED", False):
        taken |= {"scores"}
    if options.epochs is not None or options.ranking:
        taken |= {"n"}
    if options.epochs is not None and isinstance(made, type):
        raise ConfigError(f"--epochs writes a file an epoch, and {format} is a folder of files")
    for field in fields(Options):
        given = getattr(options, field.name) != field.default
        if given and field.name not in taken:
            every = every_format()
            takers = [name for name, other in every.items() if field.name in other.OPTIONS]
            raise ConfigError(
                f"--{field.name} does not apply to {format}; it is for {', '.join(takers)}"
            )


def _check(rows: RunNegatives, parts: list[Part]) -> None:
    """Refuse an empty export, and one that does not account for everything that the run has."""
    empty = [part.name for part in parts if not part.rows]
    if not sum(part.rows for part in parts):
        raise DataError(
            f"nothing is left to export of run {rows.source.run_id}: {rows.queries.told('queries')}"
        )
    if empty:
        raise DataError(
            f"nothing is left for the part {', '.join(empty)} of run {rows.source.run_id}: "
            f"{rows.queries.told('queries')}; give another --split"
        )
    for what, tally in (("queries", rows.queries), ("positives", rows.positives)):
        if not tally.adds_up:
            raise StorageError(
                f"run {rows.source.run_id} does not hold the {what} that it counts "
                f"({tally.told(what)}); check it with negmine doctor, and mine it again"
            )


def _report(
    rows: RunNegatives,
    format: str,
    made: AnyFormat,
    file: Path | None,
    parts: list[Part],
    files: list[str],
) -> Report:
    for note in _notes(rows, format, made):
        rows.notes.append(note)
    told = [
        {**part.facts, "name": part.name, "rows": part.rows, "queries": part.queries}
        for part in parts
    ]
    return Report(
        format=format,
        path=file,
        run_id=rows.source.run_id,
        tiers=rows.tiers,
        rows=sum(part.rows for part in parts),
        queries=rows.queries,
        positives=rows.positives,
        grades={"in": rows.grades, "out": rows.graded if made.TAKES_GRADES else 0},
        scores=rows.scores if rows.options.scores else None,
        notes=rows.notes,
        details=rows.details,
        input=dict(rows.source.input),
        scale=rows.scale.told or None if rows.options.scores else None,
        parts=told if len(parts) > 1 else [],
        files=files,
    )


def _notes(rows: RunNegatives, format: str, made: AnyFormat) -> list[str]:
    """What to know of the file that its counts do not say."""
    notes = []
    if rows.grades_differ and not made.TAKES_GRADES:
        notes.append(
            f"{rows.graded:,} positives have a grade, and {format} has no place for it; the run's "
            "data set positives has"
        )
    if rows.weighted:
        place = getattr(made, "WEIGHTS_IN", None)
        if place and not (rows.options.scores and "unless" in place):
            notes.append(f"weights of the negatives: {place}")
        else:
            notes.append(
                f"the negatives have weights, and {format} has no place for them"
                f"{' beside scores' if place else ''}; the run's data set negatives has"
            )
    beyond = rows.details.get("negatives_beyond_n")
    if beyond:
        notes.append(f"{beyond:,} negatives beyond the first n of their query are left out")
    options = rows.options
    by_itself = options.instruction is None and options.prompt is None
    if "instruction" in made.OPTIONS and rows.instruction and by_itself:
        notes.append(f"the student's prompt for queries goes with it: {rows.instruction!r}")
    return notes
