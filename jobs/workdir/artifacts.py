"""What a stage asks of the work directory, and where that lies."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from negmine.schemas import JsonObject
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset

if TYPE_CHECKING:
    import apache_beam as beam


Blocks: TypeAlias = tuple[Block, ...]
Make: TypeAlias = Callable[[str, Blocks], "beam.PTransform"]
"""From an artifact's directory and the blocks that are missing to the transform that makes them."""


@dataclass(frozen=True, eq=False)
class Artifact:
    """What a stage asks of the work directory.

    Attributes:
        stage: of `pipelines.graph`.
        key: everything that decides the content, as JSON values.
        rows: positions to cut into blocks.
        make: gives the transform that makes the parts.
        label: what to show while it runs, and its name in the pipeline; the stage's unless given.
        details: put into the manifest; or what finds them in the parts that were made.
        at_once: blocks of a pipeline, which follow one another; None = one of all blocks.
        block_size: rows in a block; None = the run's.
        several: names of the data sets, where it is more than one; these have no blocks here.
        scratch: folder, in that of the artifact, where each attempt to make it has a folder of its
            own, named `WorkDirectory.attempt`, of what goes when it is there.
        follows: whether each of its blocks is made of the same block of the artifact before it.
        waits: whether it is made when all of the artifacts before it are there; `make` gives a
            stage that waits.
        shared: rows that a block has at least when it is made smaller, so that each of several
            workers has several blocks; None where no workers share them out.
    """

    stage: str
    key: JsonObject
    rows: int
    make: Make
    label: str = ""
    details: JsonObject | Callable[[Dataset], JsonObject] | None = None
    at_once: int | None = None
    block_size: int | None = None
    several: tuple[str, ...] = ()
    scratch: str = ""
    follows: bool = False
    waits: bool = False
    shared: int | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """Where an artifact is, and what it consists of."""

    artifact: Artifact
    directory: Path
    fingerprint: str

    @property
    def name(self) -> str:
        return self.artifact.label or self.artifact.stage

    @property
    def datasets(self) -> list[Dataset]:
        several = self.artifact.several
        folders = [self.directory / name for name in several] if several else [self.directory]
        return [Dataset(str(folder)) for folder in folders]

    @property
    def finished(self) -> bool:
        return all(dataset.finished for dataset in self.datasets)

    def finish(self) -> None:
        artifact = self.artifact
        if artifact.several:
            for name, dataset in zip(artifact.several, self.datasets, strict=True):
                dataset.finish(fingerprint=f"{self.fingerprint}/{name}", stage=artifact.stage)
            return
        (dataset,) = self.datasets
        details = artifact.details
        more = details(dataset) if callable(details) else details or {}
        own = {"stage": artifact.stage, "key": artifact.key, **more}
        dataset.finish(fingerprint=self.fingerprint, **own)
