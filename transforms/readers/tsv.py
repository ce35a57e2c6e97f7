"""Text collections of `id<TAB>text` and TREC qrels, as of MS MARCO, with or without a header."""

from collections.abc import Iterator, Sequence

from negmine.schemas.inputs import TsvInput
from negmine.transforms.readers.columns import check_order, text_of
from negmine.transforms.readers.paths import Kinds, evaluation_sources, file_sources
from negmine.transforms.readers.qrels import qrels_layout, read_qrels
from negmine.transforms.readers.rows import Rejected, Row, Source, bad, text_row
from negmine.transforms.readers.tables.delimited import head
from negmine.transforms.readers.tables.headers import Layout, find_layout, header_of, placed
from negmine.transforms.readers.tables.names import usual

_KINDS = Kinds(("tsv", "csv"), ("tsv", "csv"), "tsv")
_POSITIONAL = Layout(False, (0, 1, None), 2, 2)
_ROLES = {
    "documents": ("doc_id", "doc_text", "doc_title"),
    "queries": ("query_id", "query_text", None),
}


def sources(config: TsvInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path that is missing or a header that is not known, ConfigError where
    qrels of the evaluation are mined.
    """
    found = [
        source
        for kind in ("documents", "queries", "qrels")
        for source in file_sources(kind, getattr(config, kind), kind, _KINDS)
    ]
    for kind, mined in (("queries", []), ("qrels", found)):
        key = f"evaluation_{kind}"
        found += evaluation_sources(kind, getattr(config, key), key, _KINDS, mined)
    layouts = [
        qrels_layout(text_of(source, config), header_of(config.header, "qrels"))
        if source.kind == "qrels"
        else _layout(source, config)
        for source in found
    ]
    check_order(found, layouts)
    return found


def _layout(source: Source, config: TsvInput) -> Layout:
    def named(names: Sequence[str]) -> list[str | None] | None:
        identity, text, title = (
            None if role is None else usual(role, names) for role in _ROLES[source.kind]
        )
        whole = identity is not None and text is not None and identity != text
        return [identity, text, title] if whole else None

    first, following = head(text_of(source, config))
    roles = [role for role in _ROLES[source.kind][:2] if role]
    header, key = header_of(config.header, source.kind), source.kind
    return find_layout(source.path, key, first, following, header, roles, named, _POSITIONAL)


def read(source: Source, config: TsvInput, seed: int) -> Iterator[Row]:
    """Rows of one file."""
    text = text_of(source, config)
    if source.kind == "qrels":
        yield from read_qrels(text, qrels_layout(text, header_of(config.header, "qrels")))
        return
    for number, found, data in placed(text, _layout(source, config)):
        if isinstance(found, Rejected):
            yield bad(number, source.kind, found, data)
            continue
        identity, words, title = found
        limit = config.max_text_bytes
        yield text_row(source.kind, number, identity, words, title, limit, data)
