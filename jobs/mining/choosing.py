"""The verdicts of a run, and the sets that they make up."""

from negmine.jobs.mining.context import RunContext
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.stage import BlockStage
from negmine.schemas import tables
from negmine.schemas.selection import Selection
from negmine.transforms.choosing.score import ScoreSets
from negmine.transforms.choosing.select import SelectNegatives
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.pairs.features import Collection

SHARED = 256
"""Queries whose verdicts take a worker some tenths of a second."""


def verdicts_artifact(
    run: RunContext, judged: Dataset, selection: Selection, collection: Collection
) -> Artifact:
    """Every candidate with its verdict and tier."""

    def make(directory: str, blocks: Blocks) -> BlockStage:
        select = SelectNegatives(judged, selection, collection)
        return BlockStage("SelectNegatives", select, directory, blocks, tables.VERDICTS)

    key = {"judged": judged.manifest()["fingerprint"], **selection.key()}
    return Artifact("select", key, run.rows("queries"), make, shared=SHARED)


def sets_artifact(run: RunContext, verdicts: Artifact, collection: Collection) -> Artifact:
    """One row a query, counts and ECI: each block is made of the same block of verdicts."""
    directory, fingerprint = run.work.path(verdicts.stage, verdicts.key)
    tiers = run.config.tiers

    def make(place: str, blocks: Blocks) -> BlockStage:
        score = ScoreSets(Dataset(str(directory)), collection, dict(tiers))
        return BlockStage("ScoreSets", score, place, blocks, tables.SETS)

    key = {"verdicts": fingerprint}
    return Artifact("score", key, run.rows("queries"), make, follows=True, shared=SHARED)
