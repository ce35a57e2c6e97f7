"""TREC qrels: query 0 document grade, a line a known positive; 1 where no grade is stated."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.retrieval.words import refuse_spaces
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import LINE, lines
from negmine.transforms.exporters.writing.files import LINE_ENDINGS

SUFFIX = ".qrels"
ENDINGS = LINE_ENDINGS
OPTIONS: frozenset[str] = frozenset()
TAKES_GRADES = True


def schema(rows: RunNegatives) -> pa.Schema:
    """Lines of four words."""
    return LINE


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line for every positive. Raises DataError for identifiers with spaces."""
    positives = block.positives
    query = np.repeat(np.arange(len(block.counts)), block.positive_counts)
    ids = positives["positive_id"].combine_chunks()
    refuse_spaces(block.query_ids, "query")
    refuse_spaces(ids, "document")
    grades = positives["grade"].combine_chunks().cast(pa.float32()).fill_null(1).to_numpy()
    whole = grades == np.round(grades)
    told = np.where(whole, grades.astype(np.int64).astype("U32"), grades.astype("U32"))
    words = pa.array(told, pa.large_string())
    yield lines(block.query_ids.take(pa.array(query)), " 0 ", ids, " ", words)
