"""Pairs of query and positive text; identifiers are hashes of the texts."""

import hashlib
from collections.abc import Iterator
from typing import Any

from schemas.inputs import PairsInput
from transforms.readers.columns import check_columns, json_rows, table_rows
from transforms.readers.lines import decoded, line_cap, lines
from transforms.readers.paths import evaluation_sources, file_sources, kind_of_file
from transforms.readers.rows import Document, Judgement, Query, Rejected, Row, Source, bad, joined

_KINDS = ("jsonl", "tsv", "parquet")


def text_id(text: str) -> str:
    """Identifier of a text that has none: 20 hex digits (80 bits) of its BLAKE2b hash."""
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def sources(config: PairsInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path or column that is missing, ConfigError where pairs of the
    evaluation are mined.
    """
    found = file_sources("pairs", config.path, "path", _KINDS)
    if config.pool is not None:
        found += file_sources("documents", config.pool, "pool", _KINDS)
    key = "evaluation_pairs"
    found += evaluation_sources("pairs", config.evaluation_pairs, key, _KINDS, found)
    for source in found:
        if kind_of_file(source.path) == "parquet":
            check_columns(source.path, _wanted(source, config))
    return found


def _wanted(source: Source, config: PairsInput) -> list[str]:
    return [config.query, config.positive] if source.kind == "pairs" else [config.pool_text]


def read(source: Source, config: PairsInput, seed: int) -> Iterator[Row]:
    """A query, a document and a judgement for each pair; a document for each row of the pool."""
    limit = config.max_text_bytes
    for line, values, raw in _raw_rows(source, config):
        try:
            if isinstance(values, Rejected):
                raise values
            if source.kind == "documents":
                text = joined(values[0], None, limit)
                yield Document(line, text_id(text), text)
                continue
            query = joined(values[0], None, limit, "query")
            positive = joined(values[1], None, limit, "positive")
        except Rejected as why:
            yield bad(line, "qrels" if source.kind == "pairs" else source.kind, why, raw)
            continue
        query_id, doc_id = text_id(query), text_id(positive)
        yield Query(line, query_id, query)
        yield Document(line, doc_id, positive)
        yield Judgement(line, query_id, doc_id, 1.0)


def _raw_rows(
    source: Source, config: PairsInput
) -> Iterator[tuple[int, list[Any] | Rejected, Any]]:
    wanted = _wanted(source, config)
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    kind = kind_of_file(source.path)
    if kind == "parquet":
        for line, values in table_rows(source.path, wanted, most, source.digest):
            yield line, values, values
    elif kind == "tsv":
        yield from _delimited(source, len(wanted), cap, most)
    else:
        yield from json_rows(source, wanted, cap, most)


def _delimited(
    source: Source, width: int, cap: int, most: int | None
) -> Iterator[tuple[int, list[Any] | Rejected, bytes]]:
    for number, data, size in lines(source.path, cap, most, source.digest):
        try:
            columns = decoded(data, size).split("\t")
        except Rejected as why:
            yield number, why, data
            continue
        if len(columns) < width:
            short = Rejected("wrong_columns", f"{len(columns)} columns, expected {width}")
            yield number, short, data
        else:
            yield number, columns[:width], data
