"""The artifact of the texts that are made from positives, and what is published of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.graph import STAGES
from negmine.schemas import tables
from negmine.schemas.sources import Edited
from negmine.transforms.choosing.publish import QUERIES_PER_PART
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.ingesting.ingest import KEYS
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.concreteness import ratings_version
from negmine.transforms.sources.edited import MADE, QUERIES_AT_ONCE, EditDocuments


def edits_artifact(
    ingested: Mapping[str, Dataset], config: Edited, seed: int, attempt: str
) -> Artifact:
    """The corpus with what was made behind it, and the edits; see `EditDocuments`."""
    names = ("documents", "queries", "positives")
    sets = [ingested[name] for name in names]
    key = {
        "config": config.model_dump(mode="json"),
        "seed": seed,
        "ratings": ratings_version(),
        **{name: ingested[name].manifest()["fingerprint"] for name in names},
    }

    evaluation = str(ingested["documents"].directory.parent / KEYS)

    def make(directory: str, _: Blocks) -> EditDocuments:
        blocks = plan_blocks(ingested["queries"].rows, QUERIES_AT_ONCE)
        return EditDocuments(config, seed, *sets, evaluation, directory, blocks, attempt)

    several = STAGES["edit"].writes
    return Artifact("edit", key, 0, make, several=several, scratch=MADE)


def publish_edits(edits: Dataset, collection: Collection, texts: bool, folder: Path) -> None:
    """Write `edits/` of a run, `tables.EDITS`, in parts of as many queries as its others."""
    for block in plan_blocks(collection.queries.rows, QUERIES_PER_PART):
        rows = edits.read_queries(block)
        schema = tables.EDITS if texts else pa.schema(list(tables.EDITS)[:-1])
        table = pa.table(dict(_columns(rows, collection, block, texts)), schema=schema)
        write_part(str(folder / "edits"), block.part, table, schema, dictionary=True)


def _columns(
    rows: pa.Table, collection: Collection, block: Block, texts: bool
) -> Iterator[tuple[str, object]]:
    query_ix, doc_ix, positive_ix = (
        rows.column(name).to_numpy() for name in ("query_ix", "doc_ix", "positive_ix")
    )
    names = binary_column(collection.documents, "doc_id")
    yield "negative_id", names.take(doc_ix).cast(pa.string())
    queries = binary_column(collection.queries, "query_id")
    yield "query_id", queries.take(query_ix).cast(pa.string())
    yield "positive_id", names.take(positive_ix).cast(pa.string())
    for name in ("probe", *(field.name for field in tables.EDIT)):
        yield name, rows.column(name)
    for name, ix in (("dense_score", doc_ix), ("positive_dense_score", positive_ix)):
        scores = collection.similarity(query_ix, ix)
        yield name, pa.array(scores, pa.float32(), mask=np.isnan(scores))
    if texts:
        yield "text", binary_column(collection.documents, "text").take(doc_ix)
