"""Pairs of query and positive text, or texts, in files; identifiers are hashes of the texts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, PairsInput
from negmine.transforms.readers.columns import ANY, check_order, text_of
from negmine.transforms.readers.label_values import refuse_classes
from negmine.transforms.readers.pairs.columns import (
    PairColumns,
    check_kept,
    named_columns,
    pair_columns,
    pool_columns,
    unread_labels,
    usual_columns,
)
from negmine.transforms.readers.pairs.rows import pair_rows
from negmine.transforms.readers.pairs.titles import are_read, form_of
from negmine.transforms.readers.paths import Kinds, evaluation_sources, file_sources
from negmine.transforms.readers.rows import Document, Rejected, Row, Source, bad, joined, text_id
from negmine.transforms.readers.tables.classes import classes_of, names_at
from negmine.transforms.readers.tables.columnar import is_list, require_values, schema_of
from negmine.transforms.readers.tables.delimited import head, shown
from negmine.transforms.readers.tables.headers import (
    Layout,
    find_layout,
    header_of,
    is_number,
    placed,
)
from negmine.transforms.readers.tables.json_objects import keys
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import USUAL, usual
from negmine.transforms.readers.tables.nested import Path
from negmine.transforms.readers.tables.values import raw_values
from negmine.transforms.storage.suffixes import kind_of_file

_KINDS = Kinds(ANY, ANY)
_LOOKED = 100
"""Files of pairs whose positives are looked at."""

_POSITIONAL = {"pairs": Layout(False, (0, 1), 2, 3), "documents": Layout(False, (0,), 1, 1)}
_ROLES = {"pairs": ("query", "positive"), "documents": ("pool_text",)}


def sources(config: PairsInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path, column or header that is missing or not known, ConfigError where
    pairs of the evaluation are mined.
    """
    found = file_sources("pairs", config.path, "path", _KINDS)
    key = "evaluation_pairs"
    kept = evaluation_sources("pairs", config.evaluation_pairs, key, _KINDS, found)
    if config.pool is not None:
        found += _pool(config, [*found, *kept])
    found += kept
    layouts: dict[Source, Layout] = {}
    for source in found:
        if kind_of_file(source.path) not in ("csv", "tsv"):
            _columns(source, config)
        else:
            layouts[source] = _layout(source, config)
    texts = [source for source in layouts if source.kind == "pairs"]
    check_order(texts, [layouts[source] for source in texts], "path")
    if kept:
        check_kept(config, _names(found[0], config), [(s.path, _names(s, config)) for s in kept])
    return found


def _pool(config: PairsInput, pairs: Sequence[Source]) -> list[Source]:
    """The sources of the pool, with titles where the positives of `pairs` have them."""
    found = file_sources("documents", str(config.pool), "pool", _KINDS)
    if config.pool_title != AUTO:
        return found
    titles = [usual("doc_title", _names(source, config)) for source in found]
    title = next((name for name in titles if name), None)
    if title is None and not any(kind_of_file(source.path) == "jsonl" for source in found):
        return found
    forms = [(source.path, form_of(*_rows(source, config))) for source in pairs[:_LOOKED]]
    if title is None:  # Later objects may have one.
        titled = {form for _, form in forms if form} == {"titled"}
    else:
        titled = are_read(forms, str(config.pool), title)
    return [replace(source, titled=titled) for source in found]


def _names(source: Source, config: PairsInput) -> list[str]:
    """The names of a file's columns; of a text without a header the fields of its first line."""
    kind = kind_of_file(source.path)
    if kind == "jsonl":
        return keys(source.path, line_cap(config.max_text_bytes), config.max_unpacked_bytes)
    if kind in ("csv", "tsv"):
        return [field.strip() for field in head(text_of(source, config), 0)[0] or ()]
    return list(schema_of(source.path).names)


def _columns(source: Source, config: PairsInput) -> PairColumns:
    """The columns to read of a JSON, Parquet or Arrow file; of a pool the text stands for the
    query, and the title for the positive. Raises DataError: one is missing."""
    if kind_of_file(source.path) == "jsonl":
        return _wanted(source, config, _names(source, config))
    schema = schema_of(source.path)
    wanted = _wanted(source, config, schema.names)
    require_values(source.path, schema, wanted.names, _listed(source, schema, wanted))
    if source.kind == "pairs":
        unread_labels(source.path, config, wanted).schema(schema)
    if wanted.label is not None:
        found = names_at(classes_of(schema.metadata), *wanted.label)
        refuse_classes(source.path, "label", str(config.label), found)
    return wanted


def _wanted(source: Source, config: PairsInput, names: Sequence[str]) -> PairColumns:
    if source.kind == "documents":
        if not names:
            return PairColumns(Path(USUAL["pool_text"][0]), ())
        text, title = pool_columns(source.path, names, config, source.titled)
        return PairColumns(text, (Path(title),) if title else ())
    kept = source.evaluation
    return pair_columns(config, names, source.path, kept) if names else usual_columns(config)


def _listed(source: Source, schema: pa.Schema, wanted: PairColumns) -> list[str]:
    """Columns that may hold lists and objects: all but a query that is named as a whole.

    A query may be a conversation.
    """
    plain = source.kind == "pairs" and not wanted.query.steps
    names = wanted.names[1:] if plain else wanted.names
    return [*names, wanted.query.column] if plain and _talks(schema, wanted.query.column) else names


def _talks(schema: pa.Schema, name: str) -> bool:
    """Whether a column holds conversations."""
    kind = schema.field(name).type if name in schema.names else pa.null()
    value = kind.value_type if is_list(kind) else pa.null()
    return pa.types.is_struct(value) and {"role", "content"} <= {field.name for field in value}


def _layout(source: Source, config: PairsInput) -> Layout:
    """How a CSV or TSV file is read."""

    def named(names: Sequence[str]) -> Sequence[str | None] | None:
        if source.kind == "pairs":
            return named_columns(config, names, source.evaluation)
        try:
            text, title = pool_columns(source.path, names, config, source.titled)
            return [text.column, title]
        except DataError:
            return None

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
        _check_widths(source, [first, *following], config)
    if source.kind == "pairs":
        _check_named(source, config, _by_name(source, config, layout, first))
    return layout


def _by_name(
    source: Source, config: PairsInput, layout: Layout, first: list[str] | None
) -> PairColumns | None:
    """The columns of a file that is read by its header; None where their order says it."""
    names = [field.strip() for field in first or ()]
    found = named_columns(config, names, source.evaluation) if layout.skip else None
    same = found is not None and layout.at == tuple(map(names.index, found))
    return pair_columns(config, names, source.path, source.evaluation) if same else None


def _check_named(source: Source, config: PairsInput, found: PairColumns | None) -> None:
    """Raise DataError where a column is named that only a header could say."""
    several = isinstance(config.positive, tuple)
    labelled = config.label is not None and config.label != AUTO
    if found is None and (several or config.negative is not None or labelled):
        named = "positive" if several else "negative" if config.negative is not None else "label"
        raise DataError(
            f"{source.path} is read without names of columns, so input.{named} cannot be found in "
            "it; give it a header that has the name"
        )


def _check_widths(source: Source, rows: Sequence[list[str]], config: PairsInput) -> None:
    """Raise DataError where, without a header, it is open what the columns hold."""
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
        if wide and config.label == AUTO and all(is_number(row[2]) for row in whole):
            raise DataError(
                f"input.path: {source.path} has no header and numbers in its third column "
                f"({shown(whole[0])}), which may say which pairs are positives; give it a header "
                "such as query, positive, label and set input.label, or set input.label: null "
                "where every pair is one"
            )


def read(source: Source, config: PairsInput, seed: int) -> Iterator[Row]:
    """The rows of each line of pairs, see `pair_rows`; a document for each row of the pool."""
    limit = config.max_text_bytes
    columns, rows = _rows(source, config)
    kind = "qrels" if source.kind == "pairs" else source.kind
    unread = unread_labels(source.path, config, columns)
    for line, values, raw in rows:
        if isinstance(values, Rejected):
            yield bad(line, kind, values, raw)
        elif source.kind == "pairs":
            unread.values(line, values)
            yield from pair_rows(line, values, raw, columns, config)
        else:
            try:
                title = values[1] if len(values) > 1 else None
                text = joined(columns.query.of(values[0]), title, limit)
            except Rejected as why:
                yield bad(line, kind, why, raw)
                continue
            yield Document(line, text_id(text), text)


def _rows(
    source: Source, config: PairsInput
) -> tuple[PairColumns, Iterator[tuple[int, list[object] | Rejected, object]]]:
    """The columns of a file, and the values of them in each of its rows."""
    if kind_of_file(source.path) not in ("csv", "tsv"):
        columns = _columns(source, config)
        nested = kind_of_file(source.path) != "jsonl"
        schema = schema_of(source.path) if nested else None
        listed = _listed(source, schema, columns) if nested else ()
        cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
        look = unread_labels(source.path, config, columns).columns
        if source.kind == "pairs":
            return columns, raw_values(source, columns.names, cap, most, listed, look)
        wanted = [*columns.names, None][:2]
        late = (None, "doc_title" if source.titled else None)
        return columns, raw_values(source, wanted, cap, most, listed, late=late)
    layout, text = _layout(source, config), text_of(source, config)
    positional = PairColumns(Path("query"), (Path("positive"),))
    if source.kind == "documents":
        return positional._replace(positives=()), placed(text, layout)
    named = _by_name(source, config, layout, head(text, 0)[0])
    return named or positional, placed(text, layout)
