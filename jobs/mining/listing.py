"""The teacher lists of a run, where it has any."""

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.judging.judgement import KeyedJudge
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.stage import BlockStage
from negmine.schemas import tables
from negmine.transforms.choosing.lists import MakeLists
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.pairs.features import Collection


def lists_artifact(
    run: RunContext, verdicts: Dataset, made: KeyedJudge, collection: Collection
) -> Artifact:
    """Documents of every query over the whole range, all judged; `lists` must be set.

    A judge that reads pairs one by one is asked for those alone that it has not scored before.
    """
    settings = run.config.lists
    assert settings is not None
    size, seed = settings.size, run.config.seed

    def make(directory: str, blocks: Blocks) -> BlockStage:
        lists = MakeLists(verdicts, collection, made.judge, size, seed)
        asks, schema = made.judge.lazy, tables.LISTED
        return BlockStage("MakeLists", lists, directory, blocks, schema, hinted=asks)

    key = {
        "verdicts": verdicts.manifest()["fingerprint"],
        "judge": made.key,
        "size": size,
        "seed": seed,
    }
    return Artifact("lists", key, run.rows("queries"), make)
