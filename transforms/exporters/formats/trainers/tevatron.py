"""For Tevatron: query_id, query, positive_passages, negative_passages, a line a query."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import list_field, nested, structs, text_field

SUFFIX = ".jsonl"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = False
WEIGHTS_IN = "weight of a negative passage, which its own loss does not read"


def schema(rows: RunNegatives) -> pa.Schema:
    """Fields of a line; passages are docid, text and, where asked for, score.

    There is no title: it stands before the text already, and the trainer would put it there again.
    """
    fields = [("docid", pa.large_string()), ("text", pa.large_string())]
    if rows.options.scores:
        fields.append(("score", pa.float32()))
    passage = [pa.field(name, kind, nullable=False) for name, kind in fields]
    below = [*passage, pa.field("weight", pa.float32(), nullable=False)]
    passages = [
        list_field("positive_passages", pa.struct(passage)),
        list_field("negative_passages", pa.struct(below if rows.weighted else passage)),
    ]
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
        if rows.weighted and name == "negative":
            made["weight"] = table["weight"]
        columns.append(nested(structs(**made), bounds))
    yield pa.Table.from_arrays(columns, schema=schema)
