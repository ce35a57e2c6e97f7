"""For Tevatron: query_id, query, positive_passages, negative_passages, a line a query."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import list_field, nested, structs, text_field

SUFFIX = ".jsonl"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = False


def schema(rows: RunNegatives) -> pa.Schema:
    """Fields of a line; passages are docid, text and, where asked for, score.

    There is no title: it stands before the text already, and the trainer would put it there again.
    """
    fields = [("docid", pa.large_string()), ("text", pa.large_string())]
    if rows.options.scores:
        fields.append(("score", pa.float32()))
    passage = pa.struct([pa.field(name, kind, nullable=False) for name, kind in fields])
    passages = [list_field(f"{name}_passages", passage) for name in ("positive", "negative")]
    return pa.schema([text_field("query_id"), text_field("query"), *passages])


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative: the trainer draws from them."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line for every query: all its positives, best first, and all its negatives."""
    columns = [block.query_ids, block.texts]
    for name, table, bounds in (
        ("positive", block.positives, block.positive_bounds),
        ("negative", block.negatives, block.negative_bounds),
    ):
        made = {"docid": table[f"{name}_id"], "text": table[name]}
        if rows.options.scores:
            made["score"] = table["score"]
        columns.append(nested(structs(**made), bounds))
    yield pa.Table.from_arrays(columns, schema=schema)
