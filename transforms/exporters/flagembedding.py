"""JSON Lines for FlagEmbedding: query, pos, neg, and what was asked for of scores, prompt, type."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from transforms.exporters.files import Written, replacing
from transforms.exporters.rows import Rows, group_bounds

SUFFIX = ".jsonl"
_LINE_BREAKS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\u0085": "\\u0085"}


def _line(record: dict[str, Any]) -> str:
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    for letter, escape in _LINE_BREAKS.items():
        if letter in text:
            text = text.replace(letter, escape)
    return text + "\n"


def _decimal(scores: np.ndarray) -> list[float]:
    """float32 scores as the shortest decimals that mean them."""
    return [float(text) for text in scores.astype(np.float32).astype("U32")]


def write(rows: Rows, path: Path) -> Written:
    """Write the file: one line a query, hardest negative first.

    A query without a negative is left out and counted: the trainer divides by their number.
    Scores are written for every line or for none.
    """
    options = rows.options
    written = Written()
    extra = {"prompt": options.prompt, "type": options.type}
    extra = {key: value for key, value in extra.items() if value is not None}
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        for block in rows.blocks():
            starts, counts = group_bounds(block)
            queries = block["query"].combine_chunks().take(starts).to_pylist()
            positives = block["positive"].combine_chunks().take(starts).to_pylist()
            negatives = block["negative"].to_pylist()
            scores = _decimal(block["score"].to_numpy()) if options.scores else []
            above = _decimal(block["positive_score"].to_numpy()[starts]) if options.scores else []
            for at, (start, count) in enumerate(zip(starts, counts, strict=True)):
                record: dict[str, Any] = {
                    "query": queries[at],
                    "pos": [positives[at]],
                    "neg": negatives[start : start + count],
                }
                if options.scores:
                    record["pos_scores"] = [above[at]]
                    record["neg_scores"] = scores[start : start + count]
                file.write(_line({**record, **extra}))
            written.rows += len(starts)
    written.queries = written.rows
    written.short = rows.total_queries - written.rows
    return written
