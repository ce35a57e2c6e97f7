"""Ingest: raw input to documents, queries, positives, confirmed negatives and dead letters."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import duckdb
import numpy as np
import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.schemas.inputs import Input
from negmine.schemas.inputs.passages import Passages
from negmine.schemas.tables import (
    CONFIRMED_NEGATIVES,
    DEAD_LETTERS,
    DOCUMENTS,
    EVALUATION_KEYS,
    POSITIVES,
    QUERIES,
    with_language,
)
from negmine.transforms import storage
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.parts import Spread
from negmine.transforms.ingesting.raw import SCHEMAS, Report, write_raw
from negmine.transforms.ingesting.refuse import refuse
from negmine.transforms.ingesting.resolve import Resolved
from negmine.transforms.readers import read
from negmine.transforms.readers.rows import Source
from negmine.transforms.steps import map_step
from negmine.transforms.storage.atomic import write_json

COUNTS = "counts.json"
KEYS = "evaluation_keys.parquet"
"""File beside it: `tables.EVALUATION_KEYS`, for texts that are no documents of the corpus."""

_DEAD_BLOCK = 65_536
_PAIRS = {"positives": POSITIVES, "confirmed_negatives": CONFIRMED_NEGATIVES}


def cut_of(config: Input) -> Passages | None:
    """How documents are cut into passages; None where they stay as they are."""
    return getattr(config, "passages", None)


@dataclass
class ReadSources(beam.PTransform):
    """Read every source into raw parts: `Pipeline -> PCollection[Report]`, one a source.

    Only descriptors are created; workers stream the files themselves. `raw` is the folder that the
    parts are written to.
    """

    sources: Sequence[Source]
    config: Input
    seed: int
    raw: str
    block_size: int

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        sources = Spread(list(enumerate(self.sources)), tuple)
        return root | "Sources" >> sources | "WriteRaw" >> map_step(self._write)

    def _write(self, element: tuple[int, Source]) -> Report:
        file, source = element
        rows = read(source, self.config, self.seed)
        what = (self.seed, self.raw, self.block_size, cut_of(self.config))
        report = write_raw(file, source, rows, *what, self.config.detect_language)
        count("rows_read", report.rows)
        return report


@dataclass
class Resolve(beam.PTransform):
    """Resolve raw parts into data sets: `PCollection[Report] -> PCollection[dict]`, one element.

    The element is what `counts.json` holds; see `resolve` for what is written and raised.
    """

    config: Input
    directory: str
    raw: str
    block_size: int
    memory: str

    def expand(self, reports: beam.PCollection) -> beam.PCollection:
        once = beam.pvalue.PBegin(reports.pipeline) | "Once" >> beam.Impulse()
        return once | "WriteDataSets" >> map_step(self._resolve, beam.pvalue.AsList(reports))

    def _resolve(self, _: bytes, reports: list[Report]) -> JsonObject:
        try:
            folders = (self.directory, self.raw)
            return resolve(reports, self.config, *folders, self.block_size, self.memory)
        except duckdb.Error as error:
            raise StorageError(
                f"cannot resolve identifiers in {self.directory}: {str(error).splitlines()[0]}. "
                "Free space or choose another directory, then run the same command again"
            ) from error


def resolve(
    reports: Iterable[Report],
    config: Input,
    directory: str,
    raw: str,
    block_size: int = 8192,
    memory: str = "2GB",
) -> JsonObject:
    """Write the data sets of a collection, the keys of evaluation and counts; remove `raw`.

    Each part takes the place of one of its name at once, and no other is removed before the end:
    a job that began earlier and goes on has the same parts to write, and may be read already.

    Returns the counts. Of the dead letters, `evaluation_queries` are queries with the text of an
    evaluation query, which are not bad rows. Raises DataError, after the dead letters are written,
    where more rows, of all or of one kind, are bad than `config.bad_rows` allows, no document,
    query or positive is left, or the evaluation splits hold no positive.
    """
    ordered = sorted(reports, key=lambda report: report.file)
    base = storage.rooted(directory)
    parts_read = storage.rooted(raw)
    storage.fetch_tree(parts_read)
    parts = {
        kind: sorted(
            str(storage.rooted(path))
            for report in ordered
            for name, path in report.parts
            if name == kind
        )
        for kind in SCHEMAS
    }
    workplace = parts_read / "resolve"
    shutil.rmtree(workplace, ignore_errors=True)
    with Resolved(
        workplace,
        parts,
        SCHEMAS,
        [report.name for report in ordered],
        limit=None if config.format == "stdlib" else config.limit,
        own_ids=config.format not in ("pairs", "hf_pairs"),
        merge_equal=config.merge_equal_queries,
        cut=cut_of(config),
        memory=memory,
    ) as resolved:
        counts: JsonObject = {
            "rows": sum(report.rows for report in ordered),
            "ignored_judgements": sum(report.ignored for report in ordered),
            **resolved.counts(),
            "dead_letter_reasons": {reason.code: reason.rows for reason in resolved.reasons()},
        }
        _write_dead_letters(resolved, base / "dead_letters", counts["dead_letters"])
        refuse(resolved, config, counts, ordered, base)
        _write_rows(resolved, base, counts, block_size)
        blocks = plan_blocks(counts["queries"], block_size)
        for name, schema in _PAIRS.items():
            tables = getattr(resolved, name)(_DEAD_BLOCK)
            counts[name] = _write_pairs(tables, base / name, blocks, schema)
        write_part(str(base), KEYS, resolved.evaluation_keys(), EVALUATION_KEYS)
    write_json(base / COUNTS, counts)
    for name in ("documents", "queries", "positives", "dead_letters"):
        count(f"{name}_written", counts[name])
    storage.remove_attempt(raw)
    return counts


def _keep_only(folder: Path, blocks: Sequence[Block]) -> None:
    """Remove parts of an attempt that cut otherwise."""
    kept = {block.part for block in blocks}
    for name in set(Dataset(str(folder)).part_names()) - kept:
        storage.remove(folder / name)


def _write_rows(resolved: Resolved, base: Path, counts: JsonObject, block_size: int) -> None:
    documents, queries = DOCUMENTS, QUERIES
    if counts["texts_with_language"]:
        documents, queries = with_language(DOCUMENTS), with_language(QUERIES)
    start = 0
    for table in _exact(resolved.documents(block_size), block_size):
        block = Block(start, start + table.num_rows)
        table = table.add_column(0, "doc_ix", pa.array(np.arange(*block), pa.int64()))
        _write(base / "documents", block, table.select(documents.names), documents)
        start = block.stop
    _keep_only(base / "documents", plan_blocks(start, block_size))
    blocks = plan_blocks(counts["queries"], block_size)
    tables = _exact(resolved.queries(block_size), block_size)
    for block, table in zip(blocks, tables, strict=True):
        _write(base / "queries", block, table.select(queries.names), queries)
    _keep_only(base / "queries", blocks)


def _write_pairs(
    tables: Iterator[pa.Table], folder: Path, blocks: Sequence[Block], schema: pa.Schema
) -> int:
    total = 0
    pending: list[pa.Table] = []
    table = schema.empty_table()
    for block in blocks:
        while True:
            end = int(np.searchsorted(table.column("query_ix").to_numpy(), block.stop))
            pending.append(table.slice(0, end).cast(schema))
            table = table.slice(end)
            following = None if table.num_rows else next(tables, None)
            if following is None:
                break
            table = following
        whole = pa.concat_tables(pending)
        _write(folder, block, whole, schema)
        total += whole.num_rows
        pending = []
    _keep_only(folder, blocks)
    return total


def _write_dead_letters(resolved: Resolved, folder: Path, rows: int) -> None:
    if not rows:
        _write(folder, Block(0, 0), DEAD_LETTERS.empty_table(), DEAD_LETTERS)
    blocks = plan_blocks(rows, _DEAD_BLOCK) if rows else []
    tables = _exact(resolved.dead_letters(_DEAD_BLOCK), _DEAD_BLOCK)
    for block, table in zip(blocks, tables, strict=True):
        _write(folder, block, table, DEAD_LETTERS)
    _keep_only(folder, blocks or [Block(0, 0)])


def _write(folder: Path, block: Block, table: pa.Table, schema: pa.Schema) -> None:
    write_part(str(folder), block.part, table.cast(schema), schema)


def _exact(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of exactly `rows`, the last one aside."""
    pending: list[pa.Table] = []
    count = 0
    for table in tables:
        while count + table.num_rows >= rows:
            cut = rows - count
            yield pa.concat_tables([*pending, table.slice(0, cut)])
            table, pending, count = table.slice(cut), [], 0
        if table.num_rows:
            pending.append(table)
            count += table.num_rows
    if pending:
        yield pa.concat_tables(pending)
