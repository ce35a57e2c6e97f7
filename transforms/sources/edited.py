"""Documents made from positives by edits, and those that are candidates of their query."""

import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.schemas.sources import Edited
from negmine.transforms import storage
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.languages import has_languages, language_column
from negmine.transforms.data.parts import BlockTransform, CreateBlocks
from negmine.transforms.kernels.editing.edit import Asked, Edit
from negmine.transforms.kernels.editing.entities import Entities
from negmine.transforms.kernels.editing.operations import negatives_of, probes_of
from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.near_duplicates import sketches
from negmine.transforms.sources.concreteness import ratings
from negmine.transforms.steps import map_step
from negmine.transforms.storage.atomic import write_atomically

QUERIES_AT_ONCE = 512
"""Queries of a part of the edits. Fixed, so that no position depends on the run's blocks."""
MADE = "made"
"""Folder of what each attempt made, until it has positions."""

_POSITIVES = 4
"""Positives of a query that are edited, drawn by key."""
_SAMPLE = 20_000
"""Documents whose entities may take another's place, drawn by key."""
_PROBED = 0x70726F6265
_TEXTS = pa.schema(
    [tables.EDITS.field("text"), *(f for f in tables.MADE_EDITS if f.name != "doc_ix")]
)
_INHERITED = ("in_evaluation", "group_key", "place")
"""What a text that was made has from its positive."""
_looking = threading.Lock()


@lru_cache(maxsize=2)
def _entities_of(documents: Dataset, seed: int) -> Entities:
    keys = mix(seed, array_column(documents, "doc_key"))
    rows = np.argsort(keys, kind="stable")[:_SAMPLE]
    return Entities.of(binary_column(documents, "text").texts(np.sort(rows)))


@dataclass
class EditDocuments(beam.PTransform):
    """Edit the positives of every query: `Pipeline -> PCollection[texts made]`, one element.

    Writes `all_documents/` (`tables.DOCUMENTS`: the corpus and behind it what was made) and
    `edits/` (`tables.MADE_EDITS`, by query) into the directory. No edit has the text of a document
    of the corpus. A text counts as one of the evaluation splits where its positive does, and where
    it is itself a text of those.

    Attributes:
        config: of `sources.edited`.
        seed: keys every choice.
        documents, queries, positives: of the collection.
        evaluation: file of `tables.EVALUATION_KEYS`.
        directory: of the artifact.
        blocks: of queries, all of them.
        attempt: as in `pipelines.ingest.Ingest`.
    """

    config: Edited
    seed: int
    documents: Dataset
    queries: Dataset
    positives: Dataset
    evaluation: str
    directory: str
    blocks: Sequence[Block]
    attempt: str

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        made = root | "QueryBlocks" >> CreateBlocks(self.blocks) | "Edit" >> map_step(self._edit)
        once = root | "Once" >> beam.Impulse()
        return once | "Place" >> map_step(self._place, beam.pvalue.AsList(made))

    def _edit(self, block: Block) -> str:
        with _looking:
            entities = _entities_of(self.documents, self.seed)
        found = list(self._made(block, entities))
        columns = {field.name: [row[i] for row in found] for i, field in enumerate(_TEXTS)}
        table = pa.table(columns, schema=_TEXTS)
        write_part(f"{self.directory}/{MADE}/{self.attempt}", block.part, table, _TEXTS)
        count("rows_written", table.num_rows)
        return block.part

    def _made(self, block: Block, entities: Entities) -> Iterator[tuple[object, ...]]:
        known = self.positives.read_queries(block, ["doc_ix", "own"])
        of_query, doc_ix = (known.column(n).to_numpy() for n in ("query_ix", "doc_ix"))
        own = known.column("own").to_numpy()
        rows = self.queries.read_rows(block, ["text", "query_key"])
        texts, keys = rows.column("text").to_pylist(), rows.column("query_key").to_numpy()
        drawn = mix(self.seed, _PROBED, keys) / 2.0**64
        share = self.config.probes / max(self.queries.rows, 1)
        store, doc_key = (
            binary_column(self.documents, "text"),
            array_column(self.documents, "doc_key"),
        )
        for at, query_ix in enumerate(range(block.start, block.stop)):
            mine = doc_ix[of_query == query_ix]
            whole = tuple(store.texts(mine))
            pair = mix(self.seed, keys[at], doc_key[mine])
            own_here = np.flatnonzero(own[of_query == query_ix])
            chosen = own_here[np.argsort(pair[own_here], kind="stable")][:_POSITIVES]
            asked = [Asked(texts[at], whole[i], whole, int(pair[i]), ratings()) for i in chosen]
            edits = [
                (int(mine[i]), edit)
                for i, one in zip(chosen, asked, strict=True)
                for edit in negatives_of(one, entities, self.config.operations)
            ]
            yield from _rows(query_ix, _first(edits, self.config.count), False)
            if drawn[at] < share and len(chosen):
                probes = [(int(mine[chosen[0]]), probe) for probe in probes_of(asked[0])]
                yield from _rows(query_ix, probes, True)

    def _place(self, _: bytes, parts: list[str]) -> int:
        """Give what was made positions and identifiers behind the corpus."""
        base = storage.rooted(self.directory)
        folder = base / MADE / self.attempt
        made, start = Dataset(str(folder)), self.documents.rows
        _copy_parts(self.documents, base / "all_documents")
        texts, ids = (
            array_column(self.documents, "text_key"),
            array_column(self.documents, "doc_key"),
        )
        inherited = {name: array_column(self.documents, name) for name in _INHERITED}
        evaluated = self._evaluation_keys()
        names = binary_column(self.documents, "doc_id")
        numbers: Counter[tuple[int, str]] = Counter()
        for part in sorted(parts):
            table = made.read_part(part)
            text_key, minhash = sketches(table.column("text").to_pylist())
            keep = table.column("probe").to_numpy() | ~np.isin(text_key, texts)
            table, text_key, minhash = table.filter(keep), text_key[keep], minhash[keep]
            positive_ix = table.column("positive_ix").to_numpy()
            operations = table.column("operation").to_pylist()
            called = []
            for name, at, operation in zip(
                names.texts(positive_ix), positive_ix.tolist(), operations, strict=True
            ):
                called.append(f"{name}#edited-{operation}-{numbers[at, operation]}")
                numbers[at, operation] += 1
            doc_key = text_keys(called)
            for at in np.flatnonzero(np.isin(doc_key, ids)):
                called[at] += "~"
            block = Block(start, start + table.num_rows)
            columns = {
                "doc_ix": np.arange(*block),
                "doc_id": called,
                "text": table.column("text"),
                "doc_key": text_keys(called),
                "text_key": text_key,
                "minhash": pa.FixedSizeBinaryArray.from_buffers(
                    tables.DOCUMENTS.field("minhash").type,
                    len(called),
                    [None, pa.py_buffer(np.ascontiguousarray(minhash))],
                ),
                **{name: column[positive_ix] for name, column in inherited.items()},
                "in_evaluation": inherited["in_evaluation"][positive_ix]
                | np.isin(text_key, evaluated),
            }
            if called:
                schema = tables.DOCUMENTS
                if has_languages(self.documents):
                    schema = tables.with_language(schema)
                    columns["language"] = language_column(self.documents, positive_ix)
                documents = pa.table(columns, schema=schema)
                write_part(str(base / "all_documents"), block.part, documents, schema)
            edits = table.append_column("doc_ix", pa.array(columns["doc_ix"], pa.int64()))
            edits = edits.select(tables.MADE_EDITS.names)
            write_part(str(base / "edits"), part, edits, tables.MADE_EDITS)
            start = block.stop
        storage.remove_attempt(folder)
        return start - self.documents.rows

    def _evaluation_keys(self) -> np.ndarray:
        try:
            keys = storage.read(storage.rooted(self.evaluation), pq.read_table)
            return np.asarray(keys.column("text_key").to_numpy())
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise StorageError(
                f"{self.evaluation} cannot be read ({str(error).splitlines()[0]}); remove "
                f"{Path(self.evaluation).parent} and run again to make it anew"
            ) from error


def _first(edits: list[tuple[int, Edit]], most: int) -> list[tuple[int, Edit]]:
    """As many edits as are wanted, each operation once before any comes again."""
    seen: Counter[str] = Counter()
    turns = []
    for place, (_, edit) in enumerate(edits):
        turns.append((seen[edit.operation], place))
        seen[edit.operation] += 1
    return [edits[place] for _, place in sorted(turns)[:most]]


def _rows(
    query_ix: int, edits: list[tuple[int, Edit]], probe: bool
) -> Iterator[tuple[object, ...]]:
    for positive_ix, edit in edits:
        rating = ratings().get(edit.original.casefold())
        span = (edit.start, edit.end, edit.original, edit.replacement, edit.occurrences)
        yield edit.text, query_ix, positive_ix, probe, edit.operation, *span, rating


def _copy_parts(documents: Dataset, folder: Path) -> None:
    """Have the parts of the corpus in another folder, as links where the disk has them."""
    documents.fetch()
    for name in documents.part_names():
        source = documents.directory / name

        def copy(path: str, source: Path = source) -> None:
            try:
                os.link(source, path)
            except OSError:
                shutil.copyfile(source, path)

        write_atomically(folder / name, copy)


@dataclass
class EditedCandidates(BlockTransform):
    """The edits of each query of a block that make its positives false, as `tables.CANDIDATES`."""

    edits: Dataset

    def table(self, block: Block) -> pa.Table:
        rows = self.edits.read_queries(block, ["doc_ix", "probe"])
        rows = rows.filter(~rows.column("probe").to_numpy())
        query_ix = rows.column("query_ix").to_numpy()
        rank = position_in_group(query_ix) + 1
        zeros = np.zeros(len(rank), dtype=np.float32)
        columns = [query_ix, rows.column("doc_ix").to_numpy(), rank.astype(np.int32), zeros]
        return pa.Table.from_arrays(list(map(pa.array, columns)), schema=tables.CANDIDATES)
