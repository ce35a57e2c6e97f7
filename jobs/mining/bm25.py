"""The BM25 index of a run's corpus, and the scores it gives pairs."""

import apache_beam as beam

from negmine.jobs.mining.context import RunContext
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.graph import STAGES
from negmine.schemas.sources import Bm25
from negmine.transforms.sources.bm25 import Bm25Index, Bm25Scorer, IndexDocuments


def bm25_artifact(run: RunContext, language: str | None) -> Artifact:
    """The index of the corpus for a language; k1, b and method play no part."""

    def make(directory: str, _: Blocks) -> beam.PTransform:
        documents = run.texts["documents"]
        blocks = tuple(documents.blocks())
        index = Bm25Index(directory, run.rows("documents"))
        return IndexDocuments(documents, language, blocks, index)

    key = {"documents": run.text_key("documents"), "language": language}
    several = STAGES["bm25_index"].writes
    return Artifact("bm25_index", key, 0, make, label="index bm25", several=several)


def bm25_index(run: RunContext, language: str | None) -> Bm25Index:
    """That index, made or reused."""
    first = run.work.make_or_reuse(bm25_artifact(run, language))
    return Bm25Index(str(first.directory.parent), run.rows("documents"))


def bm25_scorer(run: RunContext) -> Bm25Scorer:
    """BM25 scores of given pairs, with the source's settings or, where it is off, the defaults."""
    config = run.config.sources.bm25 or Bm25()
    return Bm25Scorer(bm25_index(run, config.language), config)
