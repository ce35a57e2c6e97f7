"""For FlagEmbedding's rerankers: query, pos, neg, with scores and a prompt where asked for."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.formats.trainers import flagembedding
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives

SUFFIX = ".jsonl"
OPTIONS = frozenset({"scores", "prompt", "instruction"})
TAKES_GRADES = False
WEIGHTS_IN = flagembedding.WEIGHTS_IN


def _prompts(rows: RunNegatives) -> dict[str, str]:
    """The prompts of a line; its trainer reads them where it was given an instruction at all."""
    query = rows.options.prompt or rows.instruction
    return {"query_prompt": query} if query else {}


def schema(rows: RunNegatives) -> pa.Schema:
    """Fields of a line; it has no type, which is for embedders."""
    return flagembedding.fields_of(rows, _prompts(rows))


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative: the trainer divides by their number."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line for every query: all its positives, best first, and all its negatives."""
    yield flagembedding.lines(block, schema, _prompts(rows))
