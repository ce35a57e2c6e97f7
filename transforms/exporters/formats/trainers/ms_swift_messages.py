"""What ms-swift's two formats share: a query and documents as messages, the instruction before."""

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import nested, repeated, structs

MESSAGE = pa.struct(
    [pa.field(name, pa.large_string(), nullable=False) for name in ("role", "content")]
)
_SOME = pa.list_(MESSAGE)
SCHEMA = pa.schema(
    [
        pa.field("messages", _SOME, nullable=False),
        pa.field("positive_messages", pa.list_(_SOME), nullable=False),
        pa.field("negative_messages", pa.list_(_SOME), nullable=False),
    ]
)


def asked(texts: pa.Array, instruction: str) -> pa.Array:
    """Queries as messages of a user, (r,) lists; the instruction is a system message before."""
    user = structs(role=repeated("user", len(texts)), content=texts)
    if not instruction:
        return nested(user, np.arange(len(texts) + 1))
    count = len(texts)
    system = structs(role=repeated("system", count), content=repeated(instruction, count))
    both = pa.concat_arrays([system, user]).take(
        pa.array(np.column_stack([np.arange(count), count + np.arange(count)]).ravel())
    )
    return nested(both, 2 * np.arange(count + 1))


def documents(texts: pa.Array, role: str, bounds: np.ndarray) -> pa.Array:
    """Documents as conversations of one message, (r,) lists of them; `bounds` (r + 1,)."""
    single = structs(role=repeated(role, len(texts)), content=texts)
    return nested(nested(single, np.arange(len(texts) + 1)), bounds)


def table(
    rows: RunNegatives,
    block: QueryBlock,
    picks: tuple[np.ndarray, np.ndarray, np.ndarray],
    role: str,
) -> pa.Table:
    """Rows of a positive each, `picks` = query (r,), positive (r,), negatives of each (r,)."""
    query, positive, count = picks
    ends = np.cumsum(count)
    negative = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
        block.starts[query] - (ends - count), count
    )
    above = block.positives["positive"].combine_chunks().take(pa.array(positive))
    below = block.negatives["negative"].combine_chunks().take(pa.array(negative))
    columns = [
        asked(block.texts.take(pa.array(query)), rows.instruction),
        documents(above, role, np.arange(len(query) + 1)),
        documents(below, role, np.r_[0, ends]),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def cut(rows: RunNegatives, block: QueryBlock, most: int | None) -> np.ndarray:
    """Negatives of each query that a row takes, (q,); what is beyond `most` is counted."""
    counts = block.counts if most is None else np.minimum(block.counts, most)
    rows.details["negatives_beyond_n"] = rows.details.get("negatives_beyond_n", 0) + int(
        (block.counts - counts).sum()
    )
    return counts
