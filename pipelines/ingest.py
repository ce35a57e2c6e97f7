"""The input collection becomes documents, queries, positives and dead letters."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import apache_beam as beam

from negmine.schemas.inputs import Input
from negmine.transforms.ingesting.ingest import ReadSources, Resolve
from negmine.transforms.ingesting.raw import RAW
from negmine.transforms.readers import sources
from negmine.transforms.readers.rows import Source


@dataclass
class Ingest(beam.PTransform):
    """Read, resolve and write: `Pipeline -> PCollection[counts]`, the dict that counts.json holds.

    Raises DataError or ConfigError when it is applied, before anything runs, where the input is not
    there; the pipeline fails with DataError where it cannot be used.

    Attributes:
        config: the `input` section.
        seed: keys the choice of queries or functions where `limit` makes one.
        directory: the stage's folder; documents/, queries/, positives/, confirmed_negatives/,
            dead_letters/, evaluation_keys.parquet and counts.json are written into it. Any left
            from an unfinished attempt are replaced.
        block_size: rows of a part of documents and queries; cuts files, changes no row.
        memory: limit of DuckDB, which spills to the folder beyond it.
        sources: of the config, held to the digests that they were known by; None to look for them.
        attempt: names the folder of its raw parts, so that of two jobs at one collection neither
            removes what the other reads.
    """

    config: Input
    seed: int
    directory: str
    block_size: int = 8192
    memory: str = "2GB"
    sources: Sequence[Source] | None = None
    attempt: str = field(default_factory=lambda: uuid.uuid4().hex)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        found = sources(self.config) if self.sources is None else self.sources
        raw = f"{self.directory}/{RAW}/{self.attempt}"
        return (
            root
            | "ReadSources" >> ReadSources(found, self.config, self.seed, raw, self.block_size)
            | "Resolve" >> Resolve(self.config, self.directory, raw, self.block_size, self.memory)
        )
