"""Pairs of query and positive text, or texts; identifiers are hashes of the texts."""

import hashlib
from collections.abc import Iterator, Sequence

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, PairsInput
from negmine.transforms.readers.columns import ANY, check_order, text_of
from negmine.transforms.readers.paths import Kinds, evaluation_sources, file_sources
from negmine.transforms.readers.rows import (
    Document,
    Judgement,
    Query,
    Rejected,
    Row,
    Source,
    bad,
    joined,
)
from negmine.transforms.readers.tables.columnar import require_values, schema_of, table_rows
from negmine.transforms.readers.tables.delimited import head, shown
from negmine.transforms.readers.tables.headers import (
    Layout,
    find_layout,
    header_of,
    is_number,
    placed,
)
from negmine.transforms.readers.tables.json_objects import keys, objects
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import USUAL, required, usual
from negmine.transforms.storage.suffixes import kind_of_file

_KINDS = Kinds(ANY, ANY)
_TEXTS = ("text", "document_text", "passage", "contents", "content", "body")
_POSITIONAL = {"pairs": Layout(False, (0, 1), 2, 3), "documents": Layout(False, (0,), 1, 1)}
_ROLES = {"pairs": ("query", "positive"), "documents": ("pool_text",)}


def text_id(text: str) -> str:
    """Identifier of a text that has none: 20 hex digits (80 bits) of its BLAKE2b hash."""
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def sources(config: PairsInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path, column or header that is missing or not known, ConfigError where
    pairs of the evaluation are mined.
    """
    found = file_sources("pairs", config.path, "path", _KINDS)
    if config.pool is not None:
        found += file_sources("documents", config.pool, "pool", _KINDS)
    key = "evaluation_pairs"
    found += evaluation_sources("pairs", config.evaluation_pairs, key, _KINDS, found)
    layouts: dict[Source, Layout] = {}
    for source in found:
        if kind_of_file(source.path) not in ("csv", "tsv"):
            _columns(source, config)
        else:
            layouts[source] = _layout(source, config)
    texts = [source for source in layouts if source.kind == "pairs"]
    check_order(texts, [layouts[source] for source in texts], "path")
    return found


def _columns(source: Source, config: PairsInput) -> list[str]:
    """The columns to read of a JSON, Parquet or Arrow file. Raises DataError: one is missing."""
    if kind_of_file(source.path) == "jsonl":
        names = keys(source.path, line_cap(config.max_text_bytes), config.max_unpacked_bytes)
        if not names:
            return [USUAL[role][0] for role in _ROLES[source.kind]]
        return _wanted(source, config, names)
    schema = schema_of(source.path)
    wanted = _wanted(source, config, schema.names)
    require_values(source.path, schema, wanted, wanted[1:])
    return wanted


def _wanted(source: Source, config: PairsInput, names: Sequence[str]) -> list[str]:
    return [
        required(source.path, names, role, getattr(config, role)) for role in _ROLES[source.kind]
    ]


def _layout(source: Source, config: PairsInput) -> Layout:
    """How a CSV or TSV file is read."""

    def named(names: Sequence[str]) -> list[str | None] | None:
        set_ = [getattr(config, role) for role in _ROLES[source.kind]]
        found = [
            usual(role, names) if name == AUTO else name if name in names else None
            for role, name in zip(_ROLES[source.kind], set_, strict=True)
        ]
        return None if None in found or len(set(found)) < len(found) else found

    key = "path" if source.kind == "pairs" else "pool"
    first, following = head(text_of(source, config))
    layout = find_layout(
        source.path,
        key,
        first,
        following,
        header_of(config.header, key),
        _ROLES[source.kind],
        named,
        _POSITIONAL[source.kind],
    )
    if first is not None and not layout.skip:
        _check_widths(source, [first, *following])
    return layout


def _check_widths(source: Source, rows: Sequence[list[str]]) -> None:
    """Raise DataError where, without a header, it is open which of the columns hold the texts."""
    if source.kind == "documents" and all(len(row) > 1 for row in rows):
        raise DataError(
            f"input.pool: {source.path} has {len(rows[0])} columns and no header ({shown(rows[0])})"
            "; give it a header that names the column text, or leave that column alone in it"
        )
    whole = [row for row in rows if len(row) > 1]
    if source.kind == "pairs" and whole:
        wide = all(len(row) > 2 for row in whole)
        numbers = all(is_number(row[0]) or (wide and is_number(row[1])) for row in whole)
        if (numbers and (wide or len(whole) > 2)) or all(len(row) > 3 for row in whole):
            raise DataError(
                f"input.path: {source.path} has {len(whole[0])} columns and no header "
                f"({shown(whole[0])}), and the first two are not query and positive; give it a "
                "header that names them query and positive"
            )


def read(source: Source, config: PairsInput, seed: int) -> Iterator[Row]:
    """A query, a document and a judgement for each pair; a document for each row of the pool."""
    limit = config.max_text_bytes
    for line, values, raw in _raw_rows(source, config):
        kind = "qrels" if source.kind == "pairs" else source.kind
        try:
            if isinstance(values, Rejected):
                raise values
            if source.kind == "documents":
                text = joined(values[0], None, limit)
                yield Document(line, text_id(text), text)
                continue
            query = joined(values[0], None, limit, "query")
            positives = _positives(values[1])
        except Rejected as why:
            yield bad(line, kind, why, raw)
            continue
        query_id = text_id(query)
        seen: set[str] = set()
        for what, given in positives:
            try:
                positive = _positive(given, limit, what)
            except Rejected as why:
                yield bad(line, kind, why, raw)
                continue
            doc_id = text_id(positive)
            # Of a line each text once: where it stands tells it from the same text elsewhere.
            if not seen:
                yield Query(line, query_id, query)
            if doc_id not in seen:
                yield Document(line, doc_id, positive)
            seen.add(doc_id)
            yield Judgement(line, query_id, doc_id, None)


def _positives(value: object) -> list[tuple[str, object]]:
    """What each positive is called and its value; null and NaN pad a list and are no positives.

    Raises Rejected for a list without any.
    """
    if not isinstance(value, list):
        return [("positive", value)]
    found = [
        (f"positive {at} of {len(value)}", given)
        for at, given in enumerate(value, 1)
        if given is not None and given == given
    ]
    if not found:
        raise Rejected("empty_list", "positive is a list without a text")
    return found


def _positive(value: object, limit: int, what: str) -> str:
    """A positive's text: a text, or an object with a text and maybe a title. Raises Rejected."""
    if not isinstance(value, dict):
        return joined(value, None, limit, what)
    name = next((name for name in _TEXTS if value.get(name) is not None), None)
    if name is None:
        raise Rejected("missing", f"{what} is an object without a text ({', '.join(_TEXTS)})")
    return joined(value[name], value.get("title"), limit, what)


def _raw_rows(
    source: Source, config: PairsInput
) -> Iterator[tuple[int, list[object] | Rejected, object]]:
    kind = kind_of_file(source.path)
    if kind in ("csv", "tsv"):
        yield from placed(text_of(source, config), _layout(source, config))
        return
    wanted = _columns(source, config)
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    if kind == "jsonl":
        for line, record, data in objects(source.path, cap, most, source.digest):
            if isinstance(record, Rejected):
                yield line, record, data
            else:
                yield line, [record.get(name) for name in wanted], data
    else:
        for line, values in table_rows(source.path, wanted, most, wanted[1:], source.digest):
            yield line, values, values
