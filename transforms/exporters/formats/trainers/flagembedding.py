"""For FlagEmbedding: query, pos, neg, and what was asked for of scores, prompt, type."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import grouped, list_field, repeated, text_field

SUFFIX = ".jsonl"
OPTIONS = frozenset({"scores", "prompt", "type", "instruction"})
TAKES_GRADES = False
WEIGHTS_IN = "neg_weights, which its own loss does not read"


def _fixed(rows: RunNegatives) -> dict[str, str]:
    """What is the same in every line: the prompt that goes before the query, and the type."""
    fixed = {"prompt": rows.options.prompt or rows.instruction, "type": rows.options.type}
    return {name: text for name, text in fixed.items() if text}


def schema(rows: RunNegatives) -> pa.Schema:
    """Fields of a line. Scores are written for every line or for none."""
    return fields_of(rows, _fixed(rows))


def fields_of(rows: RunNegatives, fixed: Mapping[str, str]) -> pa.Schema:
    """Fields of a line, and those that are the same in all."""
    fields = [text_field("query"), list_field("pos"), list_field("neg")]
    if rows.options.scores:
        fields += [list_field(name, pa.float32()) for name in ("pos_scores", "neg_scores")]
    if rows.weighted:
        fields.append(list_field("neg_weights", pa.float32()))
    return pa.schema([*fields, *map(text_field, fixed)])


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative: the trainer divides by their number."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line for every query: all its positives, best first, and all its negatives."""
    yield lines(block, schema, _fixed(rows))


def lines(block: QueryBlock, schema: pa.Schema, fixed: Mapping[str, str]) -> pa.Table:
    """The lines of a block."""
    columns = {
        "query": block.texts,
        "pos": grouped(block.positives, block.positive_bounds, "positive"),
        "neg": grouped(block.negatives, block.negative_bounds, "negative"),
        "pos_scores": grouped(block.positives, block.positive_bounds, "score"),
        "neg_scores": grouped(block.negatives, block.negative_bounds, "score"),
        "neg_weights": grouped(block.negatives, block.negative_bounds, "weight"),
        **{name: repeated(text, len(block.texts)) for name, text in fixed.items()},
    }
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
