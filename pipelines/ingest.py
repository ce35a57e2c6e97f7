"""The input collection becomes documents, queries, positives and dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam

from negmine.schemas.inputs import Input
from negmine.transforms.ingesting.ingest import ReadSources, Resolve
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
    """

    config: Input
    seed: int
    directory: str
    block_size: int = 8192
    memory: str = "2GB"
    sources: Sequence[Source] | None = None

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        found = sources(self.config) if self.sources is None else self.sources
        return (
            root
            | "ReadSources"
            >> ReadSources(found, self.config, self.seed, self.directory, self.block_size)
            | "Resolve" >> Resolve(self.config, self.directory, self.block_size, self.memory)
        )
