"""A TREC run: query Q0 document rank score tag, a line a document, the highest score first."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.retrieval.words import refuse_spaces
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import LINE, as_text, lines
from negmine.transforms.exporters.writing.files import LINE_ENDINGS

SUFFIX = ".run"
ENDINGS = LINE_ENDINGS
OPTIONS: frozenset[str] = frozenset()
TAKES_GRADES = False
SCORED = True


def schema(rows: RunNegatives) -> pa.Schema:
    """Lines of six words."""
    return LINE


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line for every positive and negative of a query. Raises DataError for ids with spaces."""
    found = block.documents("score")
    refuse_spaces(block.query_ids, "query")
    refuse_spaces(found.table["id"].combine_chunks(), "document")
    scores = found.table["score"].combine_chunks().to_numpy()
    yield lines(
        block.query_ids.take(pa.array(found.query)),
        " Q0 ",
        found.table["id"].combine_chunks(),
        " ",
        as_text(found.place + np.int64(1)),
        " ",
        as_text(scores),
        " negmine",
    )
