"""Documents alone: pseudo-pairs made of each, whose queries' identifiers say that they are."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from negmine.schemas.inputs import AUTO, DocumentsInput
from negmine.transforms.kernels.crops import first_sentence, two_crops
from negmine.transforms.readers.columns import ANY, check_order, late_roles, text_of
from negmine.transforms.readers.paths import Kinds, file_sources
from negmine.transforms.readers.rows import (
    Document,
    Judgement,
    Query,
    Rejected,
    Row,
    Source,
    bad,
    heading,
    identifier,
    joined,
    text_id,
)
from negmine.transforms.readers.tables.columnar import require_values, schema_of
from negmine.transforms.readers.tables.delimited import head
from negmine.transforms.readers.tables.headers import Layout, find_layout, header_of, placed
from negmine.transforms.readers.tables.json_objects import keys
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import optional, required, usual
from negmine.transforms.readers.tables.values import Values, raw_values
from negmine.transforms.storage.suffixes import kind_of_file

PSEUDO = "pseudo:"
"""What the identifiers of made-up queries begin with; the document's follows."""

_KINDS = Kinds(ANY, ANY, "tsv")


class _Columns(NamedTuple):
    """Columns of the identifier, the text and the title; None for one that is not read."""

    identity: str | None
    text: str
    title: str | None


def sources(config: DocumentsInput) -> list[Source]:
    """A source for each file. Raises DataError naming a path or column that is missing."""
    found = file_sources("texts", config.path, "path", _KINDS)
    layouts: dict[Source, Layout] = {}
    for source in found:
        if _is_text(source):
            layouts[source] = _layout(source, config)
        else:
            _columns(source, config)
    check_order(list(layouts), list(layouts.values()), "path")
    return found


def _is_text(source: Source) -> bool:
    return kind_of_file(source.path) in ("csv", "tsv", "")


def _columns(source: Source, config: DocumentsInput) -> _Columns:
    """The columns to read of a JSON, Parquet or Arrow file. Raises DataError: one is missing."""
    if kind_of_file(source.path) == "jsonl":
        names = keys(source.path, line_cap(config.max_text_bytes), config.max_unpacked_bytes)
        # Where no row can be read each says so itself.
        return _wanted(source, config, names) if names else _Columns(None, "text", None)
    schema = schema_of(source.path)
    wanted = _wanted(source, config, schema.names)
    require_values(source.path, schema, wanted)
    return wanted


def _wanted(source: Source, config: DocumentsInput, names: Sequence[str]) -> _Columns:
    where, text = source.path, config.doc_text
    alone = len(names) == 1 and text == AUTO
    return _Columns(
        optional(where, names, "doc_id", config.doc_id),
        names[0] if alone else required(where, names, "doc_text", text),
        optional(where, names, "doc_title", config.doc_title),
    )


def _layout(source: Source, config: DocumentsInput) -> Layout:
    """How a CSV or TSV file is read: by name, as `id text`, or as texts alone."""

    def named(names: Sequence[str]) -> Sequence[str | None] | None:
        if config.doc_text == AUTO and usual("doc_text", names) is None:
            return None
        return list(_wanted(source, config, names))

    first, following = head(text_of(source, config))
    narrow = all(len(row) == 1 for row in (first or [], *following) if row)
    at = (None, 0, None) if narrow else (0, 1, None)
    width = 1 if narrow else 2
    positional = Layout(False, at, width, width)
    header, roles = header_of(config.header, "path"), ("doc_id", "doc_text")
    return find_layout(source.path, "path", first, following, header, roles, named, positional)


def _rows(source: Source, config: DocumentsInput) -> Iterator[Values]:
    if _is_text(source):
        return placed(text_of(source, config), _layout(source, config))
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    late = late_roles(("doc_id", None, "doc_title"), config)
    return raw_values(source, list(_columns(source, config)), cap, most, late=late)


def read(source: Source, config: DocumentsInput, seed: int) -> Iterator[Row]:
    """A document for each row and, where one can be made of it, a query and a judgement.

    The document is what its query does not say: without the title or sentence that asks, or the
    span that another asks for. `seed` keys the spans.
    """
    for line, values, raw in _rows(source, config):
        known: str | None = None
        try:
            if isinstance(values, Rejected):
                raise values
            own, text, title = values
            whole = joined(text, title, config.max_text_bytes)
            body = joined(text, None, config.max_text_bytes)
            known = text_id(whole) if own is None else identifier(own)
        except Rejected as why:
            yield bad(line, "documents", why, raw, known)
            continue
        query, document = _pair(config, known, heading(title).strip(), body, seed)
        yield Document(line, known, document or whole)
        if query is not None:
            yield Query(line, PSEUDO + known, query)
            yield Judgement(line, PSEUDO + known, known, None)


def _pair(
    config: DocumentsInput, identity: str, title: str, body: str, seed: int
) -> tuple[str | None, str | None]:
    """A query and the document that answers it; None where the text gives none."""
    if config.queries == "crops":
        found = two_crops(f"{title} {body}".strip(), identity, config.crop, seed)
    elif config.queries == "title" and title and title != body:
        found = title, body
    else:
        found = first_sentence(body)
    return found or (None, None)
